"""The mean of scores where whole clusters (speakers, writers, videos) were sampled, not rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.evidence.intervals.proportions import beta_lower
from linnet.evidence.settings import check_between, check_labels, check_rows

Floats = NDArray[np.float64]

MINIMUM_CLUSTERS = 10
"""Under so many clusters `clustered_mean` says nothing: its mathematics needs many clusters, not many rows."""

ENOUGH_RARE_ANSWERS = 10
"""With fewer of the rarer answers, counted in the independent rows that the clusters are worth, nothing is known of how
alike a cluster's rows are. At one-sided levels above 0.95 more are asked for, as the square of the normal quantile."""


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


def clustered_mean(score: ArrayLike, cluster_labels: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the mean of scores in [0, 1] where whole clusters (speakers, writers) were sampled.

    The variance of the mean is that of a ratio over clusters, with the factor k / (k - 1). It says how many
    independent rows the clusters are worth; the interval is the exact binomial one at that number, made smaller by
    the t quantile with k - 1 degrees of freedom (`independent_rows`). It never claims more than independent rows would
    allow, and excludes nothing, (0.0, 1.0), under MINIMUM_CLUSTERS. Where hardly anyone is wrong (or right), each
    cluster counts as one row.

    Assumes: clusters are independent draws of one population; rows within a cluster may depend in any way. It is
        asymptotic in the number of clusters, and cannot know of a rare kind of cluster that was not drawn.
    Source: Korn and Graubard, Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data, Survey Methodology 24, 1998.
    Not for: a promise that must hold exactly: at 5 % it misses up to 6.5 % of the time, at 0.5 % up to 1.1 %
        (bench/evidence_intervals.py). `betting` with `clusters` holds everywhere, and is wider.

    >>> low, high = clustered_mean(np.array([1, 1, 1, 0, 1, 1] * 4), list(range(12)) * 2)
    >>> round(low, 3), round(high, 3)
    (0.473, 0.986)
    """
    check_between("level", level)
    values = check_rows("scores", score, low=0, high=1)
    spread = cluster_spread(values, cluster_labels)
    if spread.clusters < MINIMUM_CLUSTERS:
        return 0.0, 1.0
    rows = independent_rows(spread, (1 + level) / 2)
    wrong = beta_lower((1 - spread.mean) * rows, rows, (1 + level) / 2)
    return beta_lower(spread.mean * rows, rows, (1 + level) / 2), 1.0 - wrong


def cluster_spread(values: Floats, cluster_labels: ArrayLike) -> ClusterSpread:
    """Mean, rows, clusters, and the independent rows that would give the mean the same variance (at most the rows).

    Without any spread between clusters the rows count as independent.

    Assumes: clusters are independent; the variance is that of a ratio over clusters, linearised.
    Source: Kish, Survey Sampling, 1965 (design effect); Korn and Graubard, Survey Methodology 24, 1998.
    Not for: an interval by itself; `clustered_mean` makes one of it.

    >>> cluster_spread(np.array([1.0, 1.0, 0.0, 0.0]), ["a", "a", "b", "b"]).effective_rows
    1.0
    """
    scores = check_rows("scores", values)
    return spread_of_sums(*cluster_sums(scores, cluster_labels), float(np.square(scores - scores.mean()).mean()))


def spread_of_sums(sums: Floats, sizes: Floats, variance_of_rows: float) -> ClusterSpread:
    """`cluster_spread` from the sums of the values and the numbers of rows of the clusters."""
    rows, clusters = round(float(sizes.sum())), len(sizes)
    mean = float(sums.sum() / rows)
    variance = clusters / max(clusters - 1, 1) * float(np.square(sums - mean * sizes).sum()) / rows**2
    row_variance = variance_of_rows / rows
    worth = min(1.0, row_variance / variance) if variance > 0 and row_variance > 0 else 1.0
    return ClusterSpread(mean, rows, clusters, worth * rows)


def independent_rows(spread: ClusterSpread, level: float) -> float:
    """So many independent rows the clusters are worth for a one-sided bound at `level`.

    `t_adjusted`, but at most one row a cluster where fewer than ENOUGH_RARE_ANSWERS are left of the rarer answers.

    Assumes: as `clustered_mean`.
    Source: as `t_adjusted`; that few errors count by the cluster was found by simulation (bench/evidence_intervals.py).
    Not for: numbers that are not between 0 and 1.

    >>> independent_rows(ClusterSpread(1.0, 400, 12, 400.0), 0.95)
    12.0
    """
    return float(known_rows(np.float64(t_adjusted(spread, level)), np.float64(spread.mean), spread.clusters, level))


def known_rows(rows: Floats | np.float64, mean: Floats | np.float64, clusters: int, level: float) -> Floats:
    """`independent_rows` for arrays of effective rows and means, of the same number of clusters each."""
    from scipy.special import ndtri

    enough = ENOUGH_RARE_ANSWERS * max(1.0, float(ndtri(level) / ndtri(0.95))) ** 2
    is_known = np.minimum(mean, 1 - mean) * rows >= enough
    return np.where(is_known, rows, np.minimum(rows, clusters))


def t_adjusted(spread: ClusterSpread, level: float) -> float:
    """The effective rows, fewer still because the variance itself was estimated from few clusters.

    Assumes: the means of clusters are close to normal, so that their variance has k - 1 degrees of freedom.
    Source: Korn and Graubard, Survey Methodology 24, 1998.
    Not for: a single cluster, of which it makes 0 rows.

    >>> round(t_adjusted(ClusterSpread(0.8, 400, 10, 100.0), 0.975), 1)
    75.5
    """
    from scipy.special import stdtrit

    check_between("level", level)
    if spread.rows < 2 or spread.clusters < 2:
        return 0.0
    ratio = stdtrit(spread.rows - 1, level) / stdtrit(spread.clusters - 1, level)
    return spread.effective_rows * float(ratio) ** 2


def cluster_sums(values: Floats, cluster_labels: ArrayLike | None) -> tuple[Floats, Floats]:
    """Sum of the values and number of rows of each cluster; each row is its own where there are no labels."""
    if cluster_labels is None:
        return values, np.ones(len(values))
    index, clusters = check_labels(cluster_labels, len(values))
    sums = np.asarray(np.bincount(index, weights=values, minlength=clusters), dtype=np.float64)
    return sums, np.bincount(index).astype(np.float64)
