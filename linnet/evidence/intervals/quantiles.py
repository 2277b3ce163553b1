"""Bounds of a quantile from order statistics, whatever the distribution."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError


def quantile_upper(values: NDArray[np.float64], quantile: float, level: float = 0.95) -> float:
    """The quantile is at most this, sure at `level`, whatever the distribution; infinite under `runs_needed` values.

    The bound is an order statistic (David and Nagaraja, Order Statistics, 2003, section 7.1). It takes the values to
    be independent draws of one distribution; ties are allowed.
    """
    from scipy.stats import binom

    ordered = _sorted_values(values)
    rank = int(binom.ppf(level, len(ordered), quantile)) + 1
    return float(ordered[rank - 1]) if rank <= len(ordered) else math.inf


def quantile_lower(values: NDArray[np.float64], quantile: float, level: float = 0.95) -> float:
    """The quantile is at least this, sure at `level`; minus infinity where the values are too few to say."""
    from scipy.stats import binom

    ordered = _sorted_values(values)
    rank = int(binom.ppf(1 - level, len(ordered), quantile))
    if binom.cdf(rank, len(ordered), quantile) <= 1 - level:
        rank += 1
    return float(ordered[rank - 1]) if rank >= 1 else -math.inf


def runs_needed(quantile: float, level: float = 0.95) -> int:
    """The fewest values for which `quantile_upper` is finite.

    >>> runs_needed(0.95, 0.95), runs_needed(0.5, 0.95)
    (59, 5)
    """
    return math.ceil(round(math.log1p(-level) / math.log(quantile), 9))


def _sorted_values(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered: NDArray[np.float64] = np.sort(np.asarray(values, dtype=np.float64))
    if len(ordered) == 0 or np.isnan(ordered).any():
        raise LinnetError(f"a quantile needs values that are numbers; got {len(ordered)}, "
                          f"{int(np.isnan(ordered).sum())} of them NaN.")
    return ordered
