"""Prefix beam search: against every alignment summed, with word models and boosted words."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.language import ngram
from linnet.language.lexicon import Lexicon
from linnet.speech.decoding import Worth, beam_search, log_posteriors, vocabulary

PHONES = {"x": 1, "y": 2, "z": 3}
LEXICON = Lexicon({"a": (("x",),), "b": (("x", "y"), ("y", "x")), "c": (("y", "y"),), "d": (("z", "x", "y"),)})
ALIKE = Worth(insertion=0.0)


def by_hand(logs: np.ndarray) -> dict[str, float]:
    """Each text's likelihood: all sequences of labels that there are, summed by what they say."""
    sums: dict[tuple[int, ...], float] = {}
    for labels in itertools.product(range(4), repeat=len(logs)):
        said = tuple(label for label, _ in itertools.groupby(labels) if label)
        score = sum(float(logs[frame, label]) for frame, label in enumerate(labels))
        sums[said] = np.logaddexp(sums.get(said, -np.inf), score)
    texts: dict[str, float] = {}
    for size in range(len(logs) + 1):
        for words in itertools.product(LEXICON.entries, repeat=size):
            for ways in itertools.product(*(LEXICON[word] for word in words)):
                phones = tuple(PHONES[phone] for way in ways for phone in way)
                if phones in sums:
                    texts[" ".join(words)] = np.logaddexp(texts.get(" ".join(words), -np.inf), sums[phones])
    return texts


@settings(max_examples=25)
@given(st.integers(1, 5), st.integers(0, 10_000))
def test_a_wide_beam_finds_every_text_with_its_likelihood(frames: int, seed: int) -> None:
    logs = log_posteriors(2 * np.random.default_rng(seed).normal(size=(frames, 4)))
    wanted = by_hand(logs)
    found = beam_search(logs, vocabulary(LEXICON, PHONES, ALIKE), width=10_000, count=10_000)
    assert {one.text: pytest.approx(one.acoustic, abs=1e-4) for one in found} == wanted
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    best = max(wanted, key=lambda text: wanted[text])
    assert beam_search(logs, vocabulary(LEXICON, PHONES, ALIKE), width=50)[0].text == best


def unsure(labels: str, certainty: float = 1.0) -> np.ndarray:
    return log_posteriors(certainty * np.eye(4)[[{"_": 0, **PHONES}[letter] for letter in labels]])


def test_a_word_model_decides_between_what_sounds_alike() -> None:
    alike = Lexicon({"red": (("x", "y"),), "read": (("x", "y"),), "books": (("z",),), "wine": (("z", "z"),)})
    model = ngram.train(["read books", "read books", "red wine", "red wine", "red wine"], order=2)
    says = vocabulary(alike, PHONES, Worth(model, weight=1.0, insertion=0.0))
    assert beam_search(unsure("xy_z__", 4), says)[0].text == "read books"
    assert beam_search(unsure("xy_z_z", 4), says)[0].text == "red wine"
    best = beam_search(unsure("xy_z__", 4), says)[0]
    assert best.language == pytest.approx(model.score(["read", "books"]))


def test_names_given_at_run_time_are_heard_more_easily() -> None:
    names = Lexicon({"ann": (("x", "y"),), "anne": (("x", "z"),)})
    heard = unsure("x" + "y", 3.0)
    assert beam_search(heard, vocabulary(names, PHONES, Worth()))[0].text == "ann"
    assert beam_search(heard, vocabulary(names, PHONES, Worth(boosts={"Anne": 6.0})))[0].text == "anne"


def test_a_boost_of_a_word_that_the_lexicon_lacks_is_said(caplog: pytest.LogCaptureFixture) -> None:
    names = Lexicon({"Ann": (("x", "y"),)})
    vocabulary(names, PHONES, Worth(boosts={"ANN": 6.0}))
    assert not caplog.messages
    vocabulary(names, PHONES, Worth(boosts={"ann": 6.0, "Linnet": 4.0}))
    assert caplog.messages == ["1 of 2 boosted words are not in the lexicon, and cannot be heard: linnet; add how they "
                               "are said."]


def test_a_boost_does_not_make_up_words_in_silence() -> None:
    names = Lexicon({"ann": (("x", "y"),)})
    said = vocabulary(names, PHONES, Worth(boosts={"ann": 6.0}))
    assert beam_search(unsure("________", 12.0), said)[0].text == ""


def test_word_insertion_weighs_against_short_words() -> None:
    words = Lexicon({"a": (("x",),), "ab": (("x", "y"),), "b": (("y",),)})
    heard = unsure("xy", 2.0)
    assert beam_search(heard, vocabulary(words, PHONES, Worth(insertion=-3.0)))[0].text == "ab"
    assert beam_search(heard, vocabulary(words, PHONES, Worth(insertion=3.0)))[0].text == "a b"


def test_nothing_heard_is_the_empty_text_and_a_beam_within_words_leaves_them_out() -> None:
    says = vocabulary(LEXICON, PHONES, Worth())
    assert [one.text for one in beam_search(np.zeros((0, 4), np.float32), says)] == [""]
    only = vocabulary(Lexicon({"d": (("z", "x", "y"),)}), PHONES, Worth())
    (found,) = beam_search(unsure("zx", 20.0), only, width=1)
    assert found.text == ""
    assert math.isfinite(found.score)


def test_phones_that_the_network_lacks_are_refused() -> None:
    with pytest.raises(LinnetError, match="does not answer with: z"):
        vocabulary(LEXICON, {"x": 1, "y": 2}, Worth())
