"""What is asked of a table, wherever it lies: DuckDB (`sql`) and Ibis (`through_ibis`) answer alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from linnet.watch.experiments.clock import Bins, Clock
from linnet.watch.experiments.layout import Layout, Variable
from linnet.watch.experiments.moments import Aggregate
from linnet.watch.experiments.texts import Texts

Column = Literal["number", "boolean", "timestamp", "text", "other"]
Stage = Literal["events", "units", "observations"]
"""The rows as they stand; one row a unit; one row for each that was randomised, which is the unit or the cluster."""

ARM, OTHER_ARM, UNIT, CLUSTER, OTHER_CLUSTER, TIME, LOOK, FIRST, BIN = (
    "_arm", "_other_arm", "_unit", "_cluster", "_other_cluster", "_time", "_look", "_first", "_bin")
Row = dict[Any, Any]
"""Keys (`ARM`, `LOOK`) and aggregates with their values."""


def lowest(variable: Variable) -> str:
    """The name of the smallest value of a covariate within a unit; the largest stands under the variable's own."""
    return f"{variable.name}_low"


class Table(Protocol):
    """A table of events, and the few questions that an experiment asks of it."""

    can_draw: bool
    """It can be asked for "drawn" and "different" rows, which needs a hash."""

    @property
    def columns(self) -> Mapping[str, Column]:
        """Its columns by what they hold."""

    def prepare(self, layout: Layout, until: float | None) -> None:
        """Make one row of each unit's rows, for the stages that follow; `until` is the last time of all."""

    def aggregate(self, layout: Layout, aggregates: Sequence[Aggregate], stage: Stage, *, clock: Clock | None = None,
                  shifts: Mapping[str, float] | None = None, by_arm: bool = False) -> list[Row]:
        """The aggregates, one row in all, or one for each arm and look."""

    def histogram(self, layout: Layout, bins: Bins) -> list[tuple[int, int]]:
        """Bins of time, and how many observations fall into each."""

    def values(self, layout: Layout, names: Sequence[str], *, arm: Any = None, share: float | None = None,
               limit: int | None = None) -> dict[str, NDArray[np.float64]]:
        """Numbers of the observations: of one arm or of all, drawn with a chance of `share`, at most `limit`."""

    def quantiles(self, layout: Layout, name: str, shares: Sequence[float]) -> list[float]:
        """The values of a variable below which these shares of the observations lie; NaN where there are none."""

    def example(self, layout: Layout, stage: Stage, names: tuple[str, str, str]) -> tuple[Any, ...] | None:
        """Three columns of one row in which the second and the third differ."""

    def texts(self, column: str) -> Texts:
        """What stands in a column of text."""

    def backwards(self, layout: Layout) -> int | None:
        """How many rows have an earlier time than the row before; None where rows have no order."""
