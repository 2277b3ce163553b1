"""What a plan is worth before it is used: how often it finds what is there, and how often what is not."""

from __future__ import annotations

from decimal import Decimal
from textwrap import fill

from linnet.evidence import Verdict
from linnet.evidence.rounding import down, shift, up
from linnet.report.counting import bound_in_hundred, counted, percent
from linnet.report.experiment import MARKS, WIDTH, aligned
from linnet.report.experiment_numbers import places_for
from linnet.report.experiment_words import noun
from linnet.watch.experiments import EXIT_CODES, FalsePositives, Power, SelfTest, Stopping

_ZERO = Decimal(0)


def false_positives(found: SelfTest) -> str:
    """A self-test for a terminal: a line a metric, beside what a z-test at every look would have done."""
    units = noun(found.experiment)
    most = max((metric.units for metric in found.metrics), default=0)
    opening = (f"{found.runs:,} experiments in which nothing is different: {most:,} {units} of {found.arm}, "
               f"shared out anew by chance, each looked at {counted(found.looks, 'time')}. A difference may be shown "
               f"in {bound_in_hundred(found.nominal)} of them at most.")
    table = [["", "", "shown in", "interval", "z-test at every look", "interval"]]
    for metric in found.metrics:
        table.append([MARKS[verdict_of(found, metric)], metric.metric, _rate(metric.rate), _rates(metric.interval),
                      _rate(metric.naive_rate), _rates(metric.naive_interval)])
    how = "Both columns count the same experiments at the same looks; intervals of their rates at 95 %."
    return _parts(opening, table, (how, *found.notes))


def verdict_of(found: SelfTest, metric: FalsePositives) -> Verdict:
    """Fails where the rate is shown to be above what the plan allows, holds where it is shown not to be."""
    low, high = metric.interval
    return "fails" if low > found.nominal else "holds" if high <= found.nominal else "undecided"


def exit_code(found: SelfTest) -> int:
    """1 where a metric fails, 2 where one is undecided, else 0."""
    verdicts = {verdict_of(found, metric) for metric in found.metrics}
    return EXIT_CODES["fails" if "fails" in verdicts else "holds" if verdicts == {"holds"} else "undecided"]


def stopping(found: Power) -> str:
    """A power reckoning for a terminal: how often each metric would be decided, and after how many units."""
    units = noun(found.experiment)
    opening = (f"{found.runs:,} experiments a metric, as planned, in which the difference is just the smallest worth "
               f"having (for a guardrail: none), {counted(found.looks, 'look')} each. Numbers are {units} of both "
               "arms.")
    head = ["", "effect", "decided", "on average after", "half of them after", "last look", "one look, 80 %"]
    rows = [[f"{one.metric} ({one.arm})", _effect(found, one), _share(one), *(f"{number:,.0f}" for number in (
        one.expected_units, one.median_units, one.last_look, one.fixed_units))] for one in found.stopping]
    how = ("Decided: rightly, by the last look, ± twice the error of the simulation. The last column is what a test "
           "needs that may look once, at the end, and so never stops early.")
    return _parts(opening, [head, *rows], (how, *found.notes))


def _parts(opening: str, table: list[list[str]], notes: tuple[str, ...]) -> str:
    lines = aligned(table) if len(table) > 1 else []
    return "\n\n".join([fill(opening, WIDTH), *(["\n".join(lines)] if lines else []),
                        *(fill(note, WIDTH) for note in notes)])


def _rate(rate: float) -> str:
    return percent(round(rate, 4))


def _rates(interval: tuple[float, float]) -> str:
    low, high = (shift(end, 2) for end in interval)
    return f"{down(low, _ZERO, 2)} to {up(high, _ZERO, 2)}"


def _share(one: Stopping) -> str:
    return f"{100 * one.power:.1f} % ± {200 * one.power_error:.1f}"


def _effect(found: Power, one: Stopping) -> str:
    metric = found.experiment.metrics[one.metric]
    if not one.effect:
        return "none"
    if metric.kind == "proportion" or metric.share:
        return f"{100 * one.effect:.{places_for(100 * one.effect)}f} points"
    return f"{one.effect:,.{places_for(one.effect)}f}"
