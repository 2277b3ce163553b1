"""The share among many trials, approximate: narrower than the exact one, and only where both counts are large."""

from __future__ import annotations

import math

from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import (
    MINIMUM_CLUSTERS,
    ClusterSpread,
    Floats,
    cluster_sums,
    independent_rows,
    spread_of_sums,
)
from linnet.evidence.settings import check_between, check_counts, check_labels, check_together, check_trials

MINIMUM_COUNT = 30
"""With fewer successes, or fewer failures, `wilson` says nothing.

With this many it misses at most 5.9 % of the time at level 0.95, for every share and n (all outcomes enumerated in
bench/evidence_intervals.py). With 10 it is 6.5 %; without a limit 16 %, where one rare success moves the lower end.
"""


def wilson(
    successes: ArrayLike, n: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None
) -> tuple[float, float]:
    """Two-sided interval of a share that solves the score test; excludes nothing with counts under MINIMUM_COUNT.

    With `clusters` (a label an entry), `successes` and `n` are sequences, one entry a row (n: 1) or a group of rows;
    the counts are then those of the independent rows that the clusters are worth, with a t quantile, and nothing is
    excluded under MINIMUM_CLUSTERS either.

    Assumes: trials are independent with one share; with clusters, these are independent draws, and many.
    Source: Wilson, Probable inference, the law of succession, and statistical inference, Journal of the American
        Statistical Association 22, 1927; clusters as in `clustered_mean`.
    Not for: a claim that must hold at its level, or few successes or failures: `binomial` is exact and little wider.
        Levels above 0.99, whose far tails are skewed. Clusters: `clustered_mean` decides with fewer
        of them, `betting` is exact.

    >>> low, high = wilson(870, 1000)
    >>> round(low, 4), round(high, 4)
    (0.8477, 0.8894)
    """
    from scipy.special import ndtri

    z = float(ndtri((1 + check_between("level", level)) / 2))
    share, rows = _share_and_rows(successes, n, level, clusters)
    if min(share, 1 - share) * rows < MINIMUM_COUNT - 1e-9:
        return 0.0, 1.0
    centre = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z / (1 + z**2 / rows) * math.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2))
    return centre - half, centre + half


def _share_and_rows(
    successes: ArrayLike, n: ArrayLike, level: float, clusters: ArrayLike | None
) -> tuple[float, float]:
    """The share, and how many independent trials it rests on: none with too few clusters."""
    right, trials = check_counts("successes", successes), check_counts("n", n)
    if clusters is None:
        if right.ndim or trials.ndim:
            raise LinnetError(f"expected one number of successes and of trials; got shapes {right.shape} and "
                              f"{trials.shape}. Give sums, or with clusters= one entry a row.")
        check_trials(float(right), float(trials))
        return float(right / trials), float(trials)
    spread = _spread_of_counts(right, trials, clusters)
    return spread.mean, independent_rows(spread, (1 + level) / 2) if spread.clusters >= MINIMUM_CLUSTERS else 0.0


def _spread_of_counts(right: Floats, trials: Floats, clusters: ArrayLike) -> ClusterSpread:
    _, entries = check_together({"successes": right, "n": trials})
    check_labels(clusters, right.size)
    if right.ndim != 1 or entries.shape != right.shape or (entries < right).any() or not entries.sum():
        raise LinnetError("with clusters= successes and n are sequences of one entry a row or group of rows, each with "
                          f"at most n successes; got shapes {right.shape} and {trials.shape}.")
    sums, sizes = (cluster_sums(counts, clusters)[0] for counts in (right, entries))
    is_there = sizes > 0
    mean = float(right.sum() / entries.sum())
    return spread_of_sums(sums[is_there], sizes[is_there], mean * (1 - mean))
