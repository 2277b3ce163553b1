"""What a table without a schema holds: told by names and values, or said."""

import logging

import pytest

from linnet.data import LabelColumn, SpansColumn
from linnet.data.sources.inference import columns_of
from linnet.errors import LinnetError

SENTENCES = [f"what is the balance of account {number}" for number in range(30)]
SLOT = [{"slot": "what", "start": 0, "end": 4, "value": "what"}]


def kind(name, values, **given):
    columns, _ = columns_of({name: values}, given, "t.jsonl")
    return columns[name].kind


@pytest.mark.parametrize(("name", "values", "expected"), [
    ("text", ["a", "a"], "text"), ("intent", ["pay", "pay"], "label"), ("Speaker", [1, 2], "group"),
    ("label", [0, 1], "label"), ("age", ["3", "4.5"], "value"), ("zip", ["01234", "99999"], "label"),
    ("said", SENTENCES, "text"), ("said", SENTENCES[:3], "text"), ("said", SENTENCES[:1] * 30, "label"),
    ("who", [f"u{number}" for number in range(30)], "group"), ("who", ["u1", "u2", "u3"], "label"),
    ("query", [f"play song{number}" for number in range(30)], "text"), ("ok", [True, False], "label"),
    ("x", [["a", "b"], []], "labels"), ("x", [["a", "a"], []], "sequence"), ("phones", [["a"], ["b"]], "sequence")])
def test_kinds_are_told_by_names_and_values(name, values, expected):
    assert kind(name, values) == expected


def test_stretches_belong_to_the_text_beside_them():
    columns, cells = columns_of({"said": SENTENCES, "slots": [SLOT] * 30}, {}, "t.jsonl")
    assert columns["slots"] == SpansColumn(("what",), "said")
    assert cells["slots"].to_pylist()[3] == [{"label": "what", "start": 0, "end": 4}]
    for others, words in (({}, "0 columns of texts"), ({"a": SENTENCES, "b": SENTENCES}, "2 columns of texts: a, b")):
        with pytest.raises(LinnetError, match=words):
            columns_of({"slots": [SLOT] * 30, **others}, {}, "t.jsonl")
    two = {"slots": [SLOT] * 30, "a": SENTENCES, "b": SENTENCES}
    assert columns_of(two, {"slots": "spans of b"}, "t.jsonl")[0]["slots"] == SpansColumn(("what",), "b")
    with pytest.raises(LinnetError, match="unknown column of texts 'c'"):
        columns_of(two, {"slots": "spans of c"}, "t.jsonl")
    with pytest.raises(LinnetError, match=r"expected \{label, start, end\}.*got \{'start': 0, 'end': 1\}"):
        columns_of({"text": ["a"], "slots": [[{"start": 0, "end": 1}]]}, {}, "t.jsonl")


def test_what_was_guessed_is_said(caplog):
    with caplog.at_level(logging.INFO, "linnet"):
        columns_of({"text": SENTENCES, "age": list(range(30))}, {"age": "value"}, "t.jsonl")
    assert "t.jsonl: read as text: text; columns={...} (in the shell --columns NAME=KIND) says otherwise" in caplog.text


def test_columns_may_be_said():
    assert kind("said", SENTENCES, said="label") == "label"
    assert kind("age", [1, 2], age="text") == "text"
    columns, cells = columns_of({"tags": ["b;a", "", "c"][::2], "mark": ["3", "10"]},
                                {"tags": "labels", "mark": "ordinal"}, "t.csv")
    assert cells["tags"].to_pylist() == [["b", "a"], ["c"]]
    assert columns["mark"] == LabelColumn(("3", "10"), ordered=True)
    scale, _ = columns_of({"mark": ["good", "bad"]}, {"mark": ["bad", "fair", "good"]}, "t.csv")
    assert scale["mark"] == LabelColumn(("bad", "fair", "good"), ordered=True)
    assert columns_of({"note": [{}]}, {"note": "skip"}, "t.csv") == ({}, {})


@pytest.mark.parametrize(("values", "given", "words"), [
    (["a", "b"], {"y": "text"}, "unknown column 'y'"), (["a", "b"], {"x": "txt"}, "did you mean 'text'"),
    (["a", None], {}, r"column 'x' is empty in 1 rows \(rows \[2\]\)"), (["a", " "], {}, "empty in 1 rows"),
    ([{"a": 1}, {}], {}, "holds dicts, such as {'a': 1}.*'x': 'skip'"), ([["a"], "b"], {}, "holds lists"),
    ([[1.5], [2]], {}, "holds lists"), (["a", "b"], {"x": "value"}, r"\['a', 'b'\] are no numbers"),
    (["Yes", "yes"], {}, r"column 'x', read as label.*'Yes' and 'yes'.*columns=\{'x'"),
    (["a ", "a"], {}, "spaces around them: 'a '"), (["a", "b"], {"x": ["a", "c"]}, "holds b, which the scale"),
    ([["a"], ["b"]], {"x": "text"}, "was asked for as text; it holds lists"), ([1, 2], {"x": "labels"}, "1 is no list"),
    ([1.5, 2**60 + 1], {}, "no cells of kind value"), (["\ud800", "b"], {}, "no cells of kind label")])
def test_cells_that_do_not_fit_are_refused(values, given, words):
    with pytest.raises(LinnetError, match=words):
        columns_of({"x": values}, given, "t.jsonl")


def test_every_column_with_holes_is_named_at_once():
    with pytest.raises(LinnetError, match=r"'a' is empty in 1 rows \(rows \[1\]\); column 'b' is empty in 2 rows"):
        columns_of({"a": [None, "x"], "b": ["", None], "c": ["x", "y"]}, {}, "t.csv")


@pytest.mark.parametrize("cells", [["1", "nan", "2.5"], ["1", "2", "NA"], [0.5, float("nan"), 1], [1.0, float("inf")]])
def test_numbers_with_holes_are_no_labels(cells):
    with pytest.raises(LinnetError, match=r"'x' holds numbers, and .* in 1 rows \(rows \[\d\]\).*'label'"):
        columns_of({"x": cells}, {}, "t.csv")
    assert kind("x", cells, x="label") == "label"
    assert kind("x", ["none", "some", "3"]) == "label"
