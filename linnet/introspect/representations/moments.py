"""Moments: the mean and the covariance of many columns from chunks of rows, in one pass and right at any offset."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_ROWS = 4096
"""Rows that are centred and multiplied at a time; what is given may be larger."""
_BLOCKS = 64
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
        self._settled = 0
        self._mean: Floats = np.zeros(0)
        self._scatter: Floats = np.zeros((0, 0))
        self._blocks: list[tuple[int, Floats, Floats]] = []
        self._products: Floats = np.zeros((0, 0))
        self._waiting: NDArray[Any] = np.zeros((0, 0), np.float32)
        self._filled = 0

    @property
    def columns(self) -> int:
        """How many columns were seen; 0 before the first row."""
        return int(self._waiting.shape[1])

    @property
    def mean(self) -> Floats:
        """(columns,)."""
        self._settle()
        return self._mean.copy()

    @property
    def covariance(self) -> Floats:
        """(columns, columns), divided by the count, exactly symmetric. Raises LinnetError before the first row."""
        if not self.count:
            raise LinnetError("there are no rows yet, so there is no covariance; call update first.")
        self._settle()
        covariance = self._scatter / self.count
        return np.asarray((covariance + covariance.T) / 2)

    @property
    def is_active(self) -> NDArray[np.bool_]:
        """(columns,): whether a column changes by more than the rounding errors of its size."""
        self._settle()
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
        if rows.ndim != 2 or not rows.shape[1] or rows.dtype.kind not in "fiub":
            raise LinnetError(f"rows must be numbers, (rows, columns); got {rows.dtype} {rows.shape}.")
        if self.count and rows.shape[1] != self.columns:
            raise LinnetError(f"rows had {self.columns} columns so far; got {rows.shape[1]}.")
        if rows.dtype not in (np.float32, np.float64):
            rows = rows.astype(np.float32 if rows.dtype == np.float16 else np.float64)
        self.rounding = max(self.rounding, float(np.finfo(rows.dtype).eps))
        if self._waiting.shape[1] != rows.shape[1] or self._waiting.dtype != rows.dtype:
            self._empty()
            self._waiting = np.empty((_ROWS, rows.shape[1]), rows.dtype)
        self.count += len(rows)
        start = 0
        while start < len(rows):
            start += self._gather(rows[start : start + _ROWS])

    def merge(self, other: Moments) -> None:
        """Take in all rows that another one has seen, as if they had been given here."""
        if self.count and other.count and other.columns != self.columns:
            raise LinnetError(f"cannot merge {other.columns} columns with {self.columns}.")
        self.rounding = max(self.rounding, other.rounding)
        if other.count:
            self._settle()
            other._settle()
            if not self.count:
                self._waiting = np.empty_like(other._waiting)
            self._join(other.count, other._mean, other._scatter)
            self.count += other.count

    def _gather(self, rows: NDArray[Any]) -> int:
        """Small chunks wait for each other, since one large product is faster; how many rows were taken."""
        if not self._filled and len(rows) == _ROWS:
            self._take(rows)
            return _ROWS
        taken = min(len(rows), _ROWS - self._filled)
        self._waiting[self._filled : self._filled + taken] = rows[:taken]
        self._filled += taken
        if self._filled == _ROWS:
            self._empty()
        return taken

    def _empty(self) -> None:
        if self._filled:
            self._take(self._waiting[: self._filled])
        self._filled = 0

    def _take(self, rows: NDArray[Any]) -> None:
        """One block, centred by itself; joined with the others when there are enough of them to do so at once."""
        if not len(self._products):
            self._products = np.zeros((rows.shape[1], rows.shape[1]))
        with np.errstate(invalid="ignore", over="ignore"):
            near = _near(rows)
            centred = rows if near is None else rows - near
            self._products += centred.T.dot(centred)
            apart = (np.ones(len(rows), rows.dtype) @ centred).astype(np.float64) / len(rows)
        self._blocks.append((len(rows), apart if near is None else near + apart, apart))
        if len(self._blocks) == _BLOCKS:
            self._join_blocks()

    def _settle(self) -> None:
        self._empty()
        if self._blocks:
            self._join_blocks()

    def _join_blocks(self) -> None:
        counts, means, apart = (np.array(one, np.float64) for one in zip(*self._blocks, strict=True))
        weights = counts[:, None]
        with np.errstate(invalid="ignore", over="ignore"):
            mean = (weights * means).sum(axis=0) / counts.sum()
            between = means - mean
            self._products += between.T @ (weights * between) - apart.T @ (weights * apart)
            self._join(int(counts.sum()), mean, self._products)
        self._products = np.zeros_like(self._products)
        self._blocks.clear()

    def _join(self, count: int, mean: Floats, scatter: Floats) -> None:
        if not self._settled:
            self._settled, self._mean, self._scatter = count, mean.copy(), scatter.copy()
            return
        apart, total = mean - self._mean, self._settled + count
        self._scatter += scatter
        self._scatter += np.outer(apart, apart * (self._settled * count / total))
        self._mean += apart * (count / total)
        self._settled = total


def _near(rows: NDArray[Any]) -> NDArray[Any] | None:
    """The mean of a few rows, in the precision of all; None where no mean is far from zero."""
    few = rows[:: len(rows) // 32 + 1].astype(np.float64)
    mean = few.mean(axis=0)
    is_far = bool((np.abs(mean) > _FAR * few.std(axis=0)).any())
    return mean.astype(rows.dtype) if is_far else None
