"""Word models: probabilities that sum to one, the known example, ARPA files in and out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.language import ngram
from linnet.language.ngram import END, START, UNKNOWN

TEXTS = ["turn on the light", "turn off the light", "turn on the radio", "stop", "play the radio now", "stop now"]


@settings(max_examples=40)
@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=30), st.integers(1, 4),
       st.lists(st.sampled_from("abcde"), max_size=4))
def test_probabilities_sum_to_one_after_anything(rows: list[list[str]], order: int, before: list[str]) -> None:
    if not any(rows):
        return
    model = ngram.train([" ".join(row) for row in rows], order=order)
    following = [*model.words, END, UNKNOWN]
    for context in (before, [START, *before]):
        assert sum(math.exp(model.log_probability(word, context)) for word in following) == pytest.approx(1)


def test_order_two_by_hand() -> None:
    """Two texts, 'a b' and 'a c': too few for discounts of their own, so 0.5 is taken of each count."""
    model = ngram.train(["a b", "a c"], order=2)
    vocabulary, kinds = 5, 5  # a, b, c, end, unknown; the pairs are "<s> a", "a b", "a c", "b </s>", "c </s>"
    single = (1 - 0.5) / kinds + (4 * 0.5 / kinds) / vocabulary
    assert math.exp(model.log_probability("b")) == pytest.approx(single)
    assert math.exp(model.log_probability("b", ["a"])) == pytest.approx((1 - 0.5) / 2 + (2 * 0.5 / 2) * single)
    unheard = (4 * 0.5 / kinds) / vocabulary
    assert math.exp(model.log_probability("zebra", ["a"])) == pytest.approx((2 * 0.5 / 2) * unheard)
    assert model.score(["a", "b"]) == pytest.approx(
        model.log_probability("a", [START]) + model.log_probability("b", [START, "a"])
        + model.log_probability(END, ["a", "b"]))


def test_what_was_read_is_likelier_than_what_was_not() -> None:
    model = ngram.train(TEXTS)
    assert model.perplexity(["turn on the light"]) < model.perplexity(["light the on turn"])
    assert model.perplexity(["turn on the light"]) < model.perplexity(["turn on the xylophone"])
    assert model.words == ("light", "now", "off", "on", "play", "radio", "stop", "the", "turn")


def test_longer_sequences_help_on_texts_of_the_same_kind() -> None:
    rng = np.random.default_rng(3)
    following = rng.dirichlet(np.full(12, 0.2), size=12)

    def text() -> str:
        words = [int(rng.integers(12))]
        while len(words) < 8:
            words.append(int(rng.choice(12, p=following[words[-1]])))
        return " ".join(f"w{word}" for word in words)

    texts = [text() for _ in range(600)]
    one, two = (ngram.train(texts[:500], order=order).perplexity(texts[500:]) for order in (1, 2))
    assert two < 0.75 * one


def test_words_may_be_known_that_no_text_has() -> None:
    model = ngram.train(TEXTS, words=["attic"])
    assert "attic" in model
    assert model.log_probability("attic") == model.log_probability("unheard")


def test_a_file_says_the_same_again() -> None:
    model = ngram.train(TEXTS)
    again = ngram.read_arpa(ngram.to_arpa(model))
    assert again.order == 3
    for text in ("turn off the radio", "stop the light", "unheard of"):
        assert again.score(text.split()) == pytest.approx(model.score(text.split()), abs=1e-4)


def test_a_file_written_by_hand_is_read() -> None:
    model = ngram.read_arpa("""made by hand
\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-99 <s> -0.3
-0.5 a -0.2
-0.6 b
-0.7 </s>

\\2-grams:
-0.1 <s> a
-0.2 a b

\\end\\
""")
    assert model.log_probability("b", ["a"]) == pytest.approx(-0.2 * math.log(10))
    assert model.log_probability("a", ["a"]) == pytest.approx((-0.2 - 0.5) * math.log(10))
    assert model.log_probability("b", [START]) == pytest.approx((-0.3 - 0.6) * math.log(10))
    assert model.log_probability("c", ["a"]) == -math.inf


@pytest.mark.parametrize(("old", "new", "said"), [
    ("\\data\\", "", "no ARPA file"), ("\\end\\", "", "cut off"), ("ngram 1=4", "ngram 1=5", "says 5"),
    ("-0.6 b", "-0.6", "line 8: "), ("-0.6 b", "zero b", "line 8: .*number is expected"),
    ("ngram 2=2", "ngram two", "line 4: ")])
def test_a_broken_file_is_said_with_its_line(old: str, new: str, said: str) -> None:
    text = "\n".join(["", "\\data\\", "ngram 1=4", "ngram 2=2", "\\1-grams:", "-99 <s>", "-0.5 a", "-0.6 b",
                      "-0.7 </s>", "\\2-grams:", "-0.1 <s> a", "-0.2 a b", "\\end\\"])
    assert ngram.read_arpa(text).order == 2
    with pytest.raises(LinnetError, match=said):
        ngram.read_arpa(text.replace(old, new))


def test_nothing_to_learn_is_said() -> None:
    with pytest.raises(LinnetError, match="texts with words"):
        ngram.train(["", " "])
    with pytest.raises(LinnetError, match="order"):
        ngram.train(["a"], order=0)
    with pytest.raises(LinnetError, match="at least one text"):
        ngram.train(["a"]).perplexity([])
