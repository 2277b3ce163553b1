"""Times of the day, and spans of time from now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from linnet.language.entities.entity import Entity, Word
from linnet.language.entities.numbers import Number

_CLOCK = re.compile(r"^([01]?\d|2[0-3])[:.]([0-5]\d)$")
_NAMED = {"noon": (12, 0), "midday": (12, 0), "midnight": (0, 0)}
_PARTS = {"morning": False, "afternoon": True, "evening": True, "night": True}
_UNITS = {"minute": 60, "minutes": 60, "hour": 3600, "hours": 3600, "second": 1, "seconds": 1}


def time_entities(words: Sequence[Word], numbers: Sequence[Number], now: datetime) -> list[Entity]:
    """"7 pm", "7:30", "half past six", "quarter to nine in the evening", "noon", "in twenty minutes", as "19:00".

    Without a word for the half of the day, hours are taken as they stand: "at seven" is 07:00.
    """
    at = {number.first: number for number in numbers if not number.is_ordinal}
    found, place = [], 0
    while place < len(words):
        read = _from_now(words, place, at, now) or _clock(words, place, at)
        if read:
            value, last = read
            found.append(Entity("time", value, words[place].start, words[last - 1].end))
            place = last
        else:
            place += 1
    return found


def _clock(words: Sequence[Word], place: int, at: dict[int, Number]) -> tuple[str, int] | None:
    text = words[place].text
    if text in _NAMED:
        return "{:02}:{:02}".format(*_NAMED[text]), place + 1
    past = _past(words, place, at)
    if past:
        hour, minute, last = past
        return _said(words, hour, minute, last, must=False)
    exact = _CLOCK.match(text)
    if exact:
        return _said(words, int(exact[1]), int(exact[2]), place + 1, must="." in text)
    number = at.get(place)
    return _hour(words, place, number, at) if number is not None and _is_hour(number.value) else None


def _hour(words: Sequence[Word], place: int, number: Number, at: dict[int, Number]) -> tuple[str, int] | None:
    """"seven thirty pm", "seven o'clock", "at seven"."""
    last = number.last
    following = at.get(last)
    is_minutes = following is not None and 10 <= following.value <= 59 and following.value % 1 == 0
    if following is not None and is_minutes:  # seven thirty
        said = _said(words, int(number.value), int(following.value), following.last, must=not _is_at(words, place))
        if said:
            return said
    if _at(words, last) in ("o'clock", "oclock", "o’clock"):
        return _said(words, int(number.value), 0, last + 1, must=False)
    return _said(words, int(number.value), 0, last, must=not _is_at(words, place) or following is not None)


def _past(words: Sequence[Word], place: int, at: dict[int, Number]) -> tuple[int, int, int] | None:
    """"half past six", "quarter to nine", "ten past four"."""
    start = place + 1 if words[place].text == "a" else place
    minutes = {"half": 30.0, "quarter": 15.0}.get(_at(words, start))
    link = start + 1
    if minutes is None and start in at:
        minutes, link = at[start].value, at[start].last
    hour = at.get(link + 1)
    if minutes is None or not 0 < minutes < 60 or hour is None or not _is_hour(hour.value):
        return None
    if _at(words, link) == "past":
        return int(hour.value), int(minutes), hour.last
    if _at(words, link) == "to" and (words[start].text == "quarter" or _has_half(words, hour.last)):
        return int(hour.value - 1) % 24 or (12 if hour.value == 1 else 0), 60 - int(minutes), hour.last
    return None


def _said(words: Sequence[Word], hour: int, minute: int, last: int, *, must: bool) -> tuple[str, int] | None:
    """With the half of the day that follows; None where one `must` follow and does not."""
    half, end = _half(words, last)
    if half is None:
        return None if must else (f"{hour:02}:{minute:02}", last)
    if not 1 <= hour <= 12:
        return f"{hour:02}:{minute:02}", end
    return f"{hour % 12 + 12 * half:02}:{minute:02}", end


def _half(words: Sequence[Word], place: int) -> tuple[bool | None, int]:
    """Whether it is the second half of the day, and the place behind the words that say so."""
    text = _at(words, place)
    if text in ("am", "pm"):
        return text == "pm", place + 1
    if text in ("a", "p") and _at(words, place + 1) in (".", "m"):
        last = place + 1
        while last < len(words) and words[last].text in (".", "m"):
            last += 1
        return text == "p", last
    if text == "in" and _at(words, place + 1) == "the" and _at(words, place + 2) in _PARTS:
        return _PARTS[words[place + 2].text], place + 3
    if text == "at" and _at(words, place + 1) == "night":
        return True, place + 2
    return None, place


def _has_half(words: Sequence[Word], place: int) -> bool:
    return _half(words, place)[0] is not None


def _from_now(words: Sequence[Word], place: int, at: dict[int, Number], now: datetime) -> tuple[str, int] | None:
    """"in twenty minutes", "in half an hour", "in an hour"."""
    if words[place].text != "in":
        return None
    amount, unit = 1.0, place + 1
    if _at(words, unit) == "half":
        amount, unit = 0.5, unit + 1
    if _at(words, unit) in ("a", "an"):
        unit += 1
    elif unit in at:
        amount, unit = at[unit].value, at[unit].last
    elif amount == 1.0:
        return None
    seconds = _UNITS.get(_at(words, unit))
    if seconds is None or amount * seconds > 86_400:
        return None
    return (now + timedelta(seconds=amount * seconds)).strftime("%H:%M"), unit + 1


def _is_at(words: Sequence[Word], place: int) -> bool:
    """Whether the words before say that an hour follows."""
    return place > 0 and words[place - 1].text in ("at", "by", "around", "until", "till")


def _is_hour(value: float) -> bool:
    return value % 1 == 0 and 0 <= value <= 24


def _at(words: Sequence[Word], place: int) -> str:
    return words[place].text if 0 <= place < len(words) else ""
