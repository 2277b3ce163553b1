"""Intervals of one share, one quantile, one mean over clusters.

A one-sided bound at `level` is the same end of the two-sided interval at `2 * level - 1`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

MINIMUM_CLUSTERS = 10
"""Under so many clusters `clustered_mean` says nothing: its mathematics needs many clusters, not many rows."""


def binomial(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of a share, exact: it covers at least at `level` for every n (Clopper and Pearson 1934).

    >>> low, high = binomial(9, 10, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.555, 0.997)
    """
    one_sided = (1 + level) / 2
    return binomial_lower(successes, n, one_sided), binomial_upper(successes, n, one_sided)


def binomial_lower(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at least this, sure at `level` (exact, one-sided).

    >>> round(binomial_lower(100, 100, 0.95), 4)
    0.9705
    """
    _check_counts(successes, n)
    return beta_lower(successes, n, level)


def binomial_upper(successes: int, n: int, level: float = 0.95) -> float:
    """The share is at most this, sure at `level` (exact, one-sided)."""
    _check_counts(successes, n)
    return 1.0 - beta_lower(n - successes, n, level)


def beta_lower(successes: float, n: float, level: float) -> float:
    """`binomial_lower` for counts that need not be whole: an effective sample size, a planned one."""
    from scipy.special import betaincinv

    return 0.0 if successes <= 0 else float(betaincinv(successes, n - successes + 1, 1 - level))


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


class ClusterSpread(NamedTuple):
    """A mean, the rows and clusters behind it, and how many independent rows the clusters are worth."""

    mean: float
    rows: int
    clusters: int
    effective_rows: float

    def grown_to(self, clusters: int) -> ClusterSpread:
        """The same spread with so many clusters of the same size."""
        times = clusters / self.clusters
        return ClusterSpread(self.mean, round(self.rows * times), clusters, self.effective_rows * times)


def clustered_mean(
    score: NDArray[np.float64], cluster_labels: Sequence[str], level: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of the mean of scores in [0, 1] where whole clusters (speakers, writers) were sampled.

    The variance of the mean is that of a ratio over clusters, with the factor k / (k - 1). It says how many
    independent rows the clusters are worth; the interval is the exact binomial one at that number, made smaller by
    the t quantile with k - 1 degrees of freedom (Korn and Graubard, Survey Methodology 24, 1998). For scores close
    to 0 or 1 it covers far better than mean +- t * error, and it never claims more than independent rows would allow.

    It is asymptotic in the number of clusters k: (0.0, 1.0), nothing excluded, under MINIMUM_CLUSTERS. Above, it
    still cannot know of a rare kind of cluster that was not drawn.
    """
    _check_bounded(score, cluster_labels)
    spread = cluster_spread(score, cluster_labels)
    if spread.clusters < MINIMUM_CLUSTERS:
        return 0.0, 1.0
    rows = t_adjusted(spread, (1 + level) / 2)
    wrong = beta_lower((1 - spread.mean) * rows, rows, (1 + level) / 2)
    return beta_lower(spread.mean * rows, rows, (1 + level) / 2), 1.0 - wrong


def cluster_spread(values: NDArray[np.float64], cluster_labels: Sequence[str]) -> ClusterSpread:
    """Mean, rows, clusters, and the independent rows that would give the mean the same variance (at most the rows).

    Without any spread between clusters the rows count as independent.
    """
    _, index = np.unique(np.asarray(cluster_labels), return_inverse=True)
    sizes = np.bincount(index)
    mean, rows, clusters = float(values.mean()), len(values), len(sizes)
    residuals = np.bincount(index, weights=values) - mean * sizes
    variance = clusters / max(clusters - 1, 1) * float(np.square(residuals).sum()) / rows**2
    row_variance = float(np.square(values - mean).mean()) / rows
    worth = min(1.0, row_variance / variance) if variance > 0 and row_variance > 0 else 1.0
    return ClusterSpread(mean, rows, clusters, worth * rows)


def t_adjusted(spread: ClusterSpread, level: float) -> float:
    """The effective rows, fewer still because the variance itself was estimated from few clusters."""
    from scipy.special import stdtrit

    if spread.rows < 2 or spread.clusters < 2:
        return 0.0
    ratio = stdtrit(spread.rows - 1, level) / stdtrit(spread.clusters - 1, level)
    return spread.effective_rows * float(ratio) ** 2


def _check_counts(successes: int, n: int) -> None:
    if n < 1 or not 0 <= successes <= n:
        raise LinnetError(f"{successes} successes of {n} are not counts; "
                          "expected at least 1 sample and from 0 to all of them successes.")


def _check_bounded(score: NDArray[np.float64], cluster_labels: Sequence[str]) -> None:
    if len(score) == 0 or len(score) != len(cluster_labels):
        raise LinnetError(f"every score needs a cluster: got {len(score)} scores and {len(cluster_labels)} labels.")
    if not (np.isfinite(score).all() and score.min() >= 0 and score.max() <= 1):
        raise LinnetError(f"scores must lie from 0 to 1; got {score.min()} to {score.max()}.")


def _sorted_values(values: NDArray[np.float64]) -> NDArray[np.float64]:
    ordered: NDArray[np.float64] = np.sort(np.asarray(values, dtype=np.float64))
    if len(ordered) == 0 or np.isnan(ordered).any():
        raise LinnetError(f"a quantile needs values that are numbers; got {len(ordered)}, "
                          f"{int(np.isnan(ordered).sum())} of them NaN.")
    return ordered
