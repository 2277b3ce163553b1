"""One list of moments, rendered twice: DuckDB and Ibis give the same numbers."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, analyse, selftest
from linnet.watch.experiments.gather import opened
from linnet.watch.experiments.sql import DuckTable, Query, quoted

Make = Callable[..., Experiment]
of_ibis = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # its own call, on DuckDB 2
CASES = [{}, {"time": "at", "looks": 20}, {"time": "day", "unit": "user", "looks": 20},
         {"time": "at", "unit": "user", "window": "10 minutes", "looks": 20}]


def numbers(content: Any) -> list[float]:
    """All numbers in a JSON value, in order."""
    if isinstance(content, dict | list):
        values = content.values() if isinstance(content, dict) else content
        return [number for value in values for number in numbers(value)]
    return [float(content)] if isinstance(content, int | float) else [np.nan] if content is None else []


@of_ibis
@pytest.mark.parametrize("changes", CASES)
def test_ibis_and_sql_say_the_same(users: pa.Table, plan: Make, in_ibis: Callable[[pa.Table], Any],
                                   changes: dict[str, Any]) -> None:
    if "unit" in changes:
        later = users.slice(0, 2000)  # some rows lie just at the end of the window
        times = pa.compute.add(later["at"], pa.scalar(600, pa.duration("s")))
        users = pa.concat_tables([users, later.set_column(later.column_names.index("at"), "at", times)])
    sides = [json.loads(analyse(table, plan(**changes)).to_json()) for table in (users, in_ibis(users))]
    assert sides[0]["verdicts"] == sides[1]["verdicts"]
    first, second = map(numbers, sides)
    assert len(first) > 80
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)


@of_ibis
def test_ibis_and_sql_say_the_same_of_clusters(users: pa.Table, plan: Make, in_ibis: Callable[[pa.Table], Any]) -> None:
    shops = users.set_column(0, "arm", pa.array(np.where(users["shop"].to_numpy() % 2, "new", "old")))
    asked = plan("\n  s: {kind: mean, value: spent, covariate: before}\n  c: {kind: ratio, numerator: clicks, "
                 "denominator: views, share: true}\n  b: {kind: proportion, value: bought}",
                 cluster="shop", unit="user", time="at", looks=5)
    first, second = (numbers(json.loads(analyse(table, asked).to_json())) for table in (shops, in_ibis(shops)))
    np.testing.assert_allclose(first, second, rtol=1e-9, atol=1e-12)


@of_ibis
@pytest.mark.parametrize("kind", [pa.timestamp("us", tz="UTC"), pa.timestamp("ns"), pa.timestamp("s"), pa.date32(),
                                  pa.timestamp("ms", tz="Asia/Tokyo")])
def test_timestamps_are_seconds_since_1970_whatever_their_kind(plan: Make, in_ibis: Callable[[pa.Table], Any],
                                                               kind: pa.DataType) -> None:
    days = pa.array(np.arange(1000) * 86_400).cast(pa.timestamp("s"))
    users = pa.table({"arm": ["old", "new"] * 500, "x": np.arange(1000.0), "at": days.cast(kind)})
    asked = plan("\n  x: {kind: mean, value: x}", time="at", looks=10, until="'1972-09-26 00:00'")
    for found in (analyse(users, asked), analyse(in_ibis(users), asked)):
        assert found.times is not None
        assert found.times[-1] == 999 * 86_400
        assert found.looks.tolist() == list(range(100, 1001, 100))


@of_ibis
def test_rows_of_a_database_have_no_order(users: pa.Table, plan: Make, in_ibis: Callable[[pa.Table], Any]) -> None:
    with pytest.raises(LinnetError, match="rows of a database have no order"):
        analyse(in_ibis(users), plan(time="at", in_order="true"))


@of_ibis
def test_a_selftest_runs_through_ibis(users: pa.Table, plan: Make, in_ibis: Callable[[pa.Table], Any]) -> None:
    asked = plan("\n  b: {kind: proportion, value: bought}", time="day")
    first, second = (selftest(table, asked, runs=50) for table in (users, in_ibis(users)))
    assert first.metrics == second.metrics


def test_names_of_columns_are_never_read_as_sql(plan: Make) -> None:
    evil = 'x" FROM nothing; DROP TABLE t; --'
    users = pa.table({"arm": ["old", "new"] * 600, evil: np.arange(1200.0)})
    asked = Experiment.model_validate({"name": "x", "arm": "arm", "arms": {"old": 0.5, "new": 0.5},
                                       "metrics": {"m": {"kind": "mean", "value": evil}}})
    assert analyse(users, asked).outcomes[0].control[-1] == 599.0
    assert quoted(evil) == '"x"" FROM nothing; DROP TABLE t; --"'


def test_values_of_the_plan_and_paths_are_parameters(users: pa.Table, plan: Make, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "it's; DROP.parquet"
    pa.parquet.write_table(users, odd)
    texts: list[str] = []
    run = DuckTable._run
    monkeypatch.setattr(DuckTable, "_run", lambda self, text, query: (texts.append(text), run(self, text, query))[1])
    analyse(odd, plan("\n  s: {kind: mean, value: spent, cap: 31.25}", time="day"))
    assert len(texts) >= 4
    assert not [text for text in texts if "31.25" in text or "DROP" in text or "'" in text]


def test_the_database_reads_these_files_only_and_loads_nothing(users: pa.Table, tmp_path: Path) -> None:
    pa.parquet.write_table(users, tmp_path / "in.parquet")
    pa.parquet.write_table(users, tmp_path / "out.parquet")
    with opened(tmp_path / "in.parquet") as table:
        assert isinstance(table, DuckTable)
        query = Query()
        for text in (f"SELECT * FROM read_parquet({query.value(str(tmp_path / 'out.parquet'))})",):
            with pytest.raises(LinnetError, match="Permission Error"):
                table._run(text, query)
        with pytest.raises(LinnetError, match="cannot be read"):
            table._run("SET enable_external_access = true", Query())
        with pytest.raises(LinnetError, match="cannot be read"):
            table._run("INSTALL httpfs", Query())


@pytest.mark.parametrize(("path", "message"), [
    ("none.parquet", "there is no file"), (".", "It is a folder; give its files as a pattern"),
    ("notes.txt", "Parquet \\(.parquet\\) or CSV"), ("broken.parquet", "the table cannot be read")])
def test_what_is_no_table_is_refused(tmp_path: Path, plan: Make, path: str, message: str) -> None:
    (tmp_path / "notes.txt").write_text("a note")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(LinnetError, match=message):
        analyse(tmp_path / path, plan())


def test_another_kind_of_table_is_refused(plan: Make) -> None:
    with pytest.raises(LinnetError, match="a path, a pyarrow Table or an Ibis table; got a list"):
        analyse([1, 2], plan())
    pandas = pytest.importorskip("pandas")
    with pytest.raises(LinnetError, match=r"got a DataFrame; give pyarrow.Table.from_pandas\(df\)"):
        analyse(pandas.DataFrame({"x": [1]}), plan())


def test_a_missing_duckdb_names_its_install_line(users: pa.Table, plan: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(LinnetError, match=r'pip install "linnet\[ab\]"'):
        analyse(users, plan())


def test_a_window_is_said_in_the_unit_of_the_time_column(users: pa.Table, plan: Make) -> None:
    with pytest.raises(LinnetError, match=r"the window is 7, .* 'at' holds timestamps; write it with its unit, such as "
                                          "window: 7 days"):
        analyse(users, plan(time="at", unit="user", window="7"))
    with pytest.raises(LinnetError, match=r"the window is '7 days', .* 'day' holds numbers; give a number in "
                                          "its unit"):
        analyse(users, plan(time="day", unit="user", window="7 days"))


@pytest.mark.parametrize("twice", [6000, 2000, 60, 0])
def test_rows_that_stand_twice_are_noted(users: pa.Table, plan: Make, tmp_path: Path, twice: int) -> None:
    pa.parquet.write_table(users, tmp_path / "a.parquet")
    pa.parquet.write_table(users.slice(0, twice), tmp_path / "b.parquet")
    asked = plan("\n  s: {kind: mean, value: spent}\n  b: {kind: proportion, value: bought}", unit="user", time="at")
    notes = [note for note in analyse(tmp_path / "*.parquet", asked).notes if "same" in note]
    assert len(notes) == (1 if twice else 0)
    for note in notes:
        share = float(note.removeprefix("about ").split(" ")[0]) / 100
        assert share == pytest.approx(twice / (6000 + twice), abs=0.035 if twice < 6000 else 0)
    assert not [note for note in analyse(tmp_path / "*.parquet", plan(unit="user")).notes if "copies" in note]


def test_rows_of_one_second_with_other_values_are_no_copies(users: pa.Table, plan: Make) -> None:
    more = users.set_column(users.column_names.index("spent"), "spent", pa.compute.add(users["spent"], 1))
    found = analyse(pa.concat_tables([users, more]), plan("\n  s: {kind: mean, value: spent}", unit="user", time="at"))
    assert not [note for note in found.notes if "copies" in note]
