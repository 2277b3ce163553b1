"""Scores: one row a sample, what was answered, what was right, and how good the answer is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from linnet.errors import LinnetError


class DataRef(BaseModel):
    """Which samples a number speaks of, and how to find them again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    population: str
    """In words, without promising more than was sampled: "recordings of the held-out speakers lucas and theo"."""
    fingerprint: str
    """SHA-256 over the content of the samples, whatever their order."""
    rows: int
    part: str | None = None
    """"train", "validation", "test", or None for a dataset that was not split."""
    origin: dict[str, Any] = {}
    """JSON from which `data.restore` makes the same dataset again."""


@dataclass(frozen=True)
class Scores:
    """One row a sample. `score` is a number in [0, 1], larger is better (for Classify: 1 right, 0 wrong).

    `subject` is the identity (SHA-256) of the model or file that answered; `seconds` the time a row took, where it
    was measured. All columns have the same length; ids are unique.
    """

    ids: Sequence[str]
    answers: Sequence[str]
    targets: Sequence[str]
    score: NDArray[np.float64]
    data: DataRef
    subject: str
    subject_name: str = "model"
    metric: str = "accuracy"
    groups: Mapping[str, Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))
    seconds: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        rows = len(self.ids)
        columns: dict[str, Sequence[str] | NDArray[np.float64]] = {
            "answers": self.answers, "targets": self.targets, "score": self.score, **self.groups}
        if self.seconds is not None:
            columns["seconds"] = self.seconds
        for name, values in columns.items():
            if len(values) != rows:
                raise LinnetError(f"Scores: column '{name}' has {len(values)} rows, ids has {rows}; "
                                  "give one row a sample.")
        if len(set(self.ids)) != rows:
            raise LinnetError("Scores: ids are not unique; every sample needs an id of its own.")
        if rows and not (np.isfinite(self.score).all() and self.score.min() >= 0 and self.score.max() <= 1):
            known = self.score[~np.isnan(self.score)]
            span = f"{known.min()} to {known.max()}" if len(known) else "no number"
            raise LinnetError("Scores: every score must be a number from 0 to 1; "
                              f"got {span} (NaN: {rows - len(known)}).")

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def mean(self) -> float:
        """The average score; NaN without rows."""
        return float(self.score.mean()) if len(self) else float("nan")
