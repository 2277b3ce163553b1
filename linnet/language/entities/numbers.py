"""Numbers in figures and in words, ordinals told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from linnet.errors import missing_extra
from linnet.language.entities.entity import Entity, Word


@dataclass(frozen=True)
class Number:
    """A number and the words that say it: first and behind the last."""

    value: float
    first: int
    last: int
    is_ordinal: bool = False


class _Token:
    def __init__(self, text: str) -> None:
        self._text = text

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: Any) -> bool:
        del previous
        return False

    def not_a_number_part(self) -> bool:
        return False


def numbers_of(words: Sequence[Word]) -> list[Number]:
    """Every number; "one" alone counts too, "second" is an ordinal, "twenty-five" is one number."""
    try:
        from text_to_num import find_numbers
    except ImportError as error:
        raise missing_extra("text2num", "entities") from error
    figures = {place: value for place, word in enumerate(words) if (value := _figures(word.text)) is not None}
    found = [Number(value, place, place + 1, _is_ordinal(words, place)) for place, value in figures.items()]
    spoken = [_Token("|" if place in figures else word.text) for place, word in enumerate(words)]
    for one in find_numbers(spoken, "en", 0.0):
        value = float(str(one.value))
        found.append(Number(value, int(one.start), int(one.end), bool(one.is_ordinal)))
    return sorted(found, key=lambda number: number.first)


def number_entities(words: Sequence[Word], numbers: Sequence[Number]) -> list[Entity]:
    """Numbers as entities."""
    return [Entity("ordinal" if number.is_ordinal else "number", number.value, words[number.first].start,
                   words[number.last - 1 + _suffix(words, number)].end) for number in numbers]


def _suffix(words: Sequence[Word], number: Number) -> int:
    """1 where the "th" of "5th" is a word of its own."""
    return int(number.is_ordinal and number.last < len(words) and words[number.last].text in _SUFFIXES
               and words[number.last].start == words[number.last - 1].end)


_SUFFIXES = ("st", "nd", "rd", "th")


def _is_ordinal(words: Sequence[Word], place: int) -> bool:
    return place + 1 < len(words) and words[place + 1].text in _SUFFIXES and words[place + 1].start == words[place].end


def _figures(text: str) -> float | None:
    """"1,200.50" is a number, "7:30" and "1.2.3" are none.

    >>> _figures("1,200.50"), _figures("7:30"), _figures("five")
    (1200.5, None, None)
    """
    plain = text.replace(",", "")
    try:
        return float(plain) if plain[:1].isdigit() and "_" not in plain else None
    except ValueError:
        return None
