"""Entity: a stretch of a text with its value; and the words of a text with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"\d+(?:[.,:]\d+)*(?=\D|$)|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")


@dataclass(frozen=True)
class Entity:
    """`value` is written in one way: 253.05, "2026-11-23", "19:00", "USD 5.50", "+16502530000", a name's own form."""

    kind: str
    value: str | float
    start: int
    end: int

    def of(self, text: str) -> str:
        """What stands there."""
        return text[self.start : self.end]


@dataclass(frozen=True)
class Word:
    """A word, a figure or a sign, in lower case."""

    text: str
    start: int
    end: int


def words_of(text: str) -> list[Word]:
    """Words, figures and signs, where "7pm" is two of them.

    >>> [word.text for word in words_of("At 7:30pm, it's £5.50")]
    ['at', '7:30', 'pm', ',', "it's", '£', '5.50']
    """
    return [Word(found.group().lower(), found.start(), found.end()) for found in _WORD.finditer(text)]
