"""ONE list of what is added up, for every database alike: sums of products of variables, by arm and look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.watch.experiments.layout import ONE, SIZE, Layout, Ratio

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Aggregate:
    """One number over a group of rows, said so that SQL and Ibis can both be made of it."""

    kind: Literal["rows", "sum", "filled", "least", "most", "distinct", "not_binary", "at_most", "exceeds", "differs",
                  "drawn", "different"]
    names: tuple[str, ...] = ()
    """The variables: the factors of a sum, else one, or two that are compared. The first one of "different" rows is
    the unit: rows of one unit in `ONE_IN` are "drawn", and counted once where all variables are the same."""
    bound: float = 0.0


ONE_IN = 16
ROWS = Aggregate("rows")
_POWERS = (3, 4)


def moment(*names: str) -> Aggregate:
    """The sum of a product of variables, in whatever order; the product of nothing but ONE counts the rows."""
    factors = tuple(sorted(name for name in names if name != ONE))
    return Aggregate("sum", factors) if factors else ROWS


def filled(name: str) -> Aggregate:
    """How many rows have a value."""
    return Aggregate("filled", (name,))


def moments_of(layout: Layout, names: Iterable[str], grids: Mapping[str, Sequence[float]]) -> tuple[Aggregate, ...]:
    """Everything that the named metrics need, each sum once; `grids` are the bounds under which values are counted."""
    wanted = [ROWS, moment(layout.whole)]
    for name in names:
        ratio = layout.metrics[name]
        if name in grids:
            wanted += [moment(ratio.numerator)]  # not finite where a value is not
            wanted += [Aggregate("at_most", (ratio.numerator,), bound) for bound in grids[name]]
        elif name in layout.counted:
            wanted += [moment(ratio.numerator)]
        else:
            wanted += products(ratio)
    return tuple(dict.fromkeys(wanted))


def products(ratio: Ratio) -> list[Aggregate]:
    """First and second moments of a metric's variables, and how heavy the tails of all but sizes are."""
    tails = [moment(*(name,) * power) for name in ratio.names if name != SIZE for power in _POWERS]
    return [moment(left, right) for left, right in combinations_with_replacement((*ratio.names, ONE), 2)] + tails


@dataclass(frozen=True)
class Sums:
    """Totals up to each look: one array of shape (looks, arms) for every aggregate; variables less their `shifts`."""

    totals: Mapping[Aggregate, Floats]
    shifts: Mapping[str, float]

    def of(self, *names: str) -> Floats:
        """The total of a product."""
        return self.totals[moment(*names)]

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
