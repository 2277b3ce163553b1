"""Do two sets of embeddings come from the same distribution? Permutation tests, valid for every n and dimension."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import comb, inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.drift.distances import check_embeddings, squared_distances
from linnet.evidence.settings import check_count, check_seed, is_number

Floats = NDArray[np.float64]

_LEAST_PERMUTATIONS = 19
_FOR_MEDIAN = 1000
_TIE = 1e-12
_SMALLEST = 1e-150  # a distance whose square is still a float


@dataclass(frozen=True)
class TwoSample:
    """The distance of two samples, and how probable one at least as large is if both have one distribution.

    `units` is what was permuted: rows, or clusters where they were named. `bandwidth` is that of the kernel, if any.
    """

    statistic: float
    p_value: float
    n_reference: int
    n_new: int
    units: int
    permutations: int
    bandwidth: float | None = None


def maximum_mean_discrepancy(
    reference: ArrayLike, new: ArrayLike, *, clusters: tuple[Sequence[object], Sequence[object]] | None = None,
    bandwidth: float | None = None, permutations: int = 999, seed: int = 0,
) -> TwoSample:
    """Test of two samples of embeddings (rows, dimensions) by a Gaussian kernel; unbiased squared MMD.

    The bandwidth is the median distance of the pooled rows. `clusters` names the cluster of each row on either side
    (speakers, videos); whole clusters are then permuted. The p-value is exact: (1 + permutations at least as far) /
    (1 + permutations). Time grows with the square of the rows (5,000 take some seconds), memory does not.

    Assumes: rows (with `clusters`: clusters) of both sides are independent draws of one distribution if nothing
        changed.
    Source: Gretton, Borgwardt, Rasch, Schoelkopf and Smola, A kernel two-sample test, JMLR 13, 2012; p-value of Phipson
        and Smyth, 2010.
    Not for: a look after every batch of a stream, each of which could be a false alarm (`ConformalDetector`); clusters
        that are on both sides (compare them paired: `evidence.comparisons`).

    >>> rng = np.random.default_rng(0)
    >>> changed = maximum_mean_discrepancy(rng.normal(size=(60, 8)), rng.normal(0.6, 1, (60, 8)))
    >>> changed.p_value
    0.001
    """
    pooled = _Pooled.of(reference, new, clusters, permutations)
    width = _median_distance(pooled.rows, seed) if bandwidth is None else _check_bandwidth(bandwidth)

    def gaussian(squared: Floats) -> Floats:
        with np.errstate(over="ignore"):  # so far away that nothing is left of the kernel
            return np.asarray(np.exp(-squared / (2 * width**2)))

    return pooled.test(gaussian, permutations, seed, width)


def energy_distance(
    reference: ArrayLike, new: ArrayLike, *, clusters: tuple[Sequence[object], Sequence[object]] | None = None,
    permutations: int = 999, seed: int = 0,
) -> TwoSample:
    """Test of two samples of embeddings by 2 E|X - Y| - E|X - X'| - E|Y - Y'|, unbiased; no bandwidth to choose.

    Else as `maximum_mean_discrepancy`.

    Assumes: as `maximum_mean_discrepancy`; the mean distance is finite.
    Source: Szekely and Rizzo, Energy statistics, Journal of Statistical Planning and Inference 143, 2013.
    Not for: as `maximum_mean_discrepancy`. Changes of shape at a small scale, which a kernel of small bandwidth finds
        better.

    >>> rng = np.random.default_rng(0)
    >>> energy_distance(rng.normal(size=(60, 8)), rng.normal(0.6, 1, (60, 8))).p_value
    0.001
    """
    pooled = _Pooled.of(reference, new, clusters, permutations)
    return pooled.test(lambda squared: -np.sqrt(squared), permutations, seed)


@dataclass(frozen=True)
class _Pooled:
    """Both samples in one table, and the unit that each row belongs to; the first units are those of the reference."""

    rows: Floats
    n_reference: int
    unit: NDArray[np.int64]
    reference_units: int

    @classmethod
    def of(cls, reference: ArrayLike, new: ArrayLike, clusters: tuple[Sequence[object], Sequence[object]] | None,
           permutations: int) -> _Pooled:
        others, known = check_embeddings(new, reference)
        rows = np.concatenate([known, others])
        if (rows == rows[0]).all():
            raise LinnetError("all embeddings are the same row; nothing can be compared. Is the model loaded?")
        if float(np.abs(rows - rows[0]).max()) < _SMALLEST:
            raise LinnetError("the distances of these embeddings are too small: their squares are 0 as floats. "
                              "Multiply all of them by the same large number.")
        unit, reference_units = units_of(len(known), len(others), clusters)
        check_permutations(permutations, reference_units, int(unit.max()) + 1)
        return cls(rows, len(known), unit, reference_units)

    def test(self, kernel: Callable[[Floats], Floats], permutations: int, seed: int,
             bandwidth: float | None = None) -> TwoSample:
        """The distance under the kernel, held against those with the units dealt out at random."""
        units = int(self.unit.max()) + 1
        is_reference = dealt(units, self.reference_units, int(permutations), np.random.default_rng(check_seed(seed)))
        distances = _distances(_unit_sums(self.rows, self.unit, kernel, is_reference), np.bincount(self.unit),
                               is_reference, float(kernel(np.zeros(1))[0]))
        n_new = len(self.rows) - self.n_reference
        return TwoSample(float(distances[0]), p_value_of(distances), self.n_reference, n_new, units, permutations,
                         bandwidth)


def units_of(n_reference: int, n_new: int, clusters: tuple[Sequence[object], Sequence[object]] | None
             ) -> tuple[NDArray[np.int64], int]:
    """The number of the unit of each row, the reference first, and how many units the reference has."""
    if clusters is None:
        return np.arange(n_reference + n_new), n_reference
    first, second = (np.asarray([str(label) for label in side]) for side in check_sides(clusters))
    if (len(first), len(second)) != (n_reference, n_new):
        raise LinnetError(f"every row needs a cluster: got {n_reference} and {n_new} rows, "
                          f"{len(first)} and {len(second)} labels.")
    both = sorted(set(first) & set(second))
    if both:
        raise LinnetError(f"cluster '{both[0]}' is on both sides ({len(both)} such); whole clusters can "
                          "only be permuted if each is on one. Leave them out of one side, or compare them paired.")
    known, index = np.unique(first, return_inverse=True)
    _, others = np.unique(second, return_inverse=True)
    return np.concatenate([index, len(known) + others]), len(known)


def check_sides(clusters: tuple[Sequence[object], Sequence[object]]
                ) -> tuple[Sequence[object], Sequence[object]]:
    """The labels of the rows of either side; LinnetError for anything but two rows of labels."""
    is_pair = isinstance(clusters, tuple | list) and len(clusters) == 2
    if not (is_pair and all(isinstance(side, str) or np.asarray(side, dtype=object).ndim == 1 for side in clusters)):
        raise LinnetError("clusters are the labels of both sides, (of the rows known, of the new rows); "
                          f"got {clusters!r:.80}.")
    return clusters[0], clusters[1]


def check_permutations(permutations: int, reference_units: int, units: int) -> None:
    """Enough permutations, and enough units, for a p-value of 1 in 20."""
    if check_count("permutations", permutations) < _LEAST_PERMUTATIONS:
        raise LinnetError(f"permutations must be at least {_LEAST_PERMUTATIONS}, or no p-value is as low as 0.05; "
                          f"got {permutations}, usual: 999.")
    smaller = min(reference_units, units - reference_units)
    ways = comb(units, min(smaller, 20))
    if smaller < 2 or ways < _LEAST_PERMUTATIONS + 1:
        raise LinnetError(f"{reference_units} and {units - reference_units} units (rows, or clusters) are too few: "
                          "no p-value could be as low as 0.05. At least 2 on a side and 7 together are needed.")


def dealt(units: int, first: int, permutations: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which units are the reference: as observed in the first column, dealt out at random in the others."""
    as_observed = np.arange(units) < first
    shuffled = rng.permuted(np.broadcast_to(as_observed, (permutations, units)), axis=1)
    return np.concatenate([as_observed[None], shuffled]).T


def p_value_of(statistics: Floats) -> float:
    """The share of statistics at least as large as the first, that one counted; rounding does not break ties."""
    return float((statistics >= statistics[0] - _TIE * max(1.0, abs(statistics[0]))).mean())


def _unit_sums(rows: Floats, unit: NDArray[np.int64], kernel: Callable[[Floats], Floats],
               is_reference: NDArray[np.bool_]) -> tuple[Floats, Floats, float]:
    """For each deal the sum of the kernel within the reference, that between it and all rows; and the whole sum."""
    weights = is_reference[unit].astype(np.float64)
    within, across, total = np.zeros(weights.shape[1]), np.zeros(weights.shape[1]), 0.0
    for block, squared in squared_distances(rows, rows):
        values = kernel(squared)
        sums = values.sum(axis=1)
        within += np.einsum("rp,rp->p", weights[block], values @ weights)
        across += sums @ weights[block]
        total += float(sums.sum())
    return within, across, total


def _distances(sums: tuple[Floats, Floats, float], sizes: NDArray[np.int64], is_reference: NDArray[np.bool_],
               diagonal: float) -> Floats:
    """The unbiased squared distance of each deal: mean kernel within either side less twice that between them."""
    within, across, total = sums
    n = sizes @ is_reference
    m = sizes.sum() - n
    between, others = across - within, total - 2 * across + within
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = ((within - n * diagonal) / (n * (n - 1)) + (others - m * diagonal) / (m * (m - 1))
                    - 2 * between / (n * m))
    # A deal with a single row on a side has no distance within it; it counts as far, which only raises the p-value.
    return np.where((n > 1) & (m > 1), distance, inf)


def _median_distance(rows: Floats, seed: int) -> float:
    chosen = np.random.default_rng(check_seed(seed)).permutation(len(rows))[:_FOR_MEDIAN]
    distances = np.sqrt(np.concatenate(list(_upper(rows[chosen]))))
    # Equal rows say nothing on the scale; there may be no others among those chosen.
    return float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0


def _upper(rows: Floats) -> Iterable[Floats]:
    for block, squared in squared_distances(rows, rows):
        yield squared[np.arange(block.start, block.stop)[:, None] < np.arange(len(rows))]


def _check_bandwidth(bandwidth: float) -> float:
    if not (is_number(bandwidth) and _SMALLEST < bandwidth < 1 / _SMALLEST):
        raise LinnetError(f"bandwidth is a distance above 0 (left out: the median distance); got {bandwidth!r}.")
    return float(bandwidth)
