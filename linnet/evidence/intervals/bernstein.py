"""The mean of bounded scores from their variance alone, exact and in closed form."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from linnet.evidence.intervals.bets import bounded_sums, moved
from linnet.evidence.intervals.clusters import Floats
from linnet.evidence.settings import check_between

_STEPS = 60


def empirical_bernstein(
    values: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None, largest: int | None = None,
    lower: float = 0.0, upper: float = 1.0,
) -> tuple[float, float]:
    """Two-sided interval of the mean of scores between `lower` and `upper`; covers at least at `level` for every n.

    The half width is sqrt(2 V L / n) + 7 L / (3 (n - 1)), with V the sample variance and L = log(4 / (1 - level)).
    With `clusters` it is that of the sums of (score - mean) of whole clusters, divided by the size of the largest, and
    solved for the mean.

    Assumes: rows, or clusters, are independent; different means and `largest` as in `betting`.
    Source: Maurer and Pontil, Empirical Bernstein bounds and sample variance penalization, COLT 2009 (theorem 11).
    Not for: anything that `betting` can do: that is narrower, by half at a hundred rows. This one is a formula that
        can be checked by hand.

    >>> low, high = empirical_bernstein(np.tile([0.7, 0.8, 0.9], 200))
    >>> round(low, 3), round(high, 3)
    (0.773, 0.827)
    """
    log_term = math.log(4 / (1 - check_between("level", level)))
    sums, sizes, _ = bounded_sums(moved(values, lower, upper), clusters, largest)
    low, high = _lowest(sums, sizes, log_term), 1.0 - _lowest(sizes - sums, sizes, log_term)
    return lower + (upper - lower) * low, lower + (upper - lower) * high


def excess(sums: Floats, sizes: Floats, mean: float, log_term: float) -> Floats:
    """By how much sums (..., clusters) of (score - mean) exceed on average what their variance allows."""
    above = sums - mean * sizes
    n = above.shape[-1]
    allowed = np.sqrt(2 * log_term / n * above.var(axis=-1, ddof=1)) + 7 * log_term / (3 * (n - 1))
    return np.asarray(above.mean(axis=-1) - allowed, dtype=np.float64)


def _lowest(sums: Floats, sizes: Floats, log_term: float) -> float:
    """Where the excess ends: it is concave in the mean, so above 0 at a mean of 0 it ends once."""
    if len(sums) < 2 or excess(sums, sizes, 0.0, log_term) <= 0:
        return 0.0
    low, high = 0.0, float(sums.sum() / sizes.sum())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(sums, sizes, middle, log_term) > 0 else (low, middle)
    return low
