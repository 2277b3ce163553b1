"""From intervals to decisions: what holds, what fails, from which look on, and in which words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from linnet.evidence.claims.claim import Verdict
from linnet.evidence.sequences import Looks
from linnet.watch.experiments.analysis import Floats, Integers, Outcome, Track
from linnet.watch.experiments.effects import Effect
from linnet.watch.experiments.plan import Experiment, Metric

FREQUENT = 0.2
"""Above this rate a difference is decided far sooner than a lift."""


def decide(plan: Experiment, name: str, arm: str, effect: Effect, units: Integers) -> Outcome:
    """One metric in one arm, decided at the first look that can: what is decided stays so."""
    metric = plan.metrics[name]
    scale, bounds = scale_of(metric), bounds_of(metric)
    low, high = better(getattr(effect, scale), metric)
    decided = (low > bounds[0]) | (high < bounds[1])
    first = int(np.argmax(decided)) if decided.any() else None
    verdict: Verdict = "undecided" if first is None else "holds" if low[first] > bounds[0] else "fails"
    said = _sentence(plan, name, arm, effect, verdict)
    return Outcome(name, arm, metric.kind, metric.role, metric.goal, plan.level_of(name), units, effect.control,
                   effect.treatment, _track(effect.absolute), _track(effect.relative), bounds, scale, verdict, first,
                   said, effect.method)


def verdict_of_arm(outcomes: Sequence[Outcome]) -> Verdict:
    """Holds: a success metric does, none shows harm, and every guardrail holds. Fails: a guardrail or all success
    metrics do."""
    guardrails = [outcome.decision for outcome in outcomes if outcome.role == "guardrail"]
    success = [outcome for outcome in outcomes if outcome.role == "success"]
    decisions = [outcome.decision for outcome in success]
    if "fails" in guardrails or (decisions and set(decisions) == {"fails"}):
        return "fails"
    has_won = "holds" in decisions or not success
    return "holds" if has_won and set(guardrails) <= {"holds"} and not any(map(shows_harm, success)) else "undecided"


def shows_harm(outcome: Outcome) -> bool:
    """The metric is shown to have gone the wrong way, whatever effect the plan asks for."""
    track = outcome.absolute if outcome.scale == "absolute" else outcome.relative
    return bool((track.high < 0).any() if outcome.goal == "increase" else (track.low > 0).any())


def scale_of(metric: Metric) -> str:
    """On which scale the plan asks: that of its smallest effect or margin; never by the data.

    A proportion with neither is decided by its lift, one that is known to be frequent by its difference.
    """
    if metric.role == "guardrail":
        return "absolute" if metric.margin is not None else "relative"
    if metric.minimum_lift is not None:
        return "relative"
    is_rare = metric.kind == "proportion" and (metric.baseline or 0.0) <= FREQUENT
    return "relative" if metric.minimum_effect is None and is_rare else "absolute"


def bounds_of(metric: Metric) -> tuple[float, float]:
    """Beyond the first it holds, short of the second it fails, where more is better."""
    if metric.role == "guardrail":
        margin = -float(metric.margin if metric.margin is not None else metric.margin_lift or 0)
        return margin, margin
    return 0.0, float(metric.minimum_effect or metric.minimum_lift or 0.0)


def better(looks: Looks, metric: Metric) -> tuple[Floats, Floats]:
    """The interval, turned so that more is better."""
    return (looks.low, looks.high) if metric.goal == "increase" else (-looks.high, -looks.low)


def _track(looks: Looks) -> Track:
    return Track(looks.estimate, looks.low, looks.high)


def _sentence(plan: Experiment, name: str, arm: str, effect: Effect, verdict: Verdict) -> str:
    metric = plan.metrics[name]
    seen = (f"{name} is {figure(effect.treatment[-1])} in {arm} and {figure(effect.control[-1])} in {plan.reference}: "
            f"{_change(effect, metric)}")
    return f"{seen}. {_MEANING[metric.role, verdict].format(asked=_asked(metric), goal=metric.goal)}"


_MEANING = {
    ("success", "holds"): "This is shown to be the {goal} that the plan asks for.",
    ("success", "fails"): "It is shown not to be {asked}.",
    ("success", "undecided"): "Neither {asked} nor its absence is shown yet.",
    ("guardrail", "holds"): "It is shown not to be worse by {asked}.",
    ("guardrail", "fails"): "It is shown to be worse by {asked} or more.",
    ("guardrail", "undecided"): "Whether it is worse by {asked} is not shown yet.",
}


def _asked(metric: Metric) -> str:
    absolute = metric.margin if metric.role == "guardrail" else metric.minimum_effect
    lift = metric.margin_lift if metric.role == "guardrail" else metric.minimum_lift
    size = figure(absolute) if absolute is not None else percent(lift) if lift is not None else ""
    if metric.role == "guardrail":
        return size
    article = "an" if metric.goal == "increase" else "a"
    return f"{article} {metric.goal} of {size} or more" if size else f"{article} {metric.goal}"


def _change(effect: Effect, metric: Metric) -> str:
    scale = scale_of(metric)
    looks: Looks = getattr(effect, scale)
    show = percent if scale == "relative" else figure
    low, high = float(looks.low[-1]), float(looks.high[-1])
    if not (math.isfinite(low) or math.isfinite(high)):
        return "how far they lie apart cannot be said yet"
    return f"a change of {show(looks.estimate[-1], sign=True)}, between {show(low, sign=True)} and " \
           f"{show(high, sign=True)}"


def figure(value: float, *, sign: bool = False) -> str:
    """A number with four figures.

    >>> figure(0.0512345), figure(12.5, sign=True), figure(1234567.0)
    ('0.05123', '+12.5', '1.235e+06')
    """
    return f"{value:+.4g}" if sign else f"{value:.4g}"


def percent(value: float, *, sign: bool = False) -> str:
    """A share in per cent.

    >>> percent(0.0512, sign=True), percent(float("inf"))
    ('+5.1 %', 'any amount')
    """
    if not math.isfinite(value):
        return "any amount"
    return f"{100 * value:+.1f} %" if sign else f"{100 * value:.1f} %"
