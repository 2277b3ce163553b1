"""Text files with one row a sample: every form gives the same cells, and whatever is wrong is named by its line."""

import gzip
import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.data.sources.inference import number
from linnet.data.sources.rows import form, read_columns, stem
from linnet.errors import LinnetError

CELLS = {"text": ['say "hi", twice', "zwei\nZeilen", "über"], "tag": ["a", "b", "a"]}


def written(path, cells=CELLS):
    rows = [dict(zip(cells, row, strict=True)) for row in zip(*cells.values(), strict=True)]
    if form(path) == ".jsonl":
        text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n\n"
    else:
        separator = "\t" if form(path) == ".tsv" else ","
        quoted = [['"' + cell.replace('"', '""') + '"' for cell in row.values()] for row in rows]
        text = "\ufeff" + "\n".join(separator.join(row) for row in [list(cells), *quoted]) + "\n"
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.csv.gz", "A.TSV.GZ", "a.jsonl.gz"])
def test_every_form_gives_the_same_cells(tmp_path, name):
    path = written(tmp_path / name.replace("GZ", "gz"))
    assert read_columns(path) == CELLS
    assert (stem(path).lower(), form(path)) == ("a", "." + name.lower().split(".")[1])


def test_a_cell_may_be_a_whole_document(tmp_path):
    (tmp_path / "a.csv").write_text(f"text,tag\n{'words ' * 50_000},a\n")
    assert len(read_columns(tmp_path / "a.csv")["text"][0]) == 300_000


@settings(deadline=None)
@given(st.lists(st.fixed_dictionaries({"a": st.text(), "b": st.lists(st.text() | st.integers()) | st.none()}),
                min_size=1, max_size=5))
def test_json_lines_come_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("rows") / "x.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8", newline="\n")
    assert read_columns(path) == {name: [row[name] for row in rows] for name in ("a", "b")}


@pytest.mark.parametrize(("name", "data", "words"), [
    ("a.csv", "text\nok\ncaf\xe9\n".encode("latin-1"), r"line 3: byte 0xe9 is no UTF-8; it may be Latin-1.*iconv"),
    ("a.csv", "text\nok\n".encode("utf-16"), r"line 1: byte 0xff is no UTF-8; it begins like UTF-16"),
    ("a.jsonl", b'{"a": 1}\n{"a": NaN}\n{"a"}\n', r"line 2: not JSON \(NaN is no JSON number.*1 further lines: 3"),
    ("a.jsonl", b'{"a": 1, "a": 2}\n', "names a key twice"), ("a.jsonl", b"[" * 100_000, "nested too deeply"),
    ("a.jsonl", b'{"a": 1}\n{"b": 1}\n', r"rows \[2\] have other columns .*row 2 lacks a; has also b"),
    ("a.csv", b"a,b\n1,2\n1,2,3\n", r"1 rows \(2\) do not have the 2 cells .*row 2 has 3"),
    ("a.csv", b"a,\n1,2\n", "names a column twice, or not at all"), ("a.csv.gz", b"no gzip", "cannot be read"),
    ("a.csv.gz", gzip.compress(b"a\n1\n" * 999, mtime=0)[:-20], "cannot be read")])
def test_what_is_no_table_is_named_by_its_line(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LinnetError, match=words):
        read_columns(tmp_path / name)


@given(st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_are_read_as_they_are_written(value):
    assert number(str(value)) == value
    assert type(number(str(value))) is type(value)
    assert number(value) == value


@pytest.mark.parametrize("value", ["007", "1_000", "", "x", "nan", "inf", "1e999", None, True, [1], math.inf, 2**63,
                                   str(2**63)])
def test_codes_and_what_is_no_number_stay_as_they_are(value):
    assert number(value) is None


def test_semicolons_are_read_and_said(tmp_path, caplog):
    file = tmp_path / "excel.csv"
    file.write_text('name;area;"a; b"\r\none, two;1,5;x\r\nthree;2;y\r\n')
    assert read_columns(file) == {"name": ["one, two", "three"], "area": ["1,5", "2"], "a; b": ["x", "y"]}
    assert "excel.csv is separated by ';', not by ',', and read so." in caplog.text
    assert "excel.csv: area looks like numbers with a decimal comma" in caplog.text


@pytest.mark.parametrize("text", ["a;b,c\n1,2\n", "a\nx;y\n", '"a;b"\nx\n'])
def test_a_header_with_commas_or_one_cell_is_no_table_of_semicolons(tmp_path, text, caplog):
    file = tmp_path / "plain.csv"
    file.write_text(text)
    assert read_columns(file)
    assert not caplog.records
