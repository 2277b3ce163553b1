"""The smallest size whose simulated power reaches the one asked for, Monte Carlo error and all."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS
from linnet.evidence.settings import is_number

_NUMBERS = 2_000_000
_FEWEST_RUNS, _MOST_RUNS = 500, 4000
_ERRORS = 2.0
_CLOSE = 1.02
_LARGEST = 200_000


class Clustering(NamedTuple):
    """So many rows in each cluster, and how alike they are: the correlation of two rows of one cluster (0: not at all).

    Recordings of one speaker often have 0.05 to 0.3. Measure it: (variance of cluster means * rows / p (1 - p) - 1) /
    (rows - 1). Clusters of unequal size are worth fewer: take rows smaller than their mean.
    """

    rows: int
    correlation: float

    @property
    def design_effect(self) -> float:
        """How many times as many rows it takes as with independent ones."""
        return 1 + (self.rows - 1) * self.correlation

    def check(self) -> Clustering:
        """Itself; LinnetError where it is none."""
        if not (is_number(self.rows) and self.rows == int(self.rows) and self.rows >= 1
                and is_number(self.correlation) and 0 <= self.correlation < 1):
            raise LinnetError("a clustering has at least 1 row a cluster and a correlation from 0 to below 1; "
                              f"got {self.rows!r} and {self.correlation!r}.")
        return Clustering(int(self.rows), float(self.correlation))


def clustering_of(clusters: Clustering | None) -> Clustering:
    """The clustering, checked; that of single rows where there is none."""
    if clusters is not None and not isinstance(clusters, Clustering):
        raise LinnetError("clusters are planned for as a Clustering(rows=..., correlation=...), by name; "
                          f"got {clusters!r:.80}.")
    return Clustering(1, 0.0) if clusters is None else clusters.check()


def runs_at(size: int) -> int:
    """Fewer runs where each is long."""
    return max(_FEWEST_RUNS, min(_MOST_RUNS, _NUMBERS // max(size, 1)))


def smallest_simulated(chance: Callable[[int], tuple[float, int]], guess: float, power: float,
                       least: int = MINIMUM_CLUSTERS) -> tuple[int | None, float]:
    """The smallest size found, and its power; `chance` gives the share of successes at a size, and the number of runs.

    Two Monte Carlo errors are taken off each share, and sizes are tried to within two in a hundred: the size errs on
    the large side.
    """
    shares: dict[int, float] = {}

    def reaches(size: int) -> bool:
        share, runs = chance(size)
        shares[size] = share
        return share - _ERRORS * math.sqrt(power * (1 - power) / runs) >= power

    if guess > 2 * _LARGEST:
        return None, 0.0
    high = max(least, min(math.ceil(guess), _LARGEST))
    low = least - 1
    while not reaches(high):
        low, high = high, math.ceil(high * 1.25)
        if high > _LARGEST:
            return None, 0.0
    while low < least and high > least and reaches(lower := max(least, math.floor(high / 1.25))):
        high = lower
        if high == least:
            return high, shares[high]
    low = max(low, min((size for size in shares if size < high), default=least - 1))
    while high - low > 1 and high > low * _CLOSE:
        middle = (low + high) // 2
        low, high = (low, middle) if reaches(middle) else (middle, high)
    return high, shares[high]
