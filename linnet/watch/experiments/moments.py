"""ONE list of what is added up, for every database alike: sums of products of variables, by arm and look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.watch.experiments.layout import ONE, Layout, Ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aggregate:
    """One number over a group of rows, said so that SQL and Ibis can both be made of it."""

    kind: Literal["rows", "filled", "sum", "least", "most", "not_binary", "at_most", "exceeds", "differs"]
    left: str = ONE
    right: str = ONE
    bound: float = 0.0


ROWS = Aggregate("rows")


def moment(left: str, right: str = ONE) -> Aggregate:
    """The sum of a product of two variables, whichever comes first; that of ONE and ONE counts the rows."""
    first, second = sorted((left, right), key=lambda name: (name == ONE, name))
    return ROWS if first == ONE else Aggregate("sum", first, second)


def moments_of(layout: Layout, names: Iterable[str], grids: Mapping[str, Sequence[float]]) -> tuple[Aggregate, ...]:
    """Everything that the named metrics need, each sum once; `grids` are the bounds under which values are counted."""
    wanted = [ROWS, moment(layout.whole)]
    for name in names:
        ratio = layout.metrics[name]
        if name in grids:
            wanted += [Aggregate("at_most", ratio.numerator, bound=bound) for bound in grids[name]]
        else:
            wanted += products(ratio)
    return tuple(dict.fromkeys(wanted))


def products(ratio: Ratio) -> list[Aggregate]:
    """The first and second moments of a metric's variables."""
    return [moment(left, right) for left, right in combinations_with_replacement((*ratio.names, ONE), 2)]


@dataclass(frozen=True)
class Sums:
    """Totals up to each look: one array of shape (looks, arms) for every aggregate; variables less their `shifts`."""

    totals: Mapping[Aggregate, Floats]
    shifts: Mapping[str, float]

    def of(self, left: str, right: str = ONE) -> Floats:
        """The total of a product."""
        return self.totals[moment(left, right)]

    @property
    def observations(self) -> Floats:
        """Rows so far: units, or clusters where they were randomised."""
        return self.totals[ROWS]

    def mean(self, name: str) -> Floats:
        """The mean of a variable; NaN where there is nothing yet."""
        if name == ONE:
            return np.ones_like(self.observations)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.of(name) / self.observations + self.shifts.get(name, 0.0))

    def covariance(self, left: str, right: str) -> Floats:
        """The covariance of two variables (n - 1); NaN below two observations."""
        n = self.observations
        if ONE in (left, right):
            return np.zeros_like(n)
        with np.errstate(invalid="ignore", divide="ignore"):
            centred = self.of(left, right) - self.of(left) * self.of(right) / n
            return np.asarray(np.where(n > 1, centred / (n - 1), np.nan))
