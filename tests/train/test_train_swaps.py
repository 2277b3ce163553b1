"""Slots that get another value of their label."""

from __future__ import annotations

import json

import numpy as np
import pytest

from linnet import data, nn, tasks, train
from linnet.errors import LinnetError
from linnet.train import swaps


@pytest.fixture(scope="module")
def tag(sentences: data.Splits) -> tasks.Tag:
    return tasks.Tag(sentences, input="text", target="slots")


@pytest.fixture(scope="module")
def task(sentences: data.Splits) -> tasks.Understand:
    return tasks.Understand(sentences, input="text", target="intent", slots="slots")


def test_values_move_and_the_rest_stays() -> None:
    text, spans = "will it rain in rome today ?", [("city", 16, 20), ("day", 21, 26)]
    values = {"city": ["new york"], "day": ["on friday"]}
    made, moved = swaps.swapped(text, spans, values, 1.0, np.random.default_rng(0))
    assert made == "will it rain in new york on friday ?"
    assert [(label, made[start:end]) for label, start, end in moved] == [("city", "new york"), ("day", "on friday")]
    assert swaps.swapped(text, spans, values, 0.0, np.random.default_rng(0)) == (text, spans)
    assert swaps.swapped("hello", [], values, 1.0, np.random.default_rng(0)) == ("hello", [])


def test_the_share_and_the_values_are_those_of_training(tag: tasks.Tag, sentences: data.Splits) -> None:
    pool = swaps.pool(tag, sentences.train, train.Options(swaps=0.5))
    assert pool is not None
    assert set(pool.values) == {"city", "day", "dish"}
    rows = np.arange(len(sentences.train))
    texts, _ = pool(rows, np.random.default_rng(0))
    changed = np.mean([new != old for new, old in zip(texts, pool.texts, strict=True)])
    assert 0.4 < changed < 0.8
    assert swaps.pool(tag, sentences.train, train.Options()) is None


def test_targets_go_with_the_swapped_texts(task: tasks.Understand, sentences: data.Splits) -> None:
    pool = swaps.pool(task, sentences.train, train.Options(swaps=1.0))
    assert pool is not None
    texts, targets = pool(np.arange(20), np.random.default_rng(1))
    count, width = len(task.labels), task.output[1][1] or 0
    scores = 20 * np.eye(width, dtype=np.float32)
    logits = scores[count + np.maximum(targets[:, 2:], 0)] + scores[targets[:, 1:2]]
    answers = [json.loads(answer) for answer in task.decode({"logits": logits}, texts)]
    assert [answer["intent"] for answer in answers] == list(sentences.train.values("intent"))[:20]
    for text, answer, spans in zip(texts, answers, pool.spans, strict=False):
        assert [slot[0] for slot in answer["slots"]] == [label for label, _, _ in spans]
        assert all(text[start:end] in pool.values[label] for label, start, end in answer["slots"])


def test_a_task_without_slots_is_refused(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent")
    with pytest.raises(LinnetError, match="has none"):
        train.fit(nn.zoo.textcnn(task, width=4), task, sentences, options=train.Options(swaps=0.3))
