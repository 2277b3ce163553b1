"""Rows that are nearer to each other than the room around them explains."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.introspect.duplicates import neighbours as near
from linnet.introspect.duplicates.pairs import Pairs
from linnet.progress import Progress

Rows = NDArray[np.int64]
Doubles = NDArray[np.float64]

NEIGHBOURS = 10
_SAMPLE, _CROWD, _ROWS = 512, 4096, 2048


def close_pairs(vectors: NDArray[np.floating], rate: float, seed: int, progress: Progress | None = None) -> Pairs:
    """Pairs of different rows, each among the other's nearest, whose distance is no accident.

    Where the density is even around a row, the volume of the ball that reaches to its nearest neighbour is to that of
    the ball that reaches to its k-th as the smallest of k - 1 uniform numbers: with x = (r_1 / r_k)^m the chance of a
    nearer neighbour is 1 - (1 - x)^(k - 1). The dimension m is read from the median of r_k / r_(k/2), whose volumes are
    as 2 to 1 at the median; copies do not move it (Facco, d'Errico, Rodriguez and Laio 2017 use r_2 / r_1). A pair's
    scale is the geometric mean of both rows' r_k (Zelnik-Manor and Perona 2004). Which p-values count: Benjamini and
    Hochberg over rows.
    """
    count = len(vectors)
    k = min(NEIGHBOURS, count - 1) // 2 * 2
    if k < 2:
        return _none("fewer than three different rows: there is no scale to judge a distance by")
    points = near.prepared(vectors)
    exact = count <= near.EXACT_UP_TO
    sample = np.arange(count) if exact else np.sort(np.random.default_rng(seed).permutation(count)[:_SAMPLE])
    table = _Neighbours(points, sample, k, progress)
    dimension = _dimension(table.distances)
    if not np.isfinite(dimension):
        return _none("all rows are equally far from each other: only exact copies can be told")
    searched: dict[str, Any] = {"search": "exact"}
    if not exact:
        typical = float(np.median(table.distances[:, -1]))
        searched = {"search": f"{near.TREES} trees", "search_finds": {
            str(part): near.share_a_leaf(points, part * typical, seed) for part in (0.1, 0.3, 0.5)}}
        table = _Neighbours(points, _suspects(points, dimension, rate, k, seed), k, progress)
    facts = searched | {"dimension": round(dimension, 2), "neighbours": k, "rows_compared": count}
    return _judged(table, dimension, count, rate, facts)


class _Neighbours:
    """For some rows, in order: their k nearest rows of all, the nearest first, at exact distances."""

    def __init__(self, points: near.Floats, rows: Rows, k: int, progress: Progress | None) -> None:
        step = (lambda done: progress(done, len(rows), "comparing")) if progress else None
        self.rows, found = rows, near.nearest(points, rows, k, step=step)
        distances = np.concatenate([distances_of(points, rows[start : start + 512, None], found[start : start + 512])
                                    for start in range(0, max(len(rows), 1), 512)])
        order = np.argsort(distances, axis=1, kind="stable")
        self.found, self.distances = np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)


def distances_of(points: near.Floats, one: Rows, other: Rows) -> Doubles:
    """Distances in double precision, by differences: those of near rows keep their digits."""
    apart = points[one].astype(np.float64) - points[other]
    return np.asarray(np.sqrt(np.einsum("...d,...d->...", apart, apart)))


def _dimension(distances: Doubles) -> float:
    k = distances.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = float(np.median(np.log(distances[:, k - 1] / distances[:, k // 2 - 1])))
    return float(np.log(2) / growth) if growth > 0 else np.inf


def _chance(distance: Doubles, scale: Doubles, dimension: float, k: int) -> Doubles:
    """P(the nearest of k - 1 neighbours within `scale` is as near as `distance`)."""
    with np.errstate(divide="ignore"):
        inside = np.exp(np.minimum(dimension * (np.log(distance) - np.log(scale)), 0))
    return np.asarray(-np.expm1((k - 1) * np.log1p(-np.minimum(inside, 1 - 1e-12))))


def _suspects(points: near.Floats, dimension: float, rate: float, k: int, seed: int) -> Rows:
    """Rows that could be found if all neighbours were known: leaves overstate the room around a row, not its pairs."""
    count = len(points)
    closest, partner, scale = np.full(count, np.inf), np.zeros(count, np.int64), np.full(count, np.inf)
    for tree, parts in enumerate(near.leaves(points, seed)):
        for part in parts:
            inside = points[part]
            square = np.einsum("ij,ij->i", inside, inside)
            apart = square[:, None] + square[None] - 2 * inside @ inside.T
            np.fill_diagonal(apart, np.inf)
            best = apart.argmin(axis=1)
            smallest = apart[np.arange(len(part)), best]
            nearer = smallest < closest[part]
            closest[part[nearer]], partner[part[nearer]] = smallest[nearer], part[best[nearer]]
            if tree == 0:
                scale[part] = np.partition(apart, k - 1, axis=1)[:, k - 1]
    scale = np.sqrt(np.maximum(scale, 0))
    chosen = np.arange(count)
    for better in (None, np.sort(np.random.default_rng(seed).permutation(count)[:_CROWD])):
        if better is not None:
            scale[chosen] = np.minimum(scale[chosen], _reach(points, chosen, better, k))
        distance = distances_of(points, chosen, partner[chosen])
        chances = _chance(distance, np.sqrt(scale[chosen] * scale[partner[chosen]]), dimension, k)
        kept = chosen[chances <= _limit(chances, count, rate)]
        chosen = np.unique(np.concatenate([kept, partner[kept]]))
    return chosen


def _reach(points: near.Floats, rows: Rows, crowd: Rows, k: int) -> Doubles:
    """How far from each row its k-th neighbour in a crowd of rows is: never nearer than among all."""
    among, reach = points[crowd], np.empty(len(rows))
    squares = np.einsum("ij,ij->i", among, among)
    for start in range(0, len(rows), _ROWS):
        block = points[rows[start : start + _ROWS]]
        apart = squares - 2 * block @ among.T
        farthest = np.take_along_axis(apart, near.smallest(apart, k + 1), axis=1).max(axis=1)
        reach[start : start + _ROWS] = farthest + np.einsum("ij,ij->i", block, block)
    return np.asarray(np.sqrt(np.maximum(reach, 0)))


def _judged(table: _Neighbours, dimension: float, count: int, rate: float, facts: dict[str, Any]) -> Pairs:
    k = table.found.shape[1]
    if not len(table.rows):
        return Pairs(np.empty((0, 2), np.int64), [], facts)
    place = np.full(count, -1)
    place[table.rows] = np.arange(len(table.rows))
    one, rank = np.divmod(np.arange(table.found.size), k)
    other = place[table.found.ravel()]
    known = (other >= 0) & (one < other)
    one, other, rank = one[known], other[known], rank[known]
    mutual = (table.found[other] == table.rows[one][:, None]).any(axis=1)
    one, other, rank = one[mutual], other[mutual], rank[mutual]
    distance = table.distances[one, rank]
    scale = np.sqrt(table.distances[one, -1] * table.distances[other, -1])
    chances = _chance(distance, scale, dimension, k)
    best = np.ones(len(table.rows))
    np.minimum.at(best, one, chances)
    np.minimum.at(best, other, chances)
    order = np.flatnonzero(chances <= _limit(best, count, rate))
    order = order[np.argsort(chances[order], kind="stable")]
    share = distance / scale
    evidence = [{"similarity": float(1 - share[at]), "of_the_usual_distance": float(share[at]),
                 "p_value": float(chances[at])} for at in order]
    return Pairs(np.stack([table.rows[one[order]], table.rows[other[order]]], axis=1), evidence, facts)


def _limit(chances: Doubles, tests: int, rate: float) -> float:
    """The p-value up to which Benjamini and Hochberg reject, over `tests` of which those not given have 1; or -1."""
    ordered = np.sort(chances)
    kept = np.flatnonzero(ordered <= rate * np.arange(1, len(ordered) + 1) / tests)
    return float(rate * (kept[-1] + 1) / tests) if len(kept) else -1.0


def _none(why: str) -> Pairs:
    return Pairs(np.empty((0, 2), np.int64), [], {"search": "exact", "not_judged": why})
