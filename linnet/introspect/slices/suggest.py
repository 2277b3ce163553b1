"""What the discovery rows suggest: few candidates, the most striking first, each adding to those before it.

Nothing here promises anything; the promise is made on the other rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.many.slice_tests import by_row
from linnet.introspect.slices.candidates import Mask

Floats = NDArray[np.float64]

AT_MOST = 10
_STRIKING = 0.05
_TAKEN_AT_ONCE = 2000


def suggest(masks: Mask, wrong: Floats, clusters: NDArray[np.int64] | None) -> list[int]:
    """The places of at most ten candidates with p < 0.05; all is of the discovery rows, `masks` (candidates, rows).

    After each choice the rest are judged without its rows, so that no slice is told twice in other words.
    """
    chosen: list[int] = []
    left, is_open = np.arange(len(masks)), np.ones(len(wrong), dtype=bool)
    while len(left) and len(chosen) < AT_MOST and 0 < wrong[is_open].sum() < is_open.sum():
        p_values = chances(masks[left][:, is_open], wrong[is_open], None if clusters is None else clusters[is_open])
        left, p_values = left[p_values < _STRIKING], p_values[p_values < _STRIKING]
        if not len(left):
            break
        chosen.append(int(left[np.argmin(p_values)]))
        left = left[left != chosen[-1]]
        is_open = is_open & ~masks[chosen[-1]]
    return chosen


def strongest(masks: Mask, wrong: Floats, clusters: NDArray[np.int64] | None, most: int) -> list[int]:
    """The places of those with the smallest p-values, in their order."""
    if len(masks) <= most:
        return list(range(len(masks)))
    return sorted(int(place) for place in np.argsort(chances(masks, wrong, clusters), kind="stable")[:most])


def chances(masks: Mask, wrong: Floats, clusters: NDArray[np.int64] | None) -> Floats:
    """One-sided p-values: exact by rows; by clusters from normal approximations, which are quick."""
    if not len(masks):
        return np.zeros(0)
    parts = [masks[start:start + _TAKEN_AT_ONCE] for start in range(0, len(masks), _TAKEN_AT_ONCE)]
    if clusters is None:
        return np.concatenate([by_row(wrong, part) for part in parts])
    return np.concatenate([_by_cluster(part.astype(np.float64), wrong, clusters) for part in parts])


def _by_cluster(masks: Floats, wrong: Floats, clusters: NDArray[np.int64]) -> Floats:
    """Mantel and Haenszel 1959 within clusters; a slice of whole clusters by the spread of their residuals."""
    from scipy.special import ndtr

    _, index = np.unique(clusters, return_inverse=True)
    every = np.zeros((len(wrong), int(index.max()) + 1))
    every[np.arange(len(wrong)), index] = 1.0
    sizes, errors, inside = every.sum(axis=0), wrong @ every, masks @ every
    caught = (masks * wrong) @ every
    expected = inside * errors / sizes
    room = errors * (sizes - errors) / (sizes**2 * np.maximum(sizes - 1, 1))
    variance = (inside * (sizes - inside)) @ room
    within = ((caught - expected).sum(axis=1) - 0.5) / np.sqrt(np.maximum(variance, 1e-12))
    residual = errors - wrong.mean() * sizes
    belongs = (inside > 0).astype(np.float64)
    share = belongs.mean(axis=1)
    spread = np.square(residual).sum() * share * (1 - share) * len(sizes) / max(len(sizes) - 1, 1)
    between = (belongs @ residual) / np.sqrt(np.maximum(spread, 1e-12))
    is_whole = ((inside == 0) | (inside == sizes)).all(axis=1)
    empty = (masks.sum(axis=1) == 0) | (masks.sum(axis=1) == masks.shape[1])
    return np.asarray(np.where(empty, 1.0, ndtr(-np.where(is_whole, between, np.where(variance > 0, within, 0.0)))))
