"""Readings, context, reasons, new intents and mixed languages around a classifier."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.language import understanding
from linnet.language.understanding import Reason, Thresholds, in_context, learn, merged, mixing, reasons, weights


def test_better_readings_count_more_and_equal_ones_alike() -> None:
    assert weights([-1.0, -2.0, -2.0]).tolist() == pytest.approx(
        [1 / (1 + 2 / math.e), math.exp(-1) / (1 + 2 / math.e), math.exp(-1) / (1 + 2 / math.e)])
    assert weights([-3.0] * 4).tolist() == [0.25] * 4
    assert weights([-1.0, -50.0], scale=0.0).tolist() == [0.5, 0.5]
    assert weights([-1e6, -1e6 - 1]).sum() == pytest.approx(1)


def test_missing_scores_follow_the_reading_before() -> None:
    assert weights([-1.0, None, -3.0]).tolist() == pytest.approx(weights([-1.0, -2.0, -3.0]).tolist())
    assert weights([None, -5.0]).tolist() == pytest.approx(weights([-6.0, -5.0]).tolist())
    assert weights([None]).tolist() == [1.0]
    assert weights([-math.inf, -math.inf]).tolist() == [0.5, 0.5]
    assert weights([-1.0, -math.inf]).tolist() == [1.0, 0.0]


@pytest.mark.parametrize("wrong", [lambda: weights([]), lambda: weights([math.nan]), lambda: weights([math.inf, 0.0]),
                                   lambda: weights([0.0], scale=-1), lambda: merged([[0.5, 0.5]], [0.0, 1.0]),
                                   lambda: merged([0.5, 0.5], [0.0])])
def test_scores_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(LinnetError):
        wrong()


def test_an_intent_on_which_readings_agree_wins() -> None:
    rows = [[0.6, 0.4, 0.0], [0.1, 0.0, 0.9], [0.0, 0.1, 0.9]]
    assert merged(rows, [0.0, -0.1, -0.2]).argmax() == 2
    assert merged(rows, [0.0, -5.0, -6.0]).argmax() == 0
    assert merged(rows, [None, None, None]).sum() == pytest.approx(1)


def test_words_said_before_are_other_words() -> None:
    text = in_context("yes please", prompt="your card is blocked. shall i send a new one", turns=["hello", "my card"],
                      words=4)
    assert text == "‹hello ‹my ‹card ›send ›a ›new ›one yes please"
    assert in_context("yes") == "yes"
    assert in_context("", prompt="and now") == "›and ›now"
    with pytest.raises(LinnetError, match="list of texts"):
        in_context("yes", turns="hello")
    with pytest.raises(LinnetError, match="are texts"):
        in_context("yes", prompt=None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("probabilities", "heard", "text", "expected"), [
    ({"pay": 0.9, "balance": 0.05, "oos": 0.05}, 0.8, "pay it", Reason(None, ("pay",))),
    ({"pay": 0.9, "balance": 0.05, "oos": 0.05}, 0.1, "pay it", Reason("acoustic", ())),
    ({"pay": 0.9, "balance": 0.1}, None, "  ", Reason("acoustic", ())),
    ({"pay": 0.9, "balance": 0.1}, None, "pay it", Reason(None, ("pay",))),
    ({"pay": 0.48, "balance": 0.44, "oos": 0.08}, 0.8, "bill", Reason("ambiguous", ("pay", "balance"))),
    ({"pay": 0.1, "balance": 0.08, "oos": 0.82}, 0.8, "tell a joke", Reason("lexical", ())),
    ({"pay": 0.4, "balance": 0.2, "cards": 0.2, "oos": 0.2}, 0.8, "hm", Reason("lexical", ())),
    ({"pay": 1.0}, 0.8, "pay", Reason(None, ("pay",)))])
def test_why_nothing_is_answered(probabilities: dict[str, float], heard: float | None, text: str,
                                 expected: Reason) -> None:
    assert reasons(probabilities, heard=heard, text=text, reject="oos") == expected


def test_thresholds_are_probabilities() -> None:
    with pytest.raises(LinnetError, match="known is a number from 0 to 1"):
        Thresholds(known=2)
    with pytest.raises(LinnetError, match="no probabilities"):
        reasons({})


KNOWN = ("what is the weather in {}", "book a flight to {}", "how do i get to {}", "play some music from {}",
         "set an alarm for {}", "what time is it in {}", "how many people live in {}", "show me pictures of {}")


def known(count: int, rng: np.random.Generator) -> list[str]:
    names = ["".join(rng.choice(list("abcdefgilmnoprstu"), 6)) for _ in range(count)]
    return [str(rng.choice(KNOWN)).format(name) for name in names]


EXAMPLES = {"lost_card": ["i lost my credit card", "my card was stolen", "i can not find my debit card"],
            "joke": ["tell me a joke", "make me laugh", "do you know a funny joke"]}


def test_a_few_examples_make_a_new_intent() -> None:
    found = learn(EXAMPLES, known(400, np.random.default_rng(0)), rate=0.02)
    assert found.answers(["somebody stole my credit card", "another funny joke please", "book a flight to rome"]) \
        == ["lost_card", "joke", None]
    assert found.answers(["", "你好"]) == [None, None]


def test_what_is_known_is_taken_no_more_often_than_promised() -> None:
    """Fresh texts of what is known, over 40 draws of 200 others: a mean share of at most 5 %."""
    taken = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        found = learn({"city": ["show me pictures of paris", "weather in rome"]}, known(200, rng), rate=0.05)
        taken.append(np.mean([answer is not None for answer in found.answers(known(100, rng))]))
    assert np.mean(taken) <= 0.05 + 3 * np.std(taken) / np.sqrt(len(taken))
    assert np.mean(taken) > 0.005  # else the threshold would be needlessly high


@pytest.mark.parametrize("wrong", [
    lambda: learn({"joke": ["tell me a joke"]}, ["a"] * 500), lambda: learn({}, ["a"] * 500),
    lambda: learn(EXAMPLES, ["a"] * 50, rate=0.01), lambda: learn(EXAMPLES, ["a"] * 500, rate=0)])
def test_too_little_to_learn_from_is_said(wrong: Any) -> None:
    with pytest.raises(LinnetError):
        wrong()


def test_mixed_languages_and_scripts() -> None:
    words: dict[str, Any] = {"hi": {"mera", "kab"}, "en": lambda word: word in {"bill", "pay", "my"}}
    assert mixing("mera bill kab", words) == pytest.approx(1 / 3)
    assert mixing("pay my bill", words) == 0.0
    assert mixing("ॐ 123", words) == 0.0
    assert set(understanding.scripts("मेरा bill")) == {"DEVANAGARI", "LATIN"}
    assert not understanding.scripts("123 !")
    with pytest.raises(LinnetError, match="at least two"):
        mixing("pay", {"en": {"pay"}})
