"""Wish: what a search is to make smaller, and what may not be lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from linnet.errors import LinnetError, unknown

GOALS: Mapping[str, str] = {"latency": "ms", "size": "KB", "energy": "mJ"}
"""What can be made smaller, and in which unit `at_most` is said: the median of a run, 1,000 bytes, a run's energy."""
_EFFORT = ("trials", "minutes", "workers", "finalists")


@dataclass(frozen=True)
class Wish:
    """What is wanted and how hard to look for it, checked when made."""

    goal: str = "latency"
    """Of GOALS: what is to be as small as it can be."""
    no_worse: float = 0.01
    """By how much the share of right answers (of graded scores: the mean) may fall."""
    level: float = 0.95
    """How sure that is to be, of data that the search never saw."""
    worst_group: float | None = None
    """By how much it may fall in any value of the task's groups; None asks nothing of single groups."""
    clusters: str | None = None
    """A group column of which whole values were sampled (speakers): the unit of the certificate."""
    at_most: float | None = None
    """What the goal must come to, in its unit; None takes the least that can be certified."""
    engine: str = "onnxruntime"
    """On which engine files are asked and measured."""
    threads: int = 1
    """On how many of its threads."""
    trials: int = 20
    """How many plans are tried."""
    minutes: float | None = None
    """No new trial begins after so long."""
    epochs: int = 3
    """Of tuning in a trial, where its plan needs any."""
    final_epochs: int = 0
    """Of tuning, from the start again, of the most promising plans; 0 tunes none of them longer."""
    finalists: int = 3
    """How many plans those are."""
    seconds: float = 2.0
    """How long each file is measured."""
    workers: int = 1
    """Processes that carry out trials side by side."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.goal not in GOALS:
            raise unknown("goal", self.goal, GOALS)
        _between("no_worse", self.no_worse, 0, 1)
        _between("level", self.level, 0.5, 1)
        for name in ("worst_group", "at_most", "minutes"):
            if (value := getattr(self, name)) is not None and not value >= 0:
                raise LinnetError(f"{name} must be at least 0; got {value!r}.")
        for name, least in (("trials", 1), ("epochs", 1), ("final_epochs", 0), ("finalists", 1), ("threads", 1),
                            ("workers", 1)):
            if getattr(self, name) < least:
                raise LinnetError(f"{name} must be at least {least}; got {getattr(self, name)!r}.")

    @property
    def unit(self) -> str:
        """That of the goal."""
        return GOALS[self.goal]

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @property
    def question(self) -> dict[str, Any]:
        """The part on which trials depend: a search may be taken up again with more trials, minutes or workers."""
        kept = {item.name for item in fields(self)} - {*_EFFORT, "no_worse", "level", "worst_group", "clusters",
                                                       "at_most", "goal", "final_epochs"}
        return {name: value for name, value in self.to_json().items() if name in kept}


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value < high:
        raise LinnetError(f"{name} must be at least {low} and below {high}; got {value!r}.")
