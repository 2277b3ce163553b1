"""Differences of means of graded scores: of the same samples, of different ones, and of numbers without limits."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.evidence.intervals.bets import betting
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, cluster_sums
from linnet.evidence.sequences.estimates import units_worth
from linnet.evidence.settings import check_between, check_disjoint, check_rows, check_seed

Floats = NDArray[np.float64]
Pair = tuple[ArrayLike, ArrayLike]

MINIMUM_ROWS = 50
"""Under so many rows on a side `welch_difference` excludes nothing (with clusters: under MINIMUM_CLUSTERS)."""
MINIMUM_WORTH = 8.0
MINIMUM_WORTH_OF_CLUSTERS = 4.0
"""Nor where the rows, or clusters, of a side are worth less than so many of equal weight (see `units_worth`)."""
MAXIMUM_SKEWNESS = 0.15
"""Nor where the difference of the means is itself more skewed than this: in sides of equal size skew cancels."""
_NOTHING_EXCLUDED = (-math.inf, math.inf)


def paired_mean_difference(
    differences: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None, largest: int | None = None
) -> tuple[float, float]:
    """Two-sided interval of the mean of paired differences of scores in [0, 1]; covers at least at `level` for every n.

    `differences` (after minus before, from -1 to 1) are one a sample; with `clusters` (a label a sample) whole
    clusters were sampled. `largest` is for clusters of random size, as in `intervals.betting`.

    Assumes: samples, or clusters, are independent; within a cluster anything goes.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
    Statistical Society B 86, 2024 (section 4), of the differences moved to [0, 1].
    Not for: right and wrong answers of independent samples, where `paired_difference` is narrower; looking again and
    again (`SequentialPairs`).

    >>> low, high = paired_mean_difference([0.2, 0.1, 0.0, 0.1, 0.15] * 20)
    >>> round(low, 2), round(high, 2)
    (0.06, 0.16)
    """
    rows = check_rows("differences", differences, low=-1, high=1)
    return betting(rows, check_between("level", level), clusters=clusters, largest=largest, lower=-1.0, upper=1.0)


def two_sample_mean_difference(
    control: ArrayLike, treatment: ArrayLike, *, level: float = 0.95, clusters: Pair | None = None, seed: int = 0
) -> tuple[float, float]:
    """Two-sided interval of the mean in the treatment minus that in the control, of scores in [0, 1]; exact.

    Each row of the smaller side is paired at random (`seed`) with its share of the larger side, and the differences
    are bet on: no row is lost, and the spreads of the sides add up as they should. With `clusters` (the labels of
    either side) each side has an interval of its own, at a level with which both hold: wider.

    Assumes: rows (clusters) are independent, within a side and between the sides; the rows of a side have one mean.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
    Statistical Society B 86, 2024 (section 4), of paired differences.
    Not for: right and wrong answers (`two_sample_difference`); the same samples on both sides
    (`paired_mean_difference`); numbers without limits (`welch_difference`).

    >>> rng = np.random.default_rng(0)
    >>> low, high = two_sample_mean_difference(rng.beta(2, 8, 500), rng.beta(3, 7, 800))
    >>> round(low, 2), round(high, 2)
    (0.08, 0.13)
    """
    first, second = (check_rows(name, rows, low=0, high=1) for name, rows in
                     (("control", control), ("treatment", treatment)))
    check_between("level", level), check_seed(seed)
    if clusters is not None:
        check_disjoint(clusters)
        low, high = (betting(rows, (1 + level) / 2, clusters=labels)
                     for rows, labels in zip((first, second), clusters, strict=True))
        return high[0] - low[1], high[1] - low[0]
    rng, pairs = np.random.default_rng(seed), min(len(first), len(second))
    dealt = [_dealt(rng.permutation(rows), pairs) for rows in (first, second)]
    return betting(dealt[1] - dealt[0], level, lower=-1.0, upper=1.0)


def welch_difference(
    control: ArrayLike, treatment: ArrayLike, *, level: float = 0.95, clusters: Pair | None = None
) -> tuple[float, float]:
    """Two-sided interval of the mean in the treatment minus that in the control, of numbers without limits.

    With `clusters` (the labels of either side) the error is that of a ratio over whole clusters, with k / (k - 1).
    It excludes nothing, (-inf, inf), under MINIMUM_ROWS rows or MINIMUM_CLUSTERS clusters on a side, without spread,
    where a side is worth less than 8 rows (4 clusters) of equal weight (n over the kurtosis, which is small where a
    few large values make up the sum), or where the skewness of the difference is above MAXIMUM_SKEWNESS.

    Assumes: rows (clusters) are independent, and so many that the difference of the means is close to normal; what
    has not been drawn yet, such as one huge purchase, it cannot know.
    Source: Welch, The generalization of Student's problem when several different population variances are involved,
    Biometrika 34, 1947; clusters as in Cochran, Sampling Techniques, 1977 (section 9A).
    Not for: scores in [0, 1] (`two_sample_mean_difference`, exact); looking again and again (`sequences.asymptotic`).

    >>> rng = np.random.default_rng(0)
    >>> low, high = welch_difference(rng.exponential(2.0, 1000), rng.exponential(2.5, 1000))
    >>> round(low, 2), round(high, 2)
    (0.26, 0.67)
    """
    from scipy.special import stdtrit

    first, second = check_rows("control", control), check_rows("treatment", treatment)
    check_between("level", level)
    if clusters is not None:
        check_disjoint(clusters)
    labels = (None, None) if clusters is None else clusters
    unit = max(float(np.abs(rows).max()) for rows in (first, second)) or 1.0  # squares of 1e200 would overflow
    first, second = first / unit, second / unit
    sides = [_influences(rows, label) for rows, label in zip((first, second), labels, strict=True)]
    units = [len(side) for side in sides]
    variances = [float(np.square(side).sum()) * len(side) / max(len(side) - 1, 1) for side in sides]
    fewest, least = (MINIMUM_ROWS, MINIMUM_WORTH) if clusters is None else (MINIMUM_CLUSTERS, MINIMUM_WORTH_OF_CLUSTERS)
    if min(units) < fewest or min(_worth(side) for side in sides) < least:
        return _NOTHING_EXCLUDED
    total = sum(variances)
    if abs(float((sides[1] ** 3).sum() - (sides[0] ** 3).sum())) > MAXIMUM_SKEWNESS * total**1.5:
        return _NOTHING_EXCLUDED
    freedom = total**2 / sum(variance**2 / (count - 1) for variance, count in zip(variances, units, strict=True))
    half = float(stdtrit(freedom, (1 + level) / 2)) * math.sqrt(total)
    estimate = float(second.mean() - first.mean())
    low, high = unit * (estimate - half), unit * (estimate + half)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else _NOTHING_EXCLUDED


def _dealt(rows: Floats, pairs: int) -> Floats:
    """The means of so many groups into which the rows are dealt out."""
    ends = np.linspace(0, len(rows), pairs + 1).round().astype(np.int64)
    return np.asarray(np.add.reduceat(rows, ends[:-1]) / np.diff(ends))


def _worth(influences: Floats) -> float:
    """How many units of equal weight the spread is worth; influences sum to zero."""
    largest = float(np.abs(influences).max())
    scaled = influences / largest if largest > 1e-150 else influences * 0
    return float(units_worth(len(scaled), 0.0, *((scaled**power).sum() for power in (2, 3, 4))))


def _influences(rows: Floats, labels: ArrayLike | None) -> Floats:
    """What each row (each cluster) adds to the error of the mean."""
    sums, sizes = cluster_sums(rows, labels)
    return np.asarray((sums - rows.mean() * sizes) / len(rows))
