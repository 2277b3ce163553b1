"""Bounds of a quantile, whatever the distribution: from order statistics, or by bets where clusters were sampled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.bets import log_wealth
from linnet.evidence.settings import check_between, check_labels, check_numbers

Floats = NDArray[np.float64]


def quantile_upper(
    values: ArrayLike, quantile: float, level: float = 0.95, *, clusters: ArrayLike | None = None
) -> float:
    """The quantile is at most this, sure at `level`, whatever the distribution; infinite under `runs_needed` values.

    The bound is an order statistic. With `clusters` (a label a value) it is the lowest value at or below which there
    are more than the share `quantile` of all rows, as shown by bets on the sums of whole clusters.

    Assumes: values, or clusters, are independent draws of one distribution; ties are allowed. Clusters of unequal
        size: as in `betting` without `largest`.
    Source: David and Nagaraja, Order Statistics, 2003 (section 7.1); with clusters the test of `betting`, inverted.
    Not for: runs that drift with heat or load; the largest value there will ever be.

    >>> quantile_upper(np.arange(1000), 0.95)
    961.0
    """
    from scipy.stats import binom

    ordered = _sorted_values(values, quantile, level)
    if clusters is not None:
        return _clustered_upper(np.asarray(values, dtype=np.float64), quantile, 1 - level, clusters)
    rank = int(binom.ppf(level, len(ordered), quantile)) + 1
    return float(ordered[rank - 1]) if rank <= len(ordered) else math.inf


def quantile_lower(
    values: ArrayLike, quantile: float, level: float = 0.95, *, clusters: ArrayLike | None = None
) -> float:
    """The quantile is at least this, sure at `level`; minus infinity where the values are too few to say.

    Assumes: as `quantile_upper`.
    Source: David and Nagaraja, Order Statistics, 2003 (section 7.1); with clusters the test of `betting`, inverted.
    Not for: what `quantile_upper` is not for.

    >>> quantile_lower(np.arange(1000), 0.95)
    937.0
    """
    from scipy.stats import binom

    ordered = _sorted_values(values, quantile, level)
    if clusters is not None:
        return -_clustered_upper(-np.asarray(values, dtype=np.float64), 1 - quantile, 1 - level, clusters)
    rank = int(binom.ppf(1 - level, len(ordered), quantile))
    if binom.cdf(rank, len(ordered), quantile) <= 1 - level:
        rank += 1
    return float(ordered[rank - 1]) if rank >= 1 else -math.inf


def runs_needed(quantile: float, level: float = 0.95) -> int:
    """The fewest values for which `quantile_upper` is finite.

    Assumes: independent values, no clusters.
    Source: David and Nagaraja, Order Statistics, 2003 (section 7.1): all values lie below with a chance of quantile^n.
    Not for: how many make the bound tight; that takes several times as many.

    >>> runs_needed(0.95, 0.95), runs_needed(0.5, 0.95)
    (59, 5)
    """
    check_between("quantile", quantile), check_between("level", level)
    return math.ceil(round(math.log1p(-level) / math.log(quantile), 9))


def _clustered_upper(values: Floats, quantile: float, alpha: float, clusters: ArrayLike) -> float:
    """The lowest value of which the bets show that more than `quantile` of the rows are at or below it."""
    candidates = np.unique(values)
    index, _ = check_labels(clusters, len(values))
    largest = np.bincount(index).max()
    sizes = np.bincount(index) / largest

    def is_shown(place: int) -> bool:
        below = np.bincount(index[values <= candidates[place]], minlength=len(sizes)) / largest
        return bool(log_wealth(below, sizes, quantile, alpha, np.square(sizes).sum()) >= -math.log(alpha))

    low, high = -1, len(candidates)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_shown(middle) else (middle, high)
    return float(candidates[high]) if high < len(candidates) else math.inf


def _sorted_values(values: ArrayLike, quantile: float, level: float) -> Floats:
    check_between("quantile", quantile), check_between("level", level)
    given = check_numbers("values", values)
    ordered: Floats = np.sort(given) if given.ndim else given
    if ordered.ndim != 1 or len(ordered) == 0 or np.isnan(ordered).any():
        raise LinnetError(f"a quantile needs values that are numbers; got {ordered.size} in shape {ordered.shape}, "
                          f"{int(np.isnan(ordered).sum())} of them NaN.")
    return ordered
