"""Intervals by resampling: a mean, or a ratio of sums, of scores without limits. Approximate, for many rows.

`values` alone give their mean; with `denominator` the ratio of the two sums (wrong words by spoken words). What is
drawn again is a row or, with `clusters`, a whole cluster. Nothing is excluded, (-inf, inf), under MINIMUM_ROWS rows or
MINIMUM_CLUSTERS clusters, where all are alike, or where they are so skewed for their number that their mean is.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, Floats, cluster_sums
from linnet.evidence.settings import check_between, check_count, check_rows, check_seed

MINIMUM_ROWS = 20
"""Fewer rows say nothing: below, what they look like says little of how skewed they are."""

MAXIMUM_SKEWNESS = 0.2
"""The skewness of the mean, estimated: sum of cubes / (sum of squares) ** 1.5; of right and wrong, 25 rare ones.

With these limits both bootstraps miss at most 6 % of the time at level 0.95, within the error of the simulation, in
every cell of bench/evidence_intervals.py. At 0.3 `bca` misses 8 %, without a limit 13 %.
"""

_NOTHING_EXCLUDED = (-math.inf, math.inf)
_COMPACT = 8  # so many rows a distinct one, and drawing how often each distinct one comes is faster: right or wrong
_TAIL = 10  # resamples beyond each end, at least: fewer, and the end is an accident of the seed
_AT_ONCE = 50_000  # draws at a time, so that they stay in the cache


def bca(
    values: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None, denominator: ArrayLike | None = None,
    resamples: int = 2000, seed: int = 0,
) -> tuple[float, float]:
    """Two-sided interval of a mean or ratio, from the percentiles of resamples, corrected for bias and skewness.

    The level of the percentiles is that of a t quantile with n - 1 degrees of freedom times sqrt(n / (n - 1)), so
    that few rows or clusters do not make it too narrow.

    Assumes: rows, or clusters, are independent draws of one distribution with a finite third moment, and there are
        enough of them (see the module).
    Source: Efron, Better bootstrap confidence intervals, Journal of the American Statistical Association 82, 1987;
        the level for small samples: Hesterberg, What teachers should know about the bootstrap, American
        Statistician 69, 2015.
    Not for: bounded scores in a claim (`betting` holds for every n); statistics other than means and ratios of sums
        (for quantiles: `quantile_lower` and `quantile_upper`).

    >>> delays = np.random.default_rng(0).gamma(2.0, 50.0, 400)
    >>> low, high = bca(delays)
    >>> round(low), round(high)
    (89, 102)
    """
    _check_resamples(level, resamples)
    check_seed(seed)
    units = _units(values, clusters, denominator)
    if not _is_enough(units, MINIMUM_ROWS if clusters is None else MINIMUM_CLUSTERS):
        return _NOTHING_EXCLUDED
    moved, _ = _resampled(units, resamples, seed)
    tail = expanded_tail((1 - level) / 2, len(units.sizes))
    shares = bca_shares(moved, _acceleration(units), tail)
    if not np.isfinite(moved).all() or not np.isfinite(shares).all():
        return _NOTHING_EXCLUDED
    low, high = units.ratio + np.quantile(moved, shares)
    return float(low), float(high)


def studentised(
    values: ArrayLike, level: float = 0.95, *, clusters: ArrayLike | None = None, denominator: ArrayLike | None = None,
    resamples: int = 2000, seed: int = 0,
) -> tuple[float, float]:
    """Two-sided interval of a mean or ratio, from the percentiles of (resampled - observed) / its standard error.

    The error is that of a ratio over rows or clusters, with the factor n / (n - 1), in every resample anew: this is
    what corrects for few of them.

    Assumes: as `bca`, with a finite fourth moment.
    Source: Efron, The jackknife, the bootstrap and other resampling plans, SIAM, 1982 (section 10.10, bootstrap t);
        Hall, Theoretical comparison of bootstrap confidence intervals, Annals of Statistics 16, 1988.
    Not for: bounded scores in a claim (`betting`), of which it may leave the limits; quantiles (`quantile_lower`).

    >>> delays = np.random.default_rng(0).gamma(2.0, 50.0, 400)
    >>> low, high = studentised(delays)
    >>> round(low), round(high)
    (89, 102)
    """
    _check_resamples(level, resamples)
    check_seed(seed)
    units = _units(values, clusters, denominator)
    if not _is_enough(units, MINIMUM_ROWS if clusters is None else MINIMUM_CLUSTERS):
        return _NOTHING_EXCLUDED
    moved, error = _resampled(units, resamples, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        pivots = np.where(moved == 0, 0.0, moved / error)
    if np.isnan(pivots).any():
        return _NOTHING_EXCLUDED
    tail = (1 - level) / 2
    most = float(np.quantile(pivots, 1 - tail, method="higher"))
    least = float(np.quantile(pivots, tail, method="lower"))
    spread = float(_standard_error(float(np.square(units.residuals).sum()), float(units.sizes.sum()), len(units.sizes)))
    return units.ratio - most * spread, units.ratio - least * spread


def expanded_tail(tail: float, n: int) -> float:
    """The tail that percentiles must leave out so that they are as wide as a t interval: smaller for small n."""
    from scipy.special import ndtr, stdtrit

    return float(ndtr(math.sqrt(n / (n - 1)) * stdtrit(n - 1, tail)))


def bca_shares(moved: Floats, acceleration: float, tail: float) -> Floats:
    """The two shares of resamples that the corrected percentiles leave below them; `moved` from the observed value."""
    from scipy.special import ndtr, ndtri

    bias = ndtri(((moved < 0).mean() + (moved <= 0).mean()) / 2)
    z = bias + np.array([ndtri(tail), -ndtri(tail)])
    return np.asarray(ndtr(bias + z / (1 - acceleration * z)), dtype=np.float64)


def skewness_of_mean(residuals: Floats) -> float:
    """How skewed the mean of so many and so skewed values is, without its sign; infinite where all are alike."""
    largest = float(np.abs(residuals).max())
    scaled = residuals / largest if largest > 0 else residuals
    squares = float(np.square(scaled).sum())
    return abs(float((scaled**3).sum())) / squares**1.5 if squares > 0 else math.inf


class _Units(NamedTuple):
    """What is drawn again: of each row or cluster, its size and by how much its sum exceeds ratio times size."""

    residuals: Floats
    sizes: Floats
    ratio: float


def _units(values: ArrayLike, clusters: ArrayLike | None, denominator: ArrayLike | None) -> _Units:
    above = check_rows("values", values)
    below = np.ones(len(above)) if denominator is None else check_rows("denominator", denominator, low=0)
    if len(below) != len(above) or not below.sum() > 0:
        raise LinnetError(f"expected one denominator a value and some above 0; got {len(above)} values and "
                          f"{len(below)} denominators whose sum is {below.sum():g}.")
    sums, sizes = cluster_sums(above, clusters)[0], cluster_sums(below, clusters)[0]
    ratio = float(sums.sum() / sizes.sum())
    residuals = sums - ratio * sizes
    residuals[np.abs(residuals) < 1e-12 * np.abs(sums).max()] = 0  # rounding is no spread
    return _Units(residuals, sizes, ratio)


def _is_enough(units: _Units, minimum: int) -> bool:
    return len(units.sizes) >= minimum and skewness_of_mean(units.residuals) <= MAXIMUM_SKEWNESS


def _acceleration(units: _Units) -> float:
    """Skewness of the jackknife: the ratio without each unit in turn."""
    rest = units.sizes.sum() - units.sizes
    if not (rest > 0).all():
        return math.nan
    moved = units.residuals / rest  # the ratio without a unit lies lower by this
    centred = moved - moved.mean()
    return float((centred**3).sum() / (6 * np.square(centred).sum() ** 1.5))


def _resampled(units: _Units, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """By how much each resample's ratio exceeds the observed one, and its standard error."""
    pairs = units.residuals + 1j * units.sizes  # a complex number a unit: the fastest way to find equal pairs
    kinds, times = np.unique(pairs, return_counts=True)
    is_compact = len(kinds) * _COMPACT <= len(pairs)
    most = max(1, _AT_ONCE // len(kinds if is_compact else pairs))
    rng = np.random.default_rng(seed)
    sums = np.concatenate([
        _sums_of_kinds(rng, count, kinds, times) if is_compact else _sums_of_units(rng, count, units)
        for count in (min(most, resamples - start) for start in range(0, resamples, most))
    ])
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = sums[:, 0] / sums[:, 1]
        moved[np.abs(moved) < 1e-12 * np.abs(units.residuals).max() / units.sizes.mean()] = 0  # a tie, but for rounding
        squares = sums[:, 2] - 2 * moved * sums[:, 3] + moved**2 * sums[:, 4]
        return moved, _standard_error(np.maximum(squares, 0), sums[:, 1], len(units.sizes))


def _sums_of_units(rng: np.random.Generator, resamples: int, units: _Units) -> Floats:
    """Sums of residuals, sizes, and their squares and products, in each resample of units."""
    drawn = rng.integers(0, len(units.sizes), (resamples, len(units.sizes)))
    residuals, sizes = units.residuals.take(drawn), units.sizes.take(drawn)
    products = [np.einsum("ij,ij->i", *each) for each in ((residuals, residuals), (residuals, sizes), (sizes, sizes))]
    return np.stack([residuals.sum(axis=1), sizes.sum(axis=1), *products], axis=1)


def _sums_of_kinds(
    rng: np.random.Generator, resamples: int, kinds: NDArray[np.complex128], times: NDArray[np.intp]
) -> Floats:
    """The same, of kinds of units that come several times: a resample is how often each kind comes."""
    residuals, sizes = kinds.real, kinds.imag
    table = np.stack([residuals, sizes, residuals**2, residuals * sizes, sizes**2], axis=1)
    counts = rng.multinomial(times.sum(), times / times.sum(), size=resamples)
    return np.asarray(counts @ table, dtype=np.float64)


def _standard_error(squares: Floats | float, size: Floats | float, n: int) -> Floats:
    return np.sqrt(n / (n - 1) * np.asarray(squares)) / size


def _check_resamples(level: float, resamples: int) -> None:
    least = math.ceil(round(2 * _TAIL / (1 - check_between("level", level)), 6))
    if check_count("resamples", resamples) < least:
        raise LinnetError(f"{resamples} resamples leave fewer than {_TAIL} beyond an end at level {level:g}; "
                          f"expected resamples={least} or more.")
