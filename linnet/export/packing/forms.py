"""Ways to store one tensor; each knows how many bytes it takes and writes the operators that undo it.

A tensor is a row of values: all of them, those where a bit mask says so, or those at the end of gaps. The values
themselves are stored as they are, or as numbers into a palette of the distinct ones. Nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.export.packing.digits import base_for, words_for
from linnet.export.packing.writing import Writing

_NODE_BYTES, _CONSTANT_BYTES = 32, 18
"""What an operator, and a constant beside its values, takes in a file with short names."""
_GAPS = (4, 8, 16, 32, 64)

Values = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Row:
    """Values in a row: stored plainly (`base` None), or as numbers into their palette."""

    values: Values
    base: int | None

    @property
    def bytes(self) -> float:
        """Room in the file, without what all layers share."""
        if self.base is None:
            return self.values.nbytes + _CONSTANT_BYTES
        palette = len(np.unique(self.values)) * self.values.itemsize + _CONSTANT_BYTES + _NODE_BYTES
        return len(self.values) * words_for(self.base).bits / 8 + palette

    def write(self, writing: Writing) -> str:
        """The name of the values, (count,)."""
        if self.base is None:
            return writing.constant(self.values)
        palette, numbers = np.unique(self.values, return_inverse=True)
        return writing.node("Gather", [writing.constant(palette), writing.digits(numbers, self.base)])


def rows(values: Values) -> Iterator[Row]:
    """Both ways to store a row, or the plain one where its values are too many."""
    yield Row(values, None)
    base = base_for(len(np.unique(values)))
    if base is not None:
        yield Row(values, base)


@dataclass(frozen=True, eq=False)
class Dense:
    """Every value."""

    row: Row
    name = "palette"

    @property
    def bytes(self) -> float:
        """Room in the file."""
        return self.row.bytes

    def write(self, writing: Writing) -> str:
        """The name of the flat tensor."""
        return self.row.write(writing)


@dataclass(frozen=True, eq=False)
class Masked:
    """A bit for each place, and the values where it is 1; in front of the values stands a zero for all others."""

    mask: Values
    row: Row
    name = "mask"

    @property
    def bytes(self) -> float:
        """Room in the file."""
        return len(self.mask) / 8 + self.row.bytes + 3 * _NODE_BYTES

    def write(self, writing: Writing) -> str:
        """Place i holds value number mask[i] * (mask[0] + ... + mask[i])."""
        mask = writing.digits(self.mask.astype(np.int64), 2)
        counted = writing.node("CumSum", [mask, writing.constant(np.array(0, np.int64))])
        return writing.node("Gather", [self.row.write(writing), writing.node("Mul", [mask, counted])])


@dataclass(frozen=True, eq=False)
class Gapped:
    """How far it is from one value to the next, below `base`; a longer way is stored as steps to zeros in between."""

    gaps: Values
    base: int
    row: Row
    size: int
    name = "gaps"

    @property
    def bytes(self) -> float:
        """Room in the file."""
        return (len(self.gaps) * words_for(self.base).bits / 8 + self.row.bytes + 3 * _NODE_BYTES
                + 2 * _CONSTANT_BYTES)

    def write(self, writing: Writing) -> str:
        """Scatter the values into zeros, at the sums of the gaps."""
        gaps = writing.digits(self.gaps, self.base)
        places = writing.node("CumSum", [gaps, writing.constant(np.array(0, np.int64))])
        zero = onnx.numpy_helper.from_array(np.zeros(1, self.row.values.dtype))
        zeros = writing.node("ConstantOfShape", [writing.constant(np.array([self.size], np.int64))], value=zero)
        return writing.node("ScatterElements", [zeros, places, self.row.write(writing)])


@dataclass(frozen=True, eq=False)
class Filled:
    """One value throughout."""

    value: Values
    size: int
    name = "constant"

    @property
    def bytes(self) -> float:
        """Room in the file."""
        return _NODE_BYTES + 2 * _CONSTANT_BYTES

    def write(self, writing: Writing) -> str:
        """Fill a row."""
        value = onnx.numpy_helper.from_array(self.value)
        return writing.node("ConstantOfShape", [writing.constant(np.array([self.size], np.int64))], value=value)


Form = Dense | Masked | Gapped | Filled


def forms(tensor: Values) -> Iterator[Form]:
    """Every way to store a tensor of which something repeats."""
    flat = tensor.reshape(-1)
    if np.all(flat == flat[0]):
        yield Filled(flat[:1], flat.size)
    yield from (Dense(row) for row in rows(flat) if row.base is not None)
    mask = flat != 0
    if mask.all() or not mask.any():
        return
    zero = np.zeros(1, flat.dtype)
    yield from (Masked(mask, row) for row in rows(np.concatenate([zero, flat[mask]])))
    for base in _GAPS:
        gaps, stops = _steps(np.flatnonzero(mask), base)
        yield from (Gapped(gaps, base, row, flat.size) for row in rows(flat[stops]))


def _steps(places: NDArray[np.intp], base: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Steps below `base` from 0 over all places, and where each of them ends."""
    ways = np.diff(places, prepend=0)
    full = np.maximum((ways - 1) // (base - 1), 0)
    ends = np.cumsum(full + 1) - 1
    steps = np.full(int(ends[-1]) + 1, base - 1, np.int64)
    steps[ends] = ways - full * (base - 1)
    return steps, np.cumsum(steps)
