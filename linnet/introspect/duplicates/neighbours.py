"""Nearest rows of a table of numbers: exactly, a block of rows at a time, or among rows that share a leaf of a tree."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

EXACT_UP_TO = 16_384
"""So many rows are compared all with all; more of them only where they share a leaf of one of the trees."""
TREES, LEAF = 8, 256
_BLOCK = 1 << 25  # distances at once, 128 MB
_CHUNK = 4096
_STRIDE = 32


def prepared(vectors: NDArray[np.floating]) -> Floats:
    """Rows about their mean and in float32, the largest number 1: distances then lose no digits to an offset."""
    mean = vectors.mean(axis=0, dtype=np.float64)
    largest = float(np.maximum(vectors.max(axis=0) - mean, mean - vectors.min(axis=0)).max(initial=0))
    points = np.empty(vectors.shape, np.float32)
    for start in range(0, len(vectors), _CHUNK):
        points[start : start + _CHUNK] = (vectors[start : start + _CHUNK] - mean) / (largest or 1.0)
    return points


def nearest(vectors: Floats, rows: Rows, neighbours: int, owners: Rows | None = None,
            step: Callable[[int], None] | None = None) -> Rows:
    """(rows, neighbours) int64: for each of the rows the nearest other ones, in no order.

    `owners` says which rows are views of one thing; those of the same owner are not counted as neighbours. Memory is
    that of one block of distances, whatever the number of rows.
    """
    squares = np.einsum("ij,ij->i", vectors, vectors)
    block = max(1, _BLOCK // len(vectors))
    found = np.empty((len(rows), neighbours), np.int64)
    for start in range(0, len(rows), block):
        chosen = rows[start : start + block]
        distances = (-2 * vectors[chosen]) @ vectors.T
        distances += squares
        if owners is None:
            distances[np.arange(len(chosen)), chosen] = np.inf
        else:
            distances[owners[chosen][:, None] == owners[None]] = np.inf
        found[start : start + block] = smallest(distances, neighbours)
        if step:
            step(start + len(chosen))
    return found


def smallest(values: Floats, count: int) -> Rows:
    """Positions of the smallest values of each row, in no order.

    The columns are dealt into groups first: the smallest values lie in the groups with the smallest minima, so that all
    but a few are only looked at once.
    """
    groups = values.shape[1] // _STRIDE
    if groups < 4 * count:
        return np.asarray(np.argpartition(values, count - 1, axis=1)[:, :count], np.int64)
    dealt = groups * _STRIDE
    minima = values[:, :dealt].reshape(len(values), _STRIDE, groups).min(axis=1)
    best = np.argpartition(minima, count - 1, axis=1)[:, :count]
    columns = (best[:, :, None] + np.arange(_STRIDE) * groups).reshape(len(values), -1)
    rest = np.broadcast_to(np.arange(dealt, values.shape[1]), (len(values), values.shape[1] - dealt))
    columns = np.concatenate([columns, rest], axis=1)
    among = np.argpartition(np.take_along_axis(values, columns, axis=1), count - 1, axis=1)[:, :count]
    return np.asarray(np.take_along_axis(columns, among, axis=1), np.int64)


def leaves(vectors: Floats, seed: int) -> list[list[Rows]]:
    """Trees of rows that are split at the median of a direction, level by level, into leaves of one size.

    A direction leads from one random row to another. Two rows that are near each other share a leaf of most trees
    (random projection trees: Dasgupta and Freund 2008).
    """
    random = np.random.default_rng(seed)
    depth = max(0, int(np.ceil(np.log2(len(vectors) / LEAF))))
    trees = []
    for _ in range(TREES):
        projected = (vectors @ _directions(vectors, max(depth, 1), random).T).T.copy()
        parts: list[Rows] = [np.arange(len(vectors))]
        for level in range(depth):
            parts = [half for part in parts for half in _halves(part, projected[level])]
        trees.append(parts)
    return trees


def share_a_leaf(vectors: Floats, distance: float, seed: int) -> float:
    """How likely a row and one so far from it share a leaf of at least one tree: tried with rows that are moved so far.

    A row is moved towards where another one lies from a third, so that it moves in directions in which the rows differ.
    """
    random = np.random.default_rng(seed)
    chosen = random.permutation(len(vectors))[: 1 << 13]
    depth = max(0, int(np.ceil(np.log2(len(vectors) / LEAF))))
    together = np.ones(len(chosen))
    ways = distance * _directions(vectors, len(chosen), random)
    parts: list[Rows] = [np.arange(len(chosen))]
    for _ in range(depth):
        direction = _directions(vectors, 1, random)[0]
        projected = vectors[chosen] @ direction
        moved = projected + ways @ direction
        for part in parts:
            middle = np.median(projected[part])
            together[part[(projected[part] > middle) != (moved[part] > middle)]] = 0
        parts = [half for part in parts for half in (_halves(part, projected) if len(part) > 1 else (part,))]
    return float(1 - (1 - together.mean()) ** TREES)


def _directions(vectors: Floats, count: int, random: np.random.Generator) -> Floats:
    """Unit vectors (count, d) from one random row to another; where both are the same, no direction."""
    apart = vectors[random.integers(len(vectors), size=count)] - vectors[random.integers(len(vectors), size=count)]
    length = np.linalg.norm(apart, axis=1, keepdims=True)
    return np.asarray(apart / np.where(length > 0, length, 1), np.float32)


def _halves(part: Rows, projected: Floats) -> tuple[Rows, Rows]:
    order = np.argpartition(projected[part], len(part) // 2)
    return part[order[: len(part) // 2]], part[order[len(part) // 2 :]]
