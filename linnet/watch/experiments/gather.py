"""From a table to the sums of every arm at every look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.progress import Progress
from linnet.watch.experiments import checks
from linnet.watch.experiments.clock import Bins, Clock, clock
from linnet.watch.experiments.layout import ONE, SIZE, Layout, layout_of
from linnet.watch.experiments.moments import ROWS, Aggregate, Sums, moments_of
from linnet.watch.experiments.plan import Experiment
from linnet.watch.experiments.tables import TIME, UNIT, Row, Table
from linnet.watch.experiments.texts import refuse_texts

STEPS = 4
_HEAD = 1000
_FAR = 8.0
"""A variable so many standard deviations from zero is moved there before it is squared."""
_FEW, _NO_COPIES = 0.01, 0.001
_NEAR, _GRID = 5e-4, 32

_CONVERSIONS = {"pandas": "pyarrow.Table.from_pandas(df)", "polars": "df.to_arrow()"}


@dataclass(frozen=True)
class Gathered:
    """The sums over the looks, and what is needed to speak of them."""

    layout: Layout
    sums: Sums
    units: NDArray[np.int64]
    """Units so far, (looks, arms)."""
    clock: Clock | None
    time_kind: str | None
    rows: int
    grids: Mapping[str, Sequence[float]]
    notes: tuple[str, ...]


@contextmanager
def opened(table: Any, *, threads: int | None = None) -> Iterator[Table]:
    """A path, a pyarrow Table or an Ibis table as a Table."""
    if type(table).__module__.startswith("ibis."):
        from linnet.watch.experiments.through_ibis import IbisTable

        yield IbisTable(table)
    elif isinstance(table, str | Path) or type(table).__module__.startswith("pyarrow"):
        from linnet.watch.experiments.sql import open_table

        with open_table(table, threads=threads) as found:
            yield found
    else:
        hint = _CONVERSIONS.get(type(table).__module__.split(".")[0])
        raise LinnetError(f"an experiment's table is a path, a pyarrow Table or an Ibis table; got a "
                          f"{type(table).__name__}" + (f"; give {hint}" if hint else "."))


@dataclass(frozen=True)
class Prepared:
    """A table whose rows have been looked through and made into units."""

    layout: Layout
    rows: int
    times: tuple[float, float] | None
    pending: tuple[Aggregate, ...]
    """Checks of the values that are made while they are added up."""
    notes: tuple[str, ...]


def prepare(table: Table, plan: Experiment) -> Prepared:
    """Check the table against the plan, and make one row of each unit's rows."""
    layout = layout_of(plan)
    refuse_texts(table, layout)
    checks.check_columns(layout, table.columns)
    _check_window(plan, table)
    times = checks.check_times(plan, table, layout) if plan.time else None
    asked = checks.row_checks(layout, table.columns)
    is_plain = layout.unit is None and layout.cluster is None
    if is_plain and not any(variable.cap is not None for variable in layout.variables):
        return Prepared(layout, 0, times, asked, ())
    distinct = (Aggregate("distinct", (UNIT,)),) if layout.window is not None else ()
    copies = _copies(table, layout)
    found = table.aggregate(layout, (ROWS, *checks.key_checks(layout), *asked, *distinct, *copies), "events")[0]
    if not found[ROWS]:
        raise LinnetError("the table has no rows.")
    checks.check_keys(layout, found)
    notes = checks.check_rows(layout, found)
    table.prepare(layout, times[1] if times else None)
    checks.check_units(table, layout)
    notes += _left_out(table, layout, int(found[distinct[0]])) if distinct else []
    notes += _twice(*(int(found[item]) for item in copies)) if copies else []
    return Prepared(layout, int(found[ROWS]), times, (), tuple(notes))


def _copies(table: Table, layout: Layout) -> tuple[Aggregate, ...]:
    """Rows of some units, and how many different ones; nothing where a copy changes nothing, or cannot be told."""
    names = [variable.name for variable in layout.variables]
    is_added_up = any(variable.combine == "sum" for variable in layout.variables)
    if not (table.can_draw and layout.unit and layout.time and is_added_up):
        return ()
    return Aggregate("drawn", (UNIT,)), Aggregate("different", (UNIT, TIME, *names))


def _twice(rows: int, different: int) -> list[str]:
    share = 1 - different / rows if rows else 0.0
    return [f"about {max(round(100 * share, 0 if share > _FEW else 1), 0.1):g} % of the rows are copies of another one "
            "(the same unit, time and values). Where exports overlap they count twice: cut them out, such as with "
            "SELECT DISTINCT."] if share > _NO_COPIES else []


def _check_window(plan: Experiment, table: Table) -> None:
    if plan.window is None or plan.time is None:
        return
    is_timestamp, has_unit = table.columns[plan.time] == "timestamp", isinstance(plan.window, str)
    if is_timestamp and not has_unit:
        raise LinnetError(f"the window is {plan.window:g}, and the time column '{plan.time}' holds timestamps; write "
                          f"it with its unit, such as window: {plan.window:g} days.")
    if has_unit and not is_timestamp:
        raise LinnetError(f"the window is '{plan.window}', and the time column '{plan.time}' holds numbers; give a "
                          "number in its unit (for seconds since 1970 seven days are 604800).")


def _left_out(table: Table, layout: Layout, units: int) -> list[str]:
    counted = int(table.aggregate(layout, (ROWS,), "units")[0][ROWS])
    if not counted:
        raise LinnetError(f"the window of none of the {units:,} units has passed yet; there is nothing to look at.")
    return [f"{units - counted:,} of {units:,} units do not count yet: their window has not passed."] \
        if counted < units else []


def gather(table: Table, plan: Experiment, *, progress: Progress | None = None) -> Gathered:
    """Everything that the plan's metrics need, in as few passes over the table as there can be."""
    tell = progress or (lambda *_: None)
    tell(0, STEPS, "checking the table")
    prepared = prepare(table, plan)
    layout = prepared.layout
    tell(1, STEPS, "looking at the first rows")
    shifts, grids = _shifts(table, layout), _grids(table, layout, plan)
    tell(2, STEPS, "finding the looks")
    looks = _clock(table, layout, plan.looks, prepared.times)
    tell(3, STEPS, "adding up")
    wanted = moments_of(layout, layout.metrics, grids)
    shares = {name: Aggregate("exceeds", (layout.metrics[name].numerator, layout.metrics[name].denominator))
              for name, metric in plan.metrics.items() if metric.share}
    asked = tuple(dict.fromkeys([*wanted, *prepared.pending, *(shares.values() if layout.cluster is None else ())]))
    rows = table.aggregate(layout, asked, "observations", clock=looks, shifts=shifts, by_arm=True)
    if shares and layout.cluster is not None:
        _check_shares(plan, shares, table.aggregate(layout, tuple(shares.values()), "units"))
    checks.check_arms(plan, layout, rows)
    _check_shares(plan, {} if layout.cluster else shares, rows)
    together = _together(rows, (ROWS, *prepared.pending))
    notes = [*prepared.notes, *(checks.check_rows(layout, together) if prepared.pending else ())]
    sums = _sums(plan, layout, rows, wanted, shifts)
    notes += _constants(plan, layout, sums)
    if looks is not None and looks.looks < plan.looks:
        notes.append(f"{looks.looks} looks instead of {plan.looks}: so many times can be told apart.")
    tell(STEPS, STEPS, "done")
    units = np.rint(sums.of(SIZE if layout.cluster else ONE)).astype(np.int64)
    kind = table.columns[layout.time] if layout.time else None
    return Gathered(layout, sums, units, looks, kind, prepared.rows or int(together[ROWS]), grids, tuple(notes))


def _shifts(table: Table, layout: Layout) -> dict[str, float]:
    """A value near which each variable lies, where that is far from zero: squares of what is left cancel less."""
    names = [variable.name for variable in layout.variables if not variable.is_binary]
    head = table.values(layout, names, limit=_HEAD) if names else {}
    return {name: float(found) for name, values in head.items() if (found := _centre(values)) != 0}


def _centre(values: NDArray[np.float64]) -> float:
    known = np.sort(values[np.isfinite(values)])
    middle = float(known[len(known) // 2]) if len(known) else 0.0
    return middle if len(known) and abs(middle) > _FAR * float(known.std()) else 0.0


def _grids(table: Table, layout: Layout, plan: Experiment) -> dict[str, list[float]]:
    """For every quantile the values under which units are counted: quantiles of all units, dense around it."""
    grids, steps = {}, np.geomspace(_NEAR, 0.5, _GRID)
    for name, metric in plan.metrics.items():
        if metric.quantile is None:
            continue
        shares = np.unique(np.clip([metric.quantile, *(metric.quantile - steps), *(metric.quantile + steps)], 0, 1))
        found = np.array(table.quantiles(layout, layout.metrics[name].numerator, shares.tolist()))
        if not np.isfinite(found).any():
            raise LinnetError(f"'{metric.value}' holds NaN or infinite values, or none at all.")
        grids[name] = np.unique(found[np.isfinite(found)]).tolist()
    return grids


def _clock(table: Table, layout: Layout, looks: int, times: tuple[float, float] | None) -> Clock | None:
    if times is None:
        return None

    def count(bins: Bins) -> NDArray[np.int64]:
        counts = np.zeros(bins.number, np.int64)
        for place, units in table.histogram(layout, bins):
            counts[place] = units
        return counts

    return clock(*times, looks, count)


def _check_shares(plan: Experiment, shares: Mapping[str, Aggregate], rows: Sequence[Row]) -> None:
    for name, item in shares.items():
        above = sum(int(row[item]) for row in rows)
        if above:
            metric = plan.metrics[name]
            raise LinnetError(f"{above:,} units have more '{metric.numerator}' than '{metric.denominator}', "
                              f"more successes than trials, though '{name}' is a share. Mend the counts, or leave "
                              "'share' out.")


def _together(rows: Sequence[Row], items: Sequence[Aggregate]) -> Row:
    return {item: sum(int(row[item]) for row in rows) for item in items}


def _sums(plan: Experiment, layout: Layout, rows: Sequence[Row], wanted: Sequence[Aggregate],
          shifts: Mapping[str, float]) -> Sums:
    arms, looks = list(plan.arms), 1 + max(map(checks.look_of, rows))
    totals = {item: np.zeros((looks, len(arms))) for item in wanted}
    for row in rows:
        place = checks.look_of(row), arms.index(checks.arm_of(row))
        for item in wanted:
            totals[item][place] = np.nan if row[item] is None else float(row[item])
    named = {variable.name: variable for variable in layout.variables}
    for item, values in totals.items():
        if not np.isfinite(values).all():
            raise checks.not_finite(named[item.names[0]])
    return Sums({item: values.cumsum(axis=0) for item, values in totals.items()}, shifts)


def _constants(plan: Experiment, layout: Layout, sums: Sums) -> list[str]:
    """A metric that is the same everywhere is refused; a covariate that is so is named."""
    notes = []
    for name, metric in plan.metrics.items():
        ratio = layout.metrics[name]
        if metric.kind in ("mean", "ratio") and _is_constant(sums, ratio.numerator):
            raise LinnetError(f"'{metric.value or metric.numerator}' is the same in all units; the metric '{name}' "
                              "tells nothing. Was another column meant?")
        if ratio.covariate and _is_constant(sums, ratio.covariate):
            notes.append(f"the covariate '{metric.covariate}' is the same in all units and changes nothing.")
    return notes


def _is_constant(sums: Sums, name: str) -> bool:
    total, squares, n = (float(value[-1].sum()) for value in (sums.of(name), sums.of(name, name), sums.observations))
    return squares * n - total**2 <= 1e-12 * squares * n
