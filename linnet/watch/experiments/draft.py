"""A first plan from the columns of a table: to be read, thought about, and changed."""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from linnet.errors import LinnetError, unknown

_HEAD_ROWS = 20_000
_MOST_ARMS = 6
_ARMS = ("arm", "variant", "treatment", "group", "bucket", "variation", "experiment", "model")
_CONTROLS = ("control", "old", "a", "baseline", "before", "false", "off", "0")
_UNITS = ("user", "user_id", "unit", "customer", "customer_id", "device", "device_id", "account", "visitor", "id")
_BEFORE = re.compile(r"(?:^(?:pre|before|baseline)_|_(?:pre|before|baseline)$)")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off")

_Kind = Literal["proportion", "mean", "text", "time"]


@dataclass(frozen=True)
class _Column:
    kind: _Kind
    values: tuple[Any, ...]
    """The different ones among the first rows, up to more than there can be arms."""


def draft(path: str | Path, *, arm: str | None = None, unit: str | None = None, time: str | None = None) -> str:
    """The text of a plan for a table of events; columns that are not named are guessed from their names and values.

    The first metric is active, all others stand as comments, since every success metric makes the others less sure.
    """
    columns = _columns(_first(path))
    for given in filter(None, (arm, unit, time)):
        if given not in columns:
            raise unknown("column", given, columns)
    arm = arm or _arm(columns, path)
    unit = unit or next((name for name in columns if name.lower() in _UNITS and name != arm), None)
    time = time or next((name for name, column in columns.items() if column.kind == "time"), None)
    arms = sorted((_text(value) for value in columns[arm].values), key=lambda name: name.lower() not in _CONTROLS)
    if not 2 <= len(arms) <= _MOST_ARMS:
        raise LinnetError(f"the column '{arm}' holds {_many(len(arms))} different values; an arm is one of two to "
                          f"{_MOST_ARMS}. Name the column that says who was shown what: --arm COLUMN.")
    rest = {name: column for name, column in columns.items() if name not in (arm, unit, time)}
    return "\n".join([*_head(Path(path).stem.strip("*") or "experiment", arm, arms, unit, time), *_metrics(rest, path)]
                     ) + "\n"


def _first(path: str | Path) -> Path:
    """The first file of a pattern."""
    found = [Path(name) for name in sorted(glob.glob(str(path)))]  # noqa: PTH207  (an absolute pattern too)
    if not found:
        raise LinnetError(f"there is no file '{path}'; expected a table of events as Parquet or CSV.")
    return found[0]


def _columns(path: Path) -> dict[str, _Column]:
    import pyarrow as pa
    import pyarrow.dataset as ds

    kind = "parquet" if path.suffix.lower() in (".parquet", ".pq") else "csv"
    try:
        table = ds.dataset(path, format=kind).head(_HEAD_ROWS)
    except (pa.ArrowException, OSError) as error:
        raise LinnetError(f"'{path}' cannot be read as {kind}: {str(error).splitlines()[0]}") from error
    if not table.num_rows:
        raise LinnetError(f"'{path}' holds no rows; a plan is drafted from the first ones.")
    return {name: _column(table.column(name)) for name in table.column_names}


def _column(values: Any) -> _Column:
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = values.type
    if pa.types.is_dictionary(type_):
        values, type_ = values.cast(type_.value_type), type_.value_type
    different = pc.unique(values).drop_null()
    some = tuple(sorted(different.slice(0, _MOST_ARMS + 1).to_pylist(), key=str))
    if pa.types.is_temporal(type_):
        return _Column("time", some)
    if pa.types.is_boolean(type_) or (_is_number(type_) and set(some) <= {0, 1}):
        return _Column("proportion", some)
    return _Column("mean" if _is_number(type_) else "text", some)


def _is_number(type_: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_))


def _arm(columns: Mapping[str, _Column], path: str | Path) -> str:
    """The column of a telling name, else the first of a few texts."""
    few = [name for name, column in columns.items() if 2 <= len(column.values) <= _MOST_ARMS]
    named = [name for name in few if name.lower() in _ARMS]
    texts = [name for name in few if columns[name].kind == "text"]
    for name in (*named, *texts):
        return name
    raise LinnetError(f"no column of '{path}' looks like the one that says who was shown what. Name it: --arm COLUMN. "
                      f"Columns: {', '.join(columns)}")


def _head(name: str, arm: str, arms: Sequence[str], unit: str | None, time: str | None) -> list[str]:
    shares = [round(1 / len(arms), 4)] * (len(arms) - 1)
    shares.append(round(1 - sum(shares), 4))
    planned = ", ".join(f"{_quoted(one)}: {share:g}" for one, share in zip(arms, shares, strict=True))
    return [
        "# The plan of an experiment: what will be decided, and how. Write it before anybody is shown anything.",
        f"name: {_quoted(name)}",
        f"arm: {_quoted(arm)}        # the column that says who was shown what",
        f"arms: {{{planned}}}        # the planned shares; the first is the control",
        f"unit: {_quoted(unit)}        # whom chance was asked for; several rows of one are added up" if unit else
        "# unit: user_id        # no column looks like it: every row counts as a unit of its own",
        f"time: {_quoted(time)}" if time else "# time: day        # without a time there is one look",
        *([f"# window: 7 days        # every {unit} counts so long after the first event, and with nothing later"]
          if unit and time else []), "level: 0.95", "", "metrics:"]


def _metrics(columns: Mapping[str, _Column], path: str | Path) -> list[str]:
    before = {name for name in columns if _BEFORE.search(name)}
    measured = [name for name, column in columns.items() if column.kind in ("proportion", "mean")
                and name not in before]
    if not measured:
        raise LinnetError(f"'{path}' has no column of numbers or of true and false to measure; columns: "
                          f"{', '.join(columns) or '(none besides arm, unit and time)'}.")
    known = {_BEFORE.sub("", name): name for name in sorted(before)}
    first, *others = measured
    lines = _metric(first, columns[first].kind, known.get(first))
    if others:
        lines += ["", "  # Take few more: every success metric makes the others less sure. What only must not get",
                  "  # worse is a guardrail: add role: guardrail, goal: decrease (or increase: which way is good), and",
                  "  # margin_lift: 0.05 for how much worse it may be."]
    return lines + [f"  # {_quoted(name)}: {{kind: {columns[name].kind}, value: {_quoted(name)}"
                    + (f", covariate: {_quoted(known[name])}" if _takes(columns[name], name, known) else "") + "}"
                    for name in others]


def _takes(column: _Column, name: str, known: Mapping[str, str]) -> bool:
    return column.kind == "mean" and name in known


_SMALLEST: Mapping[str, str] = {
    "proportion": "    # minimum_effect: 0.01        # one point: the smallest change worth having"}


def _metric(name: str, kind: _Kind, before: str | None) -> list[str]:
    spread = ["    # deviation: 1.0        # and by how much one differs from another"] if kind == "mean" else []
    known = [f"    covariate: {_quoted(before)}        # known beforehand: narrows the interval"] if before else []
    return [f"  {_quoted(name)}:", f"    kind: {kind}", f"    value: {_quoted(name)}",
            *(known if kind == "mean" else []), "    goal: increase        # or decrease",
            _SMALLEST.get(kind, "    # minimum_lift: 0.05        # the smallest change worth having") +
            "; `linnet ab power` needs it,",
            "    # baseline: 0.1        # what the control shows today", *spread]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _many(number: int) -> str:
    return f"more than {_MOST_ARMS}" if number > _MOST_ARMS else str(number)


def _quoted(name: str) -> str:
    """A name as YAML needs it."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else json.dumps(name, ensure_ascii=False)
