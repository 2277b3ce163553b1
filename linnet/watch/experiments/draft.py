"""A first plan from the columns of a table: to be read, thought about, and changed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from linnet.errors import LinnetError, unknown
from linnet.watch.experiments.plan import Experiment
from linnet.watch.experiments.seen import (
    MOST_ARMS,
    Column,
    columns_of,
    likely_shares,
    measured,
    units_by_arm,
    words,
)
from linnet.watch.experiments.sql import DuckTable, open_table
from linnet.watch.experiments.texts import Texts, ambiguous

_ARMS = ("arm", "variant", "treatment", "group", "bucket", "variation", "experiment", "model")
_PARTS = {"arm", "variant", "treatment", "bucket", "variation", "experiment"}
"""They name an arm as a part of a name too, which "group" and "model" do not (age_group, device_model)."""
_CONTROLS = ("control", "old", "a", "baseline", "before", "false", "off", "0")
_TELLING = {"control", "treatment", "old", "baseline"}
"""Values by which a column of another name is one of arms."""
_UNITS = ("user", "user_id", "unit", "customer", "customer_id", "device", "device_id", "account", "account_id",
          "visitor", "visitor_id", "client_id", "user_pseudo_id", "id")
_BEFORE = re.compile(r"(?:^(?:pre|before|baseline)_|_(?:pre|before|baseline)$)")
_IDENTIFIER = re.compile(r"(?:^|_)(?:id|uuid|key)$")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = ("true", "false", "null", "yes", "no", "on", "off")
_MOST_MEASURED = 20
_WEEK = 604_800
_A_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000}
_SEEN = "seen in this table"


@dataclass(frozen=True)
class _Roles:
    """Which column is what, and the arms with the units of each, the control first."""

    name: str
    arm: str
    unit: str | None
    time: str | None
    arms: Mapping[str, int]


def draft(path: str | Path, *, arm: str | None = None, unit: str | None = None, time: str | None = None) -> str:
    """The text of a plan for a table of events; columns that are not named are guessed from their names and values.

    The first metric is active, all others stand as comments, since every success metric makes the others less sure.
    """
    with open_table(path) as table:
        columns = columns_of(table)
        if not columns:
            raise LinnetError(f"'{path}' holds no rows; a plan is drafted from what is there.")
        for given in filter(None, (arm, unit, time)):
            if given not in columns:
                raise unknown("column", given, columns)
        arm = arm or _arm(table, columns, path)
        unit = unit or next((name for name in columns if words(name) in _UNITS and name != arm), None)
        time = time or _time(columns, arm)
        roles = _Roles(Path(path).stem.strip("*") or "experiment", arm, unit, time, _arms(table, arm, unit))
        rest = {name: column for name, column in columns.items() if name not in (arm, unit, time)}
        epoch = columns[time].epoch if time else None
        return "\n".join([*_head(roles, epoch), *_metrics(table, rest, roles, path), *_not_offered(table, rest)]) + "\n"


def _arm(table: DuckTable, columns: Mapping[str, Column], path: str | Path) -> str:
    """The column of a telling name or value; a few values alone tell nothing, as countries have them too."""
    few = [name for name, column in columns.items() if column.can_name_arms]
    named = [name for name in few if words(name) in _ARMS]
    named += [name for name in few if _PARTS & set(words(name).split("_"))]
    texts = [name for name in few if columns[name].kind == "text"]
    for name in named or (name for name in texts if _are_arms(units_by_arm(table, name, None))):
        return name
    raise LinnetError(f"no column of '{path}' looks like the one that says who was shown what. Name it: --arm COLUMN. "
                      f"Columns of a few values: {', '.join(few) or '(none)'}; all: {', '.join(columns)}")


def _are_arms(values: Mapping[str, int]) -> bool:
    known = {value.lower() for value in values}
    return bool(known & _TELLING) or known >= {"a", "b"}


def _time(columns: Mapping[str, Column], arm: str) -> str | None:
    times = [name for name, column in columns.items() if column.kind == "time" and name != arm]
    return next((name for name in times if not columns[name].epoch), times[0] if times else None)


def _arms(table: DuckTable, arm: str, unit: str | None) -> dict[str, int]:
    found = units_by_arm(table, arm, unit)
    if not 2 <= len(found) <= MOST_ARMS:
        raise LinnetError(f"the column '{arm}' holds {_many(len(found))} different values; an arm is one of two to "
                          f"{MOST_ARMS}. Name the column that says who was shown what: --arm COLUMN.")
    return {name: found[name] for name in sorted(found, key=lambda name: (name.lower() not in _CONTROLS, name))}


def _head(roles: _Roles, epoch: str | None) -> list[str]:
    unit, time = roles.unit, roles.time
    return [
        "# The plan of an experiment: what will be decided, and how. Write it before anybody is shown anything.",
        f"name: {_quoted(roles.name)}",
        f"arm: {_quoted(roles.arm)}        # the column that says who was shown what",
        *_planned(roles.arms),
        f"unit: {_quoted(unit)}        # whom chance was asked for; several rows of one are added up" if unit else
        "# unit: user_id        # no column looks like it: every row counts as a unit of its own",
        f"time: {_quoted(time)}" + (f"        # {epoch} since 1970" if epoch else "") if time else
        "# time: day        # without a time there is one look",
        *([_window(unit, epoch)] if unit and time else []), "level: 0.95", "", "metrics:"]


def _planned(arms: Mapping[str, int]) -> list[str]:
    shares, is_equal = likely_shares(list(arms.values()))
    line = "arms: {" + ", ".join(f"{_quoted(one)}: {share:g}" for one, share in zip(arms, shares, strict=True)) + "}"
    if is_equal:
        return [f"{line}        # the planned shares; the first is the control"]
    seen = ", ".join(f"{100 * count / sum(arms.values()):.3g} %" for count in arms.values())
    return [f"# {_SEEN} are {seen}: chance does not make that of equal shares.",
            f"{line}        # write the shares that were planned; the first is the control"]


def _window(unit: str, epoch: str | None) -> str:
    week = f"{_WEEK * _A_SECOND[epoch]}        # 7 days in {epoch}:" if epoch else "7 days        #"
    one = " ".join(unit.split())
    return f"# window: {week} every {one} counts so long after the first event, and with nothing later"


def _metrics(table: DuckTable, columns: Mapping[str, Column], roles: _Roles, path: str | Path) -> list[str]:
    before = {name for name in columns if _BEFORE.search(name)}
    wanted = [name for name, column in columns.items() if column.kind in ("proportion", "mean")
              and name not in before and not _IDENTIFIER.search(words(name))]
    if not wanted:
        raise LinnetError("\n".join([f"'{path}' has no column of numbers or of true and false to measure; columns: "
                                     f"{', '.join(columns) or '(none besides arm, unit and time)'}.",
                                     *_not_offered(table, columns)]))
    known = {_BEFORE.sub("", name): name for name in sorted(before)}
    seen = measured(table, _whole(wanted[:_MOST_MEASURED], columns, roles))
    first, *others = wanted
    lines = _metric(first, columns[first], known.get(first), seen.get(first))
    if others:
        lines += ["", "  # Take few more: every success metric makes the others less sure. What only must not get",
                  "  # worse is a guardrail: add role: guardrail, goal: decrease (or increase: which way is good), and",
                  "  # margin_lift: 0.05 for how much worse it may be."]
    return lines + [f"  # {_quoted(name)}: {{kind: {columns[name].kind}, value: {_quoted(name)}"
                    + (f", covariate: {_quoted(known[name])}" if columns[name].kind == "mean" and name in known else "")
                    + "}" + _in_short(columns[name], seen.get(name)) for name in others]


def _whole(names: Sequence[str], columns: Mapping[str, Column], roles: _Roles) -> Experiment:
    """A plan of all metrics, by which they are measured once."""
    shares = dict(zip(roles.arms, likely_shares(list(roles.arms.values()))[0], strict=True))
    return Experiment.model_validate({
        "name": "seen", "arm": roles.arm, "unit": roles.unit, "arms": shares,
        "metrics": {name: {"kind": columns[name].kind, "value": name} for name in names}})


_SMALLEST: Mapping[str, str] = {
    "proportion": "    # minimum_effect: 0.01        # one point: the smallest change worth having"}


def _metric(name: str, column: Column, before: str | None, seen: tuple[float, float] | None) -> list[str]:
    is_mean, source = column.kind == "mean", f"; {_SEEN}" if seen else ""
    baseline, deviation = map(_rounded, seen) if seen else ("0.1", "1.0")
    known = [f"    covariate: {_quoted(before)}        # known beforehand: narrows the interval"] if before else []
    return [f"  {_quoted(name)}:", f"    kind: {column.kind}", f"    value: {_quoted(name)}",
            *(known if is_mean else []), "    goal: increase        # or decrease",
            _SMALLEST.get(column.kind, "    # minimum_lift: 0.05        # the smallest change worth having") +
            "; `linnet ab power` needs it,",
            f"    # baseline: {baseline}        # and what the control shows today{source}",
            *([f"    # deviation: {deviation}        # and by how much one differs from another{source}"]
              if is_mean else [])]


def _in_short(column: Column, seen: tuple[float, float] | None) -> str:
    if seen is None:
        return ""
    spread = f", deviation: {_rounded(seen[1])}" if column.kind == "mean" else ""
    return f"        # {_SEEN}: baseline: {_rounded(seen[0])}{spread}"


def _not_offered(table: DuckTable, columns: Mapping[str, Column]) -> list[str]:
    """Why a text that looks like numbers, or a date that reads both ways, is none."""
    lines = []
    for name in (name for name, column in columns.items() if column.kind == "text"):
        texts = table.texts(name) if columns[name].is_nearly_number or columns[name].different > MOST_ARMS else None
        why = _why(columns[name], texts) if texts else ""
        lines += [f"  # {_quoted(name)} is not offered: {why}."] if why else []
    return lines


def _why(column: Column, texts: Texts) -> str:
    if column.is_nearly_number:
        where = f"in {texts.not_numbers:,} of {texts.rows:,} rows it holds text" if texts.not_numbers else \
            "its numbers are written as text"
        return f"{where}, such as '{texts.shown}'" + (f"; {texts.how}" if texts.how else "")
    hint = ambiguous(texts.shown)
    return f"it holds text, such as '{texts.shown}'; {hint}" if hint else ""


def _rounded(value: float) -> str:
    return f"{float(f'{value:.3g}'):.10g}"


def _many(number: int) -> str:
    return f"more than {MOST_ARMS}" if number > MOST_ARMS else str(number)


def _quoted(name: str) -> str:
    """A name as YAML needs it."""
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS else json.dumps(name, ensure_ascii=False)
