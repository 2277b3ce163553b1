"""Lexicon: how words are said, each in one or more ways, as the labels of a network."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.data.sources.lines import text_of
from linnet.errors import LinnetError, unknown

log = logging.getLogger("linnet")

Pronunciation = tuple[str, ...]
Guess = Callable[[list[str]], dict[str, Pronunciation]]
"""Words to how they may be said, for those that no lexicon holds: grapheme-to-phoneme conversion."""

_VARIANT = re.compile(r"\(\d+\)$")


@dataclass(frozen=True)
class Lexicon:
    """Words, in any case, to their pronunciations; the first is the usual one.

    >>> Lexicon({"read": (("R", "IY", "D"), ("R", "EH", "D"))})["Read"]
    (('R', 'IY', 'D'), ('R', 'EH', 'D'))
    """

    entries: Mapping[str, tuple[Pronunciation, ...]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "entries", {word.casefold(): _said(word, ways) for word, ways in self.entries.items()})

    def __contains__(self, word: str) -> bool:
        return word.casefold() in self.entries

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, word: str) -> tuple[Pronunciation, ...]:
        """Raises LinnetError for a word that it does not hold."""
        if word not in self:
            raise unknown("word", word, self.entries) if len(self) < 20 else LinnetError(
                f"the lexicon of {len(self):,} words does not say how '{word}' is said: add it, or let it be guessed "
                "(language.espeak).")
        return self.entries[word.casefold()]

    @property
    def phones(self) -> tuple[str, ...]:
        """Every label that it uses, sorted."""
        return tuple(sorted({phone for ways in self.entries.values() for way in ways for phone in way}))

    def of(self, words: Iterable[str], guess: Guess | None = None) -> Lexicon:
        """Only these words. What it lacks is guessed, and that is said; without a guess raises LinnetError."""
        wanted = sorted({word.casefold() for word in words})
        missing = [word for word in wanted if word not in self]
        if missing and guess is None:
            raise LinnetError(f"the lexicon of {len(self):,} words lacks {len(missing)} of {len(wanted)}: "
                              f"{', '.join(missing[:10])}. Add them, or let them be guessed (language.espeak).")
        guessed = guess(missing) if missing and guess else {}
        if missing:
            log.warning("%d of %d words are not in the lexicon, and how they are said was guessed: %s.", len(missing),
                        len(wanted), "; ".join(f"{word} as {' '.join(guessed[word])}" for word in missing[:10]))
        return Lexicon({word: (guessed[word],) if word in guessed else self[word] for word in wanted})

    def to_json(self) -> dict[str, list[str]]:
        """Each word with its pronunciations, phones parted by spaces."""
        return {word: [" ".join(way) for way in ways] for word, ways in self.entries.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Iterable[str]]) -> Lexicon:
        """Read what `to_json` wrote."""
        return cls({str(word): tuple(tuple(way.split()) for way in ways) for word, ways in value.items()})


def read_lexicon(path: Path | str, *, stress: bool = False) -> Lexicon:
    """A line a pronunciation: the word, then its phones; later lines of a word, or WORD(2), are further ways.

    Lines that start with ;;; or # say nothing. `stress=False` takes the digits of stress off the phones, so that ways
    that differ by stress alone are one.
    """
    file = Path(path)
    if not file.is_file():
        raise LinnetError(f"there is no lexicon {file}; give a file with a word and its phones a line.")
    ways: dict[str, dict[Pronunciation, None]] = {}
    for number, line in enumerate(text_of(file).split("\n"), 1):
        if not line.strip() or line.startswith((";;;", "#")):
            continue
        word, *phones = line.split()
        if not phones:
            raise LinnetError(f"{file}, line {number}: '{word}' has no phones; a line is a word and its phones.")
        said = tuple(phone if stress else phone.rstrip("012") for phone in phones)
        if "" in said:
            raise LinnetError(f"{file}, line {number}: '{phones[said.index('')]}' is no phone; the digit of stress "
                              "stands behind one, such as AH0.")
        ways.setdefault(_VARIANT.sub("", word).casefold(), {})[said] = None
    return Lexicon({word: tuple(several) for word, several in ways.items()})


def _said(word: str, ways: Any) -> tuple[Pronunciation, ...]:
    if isinstance(ways, str) or any(isinstance(way, str) for way in ways):
        raise LinnetError(f"a word's pronunciations are a tuple of tuples of phones, such as (('R', 'EH', 'D'),); got "
                          f"{ways!r:.60} for '{word}'.")
    if not ways or not all(ways):
        raise LinnetError(f"the lexicon holds '{word}' without a pronunciation; give at least one phone.")
    return tuple(map(tuple, ways))
