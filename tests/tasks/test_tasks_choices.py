"""Classify on a scale, and with any number of labels."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from linnet import data, tasks
from linnet.errors import LinnetError


def marks(*values: str, labels: tuple[str, ...] | None = None) -> data.Dataset:
    column = data.LabelColumn(labels, ordered=True) if labels else data.label_column(values)
    table = pa.table({"id": [f"m{number}" for number in range(len(values))], "mark": list(values),
                      "score": [float(number) for number in range(len(values))]})
    return data.Dataset("marks", table, {"mark": column, "score": data.ValueColumn()})


def topics(*rows: list[str]) -> data.Dataset:
    table = pa.table({"id": [f"t{number}" for number in range(len(rows))], "score": np.arange(len(rows), dtype=float),
                      "topics": pa.array(list(rows), pa.list_(pa.string()))})
    return data.Dataset("topics", table, {"score": data.ValueColumn(), "topics": data.LabelsColumn(("b", "a", "c"))})


def test_a_column_in_order_is_a_scale() -> None:
    given = marks("poor", "good", "fine", "poor", labels=("poor", "fine", "good"))
    task = tasks.Classify(given, input="score", target="mark")
    assert (task.choice, task.loss, task.labels) == ("ordered", "earth_mover", ("poor", "fine", "good"))
    assert task.targets(given).tolist() == [0, 2, 1, 0]
    assert task.metrics(["poor", "good"], ["good", "good"]) == {"mean_absolute_error": 1.0}


def test_a_mark_that_the_scale_does_not_know_has_no_distance(caplog: pytest.LogCaptureFixture) -> None:
    given = marks("poor", "good", "fine", "poor", labels=("poor", "fine", "good"))
    task = tasks.Classify(given, input="score", target="mark")
    assert task.metrics(["poor", "good"], ["superb", "fine"]) == {}
    assert "1 of 2 right answers are not on the scale" in caplog.text


def test_any_labels_can_be_put_in_order() -> None:
    given = marks("10", "9", "2")
    assert tasks.Classify(given, input="score", target="mark", ordered=True).labels == ("2", "9", "10")
    assert tasks.Classify(given, input="score", target="mark", ordered=["9", "2", "10"]).labels == ("9", "2", "10")
    assert tasks.Classify(given, input="score", target="mark").loss == "cross_entropy"
    with pytest.raises(LinnetError, match="must name each label of 'mark' once, least first: 2, 9, 10; got 2, 9"):
        tasks.Classify(given, input="score", target="mark", ordered=["2", "9"])


def test_any_number_of_labels() -> None:
    given = topics(["c", "a"], [], ["b"])
    task = tasks.Classify(given, input="score", target="topics")
    assert (task.choice, task.loss, task.labels) == ("many", "binary_cross_entropy", ("b", "a", "c"))
    assert task.targets(given).tolist() == [[0, 1, 1], [0, 0, 0], [1, 0, 0]]
    assert task.targets(given).dtype == np.float32
    assert task.expected(given) == ['["a", "c"]', "[]", '["b"]']
    logits = np.array([[-1, 0.1, 3], [-1, -1, 0], [9, -9, -9]], np.float32)
    assert task.decode({"logits": logits}) == ['["a", "c"]', "[]", '["b"]']
    assert task.probabilities({"logits": logits})[1, 2] == pytest.approx(0.5)
    assert task.score(['["a"]', "[]"], ['["a", "c"]', "[]"]).tolist() == [0, 1]
    assert task.metrics(['["a"]', '["b"]'], ['["a", "c"]', '["b"]']) == pytest.approx(
        {"micro_f1": 0.8, "macro_f1": 2 / 3})
    assert json.loads(json.dumps(task.to_json()))["choice"] == "many"


def test_no_labels_at_all_are_a_right_answer() -> None:
    task = tasks.Classify(topics(["a"], ["b"]), input="score", target="topics")
    assert task.metrics(["[]"], ["[]"]) == {"micro_f1": 1.0, "macro_f1": 1.0}


@pytest.mark.parametrize(("given", "keywords", "message"), [
    (marks("1", "2"), {"input": "mark", "target": "score"}, r"'score' holds value. Use Regress for numbers"),
    (topics(["a"], ["b"]), {"input": "score", "target": "topics", "ordered": True}, "only one label a sample"),
    (marks("1", "1"), {"input": "score", "target": "mark"}, r"holds 1 label\(s\)"),
    (marks("1", "2"), {"input": [], "target": "mark"}, "at least one column"),
    (marks("1", "2"), {"input": ["score", "score"], "target": "mark"}, "none twice"),
    (marks("1", "2"), {"input": "score", "target": "mark", "lenght": 3}, "unknown option for an input of value"),
])
def test_what_makes_no_sense_is_refused(given: data.Dataset, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        tasks.Classify(given, **keywords)


def test_texts_and_spans_are_no_labels(sentences: data.Splits) -> None:
    for target in ("text", "slots"):
        with pytest.raises(LinnetError, match="Use Tag for spans"):
            tasks.Classify(sentences, input="text", target=target)


def test_labels_of_another_dataset_are_refused_and_listed() -> None:
    task = tasks.Classify(topics(["a"], ["b"]), input="score", target="topics")
    with pytest.raises(LinnetError, match=r"the task does not know: c\. It knows: b, a"):
        task.targets(topics(["c"], ["a"]))
