"""The table anywhere Ibis reaches (Spark, BigQuery, Snowflake, Postgres): the same questions as expressions."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.watch.experiments.clock import Bins, Clock
from linnet.watch.experiments.layout import SIZE, Layout, Variable
from linnet.watch.experiments.moments import ROWS, Aggregate
from linnet.watch.experiments.tables import (
    ARM,
    BIN,
    CLUSTER,
    FIRST,
    LOOK,
    OTHER_ARM,
    OTHER_CLUSTER,
    TIME,
    UNIT,
    Column,
    Row,
    Stage,
    lowest,
)
from linnet.watch.experiments.texts import NUMBER, Texts


class IbisTable:
    """A table of Ibis; see `tables.Table`. Units are made anew in every query, as views of others may not be kept."""

    can_draw = False

    def __init__(self, table: Any) -> None:
        self._table = table
        self._until: float | None = None
        self.columns: Mapping[str, Column] = {name: _kind(kind) for name, kind in table.schema().items()}

    def prepare(self, layout: Layout, until: float | None) -> None:  # noqa: ARG002  (as `tables.Table` asks)
        """Remember the last time of all."""
        self._until = until

    def aggregate(self, layout: Layout, aggregates: Sequence[Aggregate], stage: Stage, *, clock: Clock | None = None,
                  shifts: Mapping[str, float] | None = None, by_arm: bool = False) -> list[Row]:
        """The aggregates, one row in all, or one for each arm and look."""
        rows = self._stage(layout, stage)
        if clock is not None:
            rows = rows.mutate(**{LOOK: _look(rows, clock)})
        keys = ([ARM] if by_arm else []) + ([LOOK] if clock is not None else [])
        terms = {f"a{n}": _aggregate(rows, item, shifts or {}) for n, item in enumerate(aggregates)}
        found = _run((rows.group_by(keys) if keys else rows).aggregate(**terms)).to_pylist()
        return [{**{key: row[key] for key in keys}, **{item: row[f"a{n}"] for n, item in enumerate(aggregates)}}
                for row in found]

    def histogram(self, layout: Layout, bins: Bins) -> list[tuple[int, int]]:
        """Bins of time, and how many observations fall into each."""
        rows = self._stage(layout, "observations")
        binned = rows.mutate(**{BIN: _bin(rows, bins)})
        found = _run(binned.group_by(BIN).aggregate(units=binned.count())).to_pylist()
        return [(int(row[BIN]), int(row["units"])) for row in found]

    def values(self, layout: Layout, names: Sequence[str], *, arm: Any = None, share: float | None = None,
               limit: int | None = None) -> dict[str, NDArray[np.float64]]:
        """Numbers of the observations: of one arm or of all, drawn with a chance of `share`, at most `limit`."""
        import ibis

        rows = self._stage(layout, "observations")
        rows = rows if arm is None else rows.filter(rows[ARM] == arm)
        rows = rows if share is None else rows.filter(ibis.random() < share)
        rows = rows.select(*names) if limit is None else rows.select(*names).limit(limit)
        found = _run(rows)
        return {name: found[name].cast("float64").to_numpy() for name in names}

    def quantiles(self, layout: Layout, name: str, shares: Sequence[float]) -> list[float]:
        """The values of a variable below which these shares of the observations lie; NaN where there are none."""
        rows = self._stage(layout, "observations")
        terms = {f"q{n}": rows[name].quantile(share) for n, share in enumerate(shares)}
        found = _run(rows.aggregate(**terms)).to_pylist()[0]
        return [np.nan if value is None else float(value) for value in found.values()]

    def example(self, layout: Layout, stage: Stage, names: tuple[str, str, str]) -> tuple[Any, ...] | None:
        """Three columns of one row in which the second and the third differ."""
        rows = self._stage(layout, stage)
        found = _run(rows.filter(rows[names[1]] != rows[names[2]]).select(*names).order_by(names[0]).limit(1))
        return tuple(found.to_pylist()[0][name] for name in names) if found.num_rows else None

    def texts(self, column: str) -> Texts:
        """What stands in a column of text."""
        values = self._table[column]
        is_none = ~values.re_search(NUMBER)
        found = _run(self._table.aggregate(rows=self._table.count(), filled=values.count(), not_numbers=is_none.sum(),
                                           odd=values.min(where=is_none), example=values.min())).to_pylist()[0]
        return Texts(int(found["rows"]), int(found["filled"]), int(found["not_numbers"] or 0),
                     found["odd"] or found["example"])

    def backwards(self, layout: Layout) -> int | None:  # noqa: ARG002  (as `tables.Table` asks)
        """None: rows of a database have no order."""
        return None

    def _stage(self, layout: Layout, stage: Stage) -> Any:
        rows = self._events(layout)
        if stage == "events":
            return rows
        rows = self._units(layout, rows) if layout.unit else rows.mutate(
            **{v.name: _capped(v, rows[v.name]) for v in layout.variables})
        return _clusters(layout, rows) if stage == "observations" and layout.cluster else rows

    def _events(self, layout: Layout) -> Any:
        """The rows as they stand, under our names."""
        table = self._table
        terms = {name: table[column] for name, column in
                 ((ARM, layout.arm), (UNIT, layout.unit), (CLUSTER, layout.cluster)) if column}
        if layout.time:
            time, is_timestamp = table[layout.time], self.columns[layout.time] == "timestamp"
            moment = time.cast("timestamp") if time.type().is_date() else time
            terms[TIME] = (moment.epoch_seconds() if is_timestamp else time).cast("float64")
        terms |= {v.name: table[v.column].cast("float64") for v in layout.variables}
        return table.select(**terms)

    def _units(self, layout: Layout, rows: Any) -> Any:
        """The rows of each unit as one; with a window, those within it of the units whose window has passed."""
        if layout.window is not None:
            rows = rows.mutate(**{FIRST: rows[TIME].min().over(group_by=UNIT)})
            end = rows[FIRST] + layout.window
            rows = rows.filter([rows[TIME] <= end, end <= self._until])
        terms = {v.name: _combined(v, rows[v.name]) for v in layout.variables}
        terms |= {lowest(v): rows[v.name].min() for v in layout.variables if v.is_covariate}
        if layout.cluster:
            terms |= {CLUSTER: rows[CLUSTER].min(), OTHER_CLUSTER: rows[CLUSTER].max()}
        return rows.group_by(UNIT).aggregate(**_keys(layout, rows), **terms)


def _run(expression: Any) -> Any:
    """The answer as an Arrow table."""
    try:
        return expression.to_pyarrow()
    except ImportError as error:
        raise LinnetError(f"Ibis cannot reach this database: {error}. Install what it needs, such as: pip install "
                          '"ibis-framework[duckdb]"') from error
    except Exception as error:  # each database has errors of its own
        raise LinnetError(f"the database answered with an error: {(str(error).splitlines() or [''])[0]}") from error


def _clusters(layout: Layout, rows: Any) -> Any:
    """The totals of each cluster, and how many units it has."""
    terms = {v.name: rows[v.name].sum() for v in layout.variables} | {SIZE: rows.count().cast("float64")}
    return rows.group_by(CLUSTER).aggregate(**_keys(layout, rows), **terms)


def _keys(layout: Layout, rows: Any) -> dict[str, Any]:
    return {ARM: rows[ARM].min(), OTHER_ARM: rows[ARM].max()} | ({TIME: rows[TIME].min()} if layout.time else {})


def _combined(variable: Variable, values: Any) -> Any:
    if variable.is_covariate:
        return values.max()
    return _capped(variable, (values.max() if variable.combine == "max" else values.sum()).coalesce(0.0))


def _capped(variable: Variable, value: Any) -> Any:
    import ibis

    return value if variable.cap is None else ibis.ifelse(value > variable.cap, variable.cap, value)


def _aggregate(rows: Any, item: Aggregate, shifts: Mapping[str, float]) -> Any:
    """One aggregate as an expression."""
    if item == ROWS:
        return rows.count()
    names = [rows[name] for name in item.names]
    if item.kind == "sum":
        factors = [rows[name] - shifts[name] if shifts.get(name) else rows[name] for name in item.names]
        return functools.reduce(operator.mul, factors).sum()
    first, last = names[0], names[-1]
    if item.kind in ("filled", "least", "most", "distinct"):
        return {"filled": first.count, "least": first.min, "most": first.max, "distinct": first.nunique}[item.kind]()
    condition = {"not_binary": lambda: (first != 0) & (first != 1), "at_most": lambda: first <= item.bound,
                 "exceeds": lambda: first > last, "differs": lambda: first != last}[item.kind]()
    return rows.count(where=condition)


def _bin(rows: Any, bins: Bins) -> Any:
    return ((rows[TIME] - bins.origin) * bins.rate).floor().clip(0, bins.number - 1).cast("int32")


def _look(rows: Any, clock: Clock) -> Any:
    import ibis

    if clock.looks == 1:
        return ibis.literal(0, type="int16")
    return ibis.literal(list(clock.look_of_bin), type="array<int16>")[_bin(rows, clock.bins)]


def _kind(kind: Any) -> Column:
    if kind.is_boolean():
        return "boolean"
    if kind.is_numeric():
        return "number"
    return "timestamp" if kind.is_timestamp() or kind.is_date() else "text" if kind.is_string() else "other"
