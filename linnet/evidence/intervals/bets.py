"""The mean of bounded scores, exact: how much a gambler would have won who bet against a mean.

Whoever bets on scores against the true mean wins a factor of 1 on average, whatever the distribution, so that a factor
of 1 / alpha is won with a probability of at most alpha; a mean under which so much was won is excluded. Each side has
half of alpha. A bet is constant over the rows, and several are averaged: the interval does not depend on the order of
the rows, needs no seed, and stands rows of different means. (Bets that follow the rows before have none of this; they
are a tenth to a fifth narrower for thousands of rows, and up to an eighth wider for twenty.) Every bet wins less
against a higher mean, so the excluded means are all those below a point, which bisection finds; what it leaves
unresolved goes to the wider side.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import Floats, cluster_sums
from linnet.evidence.settings import check_amount, check_between, check_rows, is_number

# How much smaller the standard deviation is than the largest one with that mean. The capital is spread over these
# in proportion to 1 / ratio: right-or-wrong scores, and few clusters, have the largest deviation there is.
_RATIOS = 2.0 ** (np.arange(12) / 2)
_LOG_SHARES = np.log(1 / _RATIOS / np.sum(1 / _RATIOS))
_BOLDEST = 0.98  # share of the capital that one row may lose: less than all, so that no single score ends the game
_STEPS = 45


def betting(
    values: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None, largest: int | None = None,
    lower: float = 0.0, upper: float = 1.0,
) -> tuple[float, float]:
    """Two-sided interval of the mean of scores between `lower` and `upper`; covers at least at `level` for every n.

    With `clusters` (a label a row) whole clusters were sampled, and the mean is that over all rows of their
    population: the bets are on the sum of (score - mean) of each cluster, divided by the size of the largest.
    Exact for any number of clusters, of any sizes.

    Assumes: rows, or clusters, are independent; within a cluster anything goes. Their means may differ: the interval
        is then about the average of the rows that one meant to draw, with the sizes of clusters as they are. If the
        size of a cluster is random and may go with its mean, give `largest`, a size that no cluster of the population
        exceeds, stated beforehand: the interval is then about the mean over all rows of that population.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
        Statistical Society B 86, 2024 (section 4), with the constant bets of Orabona and Jun, Tight concentrations and
        confidence sequences from the regret of universal portfolio, IEEE Transactions on Information Theory 70, 2024.
    Not for: right and wrong answers of independent rows, where `binomial` is narrower by a third; scores without
        limits (`bootstrap.studentised`); repeated looks (`sequences`).

    >>> low, high = betting([0.9, 0.7, 1.0, 0.8, 0.95, 0.85, 0.9, 1.0, 0.6, 0.9] * 4)
    >>> round(low, 3), round(high, 3)
    (0.771, 0.913)
    """
    alpha = (1 - check_between("level", level)) / 2
    sums, sizes, scale = bounded_sums(moved(values, lower, upper), clusters, largest)
    low = _lowest(sums, sizes, alpha, scale)
    high = 1.0 - _lowest(sizes - sums, sizes, alpha, scale)
    return lower + (upper - lower) * low, lower + (upper - lower) * high


def moved(values: ArrayLike, lower: float, upper: float) -> Floats:
    """Scores between `lower` and `upper`, moved to [0, 1]; LinnetError for others."""
    if not (is_number(lower) and is_number(upper) and lower < upper):
        raise LinnetError(f"scores need finite limits, lower below upper; got lower={lower!r} and upper={upper!r}.")
    scaled: Floats = (check_rows("scores", values, low=lower, high=upper) - lower) / (upper - lower)
    return scaled


def bounded_sums(values: Floats, clusters: ArrayLike | None, largest: int | None) -> tuple[Floats, Floats, float]:
    """Sums and sizes of clusters in units of the largest cluster, and the sum of squared sizes that is to be expected.

    With `largest`, sizes are random, and nothing that a bet rests on may come from those that were drawn.
    """
    sums, sizes = cluster_sums(values, clusters)
    if largest is None:
        unit = float(sizes.max())
        return sums / unit, sizes / unit, float(np.square(sizes / unit).sum())
    if check_amount("largest", largest) < sizes.max():
        raise LinnetError(f"a cluster has {sizes.max():g} rows, but largest={largest:g} says that none has more than "
                          "that; state the size that no cluster of the population exceeds.")
    return sums / largest, sizes / largest, float(len(sizes))


def log_wealth(sums: Floats, sizes: Floats, mean: float, alpha: float, scale: float | Floats) -> Floats:
    """Logarithm of the factor won on scores (..., clusters) being above `mean` on average; it falls with `mean`."""
    deviation = np.sqrt(np.asarray(scale) * mean * (1 - mean))
    bets = np.minimum(math.sqrt(-2 * math.log(alpha)) * _RATIOS / deviation[..., None], _BOLDEST / mean)
    gains = sums - mean * sizes
    won = np.log1p(bets[..., :, None] * gains[..., None, :]).sum(-1)
    return np.asarray(np.logaddexp.reduce(won + _LOG_SHARES, axis=-1), dtype=np.float64)


def _lowest(sums: Floats, sizes: Floats, alpha: float, scale: float) -> float:
    """The highest mean found under which 1 / alpha was won (it and all below are excluded), else 0."""
    low, high = 0.0, float(sums.sum() / sizes.sum())
    for _ in range(_STEPS):
        middle = (low + high) / 2
        is_excluded = middle > 0 and log_wealth(sums, sizes, middle, alpha, scale) >= -math.log(alpha)
        low, high = (middle, high) if is_excluded else (low, middle)
    return low
