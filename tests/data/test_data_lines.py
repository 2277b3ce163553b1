"""JSON lines and texts of corpora: every encoding that is met, and one clear error for what is wrong."""

from __future__ import annotations

import pytest

from linnet.data.sources.lines import json_file, json_lines, text_of, write_lines
from linnet.errors import DamagedFileError

ROWS = [{"text": "héllo  wörld", "n": 1}, {"text": "two", "n": 2}]


@pytest.mark.parametrize(("start", "end"), [(b"", b"\n"), (b"\xef\xbb\xbf", b"\n"), (b"", b"\r\n"),
                                            (b"\xef\xbb\xbf", b"\r\n")])
def test_byte_order_marks_and_line_ends_do_not_matter(tmp_path, start, end):
    write_lines(tmp_path / "a.jsonl", ROWS)
    file = tmp_path / "b.jsonl"
    file.write_bytes(start + (tmp_path / "a.jsonl").read_bytes().replace(b"\n", end) + end)
    assert json_lines(file, {"text": str, "n": int}) == ROWS
    assert text_of(file).rstrip("\n") == (tmp_path / "a.jsonl").read_text(encoding="utf-8").rstrip("\n")


@pytest.mark.parametrize(("content", "words"), [
    (b'{"text": "a"}\n{"text": "\xff"}\n', r"line 2: byte 0xff is not UTF-8"),
    ("\ufeff{}".encode("utf-16"), "line 1: byte 0xff is not UTF-8"),
    (b'{"text": "a"}\n{oops\n{oops\n', r"line 2: not JSON .*\(2 lines are wrong\)"),
    (b"[1]\n", r"line 1: expected an object"), (b'{"n": 1}\n', "line 1: has no text; it has n"),
    (b'\n{"text": 3}\n', "line 2: 'text' is 3; expected str")])
def test_what_is_wrong_is_said_with_its_line(tmp_path, content, words):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DamagedFileError, match=words):
        json_lines(tmp_path / "a.jsonl", {"text": str})


def test_a_number_of_either_kind(tmp_path):
    write_lines(tmp_path / "a.jsonl", [{"n": 1}, {"n": 1.5}])
    assert len(json_lines(tmp_path / "a.jsonl", {"n": (int, float)})) == 2
    with pytest.raises(DamagedFileError, match="expected str or bool"):
        json_lines(tmp_path / "a.jsonl", {"n": (str, bool)})


def test_files_that_are_not_there_or_no_json(tmp_path):
    with pytest.raises(DamagedFileError, match="cannot be read"):
        text_of(tmp_path / "none")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DamagedFileError, match="is not JSON"):
        json_file(tmp_path / "a.json")
