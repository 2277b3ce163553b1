"""Units: every position along every axis of every tensor has a number; positions that go together are tied."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Numbers = NDArray[np.int64]


class Kind(IntEnum):
    """What is known of an axis; where two meet, the greater one holds for what comes out."""

    FREE = 0
    """Made while the network runs, as long as whatever meets it: a state of zeros."""
    OPEN = 1
    """That of a parameter: a channel, a hidden unit, a head."""
    FIXED = 2
    """Samples, places in time or space, what goes in, the insides of a head: never cut."""


@dataclass(frozen=True)
class Axis:
    """The units along one axis of one tensor."""

    units: Numbers
    kind: Kind

    def __len__(self) -> int:
        return len(self.units)

    def at(self, positions: slice | Numbers | list[int]) -> Axis:
        """These positions of the axis."""
        return Axis(self.units[positions], self.kind)


Axes = list[Axis]


class Ledger:
    """All units, which of them are tied, and why some must stay."""

    def __init__(self) -> None:
        self._count = 0
        self._ties: list[tuple[Numbers, Numbers]] = []
        self._reasons: list[tuple[Numbers, str]] = []

    def fresh(self, size: int, kind: Kind, reason: str = "it is a place, not a channel") -> Axis:
        """An axis of units that nothing else has."""
        axis = Axis(np.arange(self._count, self._count + size), kind)
        self._count += size
        if kind is Kind.FIXED:
            self.fix(axis, reason)
        return axis

    def fix(self, axis: Axis, reason: str) -> None:
        """The units of this axis stay."""
        self._reasons.append((axis.units, reason))

    def tie(self, first: Axis, second: Axis) -> Axis:
        """Position i of one goes with position i of the other; an axis of one position meets any.

        Gives the axis that dominates.
        """
        if len(first) != len(second):
            return second if len(first) == 1 else first
        self._ties.append((first.units, second.units))
        return second if second.kind > first.kind else first

    def tie_rows(self, axis: Axis, rows: int) -> Axis:
        """Tie the positions within each of so many equal stretches; the axis of stretches."""
        table = axis.units.reshape(rows, -1)
        self._ties.append((np.repeat(table[:, 0], table.shape[1]), table.reshape(-1)))
        return Axis(table[:, 0].copy(), axis.kind)

    def components(self) -> Numbers:
        """For every unit the number of the set of all that are tied to it."""
        first, second = (np.concatenate([np.zeros(0, np.int64), *side]) for side in
                         (zip(*self._ties, strict=True) if self._ties else ((), ())))
        graph = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(self._count, self._count))
        found: Numbers = connected_components(graph, directed=False)[1].astype(np.int64)
        return found

    def reasons(self, components: Numbers) -> dict[int, str]:
        """By set: why it must stay; the first reason that was met."""
        found: dict[int, str] = {}
        for units, reason in self._reasons:
            for number in np.unique(components[units]).tolist():
                found.setdefault(number, reason)
        return found

