"""CSV as people have it: what its reader would take wrongly without a word is refused."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, analyse
from linnet.watch.experiments.gather import opened

Make = Callable[..., Experiment]
METRIC = "\n  x: {kind: mean, value: x}"
LINES = [f"u{k},{'new' if k % 2 else 'old'},{k % 7}" for k in range(600)]


def written(path: Path, header: str, lines: list[str]) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


@pytest.mark.parametrize("day", ["05/04/2026", "05-04-2026", "5/4/26", "05.04.2026", "05/04/2026 10:00:05"])
def test_dates_that_can_be_read_both_ways_are_not_read(tmp_path: Path, plan: Make, day: str) -> None:
    path = written(tmp_path / "a.csv", "user,arm,x,day", [f"{line},{day}" for line in LINES])
    with pytest.raises(LinnetError, match=rf"column 'day' holds text, such as '{day}': .* 2026-04-05, or 2026-05-"):
        analyse(path, plan(METRIC, time="day"))
    assert analyse(path, plan(METRIC)).rows == 600  # nobody asked for the day


@pytest.mark.parametrize("time", ["2026-04-0{}", "2026-04-0{} 10:00:00", "2026-04-0{}T10:00:00.5Z",
                                  "2026-04-0{} 10:00:00.125 UTC", "2026-04-0{}T10:00:00+02:00"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_times_that_can_be_read_one_way_only_are_read(tmp_path: Path, plan: Make, time: str, between: str) -> None:
    lines = [f"{line},{time.format(1 + k % 9)}".replace(",", between) for k, line in enumerate(LINES)]
    path = written(tmp_path / "a.csv", "user,arm,x,at".replace(",", between), lines)
    found = analyse(path, plan(METRIC, time="at", looks=3))
    assert found.time_kind == "timestamp"
    assert found.looks[-1] == 600


@pytest.mark.parametrize(("line", "before", "said"), [
    ("u5,old,3,7,8", 500, "line 502 of 'a.csv' has 5 fields, expected 3"),
    ("u5", 500, "line 502 of 'a.csv' has 1 field, expected 3"),
    ("u5,old,3,7,8", 30_500, "line 30,502 of 'a.csv' has 4 or more fields, expected 3"),
    ("u5", 30_500, "line 30,502 of 'a.csv' has 1 field, expected 3")])
def test_a_line_with_too_many_or_too_few_fields_is_named(tmp_path: Path, plan: Make, line: str, before: int, said: str
                                                         ) -> None:
    lines = [LINES[k % 600] for k in range(before)]
    path = written(tmp_path / "a.csv", "user,arm,x", [*lines, line, *LINES])
    with pytest.raises(LinnetError, match=said):
        analyse(path, plan(METRIC))


def test_a_header_with_too_few_fields_is_named(tmp_path: Path, plan: Make) -> None:
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wt") as file:
        file.write("\n".join(["user,arm", "u5", *LINES]))
    with pytest.raises(LinnetError, match=r"line 2 of 'a.csv.gz' has 1 field, expected 2"):
        analyse(path, plan(METRIC))


def test_lines_before_the_names_of_columns_are_passed_over(tmp_path: Path, plan: Make) -> None:
    path = written(tmp_path / "a.csv", "an export of the third of April", ["", "user,arm,x", *LINES])
    assert analyse(path, plan(METRIC)).rows == 600


def test_files_with_nothing_in_them_are_named(tmp_path: Path, plan: Make) -> None:
    (tmp_path / "none.csv").write_text("")
    (tmp_path / "none.parquet").write_text("")
    for name in ("none.csv", "none.parquet"):
        with pytest.raises(LinnetError, match=f"'{name}' is empty"):
            analyse(tmp_path / name, plan(METRIC))
    written(tmp_path / "names.csv", "user,arm,x", [])
    with pytest.raises(LinnetError, match="the table has no rows"):
        analyse(tmp_path / "names.csv", plan(METRIC))


def test_another_alphabet_is_named(tmp_path: Path, plan: Make) -> None:
    (tmp_path / "a.csv").write_bytes("user,arm,x\nBjörn,old,1\n".encode("latin-1"))
    with pytest.raises(LinnetError, match=r"'a.csv' is not UTF-8; .* iconv -f latin1 -t utf-8"):
        analyse(tmp_path / "a.csv", plan(METRIC))


@pytest.mark.parametrize(("odd", "said"), [
    ("NULL", r"holds text in 3 of 600 rows, such as 'NULL'; a metric needs numbers.* leave the field empty"),
    ("1,234.50", r"such as '1,234.50'; .* write 1234.50"), ("€ 12.50", r"such as '€ 12.50'; .* write 12.50"),
    ("many", r"such as 'many'; a metric needs numbers, or true and false\.$")])
def test_text_where_numbers_are_needed_is_shown(tmp_path: Path, plan: Make, odd: str, said: str) -> None:
    lines = [f'{line.rsplit(",", 1)[0]},"{odd}"' if k < 3 else line for k, line in enumerate(LINES)]
    with pytest.raises(LinnetError, match=said):
        analyse(written(tmp_path / "a.csv", "user,arm,x", lines), plan(METRIC))


def test_numbers_written_as_text_are_said_to_be_so(plan: Make) -> None:
    with pytest.raises(LinnetError, match=r"'x' holds numbers that are written as text, such as '1.5'; convert"):
        analyse(pa.table({"arm": ["old", "new"], "x": ["1.5", "2"]}), plan(METRIC))


@pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")
def test_ibis_says_the_same_of_text(plan: Make, in_ibis: Callable[..., object]) -> None:
    with opened(in_ibis(pa.table({"arm": ["old", "new"], "x": ["NULL", "2"]}))) as table:
        assert table.texts("x").example == "NULL"
        assert (table.texts("x").rows, table.texts("x").not_numbers) == (2, 1)
