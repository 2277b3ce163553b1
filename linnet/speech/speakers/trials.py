"""Trials: pairs of recordings, each with a score: the higher, the more alike the two voices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Trials:
    """Scores of pairs of recordings, and the speakers of the two sides: (pairs,) each."""

    scores: Floats
    first: NDArray[np.generic]
    second: NDArray[np.generic]

    def __post_init__(self) -> None:
        if not len(self.scores) == len(self.first) == len(self.second):
            raise LinnetError(f"every pair has a score and two speakers; got {len(self.scores)} scores, "
                              f"{len(self.first)} first and {len(self.second)} second speakers.")
        if not np.isfinite(self.scores).all():
            raise LinnetError("scores of pairs are finite numbers; some are NaN or infinite.")

    @property
    def is_genuine(self) -> NDArray[np.bool_]:
        """Whether both sides are the same speaker."""
        return np.asarray(self.first == self.second)

    @property
    def genuine(self) -> Floats:
        """Scores of pairs of one speaker."""
        return self.scores[self.is_genuine]

    @property
    def impostors(self) -> Floats:
        """Scores of pairs of two speakers."""
        return self.scores[~self.is_genuine]

    def check(self) -> None:
        """Raises LinnetError where there are no pairs of one of the two kinds."""
        same = int(self.is_genuine.sum())
        if not 0 < same < len(self.scores):
            raise LinnetError(f"verification needs pairs of one speaker and pairs of two; got {same} and "
                              f"{len(self.scores) - same}.")


def all_pairs(scores: ArrayLike, speakers: Sequence[str] | NDArray[np.generic]) -> Trials:
    """Every pair of different recordings once, from symmetric scores (recordings, recordings).

    >>> trials = all_pairs([[9, 3, 1], [3, 9, 0], [1, 0, 9]], ["ann", "ann", "bob"])
    >>> trials.genuine.tolist(), trials.impostors.tolist()
    ([3.0], [1.0, 0.0])
    """
    values, names = np.asarray(scores, np.float64), np.asarray(speakers)
    if values.shape != (len(names), len(names)):
        raise LinnetError(f"{len(names)} speakers need scores of the shape {(len(names), len(names))}; got "
                          f"{values.shape}.")
    one, other = np.triu_indices(len(names), 1)
    return Trials(values[one, other], names[one], names[other])
