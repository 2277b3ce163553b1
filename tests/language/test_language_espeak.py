"""Guessing how words are said: phonetic letters to phones, and espeak-ng where it is installed."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from linnet.errors import LinnetError
from linnet.language.espeak import arpabet, guessed

PHONES = "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH"
INSTALLED = all(map(importlib.util.find_spec, ("phonemizer", "espeakng_loader")))


@pytest.mark.parametrize(("letters", "phones"), [
    ("tʃɜːtʃ", "CH ER CH"), ("dʒʌdʒ", "JH AH JH"), ("ˈfaɪɚ", "F AY ER"), ("lɪɾəl", "L IH T AH L"),
    ("bʌʔn̩", "B AH T AH N"), ("ɡoʊɪŋ", "G OW IH NG"), ("", "")])
def test_letters_become_phones_the_longest_first(letters: str, phones: str) -> None:
    assert arpabet(letters) == tuple(phones.split())


def test_the_table_holds_every_phone_and_no_other() -> None:
    from linnet.language.espeak import _table

    assert {phone for phones in _table().values() for phone in phones} == set(PHONES.split())


def test_no_words_need_no_package() -> None:
    assert guessed([]) == {}


def test_a_missing_extra_names_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from linnet.language import espeak

    espeak._backend.cache_clear()
    monkeypatch.setitem(sys.modules, "phonemizer.backend", None)
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(LinnetError, match=r"linnet\[g2p\]"):
        guessed(["word"])
    espeak._backend.cache_clear()


@pytest.mark.skipif(not INSTALLED, reason="needs the extra g2p")
def test_words_are_guessed_and_what_is_no_english_is_refused() -> None:
    found = guessed(["henny", "Linnet", "cat's"])
    assert found["henny"] == ("HH", "EH", "N", "IY")
    assert found["cat's"] == ("K", "AE", "T", "S")
    assert set(found["Linnet"]) <= set(PHONES.split())
    with pytest.raises(LinnetError, match=r"'東京', '\.\.\.'"):
        guessed(["hello", "東京", "..."])


@pytest.mark.skipif(not INSTALLED, reason="needs the extra g2p")
def test_a_word_of_two_scripts_is_refused_and_accents_are_not() -> None:
    assert guessed(["naïve"])["naïve"]
    with pytest.raises(LinnetError, match="'bär今'"):
        guessed(["bär今"])


@pytest.mark.skipif(not INSTALLED, reason="needs the extra g2p")
def test_only_we_speak_of_the_guess(caplog: pytest.LogCaptureFixture) -> None:
    guessed(["hello"])
    assert not caplog.records
