"""Which things are worth a direct comparison: those whose descriptors are nearest, each by any of its views."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.duplicates import neighbours as near
from linnet.progress import Progress

Rows = NDArray[np.int64]
_LEAVES_AT_ONCE = 64


def ranked(views: NDArray[np.floating], owners: Rows, count: int, seed: int, progress: Progress | None = None) -> Rows:
    """(things, count): for each thing the nearest other ones, the nearest first; -1 where there are no more.

    `views` (n, d) describe things, `owners` (n,) says which; the distance of two things is that of their nearest views.
    """
    points, things = near.prepared(views), int(owners.max()) + 1
    best = (np.full((things, count), -1), np.full((things, count), np.inf))
    if len(points) <= near.EXACT_UP_TO:
        rows = np.arange(len(points))
        found = near.nearest(points, rows, min(count, len(points) - 1), owners,
                             (lambda done: progress(done, len(rows), "comparing")) if progress else None)
        return _merged(best, points, np.repeat(rows, found.shape[1]), found.ravel(), owners)[0]
    keep = count if things == len(points) else 3
    for done, parts in enumerate(near.leaves(points, seed)):
        for start in range(0, len(parts), _LEAVES_AT_ONCE):
            near_ones = [_inside(points, part, owners, keep) for part in parts[start : start + _LEAVES_AT_ONCE]]
            one, other = (np.concatenate(side) for side in zip(*near_ones, strict=True))
            best = _merged(best, points, one, other, owners)
        if progress:
            progress(done + 1, near.TREES, "comparing")
    return best[0]


def _inside(points: near.Floats, part: Rows, owners: Rows, keep: int) -> tuple[Rows, Rows]:
    """The nearest rows within one leaf."""
    inside = points[part]
    square = np.einsum("ij,ij->i", inside, inside)
    apart = square - 2 * inside @ inside.T
    apart[owners[part][:, None] == owners[part][None]] = np.inf
    keep = min(keep, len(part) - 1)
    found = np.argpartition(apart, keep - 1, axis=1)[:, :keep]
    return np.repeat(part, keep), part[found.ravel()]


def _merged(best: tuple[Rows, NDArray[np.float64]], points: near.Floats, one: Rows, other: Rows,
            owners: Rows) -> tuple[Rows, NDArray[np.float64]]:
    """The best so far with new pairs of views; each thing once among another's."""
    count = best[0].shape[1]
    distance = np.concatenate([np.linalg.norm(points[one[at : at + 65536]] - points[other[at : at + 65536]], axis=1)
                               for at in range(0, len(one), 65536)])
    one, other = owners[one], owners[other]
    touched = np.unique(one)
    old = best[0][touched]
    one = np.concatenate([one, np.repeat(touched, count)])
    other = np.concatenate([other, old.ravel()])
    distance = np.concatenate([distance, best[1][touched].ravel()])
    known = (other >= 0) & (one != other)
    one, other, distance = one[known], other[known], distance[known]
    order = np.lexsort((distance, other, one))
    one, other, distance = one[order], other[order], distance[order]
    first = np.r_[True, (one[1:] != one[:-1]) | (other[1:] != other[:-1])] if len(one) else np.zeros(0, bool)
    one, other, distance = one[first], other[first], distance[first]
    order = np.lexsort((distance, one))
    one, other, distance = one[order], other[order], distance[order]
    rank = np.arange(len(one)) - np.searchsorted(one, one)
    kept = rank < count
    found, far = best[0], best[1]
    found[touched], far[touched] = -1, np.inf
    found[one[kept], rank[kept]], far[one[kept], rank[kept]] = other[kept], distance[kept]
    return found, far
