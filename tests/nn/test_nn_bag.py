"""Groups of characters and words numbered in the graph, and the bag of them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from linnet import data, export, nn, runtime, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.nn.grams import Grams

LENGTH, SPACE = 24, 3


def encoded(*texts: str, length: int = LENGTH) -> torch.Tensor:
    """A character a token; 3 is the space."""
    rows = [[SPACE if sign == " " else ord(sign) for sign in text] for text in texts]
    return torch.tensor([row + [0] * (length - len(row)) for row in rows])


def groups(text: str, *, orders: tuple[int, ...] = (2, 3), space: int | None = SPACE) -> list[int]:
    found = Grams(LENGTH, orders=orders, buckets=10**9, space=space)(encoded(text))[0]
    return sorted(found[found != 0].tolist())


def expected(text: str, orders: tuple[int, ...] = (2, 3)) -> list[str | tuple[str, ...]]:
    """The same by hand."""
    words = text.split(" ")
    pieces = [f" {word} "[start : start + order] for order in orders for word in words
              for start in range(len(word) + 3 - order)]
    return [*pieces, *((word,) for word in words), *itertools.pairwise(words)]


@pytest.mark.parametrize("text", ["a", "abc", "abc de", "turn it on", "one two three four five", "x" * LENGTH])
def test_there_are_as_many_groups_as_by_hand(text: str) -> None:
    assert len(groups(text)) == len(expected(text))
    assert len(set(groups(text))) == len(set(expected(text)))


@pytest.mark.parametrize(("one", "other"), [("abc de", "de abc"), ("abc de", "abc"), ("you too you", "too you"),
                                            ("ab c", "abc"), ("turn on", "turn it on")])
def test_texts_share_the_groups_that_they_share_by_hand(one: str, other: str) -> None:
    assert len(set(groups(one)) & set(groups(other))) == len(set(expected(one)) & set(expected(other)))


def test_without_a_space_neighbours_are_grouped() -> None:
    assert len(groups("abcd", orders=(1, 2, 3), space=None)) == 4 + 3 + 2
    assert len(set(groups("abab", orders=(1, 2), space=None))) == 2 + 2


def test_padding_and_empty_texts_have_no_groups() -> None:
    grams = Grams(LENGTH, orders=(2, 3), buckets=1000, space=SPACE)
    found = grams(encoded("", "ab"))
    assert not found[0].any() or (found[0] != 0).sum() <= 1  # the two edges of nothing may meet
    longer = Grams(2 * LENGTH, orders=(2, 3), buckets=1000, space=SPACE)(encoded("ab", length=2 * LENGTH))[0]
    assert sorted(found[1][found[1] != 0].tolist()) == sorted(longer[longer != 0].tolist())


def test_groups_spread_evenly_over_buckets() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(map(chr, rng.integers(97, 123, LENGTH))) for _ in range(500)]
    found = Grams(LENGTH, orders=(5,), buckets=100, space=None)(encoded(*texts)).flatten()
    counts = np.bincount(found.numpy(), minlength=101)[1:]
    assert counts.min() > 0.6 * counts.mean()
    assert counts.max() < 1.4 * counts.mean()


@pytest.fixture(scope="module")
def open_task(sentences: data.Splits) -> tasks.Classify:
    return tasks.Classify(sentences, input="text", target="intent", reject="food", tokenizer="character")


@pytest.fixture(scope="module")
def trained(open_task: tasks.Classify, sentences: data.Splits) -> nn.Model:
    options = train.Options(learning_rate=5e-3, outsiders=0.1, keep="last")
    return train.fit(nn.zoo.bag(open_task, width=8), open_task, sentences, epochs=8, options=options)


@pytest.mark.parametrize("bits", [32, pytest.param(8, marks=pytest.mark.slow)])
def test_it_learns_and_its_file_answers_the_same(open_task: tasks.Classify, sentences: data.Splits, trained: nn.Model,
                                                 tmp_path: Path, bits: int) -> None:
    model = trained if bits == 32 else shrink.apply(shrink.Plan().quantize(bits=8), trained, open_task, sentences)
    file = runtime.load(export.write(model, open_task, tmp_path / "bag.onnx", samples=sentences.validation))
    scores = tasks.evaluate(file, open_task, sentences.test)
    assert scores.score.mean() > 0.95
    if bits == 8:
        assert file.size.bytes < 40_000 * 8 + 60_000
    said = tasks.answer(file, open_task, "zebra quixotic flux")
    assert said.probabilities
    assert tasks.answer(file, open_task, "").label in open_task.labels


def test_other_tokenizers_make_groups_of_tokens(sentences: data.Splits) -> None:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word")
    model = nn.zoo.bag(task, width=4)
    assert model.spec["space"] is None
    assert model(task.prepare(["order soup today"]))["logits"].shape == (1, 3)


def test_what_asks_an_answer_a_token_is_refused(sentences: data.Splits) -> None:
    task = tasks.Tag(sentences, input="text", target="slots")
    with pytest.raises(LinnetError, match="one answer a sample"):
        nn.zoo.bag(task)
