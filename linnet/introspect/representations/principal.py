"""Principal components from chunks: one pass, exact, memory flat in the rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import is_count
from linnet.introspect.representations.chunks import checked
from linnet.introspect.representations.moments import Moments

Floats = NDArray[np.float64]
_ROWS = 4096


@dataclass(frozen=True, eq=False)
class Principal:
    """Where rows vary most: `mean` (columns,), `directions` (dimensions, columns), the `variances` along them.

    `explained` is the share of all variance that each direction holds.
    """

    mean: Floats
    directions: Floats
    variances: Floats
    explained: Floats

    def transform(self, rows: NDArray[Any]) -> NDArray[Any]:
        """(rows, columns) to (rows, dimensions), float32 for float32. Raises LinnetError for other columns."""
        if np.ndim(rows) != 2 or np.shape(rows)[1] != len(self.mean):
            raise LinnetError(f"rows must be (rows, {len(self.mean)}); got {np.shape(rows)}.")
        rows = np.asarray(rows)
        kind = rows.dtype if rows.dtype in (np.float32, np.float64) else np.dtype(np.float64)
        near, turned = self.mean.astype(kind), self.directions.T.astype(kind)
        rest = ((self.mean - near) @ self.directions.T).astype(kind)
        found = np.empty((len(rows), len(self.directions)), kind)
        for start in range(0, len(rows), _ROWS):
            found[start : start + _ROWS] = (rows[start : start + _ROWS] - near) @ turned - rest
        return found


def principal(rows: NDArray[Any] | Iterable[NDArray[Any]], dimensions: int) -> Principal:
    """The `dimensions` principal directions of (rows, columns), given at once or in chunks.

    From the covariance (`Moments`), so that it is exact, unlike the sequential form of incremental PCA, which forgets
    what it cut off. Best up to some thousand columns. Signs: the largest part of each direction is positive.

    Raises LinnetError for NaN, fewer than two rows, more dimensions than columns.

    >>> principal(np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]), 1).directions.tolist()
    [[1.0, 0.0]]
    """
    moments = Moments()
    for chunk in [rows] if isinstance(rows, np.ndarray) else rows:
        moments.update(chunk)
    checked("rows", moments.count, moments.mean)
    if not is_count(dimensions) or not 1 <= dimensions <= moments.columns:
        raise LinnetError(f"{moments.columns} columns have 1 to {moments.columns} principal directions; "
                          f"got {dimensions!r}.")
    variances, vectors = np.linalg.eigh(moments.covariance)
    variances, directions = np.maximum(variances[::-1], 0), vectors.T[::-1][:dimensions]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.where(directions[np.arange(dimensions), largest] < 0, -1.0, 1.0)[:, None]
    explained = variances / (variances.sum() or 1.0)
    return Principal(moments.mean, directions, variances[:dimensions], explained[:dimensions])
