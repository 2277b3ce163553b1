"""What an experiment has shown so far, look by look, as plain values; words, pictures and exit codes read it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.evidence import Verdict
from linnet.watch.experiments.plan import Experiment, Goal, Kind, Role

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

SCHEMA = "linnet/experiment/v1"
EXIT_CODES: Mapping[Verdict, int] = {"holds": 0, "fails": 1, "undecided": 2}


@dataclass(frozen=True)
class Track:
    """One number and its interval over the looks, each an array of shape (looks,); infinite where nothing is known."""

    estimate: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Outcome:
    """One metric in one treatment arm against the control arm, at every look."""

    metric: str
    arm: str
    kind: Kind
    role: Role
    goal: Goal
    level: float
    """Of its intervals, which hold at all looks together; its share of the plan's error is already taken off."""
    units: Integers
    """Units so far in both arms together, (looks,)."""
    control: Floats
    """The metric in the control arm, (looks,); after CUPED for a metric with a covariate, NaN before the first unit."""
    treatment: Floats
    absolute: Track
    """Treatment minus control, in the metric's own unit."""
    relative: Track
    """Treatment over control, minus 1."""
    bounds: tuple[float, float]
    """What was asked, on the scale of `scale`: holds once the interval lies beyond the first, fails once it lies
    on the other side of the second; both already turned so that more is better."""
    scale: str
    """"absolute" or "relative": on which of the two tracks the decision is made."""
    decision: Verdict
    first_decided: int | None
    """The look (from 0) at which it was first decided; what is decided stays so, unless a later look refutes it."""
    method: str
    is_contradicted: bool = False
    """One look has shown what another refutes: the effect changes over time. A success metric is then undecided, a
    guardrail fails."""


@dataclass(frozen=True)
class Assignment:
    """Whether the arms filled as planned: the sample-ratio check over the looks."""

    arms: tuple[str, ...]
    planned: tuple[float, ...]
    counts: Integers
    """Units so far, (looks, arms); clusters, where clusters were randomised."""
    log_e: Floats
    """The logarithm of the evidence against the planned shares, (looks,)."""
    threshold: float
    """The alarm rings once log_e reaches it; without a fault it ever does so once in 1,000 experiments."""
    first_alarm: int | None
    sentence: str

    @property
    def alarm(self) -> bool:
        """The arms did not fill as planned."""
        return self.first_alarm is not None


@dataclass(frozen=True)
class Analysis:
    """An experiment against its plan: every metric over the looks, the sample-ratio check, and what follows."""

    experiment: Experiment
    looks: Integers
    """Units so far in all arms, (looks,)."""
    times: Floats | None
    """The end of each look in the time column's unit, seconds since 1970 for timestamps; None without a time."""
    time_kind: str | None
    """"timestamp", "number", or None without a time."""
    rows: int
    """Rows read."""
    outcomes: tuple[Outcome, ...]
    assignment: Assignment
    verdicts: Mapping[str, Verdict]
    """One for each treatment arm."""
    notes: tuple[str, ...]
    """What is odd or was left out; nothing is left out without a word here."""

    @property
    def verdict(self) -> Verdict:
        """Holds: some arm reaches what the plan asks. Fails: no arm does so any more, or the arms did not fill as
        planned, which more units cannot mend (and `verdicts` then say nothing of any arm). Else undecided."""
        if self.assignment.alarm:
            return "fails"
        found = set(self.verdicts.values())
        return "holds" if "holds" in found else "fails" if found == {"fails"} else "undecided"

    @property
    def exit_code(self) -> int:
        """Of the verdict: 0 holds, 1 fails, 2 undecided."""
        return EXIT_CODES[self.verdict]

    def to_json(self) -> str:
        """Everything as JSON; what is not finite is null. `split` tells a broken one from an arm that fails."""
        split = "broken" if self.assignment.alarm else "as planned"
        content = {"schema": SCHEMA, "verdict": self.verdict, "exit_code": self.exit_code, "split": split,
                   **plain(self)}
        return json.dumps(content, allow_nan=False, ensure_ascii=False, indent=1)


def plain(value: Any) -> Any:
    """A value of dataclasses, arrays and models as JSON's own types; numbers that are not finite become None."""
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Experiment):
        return value.model_dump(mode="json", exclude_defaults=True)
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(item) for item in (value.tolist() if isinstance(value, np.ndarray) else value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value
