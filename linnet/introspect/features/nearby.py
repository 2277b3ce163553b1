"""A map of neighbours in numpy alone: alike samples pull each other, all others push."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_NEIGHBOURS = 15
_LAID_OUT = 8_000
"""So many rows are laid out; the others join the nearest of them."""
_ROUNDS, _REPELLED = 250, 5
_STEP, _MOST = 0.25, 8.0
_BLOCK = 512
_A, _B = 1.577, 0.895
"""The curve 1 / (1 + a d^2b) that McInnes and others fit to a least distance of 0.1."""


def nearby(table: Floats, start: Floats, seed: int) -> Floats:
    """(samples, dimensions): the rows of `table` laid out from `start` so that nearest neighbours stay near.

    The graph and the forces are those of UMAP (McInnes, Healy, Melville 2018, sections 3.1 and 3.2); all points move at
    once. Of more than 8000 rows so many, drawn by `seed`, are laid out, and each other one is put among its five
    nearest. Groups that lie apart do; how far apart and how large they are means little.
    """
    rng = np.random.default_rng(seed)
    rows = len(table)
    drawn = np.sort(rng.permutation(rows)[:_LAID_OUT])
    far, near = _nearest(table[drawn], table[drawn], min(_NEIGHBOURS, len(drawn) - 1) + 1)
    made = _settled(*_graph(far[:, 1:], near[:, 1:]), start[drawn], rng)
    if len(drawn) == rows:
        return made
    far, near = _nearest(table, table[drawn], 5)
    weights = 1 / (far + 1e-3 * far.mean() + 1e-12)
    placed = (made[near] * weights[..., None]).sum(axis=1) / weights.sum(axis=1)[:, None]
    placed += rng.normal(0, 0.05, placed.shape)
    placed[drawn] = made
    return np.asarray(placed)


def _nearest(asked: Floats, among: Floats, count: int) -> tuple[Floats, NDArray[np.int64]]:
    """Distances to, and positions of, the `count` nearest rows of `among`, the nearest first; in blocks of rows."""
    middle = among.mean(axis=0)
    asked, among = ((table - middle).astype(np.float32) for table in (asked, among))
    sizes = (among**2).sum(axis=1)
    far, near = np.empty((len(asked), count)), np.empty((len(asked), count), np.int64)
    for first in range(0, len(asked), _BLOCK):
        block = asked[first:first + _BLOCK]
        squares = sizes - 2 * (block @ among.T)
        found = np.argpartition(squares, count - 1, axis=1)[:, :count]
        exact = np.sqrt(((block[:, None] - among[found]) ** 2).sum(axis=2))
        turn = np.argsort(exact, axis=1, kind="stable")
        near[first:first + _BLOCK] = np.take_along_axis(found, turn, axis=1)
        far[first:first + _BLOCK] = np.take_along_axis(exact, turn, axis=1)
    return far, near


def _graph(far: Floats, near: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Heads, tails and weights of the edges, each pair once: how likely one of the two counts the other as near."""
    from scipy.sparse import coo_array, triu

    rows, neighbours = near.shape
    beyond = np.maximum(far - far[:, :1], 0)
    width = _widths(beyond, np.log2(neighbours))
    heads = np.repeat(np.arange(rows), neighbours)
    one_way = coo_array((np.exp(-beyond / width[:, None]).ravel(), (heads, near.ravel())), shape=(rows, rows)).tocsr()
    other = one_way.T.tocsr()
    edges = triu(one_way + other - one_way * other, k=1).tocoo()
    return edges.row.astype(np.int64), edges.col.astype(np.int64), np.asarray(edges.data, np.float64)


def _widths(beyond: Floats, wanted: float) -> Floats:
    """For each row the width at which its neighbours weigh `wanted` together, by halving."""
    low, high = np.zeros(len(beyond)), np.full(len(beyond), max(float(beyond.max()) * 8, 1e-9))
    for _ in range(48):
        middle = (low + high) / 2
        is_wide = np.exp(-beyond / np.maximum(middle, 1e-12)[:, None]).sum(axis=1) > wanted
        low, high = np.where(is_wide, low, middle), np.where(is_wide, middle, high)
    return np.asarray(np.maximum(middle, 1e-3 * float(beyond.mean()) + 1e-12))


def _settled(heads: NDArray[np.int64], tails: NDArray[np.int64], weights: Floats, start: Floats,
             rng: np.random.Generator) -> Floats:
    spread = float(np.abs(start).max()) or 1.0
    points = 10 * start / spread + rng.normal(0, 1e-4, start.shape)
    share = weights / weights.max()
    rows, dimensions = points.shape
    for turn in range(_ROUNDS):
        is_asked = rng.random(len(share)) < share
        one, two = heads[is_asked], tails[is_asked]
        pull = _pull(points[one] - points[two])
        others = rng.integers(rows, size=(_REPELLED, 2 * len(one)))
        ends = np.concatenate([one, two])
        push = sum((_push(points[ends] - points[other]) for other in others), np.zeros((len(ends), dimensions)))
        moves = push + np.concatenate([pull, -pull])
        total = np.stack([np.bincount(ends, moves[:, axis], rows) for axis in range(dimensions)], axis=1)
        points = points + _STEP * (1 - turn / _ROUNDS) * np.clip(total, -_MOST, _MOST)
    return np.asarray(points)


def _pull(gap: Floats) -> Floats:
    square = (gap**2).sum(axis=1) + 1e-12
    force = -2 * _A * _B * square ** (_B - 1) / (1 + _A * square**_B)
    return np.asarray(np.clip(force[:, None] * gap, -4, 4))


def _push(gap: Floats) -> Floats:
    square = (gap**2).sum(axis=1)
    force = 2 * _B / ((1e-3 + square) * (1 + _A * square**_B))
    return np.asarray(np.clip(force[:, None] * gap, -4, 4))
