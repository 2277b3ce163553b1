"""Before anybody is shown anything: how often the plan would decide, and after how many units."""

from __future__ import annotations

import json
from dataclasses import dataclass

from linnet.watch.experiments.analysis import plain
from linnet.watch.experiments.plan import Experiment


@dataclass(frozen=True)
class Stopping:
    """One metric at its smallest effect worth having: how often it is decided, and when. Units are of both arms."""

    metric: str
    arm: str
    effect: float
    """In the metric's own unit (for a guardrail: its margin, with no true difference)."""
    power: float
    """The share of runs that decide rightly by the last look."""
    power_error: float
    """The Monte Carlo standard error of it."""
    expected_units: float
    """Units until the decision on average; undecided runs count up to the last look."""
    median_units: float
    last_look: int
    fixed_units: int
    """What a test with one look at the end needs for a power of 80 %, for comparison."""
    method: str


@dataclass(frozen=True)
class Power:
    """What the plan can decide, metric by metric and arm by arm."""

    experiment: Experiment
    runs: int
    looks: int
    seed: int
    stopping: tuple[Stopping, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps({"schema": "linnet/power/v1", **plain(self)}, allow_nan=False, ensure_ascii=False, indent=1)


def power(experiment: Experiment, *, runs: int = 1000, seed: int = 0) -> Power:
    """Simulate the plan at each metric's smallest effect; raises LinnetError where the plan says too little."""
    raise NotImplementedError
