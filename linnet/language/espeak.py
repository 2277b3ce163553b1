"""espeak: how words that no lexicon holds may be said, by the rules of espeak-ng (through phonemizer)."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError, missing_extra
from linnet.language.lexicon import Pronunciation

log = logging.getLogger("linnet")

_TABLE = Path(__file__).parent / "arpabet.txt"


def guessed(words: Sequence[str]) -> dict[str, Pronunciation]:
    """Each word in the 39 phones of the CMU dictionary, American English, without stress.

    Raises LinnetError where the extra "g2p" is not installed, and for words in which espeak-ng finds nothing to say,
    such as such in another script.
    """
    if not words:
        return {}
    texts = _backend().phonemize(list(words), separator=_separator())
    ways = {word: arpabet(text) for word, text in zip(words, texts, strict=True)}
    silent = [word for word, phones in ways.items() if not phones or not _is_latin(word)]
    if silent:
        raise LinnetError(f"how {', '.join(map(repr, silent[:10]))} is said cannot be guessed by English rules: give a "
                          "lexicon that holds it.")
    return ways


def arpabet(text: str) -> Pronunciation:
    """Phonetic letters to phones, the longest pieces first; marks of stress and length that are left say nothing.

    >>> arpabet("ˈfaɪɚ")
    ('F', 'AY', 'ER')
    """
    phones: list[str] = []
    place = 0
    while place < len(text):
        piece = next((text[place : place + size] for size in (3, 2, 1) if text[place : place + size] in _table()), "")
        phones += _table().get(piece, ())
        place += len(piece) or 1
    return tuple(phones)


def _is_latin(word: str) -> bool:
    return any(letter.isascii() and letter.isalnum() for letter in word) and all(
        "LATIN" in unicodedata.name(letter, "") for letter in word if letter.isalpha())


@cache
def _table() -> dict[str, Pronunciation]:
    lines = [line for line in _TABLE.read_text("utf-8").split("\n") if line and not line.startswith("#")]
    return {letters: tuple(phones.split()) for letters, phones in (line.split("\t") for line in lines)}


@cache
def _backend() -> Any:
    try:
        import espeakng_loader
        from phonemizer.backend import EspeakBackend
        from phonemizer.backend.espeak.wrapper import EspeakWrapper
    except ImportError as error:
        raise missing_extra("phonemizer and espeakng-loader", "g2p") from error
    EspeakWrapper.set_library(espeakng_loader.get_library_path())
    EspeakWrapper.set_data_path(espeakng_loader.get_data_path())
    return EspeakBackend("en-us", with_stress=False, language_switch="remove-flags", logger=_silent())


def _silent() -> logging.Logger:
    """For its warning that words were lost, which counts the spaces that our separator leaves out."""
    logger = logging.Logger("phonemizer")
    logger.addHandler(logging.NullHandler())
    return logger


def _separator() -> Any:
    from phonemizer.separator import Separator

    return Separator(phone="", word="")
