"""The mean of scores where whole clusters (speakers, writers, videos) were sampled, not rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.proportions import beta_lower

MINIMUM_CLUSTERS = 10
"""Under so many clusters `clustered_mean` says nothing: its mathematics needs many clusters, not many rows."""


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


def _check_bounded(score: NDArray[np.float64], cluster_labels: Sequence[str]) -> None:
    if len(score) == 0 or len(score) != len(cluster_labels):
        raise LinnetError(f"every score needs a cluster: got {len(score)} scores and {len(cluster_labels)} labels.")
    if not (np.isfinite(score).all() and score.min() >= 0 and score.max() <= 1):
        raise LinnetError(f"scores must lie from 0 to 1; got {score.min()} to {score.max()}.")
