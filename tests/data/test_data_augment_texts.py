"""Words and letters are left out, exchanged and mistyped as often as asked, and no text becomes empty."""

import numpy as np
import pytest

from linnet.data.augment import Typos, WordDropout, WordSwap
from linnet.errors import LinnetError

TEXT = "will it rain in berlin tomorrow or shall we go out"


def rng(seed=0):
    return np.random.default_rng(seed)


def test_words_are_left_out_as_often_as_asked_and_keep_their_order():
    out = WordDropout(0.3).on_texts([TEXT] * 500, rng())
    left = np.array([len(text.split()) for text in out])
    assert left.mean() / len(TEXT.split()) == pytest.approx(0.7, abs=0.02)
    for text in out[:50]:
        positions = [TEXT.split().index(word) for word in text.split()]
        assert positions == sorted(positions)


def test_one_word_always_stays_and_any_may():
    out = WordDropout(1.0).on_texts([TEXT] * 500 + [""], rng())
    assert set(out[:-1]) == set(TEXT.split())
    assert out[-1] == ""


def test_a_left_out_word_may_leave_something_in_its_place():
    out = WordDropout(0.5, in_place_of="[UNK]").on_texts([TEXT] * 50, rng())
    assert all(len(text.split()) == len(TEXT.split()) for text in out)
    assert any("[UNK]" in text for text in out)


def test_spaces_stay_where_nothing_is_left_out():
    assert WordDropout(0.0).on_texts(["  two  spaces "], rng()) == ["  two  spaces "]


def test_swaps_keep_the_words():
    out = WordSwap(0.2).on_texts([TEXT] * 200, rng())
    assert all(sorted(text.split()) == sorted(TEXT.split()) for text in out)
    assert 0.5 < np.mean([text != TEXT for text in out]) < 1
    assert WordSwap(1.0).on_texts(["a b", "one", ""], rng()) == ["b a", "one", ""]


def test_typos_are_as_many_as_asked_and_spaces_stay():
    out = Typos(0.1, chance=1).on_texts([TEXT] * 300, rng())
    assert all(len(text.split()) == len(TEXT.split()) for text in out)
    lengths = np.array([len(text) for text in out]) - len(TEXT)
    assert abs(lengths.mean()) < 1.5
    assert lengths.min() < 0 < lengths.max()
    assert np.mean([text != TEXT for text in out]) > 0.95


def test_a_wrong_key_lies_beside_the_right_one():
    out = Typos(1.0, chance=1).on_texts(["g G"] * 400, rng())
    typed = {text.split()[-1] for text in out}
    assert typed <= {"GG", *"FHTYVB"}
    assert typed > {"GG"}
    assert {text.split()[-1] for text in Typos(1.0, keyboard="azerty", chance=1).on_texts(["a"] * 400, rng())} == {
        "aa", *"zq"}


def test_letters_that_the_keyboard_does_not_have_are_typed_twice_not_wrong():
    out = Typos(1.0, chance=1).on_texts(["雨", "雨 雨", "12 :"] * 50, rng())
    assert set("".join(out)) <= set("雨12 :")
    assert all(out)


def test_only_a_share_of_the_texts_changes():
    out = Typos(0.5, chance=0.25).on_texts([TEXT] * 400, rng())
    assert np.mean([text != TEXT for text in out]) == pytest.approx(0.25, abs=0.06)


@pytest.mark.parametrize("make", [lambda: Typos(keyboard="dvorak"), lambda: WordDropout(1.5), lambda: WordSwap(-0.1)])
def test_settings_that_make_no_sense_are_refused(make):
    with pytest.raises(LinnetError, match=r"unknown keyboard|from 0 to 1"):
        make()
