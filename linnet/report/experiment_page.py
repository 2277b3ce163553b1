"""An experiment as one HTML page: one sentence, a line a metric, what was assumed, and the sequences over time."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from string import Template

from linnet import __version__
from linnet.files import replacing
from linnet.report import experiment_charts, experiment_limits
from linnet.report.counting import percent
from linnet.report.experiment import cells, head, rows, sentence, title, told, verdict
from linnet.report.experiment_words import noun
from linnet.report.markup import Html, chart, safe, section, table, tag, unbroken
from linnet.watch.experiments import Analysis

_PLAN = "The plan"


def write_experiment(analysis: Analysis, path: str | Path, *, command: str = "", plan: str = "") -> Path:
    """Write the page; `command` makes it again, `plan` is the text of the plan."""
    with replacing(Path(path)) as partial:
        partial.write_text(experiment_html(analysis, command=command, plan=plan), encoding="utf-8")
    return Path(path)


def experiment_html(analysis: Analysis, *, command: str = "", plan: str = "") -> str:
    """The whole page as text."""
    here, name = resources.files("linnet.report"), analysis.experiment.name
    figures = tag("div", tag("p", "The figures", class_="part"), _sequences(analysis), _table(analysis),
                  _split(analysis), section(_PLAN, tag("pre", plan.rstrip())) if plan else "", class_="figures")
    return Template(here.joinpath("page.html").read_text(encoding="utf-8")).substitute(
        title=safe(f"{name}: experiment"), name=safe(name), version=safe(__version__),
        style=here.joinpath("style.css").read_text(encoding="utf-8"), sentence=safe(sentence(analysis)),
        open_claims=_alarm(analysis), verdicts=_verdicts(analysis), blocks=_blocks(analysis, command), figures=figures)


def _alarm(analysis: Analysis) -> Html:
    if not analysis.assignment.alarm:
        return Html("")
    return tag("p", "Trust no difference below until the cause is found: who is missing is seldom missing by chance.",
               class_="open fails")


def _verdicts(analysis: Analysis) -> Html:
    """The split first, since nothing else holds without it; then a line a metric and arm."""
    found = analysis.assignment
    lines = [_line("fails" if found.alarm else "holds", "Broken" if found.alarm else "As planned", "The split",
                   found.sentence)]
    lines += [_line(verdict(analysis, row.outcome), row.word.capitalize(), title(analysis, row.outcome),
                    told(analysis, row)) for row in rows(analysis)]
    return tag("ul", *lines, class_="verdicts")


def _line(verdict: str, badge: str, name: str, said: str) -> Html:
    return tag("li", tag("span", badge, class_=f"badge {verdict}"), tag("div", tag("strong", name), tag("p", said)))


def _blocks(analysis: Analysis, command: str) -> Html:
    said = [_block("How sure this is", experiment_limits.control_of_error(analysis)),
            _block("What was assumed", experiment_limits.assumptions(analysis)),
            _block("What this does not say", experiment_limits.limits(analysis))]
    last = [_block("What is odd, or left out", analysis.notes), _again(command)]
    return tag("div", *said, tag("div", *(block for block in last if block)), class_="blocks")


def _block(name: str, sentences: Sequence[str]) -> Html:
    return section(name, *(tag("p", said) for said in sentences))


def _again(command: str) -> Html:
    return section("How to run it again", tag("pre", unbroken(command)), tag(
        "p", "It answers with 0 where a success metric is better and nothing is harmed, 1 where that is no longer "
             "possible or the split is broken, 2 where it is not decided.")) if command else Html("")


def _sequences(analysis: Analysis) -> Html:
    pictures = [(outcome, experiment_charts.sequence(analysis, outcome)) for outcome in analysis.outcomes]
    parts = [Html(tag("h3", title(analysis, outcome)) + (chart(figure) if figure else tag(
        "p", "No look excludes anything yet.", class_="note"))) for outcome, figure in pictures]
    return section("Each metric over time", tag("p", _legend(analysis), class_="note"), *parts)


def _legend(analysis: Analysis) -> str:
    plan = analysis.experiment
    said = (f"The line at zero is {plan.reference}. The band holds the true difference at all looks together; it "
            "narrows as more is seen. A metric is decided once its band leaves the line that was asked about: zero, "
            "the effect worth having from below, the margin of a guardrail.")
    if plan.unit is None or analysis.times is None:
        return said
    later = f", which is known {plan.window} later" if isinstance(plan.window, str) else ""
    return f"{said} Each of the {noun(plan)} stands at the time of the first event, with all that is counted{later}."


def _table(analysis: Analysis) -> Html:
    names = head(analysis)
    shown = table(names, (cells(analysis, row) for row in rows(analysis)), numbers=range(1, len(names) - 1))
    return section("At the last look", shown, tag(
        "p", f"{analysis.rows:,} rows, {int(analysis.looks[-1]):,} {noun(analysis.experiment)}, "
             f"{len(analysis.looks)} looks. Intervals are rounded outwards, estimates to the worse side.",
        class_="note"))


def _split(analysis: Analysis) -> Html:
    found = analysis.assignment
    total = max(int(found.counts[-1].sum()), 1)
    shown = table(["", "planned", "came", "share"], [
        [arm, percent(round(share, 6)), f"{int(count):,}", f"{100 * int(count) / total:.2f} %"]
        for arm, share, count in zip(found.arms, found.planned, found.counts[-1], strict=True)], numbers=(1, 2, 3))
    figure = experiment_charts.split(analysis)
    return section("Did the arms fill as planned?", shown, chart(figure) if figure else "")
