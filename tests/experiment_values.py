"""Experiments made up for the tests of pages and verbs: no number in here was measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from linnet.evidence.settings import Verdict
from linnet.watch.experiments import (
    Analysis,
    Assignment,
    Experiment,
    FalsePositives,
    Outcome,
    Power,
    SelfTest,
    Stopping,
    Track,
)

LOOKS = 50
UNITS = np.linspace(400, 20_000, LOOKS).astype(np.int64)
PLAN = """\
name: new speech model
arm: model
arms: {old: 0.5, new: 0.5}
unit: user_id
time: time
window: 7 days
metrics:
  understood: {kind: ratio, numerator: understood, denominator: requests, share: true, covariate: before}
  ordered: {kind: proportion, value: ordered}
  wait_ms: {kind: mean, value: wait_ms, role: guardrail, goal: decrease, margin_lift: 0.05}
"""


def plan(text: str = PLAN, **changed: Any) -> Experiment:
    """The plan, with other values where they are given."""
    read = Experiment.parse(text)
    return Experiment.model_validate({**read.model_dump(exclude_defaults=True), **changed})


def track(value: float, *, width: float) -> Track:
    """An interval that narrows to `value` plus and minus `width`, and knows nothing for the first two looks."""
    half = width * np.sqrt(UNITS[-1] / UNITS)
    low, high = value - half, value + half
    low[:2], high[:2] = -np.inf, np.inf
    return Track(np.full(LOOKS, value), low, high)


def outcome(metric: str, *, at: tuple[float, float], width: tuple[float, float], decision: Verdict = "undecided",
            asked: tuple[float, float] = (0.0, 0.0), experiment: Experiment | None = None, **changed: Any) -> Outcome:
    """A metric of the plan whose control arm stands at `at[0]` and whose treatment arm at `at[1]`."""
    planned = (experiment or plan()).metrics[metric]
    control, treatment = at
    absolute, relative = track(treatment - control, width=width[0]), track(treatment / control - 1, width=width[1])
    found = Outcome(
        metric=metric, arm="new", kind=planned.kind, role=planned.role, goal=planned.goal, level=0.975, units=UNITS,
        control=np.full(LOOKS, control), treatment=np.full(LOOKS, treatment), absolute=absolute, relative=relative,
        bounds=asked, scale="relative" if planned.margin_lift else "absolute", decision=decision,
        first_decided=None if decision == "undecided" else 30, method=f"the method of a {planned.kind}")
    return replace(found, **changed)


def assignment(*, alarm: bool = False) -> Assignment:
    """Half and half, or far from it."""
    new = UNITS // 2 + (UNITS // 20 if alarm else 0)
    log_e = np.linspace(0, 12 if alarm else -2, LOOKS)
    threshold = math.log(1000)
    return Assignment(arms=("old", "new"), planned=(0.5, 0.5), counts=np.stack([UNITS - new, new], axis=1), log_e=log_e,
                      threshold=threshold, first_alarm=int(np.argmax(log_e >= threshold)) if alarm else None,
                      sentence="The arms filled as planned." if not alarm else "The arms did not fill as planned.")


def analysis(*, verdict: Verdict = "holds", alarm: bool = False, **changed: Any) -> Analysis:
    """Four weeks of an experiment of three metrics."""
    start = 1_772_409_600.0
    outcomes = (outcome("understood", at=(0.88, 0.892), width=(0.0041, 0.0047), decision=verdict),
                outcome("ordered", at=(0.06, 0.0631), width=(0.0093, 0.16)),
                outcome("wait_ms", at=(360.4, 364.6), width=(5.2, 0.0151), decision="holds", asked=(-0.05, -0.05)))
    found = Analysis(
        experiment=plan(), looks=UNITS, times=start + np.linspace(86_400, 28 * 86_400, LOOKS), time_kind="timestamp",
        rows=60_000, outcomes=outcomes, assignment=assignment(alarm=alarm), verdicts={"new": verdict},
        notes=("41 rows had no arm and were left out.",))
    return replace(found, **changed)


def self_test(rates: Mapping[str, tuple[float, float, float]], **changed: Any) -> SelfTest:
    """A self-test of 2,000 runs; each metric with its rate and the interval of it."""
    metrics = tuple(FalsePositives(name, rate, (low, high), 0.34, (0.32, 0.36), 10_000)
                    for name, (rate, low, high) in rates.items())
    return replace(SelfTest(plan(), "old", 2000, 100, 0, 0.05, metrics, ("wait_ms has no A/A here.",)), **changed)


def reckoning() -> Power:
    """What the plan can decide."""
    stopping = (Stopping("understood", "new", 0.005, 0.974, 0.005, 9_120.4, 8_800.0, 25_000, 7_700),
                Stopping("wait_ms", "new", 0.0, 1.0, 0.0, 2_210.0, 2_000.0, 25_000, 1_400))
    return Power(plan(), 1000, 100, 0, stopping, ("ordered says no smallest effect.",))
