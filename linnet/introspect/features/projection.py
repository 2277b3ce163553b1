"""Projection: many numbers a sample to the few that fit on a page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra, unknown
from linnet.evidence.settings import check_seed, is_count
from linnet.introspect.features.nearby import nearby
from linnet.introspect.features.table import as_table

Floats = NDArray[np.float64]
_EXACT = 2048
"""Up to so many columns (or rows) the principal directions are exact; above, found by random sketches."""
_NEIGHBOURS = 15
_BEFORE_NEIGHBOURS = 50
"""Neighbours are looked for among so many principal directions, as the authors of both methods advise."""


def project(features: NDArray[Any], *, method: str = "pca", dimensions: int = 2, seed: int = 0) -> NDArray[np.float32]:
    """Each row of `features` (samples, columns) as a point: (samples, dimensions) float32.

    `method` is a name in PROJECTIONS. "pca" is the map that keeps most of the variance, a rotation and nothing else;
    "random" keeps distances between all points roughly (Johnson and Lindenstrauss 1984) and costs one product;
    "neighbours" (`nearby`, UMAP's layout in numpy), "umap" (McInnes, Healy, Melville 2018) and "pacmap" (Wang et al.
    2021) keep neighbourhoods; the last two need the extra "maps". Distances between far groups, and the sizes of
    groups, mean nothing in these three. One seed gives one map.

    Raises LinnetError for features that are no table of finite numbers, fewer columns or rows than dimensions, an
    unknown method, and a package that is missing.

    >>> project(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]), dimensions=1).ravel().tolist()
    [-5.0, 0.0, 5.0]
    """
    if method not in PROJECTIONS:
        raise unknown("method of projection", method, PROJECTIONS)
    table = as_table(features, rows=2)
    check_seed(seed)
    if not is_count(dimensions) or not 1 <= dimensions <= min(table.shape):
        raise LinnetError(f"project: {table.shape[0]} samples of {table.shape[1]} columns can be shown in 1 to "
                          f"{min(table.shape)} dimensions; got {dimensions!r}.")
    return np.ascontiguousarray(PROJECTIONS[method](table, dimensions, seed), np.float32)


def principal(table: Floats, dimensions: int, seed: int) -> Floats:
    """The centred table on its principal directions, the largest first; the largest part of each is positive.

    Where rows and columns are many, directions come from a random sketch with two passes more (Halko, Martinsson and
    Tropp 2011, algorithm 4.4).
    """
    centred = table - table.mean(axis=0)
    directions = _directions(centred, dimensions, seed)
    return np.asarray(centred @ (directions * _signs(directions)))


def _directions(centred: Floats, count: int, seed: int) -> Floats:
    """(columns, count), orthonormal."""
    rows, columns = centred.shape
    if columns <= min(rows, _EXACT):
        return np.asarray(np.linalg.eigh(centred.T @ centred)[1][:, ::-1][:, :count])
    if rows <= _EXACT:
        return _of_rows(centred, count)
    sketch = centred @ np.random.default_rng(seed).normal(size=(columns, count + 10))
    for _ in range(4):
        sketch = centred @ (centred.T @ np.linalg.qr(sketch)[0])
    return np.asarray(np.linalg.svd(np.linalg.qr(sketch)[0].T @ centred, full_matrices=False)[2][:count].T)


def _of_rows(centred: Floats, count: int) -> Floats:
    """The directions of a table with more columns than rows; any orthonormal ones where it has no further."""
    return np.asarray(np.linalg.svd(centred, full_matrices=False)[2][:count].T)


def _signs(directions: Floats) -> Floats:
    largest = np.abs(directions).argmax(axis=0)
    return np.where(directions[largest, np.arange(directions.shape[1])] < 0, -1.0, 1.0)


def _random(table: Floats, dimensions: int, seed: int) -> Floats:
    matrix = np.random.default_rng(seed).normal(size=(table.shape[1], dimensions)) / np.sqrt(dimensions)
    return np.asarray((table - table.mean(axis=0)) @ matrix)


def _nearby(table: Floats, dimensions: int, seed: int) -> Floats:
    _neighbours(table)
    return nearby(_for_neighbours(table, seed), principal(table, dimensions, seed), seed)


def _umap(table: Floats, dimensions: int, seed: int) -> Floats:
    try:
        import umap  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError as error:
        raise missing_extra("umap-learn", "maps") from error
    start = principal(table, dimensions, seed).astype(np.float32)  # its own start differs from call to call
    made = umap.UMAP(n_components=dimensions, n_neighbors=_neighbours(table), init=start, random_state=seed, n_jobs=1)
    return np.asarray(made.fit_transform(_for_neighbours(table, seed)))


def _pacmap(table: Floats, dimensions: int, seed: int) -> Floats:
    try:
        import pacmap  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError as error:
        raise missing_extra("pacmap", "maps") from error
    made = pacmap.PaCMAP(n_components=dimensions, n_neighbors=min(10, _neighbours(table)), random_state=seed,
                         apply_pca=False)
    return np.asarray(made.fit_transform(_for_neighbours(table, seed).astype(np.float32)))


def _for_neighbours(table: Floats, seed: int) -> Floats:
    return principal(table, _BEFORE_NEIGHBOURS, seed) if min(table.shape) > _BEFORE_NEIGHBOURS else table


def _neighbours(table: Floats) -> int:
    if len(table) <= _NEIGHBOURS:
        raise LinnetError(f"a map of neighbours needs more than {_NEIGHBOURS} samples; got {len(table)}. "
                          "Use method='pca'.")
    return _NEIGHBOURS


PROJECTIONS: dict[str, Callable[[Floats, int, int], Floats]] = {
    "pca": principal, "random": _random, "neighbours": _nearby, "umap": _umap, "pacmap": _pacmap}
"""By name: (table, dimensions, seed) to points."""
