"""Moments: the mean and the covariance of many columns from chunks of rows, in one pass and right at any offset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_ROWS = 4096
"""Rows that are centred and multiplied at a time; what is given may be larger."""
_BLOCKS = 16
_FAR = 2.0
"""Spreads between zero and a mean, up to which centring would save less than a digit."""


class Moments:
    """`update` with (rows, columns), `merge` with another; then `count`, `mean` and `covariance`, all float64.

    Each block is centred near its own mean before it is multiplied, and blocks are joined by the pairwise formula of
    Chan, Golub and LeVeque (1983): a column at 1e8 with a spread of 1 keeps its digits, where the sum of squares less
    the square of the sum has lost them. Memory does not grow with the rows. Products of float32 rows are float32,
    their sums over blocks float64.

    >>> moments = Moments()
    >>> moments.update(np.array([[1e8, 0.0], [1e8 + 2, 4.0]]))
    >>> moments.covariance.tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """

    def __init__(self) -> None:
        self.count = 0
        self.rounding = 0.0
        """Of the least precise rows so far: 1.2e-7 for float32."""
        self._mean: Floats = np.zeros(0)
        self._scatter: Floats = np.zeros((0, 0))

    @property
    def columns(self) -> int:
        """How many columns were seen; 0 before the first row."""
        return len(self._mean)

    @property
    def mean(self) -> Floats:
        """(columns,)."""
        return self._mean.copy()

    @property
    def covariance(self) -> Floats:
        """(columns, columns), divided by the count, exactly symmetric. Raises LinnetError before the first row."""
        if not self.count:
            raise LinnetError("there are no rows yet, so there is no covariance; call update first.")
        covariance = self._scatter / self.count
        return np.asarray((covariance + covariance.T) / 2)

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """(columns,): whether a column changes by more than the rounding errors of its size."""
        spread = np.sqrt(np.maximum(self._scatter.diagonal(), 0) / max(self.count, 1))
        return np.asarray(spread > 8 * self.rounding * np.hypot(self._mean, spread))

    @property
    def correlations(self) -> Floats:
        """(active, active): of the columns that are active."""
        active = np.flatnonzero(self.is_active)
        covariance = self.covariance[np.ix_(active, active)]
        spread = np.sqrt(covariance.diagonal())
        return np.asarray(covariance / np.outer(spread, spread))

    def update(self, rows: NDArray[Any]) -> None:
        """Take in (rows, columns) of numbers. Raises LinnetError for another shape or other columns than before.

        Rows that are not finite leave a mean that is not finite: look at `mean` at the end, which costs nothing.
        """
        rows = np.asarray(rows)
        if rows.ndim != 2 or not rows.shape[1] or not (np.issubdtype(rows.dtype, np.number) or rows.dtype == bool):
            raise LinnetError(f"rows must be numbers, (rows, columns); got {rows.dtype} {rows.shape}.")
        if self.count and rows.shape[1] != self.columns:
            raise LinnetError(f"rows had {self.columns} columns so far; got {rows.shape[1]}.")
        if rows.dtype not in (np.float32, np.float64):
            rows = rows.astype(np.float32 if rows.dtype == np.float16 else np.float64)
        self.rounding = max(self.rounding, float(np.finfo(rows.dtype).eps))
        with np.errstate(invalid="ignore", over="ignore"):
            for start in range(0, len(rows), _BLOCKS * _ROWS):
                self._join(*_blocks(rows[start : start + _BLOCKS * _ROWS]))

    def merge(self, other: Moments) -> None:
        """Take in all rows that another one has seen, as if they had been given here."""
        if self.count and other.count and other.columns != self.columns:
            raise LinnetError(f"cannot merge {other.columns} columns with {self.columns}.")
        self.rounding = max(self.rounding, other.rounding)
        if other.count:
            self._join(other.count, other._mean, other._scatter)

    def _join(self, count: int, mean: Floats, scatter: Floats) -> None:
        if not self.count:
            self.count, self._mean, self._scatter = count, mean.copy(), scatter.copy()
            return
        apart, total = mean - self._mean, self.count + count
        self._scatter += scatter
        self._scatter += np.outer(apart, apart * (self.count * count / total))
        self._mean += apart * (count / total)
        self.count = total


def _blocks(rows: NDArray[Any]) -> tuple[int, Floats, Floats]:
    """(count, mean, scatter about it) of some blocks, each centred by itself and joined at once."""
    scatter = np.zeros((rows.shape[1], rows.shape[1]))
    counts, means, apart = list[int](), list[Floats](), list[Floats]()
    for start in range(0, len(rows), _ROWS):
        block = rows[start : start + _ROWS]
        near = _near(block)
        centred = block if near is None else block - near
        scatter += centred.T @ centred
        counts.append(len(block))
        apart.append((np.ones(len(block), block.dtype) @ centred).astype(np.float64) / len(block))
        means.append(apart[-1] if near is None else near + apart[-1])
    weights, mean = np.array(counts, np.float64)[:, None], np.average(means, axis=0, weights=counts)
    within, between = np.array(apart), np.array(means) - mean
    scatter += between.T @ (weights * between) - within.T @ (weights * within)
    return len(rows), mean, scatter


def _near(rows: NDArray[Any]) -> NDArray[Any] | None:
    """The mean of a few rows, in the precision of all; None where no mean is far from zero."""
    few = rows[:: len(rows) // 32 + 1].astype(np.float64)
    mean = few.mean(axis=0)
    is_far = bool((np.abs(mean) > _FAR * few.std(axis=0)).any())
    return mean.astype(rows.dtype) if is_far else None
