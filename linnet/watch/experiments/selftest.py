"""The user's own metric as A/A: how often the decision rule finds something where there is nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from linnet.progress import Progress
from linnet.watch.experiments.analysis import plain
from linnet.watch.experiments.plan import Experiment


@dataclass(frozen=True)
class FalsePositives:
    """How often one metric showed a difference at any look, although both arms were the same."""

    metric: str
    rate: float
    interval: tuple[float, float]
    """Of the rate, exact (Clopper-Pearson), at 95 %."""
    naive_rate: float
    """The same of a z-test at every look, as is often done."""
    naive_interval: tuple[float, float]
    units: int
    """Units (or clusters) of the control arm that were shared out anew in every run."""
    method: str


@dataclass(frozen=True)
class SelfTest:
    """The plan's metrics replayed as A/A on the units of one arm."""

    experiment: Experiment
    arm: str
    runs: int
    looks: int
    seed: int
    nominal: float
    """The rate that the plan allows: 1 minus its level."""
    metrics: tuple[FalsePositives, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps({"schema": "linnet/selftest/v1", **plain(self)}, allow_nan=False, ensure_ascii=False,
                          indent=1)


def selftest(table: Any, experiment: Experiment, *, runs: int = 2000, looks: int = 100, seed: int = 0,
             progress: Progress | None = None) -> SelfTest:
    """Share the units of the control arm out anew, `runs` times, and look `looks` times at each metric."""
    raise NotImplementedError
