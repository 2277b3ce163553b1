"""The table in DuckDB: Parquet, CSV or Arrow, read where it lies, with nothing loaded and nothing sent.

Names of columns are quoted; every value travels as a parameter, never as a part of the text.
"""
# ruff: noqa: S608  (texts are put together from our own words, quoted names and the places of parameters)

from __future__ import annotations

import glob
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, missing_extra
from linnet.watch.experiments.clock import Bins, Clock
from linnet.watch.experiments.delimited import columns_kept_as_text, explained
from linnet.watch.experiments.layout import SIZE, Layout, Variable
from linnet.watch.experiments.moments import ONE_IN, Aggregate
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

_READERS = {".parquet": "read_parquet", ".pq": "read_parquet", ".csv": "read_csv", ".tsv": "read_csv",
            ".gz": "read_csv"}
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
_LINES = 3
_FUNCTIONS = {"filled": "count", "least": "min", "most": "max"}


class Query:
    """A text of SQL and its parameters, which get their names here."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def value(self, value: Any) -> str:
        """The place of a value in the text."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"


def quoted(name: str) -> str:
    """An identifier.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


class DuckTable:
    """A table in DuckDB; see `tables.Table`."""

    can_draw = True

    def __init__(self, connection: Any, source: Callable[[Query], str]) -> None:
        self._connection, self._source = connection, source
        self._prepared: dict[Stage, str] = {}
        query = Query()
        found = self._run(f"DESCRIBE SELECT * FROM {source(query)}", query)
        self.columns: Mapping[str, Column] = {name: _kind(str(kind)) for name, kind, *_ in found}

    def prepare(self, layout: Layout, until: float | None) -> None:
        """Units, and clusters of them, as tables of their own; where every row is a unit nothing is copied."""
        if layout.unit is not None:
            query = Query()
            self._run(f"CREATE OR REPLACE TEMP TABLE linnet_units AS {self._units(layout, query, until)}", query)
            self._prepared["units"] = self._prepared["observations"] = "linnet_units"
        if layout.cluster is not None:
            query = Query()
            self._run(f"CREATE OR REPLACE TEMP TABLE linnet_clusters AS {self._clusters(layout, query)}", query)
            self._prepared["observations"] = "linnet_clusters"

    def aggregate(self, layout: Layout, aggregates: Sequence[Aggregate], stage: Stage, *, clock: Clock | None = None,
                  shifts: Mapping[str, float] | None = None, by_arm: bool = False) -> list[Row]:
        """The aggregates, one row in all, or one for each arm and look."""
        if by_arm and self.columns[layout.arm] == "text":
            found = self._aggregate(layout, aggregates, stage, clock, shifts, _number_of_arm)
            if all(row[ARM] >= 0 for row in found):  # a number groups faster than a text
                return [{**row, ARM: layout.arms[row[ARM]]} for row in found]
        return self._aggregate(layout, aggregates, stage, clock, shifts, _arm if by_arm else None)

    def _aggregate(self, layout: Layout, aggregates: Sequence[Aggregate], stage: Stage, clock: Clock | None,
                   shifts: Mapping[str, float] | None, arm: Callable[[Layout, Query], str] | None) -> list[Row]:
        query, keys = Query(), {}
        if arm is not None:
            keys[ARM] = arm(layout, query)
        if clock is not None:
            keys[LOOK] = _look(clock, query)
        terms = [*keys.values(), *(_aggregate(item, shifts or {}, query) for item in aggregates)]
        groups = f" GROUP BY {', '.join(str(n + 1) for n in range(len(keys)))}" if keys else ""
        text = f"SELECT {', '.join(terms)} FROM ({self._stage(layout, stage, query)}){groups}"
        names: list[Any] = [*keys, *aggregates]
        return [dict(zip(names, row, strict=True)) for row in self._run(text, query)]

    def histogram(self, layout: Layout, bins: Bins) -> list[tuple[int, int]]:
        """Bins of time, and how many observations fall into each."""
        query = Query()
        text = (f"SELECT CAST({_bin(bins, query)} AS SMALLINT) AS {BIN}, count(*) "
                f"FROM ({self._stage(layout, 'observations', query)}) GROUP BY 1")
        return [(int(place), int(count)) for place, count in self._run(text, query)]

    def values(self, layout: Layout, names: Sequence[str], *, arm: Any = None, share: float | None = None,
               limit: int | None = None) -> dict[str, NDArray[np.float64]]:
        """Numbers of the observations: of one arm or of all, drawn with a chance of `share`, at most `limit`."""
        query = Query()
        text = f"SELECT {', '.join(map(quoted, names))} FROM ({self._stage(layout, 'observations', query)})"
        wheres = [] if arm is None else [f"{quoted(ARM)} = {query.value(arm)}"]
        if share is not None:
            self._run("SELECT setseed(0.5)", Query())
            wheres.append(f"random() < {query.value(share)}")
        text += f" WHERE {' AND '.join(wheres)}" if wheres else ""
        text += f" LIMIT {query.value(limit)}" if limit is not None else ""
        with _said():
            found = self._connection.execute(text, query.values).fetchnumpy()
        return {name: np.ma.filled(np.ma.asarray(found[name], dtype=np.float64), np.nan) for name in names}

    def quantiles(self, layout: Layout, name: str, shares: Sequence[float]) -> list[float]:
        """The values of a variable below which these shares of the observations lie; NaN where there are none."""
        query = Query()
        found = self._run(f"SELECT quantile_cont({quoted(name)}, CAST({query.value(list(shares))} AS DOUBLE[])) "
                          f"FROM ({self._stage(layout, 'observations', query)})", query)[0][0]
        return [np.nan] * len(shares) if found is None else [float(value) for value in found]

    def example(self, layout: Layout, stage: Stage, names: tuple[str, str, str]) -> tuple[Any, ...] | None:
        """Three columns of one row in which the second and the third differ."""
        query, terms = Query(), [quoted(name) for name in names]
        found = self._run(f"SELECT {', '.join(terms)} FROM ({self._stage(layout, stage, query)}) "
                          f"WHERE {terms[1]} <> {terms[2]} ORDER BY 1 LIMIT 1", query)
        return found[0] if found else None

    def backwards(self, layout: Layout) -> int | None:
        """How many rows have an earlier time than the row before."""
        query, time = Query(), quoted(TIME)
        return int(self._run(f"SELECT count(*) FROM (SELECT {time} < lag({time}) OVER () AS falls "
                             f"FROM ({self._events(layout, query)})) WHERE falls", query)[0][0])

    def texts(self, column: str) -> Texts:
        """What stands in a column of text."""
        query, name = Query(), f"CAST({quoted(column)} AS VARCHAR)"  # an ENUM too
        is_none = f"NOT regexp_matches({name}, {query.value(NUMBER)})"
        return Texts(*self._run(
            f"SELECT count(*), count({name}), count(*) FILTER (WHERE {is_none}), "
            f"coalesce(min({name}) FILTER (WHERE {is_none}), min({name})) FROM {self._source(query)}", query)[0])

    def ask(self, terms: Sequence[str], *, first: int | None = None, where: str = "TRUE", group: bool = False,
            limit: int | None = None) -> list[tuple[Any, ...]]:
        """Terms of SQL over the table as it stands, or over its first rows; or for each value of the first term."""
        query = Query()
        rows = f"(SELECT * FROM {self._source(query)} LIMIT {query.value(first)})" if first else self._source(query)
        ends = (" GROUP BY 1 ORDER BY 1" if group else "") + (f" LIMIT {query.value(limit)}" if limit else "")
        return self._run(f"SELECT {', '.join(terms)} FROM {rows} WHERE {where}{ends}", query)

    def _run(self, text: str, query: Query) -> list[tuple[Any, ...]]:
        with _said():
            found: list[tuple[Any, ...]] = self._connection.execute(text, query.values).fetchall()
            return found

    def _stage(self, layout: Layout, stage: Stage, query: Query) -> str:
        if stage in self._prepared:
            return f"SELECT * FROM {self._prepared[stage]}"
        return self._events(layout, query) if stage == "events" else self._rows(layout, query)

    def _events(self, layout: Layout, query: Query) -> str:
        """The rows as they stand, under our names."""
        terms = [f"{quoted(column)} AS {quoted(name)}" for name, column in
                 ((ARM, layout.arm), (UNIT, layout.unit), (CLUSTER, layout.cluster)) if column]
        if layout.time:
            time, is_timestamp = quoted(layout.time), self.columns[layout.time] == "timestamp"
            seconds = f"floor(epoch({time}))" if is_timestamp else f"CAST({time} AS DOUBLE)"
            terms.append(f"{seconds} AS {quoted(TIME)}")
        terms += [f"{self._number(v.column)} AS {quoted(v.name)}" for v in layout.variables]
        return f"SELECT {', '.join(terms)} FROM {self._source(query)}"

    def _number(self, column: str) -> str:
        """A column as a number; true and false not by a cast, which the reader of CSV would try on their texts."""
        name = quoted(column)
        if self.columns[column] == "boolean":
            return f"CASE WHEN {name} THEN CAST(1 AS DOUBLE) WHEN NOT {name} THEN CAST(0 AS DOUBLE) END"
        return f"CAST({name} AS DOUBLE)"

    def _rows(self, layout: Layout, query: Query) -> str:
        """Every row as a unit."""
        keys = [quoted(name) for name, column in ((ARM, layout.arm), (TIME, layout.time), (CLUSTER, layout.cluster))
                if column]
        values = [f"{_capped(v, quoted(v.name), query)} AS {quoted(v.name)}" for v in layout.variables]
        return f"SELECT {', '.join([*keys, *values])} FROM ({self._events(layout, query)})"

    def _units(self, layout: Layout, query: Query, until: float | None) -> str:
        """The rows of each unit as one; with a window, those within it of the units whose window has passed."""
        rows = self._events(layout, query)
        if layout.window is not None:
            window, end = query.value(layout.window), query.value(until)
            rows = (f"SELECT * FROM (SELECT *, min({quoted(TIME)}) OVER (PARTITION BY {quoted(UNIT)}) AS {FIRST} "
                    f"FROM ({rows})) WHERE {quoted(TIME)} <= {FIRST} + {window} AND {FIRST} + {window} <= {end}")
        values = [f"{_combined(v, query)} AS {quoted(v.name)}" for v in layout.variables]
        values += [f"min({quoted(v.name)}) AS {quoted(lowest(v))}" for v in layout.variables if v.is_covariate]
        if layout.cluster:
            values += [f"min({quoted(CLUSTER)}) AS {quoted(CLUSTER)}", f"max({quoted(CLUSTER)}) AS {OTHER_CLUSTER}"]
        return _grouped(UNIT, rows, values, has_time=layout.time is not None)

    def _clusters(self, layout: Layout, query: Query) -> str:
        """The totals of each cluster, and how many units it has."""
        values = [f"sum({quoted(v.name)}) AS {quoted(v.name)}" for v in layout.variables]
        values.append(f"CAST(count(*) AS DOUBLE) AS {quoted(SIZE)}")
        return _grouped(CLUSTER, self._stage(layout, "units", query), values, has_time=layout.time is not None)


def _arm(_: Layout, __: Query) -> str:
    return quoted(ARM)


def _number_of_arm(layout: Layout, query: Query) -> str:
    cases = [f"WHEN {quoted(ARM)} = {query.value(name)} THEN {n}" for n, name in enumerate(layout.arms)]
    return f"CAST(CASE {' '.join(cases)} ELSE -1 END AS SMALLINT)"


def _grouped(key: str, rows: str, values: Sequence[str], *, has_time: bool) -> str:
    arm, time = quoted(ARM), quoted(TIME)
    terms = [quoted(key), f"min({arm}) AS {arm}", f"max({arm}) AS {quoted(OTHER_ARM)}"]
    terms += [f"min({time}) AS {time}"] if has_time else []
    return f"SELECT {', '.join([*terms, *values])} FROM ({rows}) GROUP BY {quoted(key)}"


def _combined(variable: Variable, query: Query) -> str:
    name = quoted(variable.name)
    if variable.is_covariate:
        return f"max({name})"
    return _capped(variable, f"coalesce({variable.combine}({name}), 0)", query)


def _capped(variable: Variable, term: str, query: Query) -> str:
    if variable.cap is None:
        return term
    cap = query.value(variable.cap)
    return f"CASE WHEN {term} > {cap} THEN {cap} ELSE {term} END"


def _aggregate(item: Aggregate, shifts: Mapping[str, float], query: Query) -> str:
    """One aggregate as SQL."""
    names = [quoted(name) for name in item.names]
    if item.kind == "sum":
        factors = [f"({quoted(name)} - {query.value(shifts[name])})" if shifts.get(name) else quoted(name)
                   for name in item.names]
        return f"sum({' * '.join(factors)})"
    if item.kind == "rows":
        return "count(*)"
    if item.kind == "distinct":
        return f"count(DISTINCT {names[0]})"
    if item.kind in _FUNCTIONS:
        return f"{_FUNCTIONS[item.kind]}({names[0]})"
    if item.kind in ("drawn", "different"):
        is_drawn = f"(hash({names[0]}) & {ONE_IN - 1}) = 0"
        return f"count(DISTINCT CASE WHEN {is_drawn} THEN hash({', '.join(names)}) END)" \
            if item.kind == "different" else f"count(*) FILTER (WHERE {is_drawn})"
    condition = {"not_binary": f"{names[0]} <> 0 AND {names[0]} <> 1", "at_most": f"{names[0]} <= ",
                 "exceeds": f"{names[0]} > {names[-1]}", "differs": f"{names[0]} <> {names[-1]}"}[item.kind]
    bound = query.value(item.bound) if item.kind == "at_most" else ""
    return f"count(*) FILTER (WHERE {condition}{bound})"


def _bin(bins: Bins, query: Query) -> str:
    place = f"floor(({quoted(TIME)} - {query.value(bins.origin)}) * {query.value(bins.rate)})"
    return f"CAST(least(greatest({place}, 0), {query.value(bins.number - 1)}) AS INTEGER)"


def _look(clock: Clock, query: Query) -> str:
    if clock.looks == 1:
        return "CAST(0 AS SMALLINT)"
    return f"list_extract(CAST({query.value(list(clock.look_of_bin))} AS SMALLINT[]), {_bin(clock.bins, query)} + 1)"


def _kind(name: str) -> Column:
    if name.startswith(_NUMBERS):
        return "other" if name.endswith("]") else "number"
    if name.startswith(("TIMESTAMP", "DATE")):
        return "timestamp"
    return "boolean" if name == "BOOLEAN" else "text" if name.startswith(("VARCHAR", "ENUM")) else "other"


@contextmanager
def _said() -> Iterator[None]:
    """An error of the database in a few lines; a stop by hand, of which DuckDB makes an error, is one again."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        said = explained(str(error))
        if said:
            raise LinnetError(said) from error
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise LinnetError(f"the table cannot be read: {'; '.join(lines[:_LINES])}") from error
    except RuntimeError as error:
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


@contextmanager
def open_table(table: Any, *, threads: int | None = None) -> Iterator[DuckTable]:
    """A path (a glob as well), or an Arrow table, in a DuckDB of its own that may read those files and nothing else."""
    try:
        import duckdb
    except ImportError as error:
        raise missing_extra("duckdb", "ab") from error
    files = _files(table) if isinstance(table, str | Path) else []
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": "false", "autoload_known_extensions": "false",
            "python_enable_replacements": "false", "temp_directory": folder}
        if threads is not None:
            settings["threads"] = str(threads)
        with duckdb.connect(config=settings) as connection:
            with _said():
                connection.execute("SET allowed_paths = $files", {"files": files})
                connection.execute("SET allowed_directories = $folder", {"folder": [folder]})
                connection.execute("SET enable_external_access = false")
                connection.execute("SET lock_configuration = true")
            yield _open(connection, table, files)


def _open(connection: Any, table: Any, files: list[str]) -> DuckTable:
    if not files:
        connection.register("linnet_events", table)
        return DuckTable(connection, lambda _: "linnet_events")
    kinds = {_READERS.get(Path(file).suffix.lower()) for file in files}
    reader = kinds.pop()
    if kinds or reader is None:
        raise LinnetError(f"the table is read from Parquet (.parquet) or CSV (.csv) files, all of one kind; "
                          f"got {', '.join(sorted({Path(file).suffix or '(no suffix)' for file in files}))}.")
    if reader == "read_parquet":
        return DuckTable(connection, lambda query: f"read_parquet({query.value(files)})")
    with _said():
        kept = columns_kept_as_text(connection, files)
    return DuckTable(connection, lambda query: f"read_csv({query.value(files)}"
                                               + (f", types = {query.value(kept)})" if kept else ")"))


def _files(path: str | Path) -> list[str]:
    files = sorted(file for file in glob.glob(str(path), recursive=True) if Path(file).is_file())  # noqa: PTH207
    if not files:
        hint = " It is a folder; give its files as a pattern, such as folder/*.parquet." if Path(path).is_dir() else ""
        raise LinnetError(f"there is no file '{path}'.{hint}")
    empty = [file for file in files if not Path(file).stat().st_size]
    if empty:
        raise LinnetError(f"'{Path(empty[0]).name}' is empty; was it written to its end?")
    return [str(Path(file).resolve()) for file in files]
