"""When to look: moments in time at which about equally many more units have come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FEWEST_BINS, _BINS_A_LOOK = 2048, 10
_REFINEMENTS = 3
_TAIL = 0.001

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """Time in equal parts; what lies before or after belongs to the first or last."""

    origin: float
    width: float
    number: int

    @property
    def rate(self) -> float:
        """Bins in a unit of time."""
        return 1 / self.width


@dataclass(frozen=True)
class Clock:
    """Which look each bin belongs to, and when each look ends."""

    bins: Bins
    look_of_bin: tuple[int, ...]
    ends: tuple[float, ...]

    @property
    def looks(self) -> int:
        """How many there are."""
        return len(self.ends)


def clock(first: float, last: float, looks: int, count: Callable[[Bins], Counts]) -> Clock:
    """A clock with about `looks` looks between two times; `count` gives the units that fall into each bin.

    Where a few strange times stretch the range so that most units share a bin, the range is cut down around the most.
    """
    if looks == 1 or last <= first:
        return Clock(Bins(first, max(last - first, 1.0), 1), (0,), (last,))
    number = max(_FEWEST_BINS, _BINS_A_LOOK * looks)
    bins = Bins(first, (last - first) / (number - 1), number)
    counts = count(bins)
    for _ in range(_REFINEMENTS):
        narrower = _narrower(bins, counts, looks)
        if narrower is None:
            break
        bins, counts = narrower, count(narrower)
    return _cut(bins, counts, looks, last)


def _narrower(bins: Bins, counts: Counts, looks: int) -> Bins | None:
    total = int(counts.sum())
    if counts.max() * looks <= 2 * total:
        return None
    upto = np.cumsum(counts)
    low, high = np.searchsorted(upto, [_TAIL * total, (1 - _TAIL) * total])
    if high - low + 1 > bins.number // 2:
        return None
    width = bins.width * float(high - low + 1) / (bins.number - 1)
    return Bins(bins.origin + bins.width * float(low), width, bins.number)


def _cut(bins: Bins, counts: Counts, looks: int, last: float) -> Clock:
    upto = np.cumsum(counts)
    wanted = np.maximum(-(-upto * looks // upto[-1]) - 1, 0)
    has_units = np.unique(wanted[counts > 0])
    look_of_bin = np.minimum(np.searchsorted(has_units, wanted), len(has_units) - 1)
    final = [int(np.flatnonzero(look_of_bin == look)[-1]) for look in range(len(has_units))]
    ends = [min(bins.origin + bins.width * (bin_ + 1), last) for bin_ in final]
    return Clock(bins, tuple(look_of_bin.tolist()), (*ends[:-1], last))
