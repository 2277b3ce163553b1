"""Tables that are no dataset are refused, with the ids of the rows; lists and spans in every slice of a table."""

import itertools

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.data import (
    AudioColumn,
    Dataset,
    GroupColumn,
    LabelColumn,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    media_cells,
)
from linnet.data.cells import cells_of, made_column
from linnet.data.columns import ValueColumn
from linnet.errors import LinnetError

TEXTS = ["play some jazz", "über alles", "naïve 🎵 song"]
SPANS = [[{"label": "genre", "start": 10, "end": 14}], [], [{"label": "genre", "start": 0, "end": 5},
                                                          {"label": "sign", "start": 6, "end": 7}]]


def texts(spans=SPANS, given=TEXTS, *, labels=("genre", "sign"), of="text"):
    table = pa.table({"id": ["a", "b", "c"], "text": given, "slots": cells_of(spans, "spans")})
    return Dataset("texts", table, {"text": TextColumn(), "slots": SpansColumn(labels, of)})


def test_every_kind_of_column_gives_its_values():
    table = pa.table({"id": ["a", "b"], "text": ["x y", "z"], "tags": [["p", "q"], []], "phones": [["p", "p"], ["q"]],
                      "word": ["p", "q"], "who": ["ann", "bob"], "age": [3, 4]})
    columns = {"text": TextColumn(), "tags": LabelsColumn(("p", "q")), "phones": SequenceColumn(("p", "q")),
               "word": LabelColumn(("p", "q")), "who": GroupColumn(), "age": ValueColumn()}
    made = Dataset("all", table, columns)
    assert {name: made.values(name) for name in columns} == table.drop_columns(["id"]).to_pydict()
    assert texts().values("slots") == SPANS


@pytest.mark.parametrize(("spans", "words"), [
    ([[{"label": "genre", "start": 10, "end": 15}], [], []], "do not lie in the text of their row, in 1 rows: a"),
    ([[], [{"label": "genre", "start": 3, "end": 3}], []], "in 1 rows: b"),
    ([[], [], [{"label": "genre", "start": -1, "end": 3}]], "in 1 rows: c"),
    ([[], [], [{"label": "genre", "start": 4, "end": 7}, {"label": "sign", "start": 0, "end": 5}]],
     "overlap in 1 rows: c"),
    ([[], [], [{"label": "gnre", "start": 4, "end": 7}]], "does not know: gnre"), ([[], None, []], "in 1 rows: b")])
def test_spans_that_do_not_fit_are_refused(spans, words):
    with pytest.raises(LinnetError, match=words):
        texts(spans)


def test_spans_count_characters_and_may_touch():
    texts([[{"label": "sign", "start": 6, "end": 7}, {"label": "genre", "start": 0, "end": 6}], [], []])
    texts([[], [], [{"label": "sign", "start": 6, "end": 7}, {"label": "genre", "start": 7, "end": 12}]])
    with pytest.raises(LinnetError, match="marks stretches of 'txt', which is no column of texts or recordings"):
        texts(of="txt")


def heard(spans):
    table = pa.table({"id": ["a", "b"], "audio": media_cells(["a.wav", "b.wav"]), "speech": cells_of(spans, "spans")})
    return Dataset("heard", table, {"audio": AudioColumn(), "speech": SpansColumn(("speech",), "audio")})


def test_spans_of_a_recording_count_milliseconds_and_may_go_far():
    spans = [[{"label": "speech", "start": 0, "end": 900_000}], []]
    assert heard(spans).values("speech") == spans
    for wrong in ([(5, 5)], [(-1, 5)], [(0, 5), (4, 9)]):
        with pytest.raises(LinnetError, match="in 1 rows: b"):
            heard([[], [{"label": "speech", "start": start, "end": end} for start, end in wrong]])


@pytest.mark.parametrize(("cells", "column", "words"), [
    (["x", " "], TextColumn(), r"is empty .* in 1 rows: b"), (["x", None], TextColumn(), "in 1 rows: b"),
    ([["p"], ["p", "p"]], LabelsColumn(("p",)), "names a label twice in 1 rows: b"),
    ([["p"], ["q"]], LabelsColumn(("p",)), "does not know: q"), ([["p"], ["q"]], SequenceColumn(("p",)), "not know: q"),
    ([["p"], [None]], SequenceColumn(("p",)), "not know: None"), ([["p"], None], LabelsColumn(("p",)), "1 rows: b"),
    (["x", "y"], SequenceColumn(("x", "y")), "lists of strings; its cells are string"),
    ([1, 2], LabelColumn(("1", "2")), "that is strings; its cells are int64"),
    ([True, False], ValueColumn(), "numbers; its cells are bool"), (["x", "y"], LabelColumn(("x", "y", "x")), "twice"),
    ([["x"], ["y"]], SpansColumn(("x",), "text"), "label: string, start: integer"),
    (["a.wav", "b.wav"], AudioColumn(), "files: struct")])
def test_cells_of_another_kind_are_refused(cells, column, words):
    with pytest.raises(LinnetError, match=words):
        Dataset("bad", pa.table({"id": ["a", "b"], "x": cells}), {"x": column})


@settings(deadline=None)
@given(st.lists(st.text("ab🎵é", min_size=1, max_size=9), min_size=1, max_size=8), st.data())
def test_what_lies_in_its_text_passes_in_every_slice(strings, draw):
    spans = []
    for string in strings:
        ends = sorted(draw.draw(st.sets(st.integers(0, len(string)))))
        spans.append([{"label": "l", "start": start, "end": end} for start, end in itertools.pairwise(ends)])
    table = pa.table({"id": [str(index) for index in range(len(strings))], "text": strings,
                      "slots": cells_of(spans, "spans")})
    columns = {"text": TextColumn(), "slots": made_column("spans", [[{"label": "l"}]], of="text")}
    start = draw.draw(st.integers(0, len(strings) - 1))
    both = Dataset("d", pa.concat_tables([table.slice(start), table.slice(0, start)]), columns)
    assert both.values("slots") == spans[start:] + spans[:start]
    worse = [[*spans[0], {"label": "l", "start": 0, "end": len(strings[0]) + 1}], *spans[1:]]
    bad = table.set_column(2, "slots", cells_of(worse, "spans"))
    with pytest.raises(LinnetError, match="in 1 rows: 0"):
        Dataset("d", pa.concat_tables([bad.slice(start), bad.slice(0, start)]), columns)
