"""What was decided about a metric, in words: what it means, since when, and how it is counted."""

from __future__ import annotations

from datetime import UTC, datetime

from linnet.report.counting import percent, plural
from linnet.watch.experiments import Analysis, Experiment, Outcome, Track

_WORDS = {("success", "holds"): "better", ("success", "fails"): "not enough", ("guardrail", "holds"): "not harmed",
          ("guardrail", "fails"): "harmed"}

_CONTRADICTED = {
    "success": "Looks at different times show opposite things: it changes over time, and neither is concluded.",
    "guardrail": "Worse by more than the margin of {margin} at one look and not so at another: it changes over time, "
                 "and harm that any look has shown counts."}


def word(outcome: Outcome) -> str:
    """What was decided, in a word or two.

    A guardrail is "not harmed" where it is not worse by its margin, and "not enough" says that a success metric gains
    less than what would be worth having.
    """
    if outcome.role == "success" and outcome.decision == "fails" and is_worse(outcome):
        return "worse"
    return _WORDS.get((outcome.role, outcome.decision), "not decided")


def is_worse(outcome: Outcome) -> bool:
    """Whether the last interval lies on the wrong side of zero."""
    track = deciding(outcome)
    return bool(track.low[-1] > 0 if outcome.goal == "decrease" else track.high[-1] < 0)


def stands(outcome: Outcome) -> bool:
    """Whether the last look alone would decide the same, or nothing was decided."""
    track, sign = deciding(outcome), -1 if outcome.goal == "decrease" else 1
    low, high = sorted((sign * float(track.low[-1]), sign * float(track.high[-1])))
    return {"holds": low > outcome.bounds[0], "fails": high < outcome.bounds[1]}.get(outcome.decision, True)


def meaning(plan: Experiment, outcome: Outcome) -> str:
    """What the interval says about what the plan asked; and where the decision rests on an earlier look alone."""
    said = _guarded(plan, outcome) if outcome.role == "guardrail" else _gained(plan, outcome)
    if outcome.is_contradicted:
        return _CONTRADICTED[outcome.role].format(margin=bound(plan, outcome, abs(outcome.bounds[0])))
    return said if stands(outcome) else f"{said} The last look alone would leave it open."


def _guarded(plan: Experiment, outcome: Outcome) -> str:
    margin = bound(plan, outcome, abs(outcome.bounds[0]))
    if outcome.decision == "undecided":
        return f"Whether it is worse by the margin of {margin} is open."
    return f"Not worse by the margin of {margin}." if outcome.decision == "holds" else \
        f"Worse by more than the margin of {margin}."


def _gained(plan: Experiment, outcome: Outcome) -> str:
    worth = bound(plan, outcome, outcome.bounds[1])
    if outcome.decision == "undecided":
        return f"Neither that it is better is shown, nor that it gains less than the {worth} worth having." if worth \
            else "Neither better nor worse is shown."
    if outcome.decision == "fails":
        return "Shown to be worse." if is_worse(outcome) else f"Shown to gain less than the {worth} worth having."
    if not worth:
        return "Shown to be better."
    return f"Shown to be better, by the {worth} worth having or more." if _is_worth(outcome) else \
        f"Shown to be better; whether by the {worth} worth having is open."


def bound(plan: Experiment, outcome: Outcome, value: float) -> str:
    """What the plan asks for, as it asks for it: "0.5 points", "5 %", "20"; "" where it asks for nothing."""
    if not value:
        return ""
    if outcome.scale == "relative":
        return percent(round(value, 9))
    if not is_share(plan, outcome):
        return f"{value:,.6g}"
    points = f"{100 * value:.6g}"
    return f"{points} point" if points == "1" else f"{points} points"


def decided(analysis: Analysis, outcome: Outcome) -> str:
    """When it was first decided: after how many units of both arms, and at what time; "" while it is open."""
    look = outcome.first_decided
    if look is None:
        return ""
    time = when(analysis, look)
    came = "who came by" if analysis.experiment.unit else "up to"
    told = f" {came} {time}" if time else ""
    return f"decided after {int(outcome.units[look]):,} {noun(analysis.experiment)}{told}"


def when(analysis: Analysis, look: int) -> str:
    """The end of a look as one reads it, "" without times.

    Timestamps are told in the zone in which the table holds them.
    """
    if analysis.times is None:
        return ""
    time = float(analysis.times[look])
    if analysis.time_kind != "timestamp":
        return f"{analysis.experiment.time} {time:.6g}"
    moment = datetime.fromtimestamp(time, UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M}"


def noun(experiment: Experiment) -> str:
    """What the units are called, in the plural: by their column, without its "id"."""
    if experiment.unit is None:
        return "rows"
    name = experiment.unit.replace("_", " ").strip()
    short = name[:-2].strip() if name.lower().endswith(" id") else name
    return plural(short or name)


def is_share(experiment: Experiment, outcome: Outcome) -> bool:
    """Whether the metric is a share of something, which is told in percent, and its difference in points."""
    return outcome.kind == "proportion" or experiment.metrics[outcome.metric].share


def deciding(outcome: Outcome) -> Track:
    """The track on whose scale the plan decides."""
    return outcome.relative if outcome.scale == "relative" else outcome.absolute


def _is_worth(outcome: Outcome) -> bool:
    """Whether the whole last interval lies beyond what would be worth having."""
    track, least = deciding(outcome), outcome.bounds[1]
    return bool(track.high[-1] <= -least if outcome.goal == "decrease" else track.low[-1] >= least)
