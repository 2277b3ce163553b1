"""One-sided p-values that slices are answered worse than the rest: by rows, and by clusters."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.comparisons.permutation import DRAWS

Floats = NDArray[np.float64]

_DRAWS_A_CANDIDATE = 4  # times 1 / alpha: a correction for all candidates must be able to reach alpha
_CELLS = 4_000_000  # numbers held at once
_TIE = 1e-9


def by_row(wrong: Floats, masks: NDArray[np.bool_]) -> Floats:
    """The chance of at least so many errors in each slice (candidates,), had the errors fallen on rows at random.

    Assumes: rows are independent of each other. Source: Fisher's exact test, one-sided (hypergeometric).
    Not for: rows in clusters (`by_cluster`).

    >>> by_row(np.array([1.0, 1.0, 0.0, 0.0]), np.array([[True, True, False, False]])).round(4).tolist()
    [0.1667]
    """
    from scipy.stats import hypergeom

    inside = np.rint(masks @ wrong)
    return np.asarray(hypergeom.sf(inside - 1, len(wrong), int(wrong.sum()), masks.sum(axis=1)))


def by_cluster(wrong: Floats, masks: NDArray[np.bool_], index: NDArray[np.int64], *, alpha: float, seed: int) -> Floats:
    """The same where rows hang together in clusters; `index` is the number of each row's cluster.

    A slice of whole clusters: clusters change places between slice and rest, at random. A slice that cuts through
    clusters: errors change places among the rows of their cluster, counted in full.

    Assumes: clusters are independent of each other; rows are alike within a cluster, the slice aside.
    Source: Pitman 1937 (whole clusters); Mehta, Patel and Gray, JASA 80, 1985 (within clusters).
    Not for: rows of one cluster that depend on each other in time, such as frames of one video.

    >>> index, masks = np.repeat(np.arange(2), 3), np.array([[True, False, False, True, False, False]])
    >>> by_cluster(np.array([1.0, 0, 0, 1, 0, 0]), masks, index, alpha=0.05, seed=0).round(4).tolist()
    [0.1111]
    """
    sizes = np.bincount(index).astype(np.float64)
    rows_inside = np.stack([np.bincount(index, mask, len(sizes)) for mask in masks])
    is_whole = ((rows_inside == 0) | (rows_inside == sizes)).all(axis=1)
    p_values = np.ones(len(masks))
    if is_whole.any():
        sums = np.bincount(index, wrong, len(sizes)).astype(np.float64)
        draws = max(DRAWS, math.ceil(_DRAWS_A_CANDIDATE * len(masks) / alpha))
        p_values[is_whole] = _whole_clusters(sums, sizes, rows_inside[is_whole] > 0, draws, seed)
    for place in np.flatnonzero(~is_whole):
        p_values[place] = _within_clusters(wrong, masks[place], index, rows_inside[place], sizes)
    return p_values


def _whole_clusters(sums: Floats, sizes: Floats, is_inside: NDArray[np.bool_], draws: int, seed: int) -> Floats:
    """Clusters in random places; the statistic is the difference of the shares in standard errors."""
    residual = sums - sums.sum() / sizes.sum() * sizes
    moments = np.stack([residual, sizes, residual**2, residual * sizes, sizes**2], axis=1)
    weights = is_inside.astype(np.float64)
    observed = _ahead(weights @ moments, moments.sum(axis=0))
    least = observed - _TIE * np.abs(observed)
    rng, far, batch = np.random.default_rng(seed), np.zeros(len(weights)), max(1, _CELLS // (5 * weights.size))
    for start in range(0, draws, batch):
        order = rng.random((min(batch, draws - start), len(sums))).argsort(axis=1)
        far += (_ahead(weights @ moments[order], moments.sum(axis=0)) >= least).sum(axis=0)
    return np.asarray((1 + far) / (1 + draws))


def _ahead(inside: Floats, total: Floats) -> Floats:
    outside = total - inside
    rates = inside[..., 0] / inside[..., 1], outside[..., 0] / outside[..., 1]
    variance = _variance(inside, rates[0]) + _variance(outside, rates[1])
    return np.asarray((rates[0] - rates[1]) / np.sqrt(np.maximum(variance, 1e-18)))


def _variance(sums: Floats, rate: Floats) -> Floats:
    """Of a share, as a ratio of sums over clusters."""
    residual = sums[..., 2] - 2 * rate * sums[..., 3] + rate**2 * sums[..., 4]
    return np.asarray(np.maximum(residual, 0) / sums[..., 1] ** 2)


def _within_clusters(
    wrong: Floats, mask: NDArray[np.bool_], index: NDArray[np.int64], inside: Floats, sizes: Floats
) -> float:
    """The chance of at least so many errors inside, the errors of each cluster having fallen on its rows at random."""
    from scipy.stats import hypergeom

    errors = np.bincount(index, wrong, len(sizes))
    is_open = (inside > 0) & (inside < sizes) & (errors > 0) & (errors < sizes)
    fixed = float(np.bincount(index, wrong * mask, len(sizes))[is_open].sum())
    chances = np.ones(1)
    for size, count, drawn in zip(sizes[is_open], errors[is_open], inside[is_open], strict=True):
        chances = np.convolve(chances, hypergeom.pmf(np.arange(min(count, drawn) + 1), size, count, drawn))
    return min(1.0, float(chances[round(fixed) :].sum()))
