"""What a table may have wrong with it: one message each. A table is input from outside and is trusted in nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from linnet.errors import LinnetError, unknown
from linnet.watch.experiments.layout import Layout, Variable
from linnet.watch.experiments.moments import ROWS, Aggregate, filled
from linnet.watch.experiments.plan import Experiment, arm_name
from linnet.watch.experiments.tables import (
    ARM,
    CLUSTER,
    LOOK,
    OTHER_ARM,
    OTHER_CLUSTER,
    TIME,
    UNIT,
    Column,
    Row,
    Stage,
    Table,
    lowest,
)

LEAST_TIME, MOST_TIME = Aggregate("least", (TIME,)), Aggregate("most", (TIME,))
_NAMED_AT_MOST = 5


def check_columns(layout: Layout, columns: Mapping[str, Column]) -> None:
    """Every column of the plan is there, and holds what can be reckoned with."""
    for name in layout.columns:
        if name not in columns:
            raise unknown("column", name, columns)
    if layout.time and columns[layout.time] not in ("number", "timestamp"):
        raise LinnetError(f"the time column '{layout.time}' holds {_said(columns[layout.time])}; expected timestamps "
                          "or numbers. Convert it when the table is written.")
    for variable in layout.variables:
        if columns[variable.column] not in ("number", "boolean"):
            raise LinnetError(f"the column '{variable.column}' holds {_said(columns[variable.column])}; a metric needs "
                              "numbers, or true and false.")
    if columns[layout.arm] == "other":
        raise LinnetError(f"the arm column '{layout.arm}' holds neither text nor numbers.")


def _said(kind: Column) -> str:
    return {"text": "text", "timestamp": "timestamps", "boolean": "true and false"
            }.get(kind, "neither text nor numbers")


def check_times(plan: Experiment, table: Table, layout: Layout) -> tuple[float, float]:
    """The first and the last time: all there, none after the end, none backwards where the plan says so."""
    found = table.aggregate(layout, (ROWS, filled(TIME), LEAST_TIME, MOST_TIME), "events")[0]
    missing = int(found[ROWS]) - int(found[filled(TIME)])
    if found[ROWS] and missing:
        raise LinnetError(f"{missing:,} of {found[ROWS]:,} rows have no time in '{layout.time}'; without it nobody "
                          "knows at which look they counted. Fill them in or cut them out.")
    if not found[ROWS]:
        raise LinnetError("the table has no rows.")
    first, last = float(found[LEAST_TIME]), float(found[MOST_TIME])
    if not (math.isfinite(first) and math.isfinite(last)):
        raise LinnetError(f"the time column '{layout.time}' holds NaN or infinite values.")
    _check_end(plan, table, layout, last)
    if plan.in_order:
        _check_order(table, layout)
    return first, last


def end_of(plan: Experiment, kind: Column) -> float | None:
    """The plan's end in seconds since 1970 for timestamps (UTC where no zone is named), else as a number."""
    if plan.until is None or kind != "timestamp":
        if isinstance(plan.until, str):
            raise LinnetError(f"until is '{plan.until}', but the time column holds numbers; give a number.")
        return plan.until
    try:
        end = datetime.fromisoformat(str(plan.until))
    except ValueError as error:
        raise LinnetError(f"until is '{plan.until}'; expected a timestamp such as '2026-03-01 00:00'.") from error
    return (end if end.tzinfo else end.replace(tzinfo=UTC)).timestamp()


def _check_end(plan: Experiment, table: Table, layout: Layout, last: float) -> None:
    end = end_of(plan, table.columns[str(layout.time)])
    if end is None or last <= end:
        return
    within = Aggregate("at_most", (TIME,), end)
    found = table.aggregate(layout, (ROWS, within), "events")[0]
    raise LinnetError(f"{found[ROWS] - found[within]:,} rows are later than the end that the plan set ({plan.until}): "
                      "a look after the end. Cut them out, or say why in a new plan.")


def _check_order(table: Table, layout: Layout) -> None:
    falls = table.backwards(layout)
    if falls is None:
        raise LinnetError("rows of a database have no order; leave 'in_order' out of the plan.")
    if falls:
        raise LinnetError(f"time runs backwards in {falls:,} rows of '{layout.time}', each earlier than the row "
                          "before, though the plan says in_order. Mend the clock or sort the rows, or leave in_order "
                          "out.")


def row_checks(layout: Layout, columns: Mapping[str, Column]) -> tuple[Aggregate, ...]:
    """What is asked of the values as they stand."""
    found = [filled(variable.name) for variable in layout.variables]
    for variable in layout.variables:
        if variable.is_binary and columns[variable.column] != "boolean":
            found.append(Aggregate("not_binary", (variable.name,)))
        if variable.cap is not None:
            found += [Aggregate("least", (variable.name,)), Aggregate("most", (variable.name,))]
    return tuple(found)


def check_rows(layout: Layout, found: Row) -> list[str]:
    """Missing, infinite and impossible values; returns what is to be noted."""
    notes = []
    for variable in layout.variables:
        missing = int(found[ROWS]) - int(found[filled(variable.name)])
        if missing and (layout.unit is None or missing == found[ROWS]):
            raise LinnetError(f"{missing:,} of {found[ROWS]:,} rows have no value in '{variable.column}'; what is "
                              "unknown is not 0. Fill them in, or cut out those units for a reason that no arm can "
                              "change.")
        if missing and not variable.is_covariate:
            notes.append(f"{missing:,} of {found[ROWS]:,} rows have no value in '{variable.column}'; they add "
                         "nothing to their unit.")
        if found.get(Aggregate("not_binary", (variable.name,))):
            raise LinnetError(f"'{variable.column}' is a proportion and holds other values than 0 and 1; for numbers "
                              "take kind: mean.")
        ends = [found.get(Aggregate(kind, (variable.name,)), 0.0) for kind in ("least", "most")]
        if not all(math.isfinite(end) for end in ends):
            raise not_finite(variable)
    return notes


def not_finite(variable: Variable) -> LinnetError:
    """The error for a column with NaN or infinite values."""
    return LinnetError(f"'{variable.column}' holds NaN or infinite values (or their sums are beyond what a number can "
                       "hold); mend them where they come from.")


def key_checks(layout: Layout) -> tuple[Aggregate, ...]:
    """What is asked of the names of arms, units and clusters."""
    places = ((ARM, layout.arm), (UNIT, layout.unit), (CLUSTER, layout.cluster))
    return tuple(filled(name) for name, column in places if column)


def check_keys(layout: Layout, found: Row) -> None:
    """Every row belongs to an arm, a unit and a cluster."""
    for name, column, what in ((ARM, layout.arm, "arm"), (UNIT, layout.unit, "unit"),
                               (CLUSTER, layout.cluster, "cluster")):
        missing = int(found[ROWS]) - int(found[filled(name)]) if column else 0
        if missing:
            raise LinnetError(f"{missing:,} of {found[ROWS]:,} rows name no {what} in '{column}'; "
                              "cut them out or mend them.")


def check_units(table: Table, layout: Layout) -> None:
    """Each unit (and cluster) is in one arm, each unit in one cluster, and has one value of each covariate."""
    if layout.unit is not None:
        pairs = [(ARM, OTHER_ARM, "arm")]
        pairs += [(CLUSTER, OTHER_CLUSTER, "cluster")] if layout.cluster else []
        _check_same(table, layout, "units", UNIT, pairs)
        for variable in (v for v in layout.variables if v.is_covariate):
            _check_covariate(table, layout, variable)
    if layout.cluster is not None:
        _check_same(table, layout, "observations", CLUSTER, [(ARM, OTHER_ARM, "arm")])


def _check_same(table: Table, layout: Layout, stage: Stage, key: str, pairs: Sequence[tuple[str, str, str]]) -> None:
    asked = [Aggregate("differs", names[:2]) for names in pairs]
    found = table.aggregate(layout, asked, stage)[0]
    what = "unit" if key == UNIT else "cluster"
    for names, item in zip(pairs, asked, strict=True):
        if found[item]:
            example = table.example(layout, stage, (key, names[0], names[1])) or ("", "", "")
            raise LinnetError(
                f"{found[item]:,} {what}s are in more than one {names[2]}, such as {what} '{example[0]}' in "
                f"'{arm_name(example[1])}' and '{arm_name(example[2])}': whatever both saw cannot be told apart. Find "
                f"out why; then cut out all rows of these {what}s (docs/experiments.md shows how).")


def _check_covariate(table: Table, layout: Layout, variable: Variable) -> None:
    asked = (ROWS, filled(variable.name), Aggregate("differs", (variable.name, lowest(variable))))
    rows, known, differing = (int(table.aggregate(layout, asked, "units")[0][item]) for item in asked)
    if known < rows:
        raise LinnetError(f"{rows - known:,} units have no value of the covariate '{variable.column}'; fill in one and "
                          "the same number for all of them (any is sound, as no arm can change it).")
    if differing:
        raise LinnetError(f"{differing:,} units have several values of the covariate '{variable.column}'; it must have "
                          "been known before the first exposure, and so be one number.")


def check_arms(plan: Experiment, layout: Layout, rows: Sequence[Row]) -> None:
    """The arms of the table are those of the plan, each with enough units."""
    counts: dict[str, int] = {}
    for row in rows:
        if row[ARM] is None:
            raise LinnetError(f"some rows name no arm in '{layout.arm}'; cut them out or mend them.")
        counts[_arm(row[ARM])] = counts.get(_arm(row[ARM]), 0) + int(row[ROWS])
    strange = sorted(counts.keys() - plan.arms.keys())
    if strange:
        more = f" and {len(strange) - _NAMED_AT_MOST} more" if len(strange) > _NAMED_AT_MOST else ""
        raise LinnetError(f"the table holds arms that are not in the plan: {', '.join(strange[:_NAMED_AT_MOST])}{more}"
                          f"; the plan has {', '.join(plan.arms)}. Name them there, or cut their rows out.")
    empty = [name for name in plan.arms if not counts.get(name)]
    if empty:
        raise LinnetError(f"the plan's arm '{empty[0]}' has no rows in the table; those that have: "
                          f"{', '.join(sorted(counts)) or '(none)'}.")
    few = [name for name, count in counts.items() if count < 2]
    if layout.cluster and few:
        raise LinnetError(f"the arm '{few[0]}' has one cluster; one cluster shows no spread between clusters. At least "
                          "two are needed, and far more to decide anything.")


def _arm(value: Any) -> str:
    return arm_name(int(value)) if isinstance(value, float) and value.is_integer() else arm_name(value)


def arm_of(row: Row) -> str:
    """The arm of a row of aggregates, as the plan writes it."""
    return _arm(row[ARM])


def look_of(row: Row) -> int:
    """The look of a row of aggregates."""
    return int(row.get(LOOK, 0))
