from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from linnet import data, tasks
from linnet.errors import LinnetError
from linnet.tasks.spans import likeliest

SPANS = pa.list_(pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))


def dataset(rows: list[tuple[str, list[tuple[str, int, int]]]], *labels: str) -> data.Dataset:
    spans = [[{"label": label, "start": start, "end": end} for label, start, end in row] for _, row in rows]
    table = pa.table({"id": [f"r{number}" for number in range(len(rows))], "text": [text for text, _ in rows],
                      "slots": pa.array(spans, SPANS)})
    return data.Dataset("said", table, {"text": data.TextColumn(), "slots": data.SpansColumn(labels, of="text")})


WHOLE = [("go to new york now", [("city", 6, 14)]), ("oslo, then rome", [("city", 0, 4), ("city", 11, 15)])] * 10
PARTS = [("playing", [("verb", 0, 4)]), ("singing", [("verb", 0, 4)]), ("play sing", [("verb", 0, 4)])] * 10


def logits(task: tasks.Tag, *tags: int) -> dict[str, Any]:
    row = np.zeros(task.takes.length, int)
    row[: len(tags)] = tags
    return {"logits": np.eye(len(task.tags), dtype=np.float32)[[row]]}


def test_the_first_token_of_a_word_speaks_for_it() -> None:
    given = dataset(WHOLE, "city")
    task = tasks.Tag(given, input="text", target="slots", vocabulary=20)
    assert task.unit == "word"
    assert task.tags == ("O", "B-city", "I-city")
    assert task.output == ("logits", (task.takes.length, 3))
    asked = task.targets(given)[0]
    assert asked[asked >= 0].tolist() == [0, 0, 1, 2, 0]
    assert task.expected(given)[:2] == ['[["city", 6, 14]]', '[["city", 0, 4], ["city", 11, 15]]']


def test_spans_that_end_within_words_make_each_token_speak() -> None:
    given = dataset(PARTS, "verb")
    task = tasks.Tag(given, input="text", target="slots", tokenizer="character")
    assert task.targets(given)[0].tolist()[:7] == [1, 2, 2, 2, 0, 0, 0]
    pieces = data.Tokenizer.from_json({"model": {
        "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
        "vocab": {"[PAD]": 0, "[UNK]": 1, "play": 2, "sing": 3, "##ing": 4}},
        "pre_tokenizer": {"type": "Whitespace"}})
    task = tasks.Tag(given, input="text", target="slots", tokenizer=pieces)
    assert task.unit == "token"
    assert task.decode(logits(task, 1, 0), ["playing"]) == ['[["verb", 0, 4]]']


def test_spans_that_tokens_cannot_express_are_said(caplog: pytest.LogCaptureFixture) -> None:
    given = dataset(PARTS, "verb")
    tasks.Tag(given, input="text", target="slots", tokenizer="word")
    assert "said: 20 of 30 spans in 'slots' do not meet the edges of words: they cannot be found exactly" in caplog.text


def test_spans_behind_the_last_token_are_said_and_count_as_missed(caplog: pytest.LogCaptureFixture) -> None:
    given = dataset(WHOLE, "city")
    task = tasks.Tag(given, input="text", target="slots", tokenizer="word", length=3)
    assert "20 of 20 texts in 'text' are longer than the 3 tokens" in caplog.text
    assert "20 of 30 spans in 'slots' lie behind the 3 tokens that are read" in caplog.text
    targets = task.targets(given)
    answers = task.decode({"logits": np.eye(3)[np.maximum(targets, 0)]}, task.read(given))
    assert answers[:2] == ['[["city", 6, 9]]', '[["city", 0, 4]]']
    assert task.metrics(answers, task.expected(given))["slot_recall"] == pytest.approx(1 / 3)


def test_the_likeliest_tags_are_those_of_trying_all_that_make_sense() -> None:
    def makes_sense(tags: tuple[int, ...]) -> bool:
        return all(tag % 2 == 1 or tag == 0 or before in (tag, tag - 1)
                   for before, tag in itertools.pairwise((0, *tags)))

    rng = np.random.default_rng(0)
    for _ in range(60):
        scores = rng.normal(size=(4, 5))
        best = max(filter(makes_sense, itertools.product(range(5), repeat=4)),
                   key=lambda tags: sum(scores[place, tag] for place, tag in enumerate(tags)))
        assert tuple(likeliest(scores)) == best
    assert likeliest(np.zeros((0, 5))) == []


@pytest.mark.parametrize(("tags", "spans"), [
    ((1, 2, 4, 4, 3), [["city", 0, 5], ["day", 6, 9], ["day", 10, 11]]),
    ((1, 1, 2, 0), [["city", 0, 3], ["city", 4, 7]]),
    ((0, 0, 0, 0, 3), [["day", 10, 11]]), ((), []),
])
def test_tags_that_make_no_sense_give_way_to_those_that_do(tags: tuple[int, ...], spans: list[Any]) -> None:
    text = "one 2 3 4 5"
    given = dataset([(text, [("city", 0, 3), ("day", 4, 5)])] * 4, "city", "day")
    task = tasks.Tag(given, input="text", target="slots", tokenizer="word")
    assert json.loads(task.decode(logits(task, *tags), [text])[0]) == spans


@pytest.mark.parametrize(("keywords", "message"), [
    ({"input": "text", "target": "text"}, "answers with spans of the column 'text'; 'text' holds text"),
    ({"input": "text", "target": "slot"}, "did you mean 'slots'"),
    ({"input": "slots", "target": "slots"}, "'slots' holds spans of 'text'"),
    ({"input": "text", "target": "slots", "tokenizer": None}, "needs a tokenizer"),
    ({"input": "text", "target": "slots", "seconds": 1.0}, "unknown option for an input of text 'seconds'"),
    ({"input": "text", "target": "slots", "length": 0}, "at least 1; got 0"),
])
def test_what_cannot_be_tagged_is_refused(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        tasks.Tag(dataset(WHOLE, "city"), **keywords)


def test_labels_without_a_span_in_the_training_part_are_refused() -> None:
    given = dataset([*WHOLE, ("today", [("day", 0, 5)])], "city", "day")
    parts = data.Splits(given.take(range(10)), given.take(range(10, 12)), given.take(range(12, 21)))
    with pytest.raises(LinnetError, match="without a span in the training part: day"):
        tasks.Tag(parts, input="text", target="slots")
    with pytest.raises(LinnetError, match="holds no span"):
        tasks.Tag(dataset([("a", []), ("b", [])], "city"), input="text", target="slots", vocabulary=9)
    task = tasks.Tag(given.take(range(20)), input="text", target="slots")
    with pytest.raises(LinnetError, match="does not know: day"):
        task.targets(given)


def test_decode_needs_the_texts(sentences: data.Splits) -> None:
    task = tasks.Tag(sentences, input="text", target="slots")
    with pytest.raises(LinnetError, match="1 rows and 0 texts"):
        task.decode(logits(task, 0))


def test_what_was_found_and_what_was_missed() -> None:
    task = tasks.Tag(dataset(WHOLE, "city"), input="text", target="slots")
    found, wanted = ['[["city", 0, 4], ["city", 5, 6]]', "[]"], ['[["city", 0, 4], ["city", 5, 7]]', "[]"]
    assert task.score(found, wanted).tolist() == [0, 1]
    assert task.metrics(found, wanted) == {"slot_f1": 0.5, "slot_precision": 0.5, "slot_recall": 0.5}
    assert task.metrics(["[]"], ["[]"]) == {"slot_f1": 1, "slot_precision": 1, "slot_recall": 1}


def test_the_longest_text_is_read_to_its_end() -> None:
    given = dataset([*[("go to oslo", [("city", 6, 10)])] * 200, ("now go to new york", [("city", 10, 18)])], "city")
    assert tasks.Tag(given, input="text", target="slots", tokenizer="word").takes.length == 5
    assert tasks.Classify(given.map("text", len, name="letters").map("letters", str, name="kind"), input="text",
                          target="kind", tokenizer="word").arrays["tokens"] == ("int64", (3,))


def test_a_space_is_no_span() -> None:
    given = dataset([("to new york", [("city", 3, 11)])] * 4, "city")
    task = tasks.Tag(given, input="text", target="slots", tokenizer="character")
    text = "to new york"
    for places, found in (((2,), []), ((2, 3, 4, 5, 6), [["city", 3, 6]]), (range(3, 11), [["city", 3, 11]])):
        tags = [1 if place == places[0] else 2 if place in places else 0 for place in range(len(text))]
        assert json.loads(task.decode(logits(task, *tags), [text])[0]) == found
