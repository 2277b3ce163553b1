"""An experiment in words and as a table: what came out, since when, what was assumed, and what it does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

from linnet.evidence import Verdict
from linnet.report.counting import listed, percent
from linnet.report.experiment_numbers import change, interval, number, places_of, sure, turned
from linnet.report.experiment_words import decided, is_share, meaning, noun, stands, word
from linnet.watch.experiments import Analysis, Outcome, Track

MARKS = {"holds": "✓", "fails": "✕", "undecided": "?"}
WIDTH = 100
_LEADS = {"holds": "{arm} is better than {control}", "fails": "{arm} does not do what was asked of it",
          "harms": "{arm} does harm", "guards": "{arm} does no harm",
          "undecided": "it is not decided whether {arm} is better than {control}"}
_ORDER = ("harmed", "worse", "better", "not enough", "not harmed", "not decided")
_TOLD = ("harmed", "worse", "better", "not enough")
"""These are told with their numbers in the first sentence."""


@dataclass(frozen=True)
class Row:
    """One metric in one arm at the last look, every number as text."""

    outcome: Outcome
    control: str
    treatment: str
    difference: str
    interval: str
    lift: str
    lift_interval: str
    sure: str
    word: str


def seen(row: Row) -> tuple[str, str]:
    """The change and its interval, on the scale on which the plan decides."""
    return (row.lift, row.lift_interval) if row.outcome.scale == "relative" else (row.difference, row.interval)


def verdict(analysis: Analysis, outcome: Outcome) -> Verdict:
    """What was decided; nothing where the arms did not fill as planned."""
    return "undecided" if analysis.assignment.alarm else outcome.decision


def told(analysis: Analysis, row: Row) -> str:
    """A metric in two or three sentences: what it is in both arms, what that shows, and since when."""
    plan, outcome = analysis.experiment, row.outcome
    change, span = seen(row)
    both = f"{row.control} with {plan.reference}, {row.treatment} with {outcome.arm}" if row.control and row.treatment \
        else "nothing was measured in one of the arms"
    shown = f": {change} ({span}, {row.sure} sure)" if change else ""
    end = decided(analysis, outcome)
    if analysis.assignment.alarm:
        return f"{both[:1].upper()}{both[1:]}{shown}. The split is broken: this may be what is missing."
    return f"{both[:1].upper()}{both[1:]}{shown}. {meaning(plan, outcome)}" + (f" D{end[1:]}." if end else "")


def sentence(analysis: Analysis) -> str:
    """What came out: of each arm whether it is better, by how much where that is shown, and what is harmed."""
    plan = analysis.experiment
    on = f"On {int(analysis.looks[-1]):,} {noun(plan)}"
    if analysis.assignment.alarm:
        return (f"{on} the arms did not fill as planned, so nothing can be said of {listed(list(plan.treatments))} "
                f"against {plan.reference}.")
    said = [f"{_LEADS[_lead(analysis, arm)].format(arm=arm, control=plan.reference)}{_groups(analysis, arm)}"
            for arm in plan.treatments]
    return f"{on}, {' '.join(said)} {percent(plan.level)} sure."


def rows(analysis: Analysis) -> list[Row]:
    """The table: a row a metric and treatment arm, in the order of the plan."""
    return [row_of(analysis, outcome) for outcome in analysis.outcomes]


def row_of(analysis: Analysis, outcome: Outcome) -> Row:
    """The row of one metric in one arm."""
    percentage, is_worse_up = is_share(analysis.experiment, outcome), outcome.goal == "decrease"
    scale = 2 if percentage else 0
    places, lift_places = places_of(outcome.absolute, scale), places_of(outcome.relative, 2)
    unit, lift = " points" if percentage else "", change(float(outcome.relative.estimate[-1]), places=lift_places,
                                                         scale=2, worse_is_up=is_worse_up)
    difference = change(float(outcome.absolute.estimate[-1]), places=places, scale=scale, worse_is_up=is_worse_up)
    return Row(
        outcome=outcome, control=number(float(outcome.control[-1]), places=places, percentage=percentage),
        treatment=number(float(outcome.treatment[-1]), places=places, percentage=percentage),
        difference=f"{difference}{unit}" if difference else "",
        interval=_last(outcome.absolute, places, scale, _side(outcome, "absolute")), lift=f"{lift} %" if lift else "",
        lift_interval=_last(outcome.relative, lift_places, 2, _side(outcome, "relative")), sure=sure(outcome.level),
        word="not trusted" if analysis.assignment.alarm else word(outcome))


def head(analysis: Analysis) -> list[str]:
    """The titles of the columns that `cells` fills."""
    arms = analysis.experiment.treatments
    return ["", analysis.experiment.reference, arms[0] if len(arms) == 1 else "treatment", "difference", "interval",
            "lift", "interval", "sure", ""]


def cells(analysis: Analysis, row: Row) -> list[str]:
    """A row under the titles of `head`; the arm is named where there are several."""
    return [title(analysis, row.outcome), row.control, row.treatment, row.difference, row.interval, row.lift,
            row.lift_interval, row.sure, row.word]


def title(analysis: Analysis, outcome: Outcome) -> str:
    """The metric, with its arm where there are several."""
    return f"{outcome.metric} ({outcome.arm})" if len(analysis.experiment.treatments) > 1 else outcome.metric


def text(analysis: Analysis) -> str:
    """The sentence, a line or two a metric, the table, and what is odd, for a terminal."""
    said = [f"{MARKS[_split_verdict(analysis)]} {'split':<12} {analysis.assignment.sentence}"]
    for row in rows(analysis):
        mark = MARKS[verdict(analysis, row.outcome)]
        said.append(f"{mark} {row.word:<12} {title(analysis, row.outcome)}: {told(analysis, row)}")
    lines = "\n".join(fill(line, WIDTH, subsequent_indent=" " * 15) for line in said)
    figures = "\n".join(aligned([head(analysis), *(cells(analysis, row) for row in rows(analysis))]))
    notes = [fill(f"note: {note}", WIDTH, subsequent_indent="      ") for note in analysis.notes]
    return "\n\n".join(part for part in [fill(sentence(analysis), WIDTH), lines, figures, "\n".join(notes)] if part)


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Columns of one width each: the first and those without a title on the left, numbers on the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    left = {at for at, name in enumerate(table[0]) if not name or not at}
    return ["  ".join(cell.ljust(width) if at in left else cell.rjust(width)
                      for at, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in table]


def _lead(analysis: Analysis, arm: str) -> str:
    found = [outcome for outcome in analysis.outcomes if outcome.arm == arm]
    verdict = analysis.verdicts[arm]
    if verdict == "fails" and any(word(outcome) == "harmed" for outcome in found):
        return "harms"
    if verdict == "holds" and not any(outcome.role == "success" for outcome in found):
        return "guards"
    return verdict


def _groups(analysis: Analysis, arm: str) -> str:
    """The metrics of an arm by what was decided, those that changed with their change; what won needs no heading."""
    groups: dict[str, list[str]] = {}
    for row in rows(analysis):
        if row.outcome.arm == arm:
            groups.setdefault(row.word, []).append(f"{row.outcome.metric}{_shown(row)}")
    won = groups.pop("better", []) if analysis.verdicts[arm] == "holds" else []
    rest = [f"{name.capitalize()}: {listed(groups[name])}." for name in _ORDER if name in groups]
    return " ".join([f": {listed(won)}." if won else ".", *rest])


def _side(outcome: Outcome, scale: str) -> float:
    """The bound that an interval must not be rounded across; where both count, that of the decision."""
    if outcome.scale != scale:
        return 0.0
    return turned(outcome, outcome.bounds[1] if outcome.decision == "fails" else outcome.bounds[0])


def _shown(row: Row) -> str:
    """The change as the first sentence tells it; not its interval where that would seem to say something else."""
    change, span = seen(row)
    if row.word not in _TOLD or not change:
        return ""
    return f" {change} ({span})" if stands(row.outcome) else " (by an earlier look)"


def _last(track: Track, places: int, scale: int, bound: float) -> str:
    return interval(float(track.low[-1]), float(track.high[-1]), places=places, scale=scale, bound=bound)


def _split_verdict(analysis: Analysis) -> str:
    return "fails" if analysis.assignment.alarm else "holds"
