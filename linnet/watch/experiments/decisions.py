"""From intervals to decisions: what holds, what fails, and from which look on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.evidence import Verdict
from linnet.evidence.sequences import Looks
from linnet.watch.experiments.analysis import Floats, Integers, Outcome, Track
from linnet.watch.experiments.effects import Effect
from linnet.watch.experiments.plan import Experiment, Metric

Truths = NDArray[np.bool_]

FREQUENT = 0.2
"""Above this rate a difference is decided far sooner than a lift."""


@dataclass(frozen=True)
class Settled:
    """What the looks on the last axis come to, and at which look they did."""

    holds: Truths
    fails: Truths
    is_contradicted: Truths
    """One look has shown what another refutes, so that the effect is not the same at all times."""
    first: Integers


def decide(plan: Experiment, name: str, arm: str, effect: Effect, units: Integers) -> Outcome:
    """One metric in one arm, decided at the first look that can: what is decided stays so, unless a look refutes it."""
    metric = plan.metrics[name]
    scale = scale_of(metric)
    found = settled(*better(getattr(effect, scale), metric), metric)
    verdict: Verdict = "holds" if found.holds else "fails" if found.fails else "undecided"
    return Outcome(name, arm, metric.kind, metric.role, metric.goal, plan.level_of(name), units, effect.control,
                   effect.treatment, _track(effect.absolute), _track(effect.relative), bounds_of(metric), scale,
                   verdict, None if verdict == "undecided" else int(found.first), effect.method,
                   bool(found.is_contradicted))


def settled(low: Floats, high: Floats, metric: Metric) -> Settled:
    """From intervals that are turned so that more is better; runs, if there are several, on the axes before the last.

    Intervals that all hold together can only lie apart where the effect changes over time. A success metric of which
    they show opposite things is undecided: there is no one answer. A guardrail fails then, in whichever order they
    came: the harm was there, and a wrong alarm costs less than harm that ships.
    """
    bounds = bounds_of(metric)
    gains, falls_short = low > bounds[0], high < bounds[1]
    if metric.role == "guardrail":
        is_safe, is_harmed = _any(gains), _any(falls_short)
        first = np.where(is_harmed, falls_short.argmax(axis=-1), gains.argmax(axis=-1))
        return Settled(is_safe & ~is_harmed, is_harmed, is_safe & is_harmed, first)
    is_decided = gains | falls_short
    first = is_decided.argmax(axis=-1)
    has_won = np.take_along_axis(gains, first[..., None], axis=-1)[..., 0]
    is_refuted = np.where(has_won, _any(high < bounds[0]), _any(low > bounds[1]))
    is_settled = _any(is_decided) & ~is_refuted
    return Settled(is_settled & has_won, is_settled & ~has_won, _any(is_decided) & is_refuted, np.asarray(first))


def _any(looks: Truths) -> Truths:
    return np.asarray(looks.any(axis=-1))


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
