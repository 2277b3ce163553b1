"""Dates, said in relation to a day or in full."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from linnet.language.entities.entity import Entity, Word
from linnet.language.entities.numbers import Number

_DAYS = {name: number for number, name in enumerate(
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))}
_MONTHS = {name: number for number, name in enumerate(
    ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"), start=1)}
_MONTHS |= {name[:3]: number for name, number in _MONTHS.items()} | {"sept": 9}
_RELATIVE = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
_SPANS = {"day": 1, "days": 1, "week": 7, "weeks": 7}
_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")


def date_entities(text: str, words: Sequence[Word], numbers: Sequence[Number], today: date) -> list[Entity]:
    """"tomorrow", "next friday", "in two weeks", "the 5th of may 2027", "may 5", "2027-05-05", as "2027-05-05".

    Without a year, the next such day from today on. "friday" is the next one, today not counted; "next friday" is that
    of the week after this one (weeks begin on Monday); "last friday" the one before today.
    """
    found = [Entity("date", day.isoformat(), match.start(), match.end()) for match in _ISO.finditer(text)
             if (day := _day(int(match[1]), int(match[2]), int(match[3])))]
    place = 0
    while place < len(words):
        read = (_relative(words, place, numbers, today) or _weekday(words, place, today)
                or _in_full(words, place, numbers, today))
        if read:
            day, last = read
            found.append(Entity("date", day.isoformat(), words[place].start, words[last - 1].end))
            place = last
        else:
            place += 1
    return found


def _relative(words: Sequence[Word], place: int, numbers: Sequence[Number], today: date) -> tuple[date, int] | None:
    text = words[place].text
    if [_at(words, place + step) for step in range(4)] == ["the", "day", "after", "tomorrow"]:
        return today + timedelta(days=2), place + 4
    if [_at(words, place + step) for step in range(3)] == ["day", "after", "tomorrow"]:
        return today + timedelta(days=2), place + 3
    if text in _RELATIVE:
        return today + timedelta(days=_RELATIVE[text]), place + 1
    if text != "in":
        return None
    number = next((one for one in numbers if one.first == place + 1), None)
    amount, unit = (number.value, number.last) if number else (1.0, place + 2)
    if number is None and _at(words, place + 1) not in ("a", "one"):
        return None
    days = _SPANS.get(_at(words, unit))
    return None if days is None or amount > 3650 else (today + timedelta(days=int(amount * days)), unit + 1)


def _weekday(words: Sequence[Word], place: int, today: date) -> tuple[date, int] | None:
    which = words[place].text if words[place].text in ("next", "last", "this") else ""
    name = _at(words, place + bool(which))
    if name not in _DAYS:
        return None
    ahead = (_DAYS[name] - today.weekday() - 1) % 7 + 1
    if which == "next":
        ahead = 7 - today.weekday() + _DAYS[name]
    elif which == "last":
        ahead = ahead - 7 or -7
    return today + timedelta(days=ahead), place + 1 + bool(which)


def _in_full(words: Sequence[Word], place: int, numbers: Sequence[Number], today: date) -> tuple[date, int] | None:
    """"the 5th of may", "5 may", "may the fifth", "may 5th 2027"."""
    start = place + 1 if words[place].text == "the" else place
    by_first = {number.first: number for number in numbers}
    if start in by_first and _is_day(by_first[start]):
        month = _behind(words, by_first[start])
        month += _at(words, month) == "of"
        if _at(words, month) in _MONTHS:
            return _with_year(words, _MONTHS[words[month].text], by_first[start], month + 1, by_first, today)
    if words[place].text in _MONTHS:
        day = by_first.get(place + 1 + (_at(words, place + 1) == "the"))
        if day and _is_day(day):
            return _with_year(words, _MONTHS[words[place].text], day, _behind(words, day), by_first, today)
    return None


def _with_year(words: Sequence[Word], month: int, day: Number, last: int, by_first: dict[int, Number],
               today: date) -> tuple[date, int] | None:
    behind = last + (_at(words, last) == ",")
    year = by_first.get(behind)
    if year and 1900 <= year.value <= 2200 and year.value % 1 == 0:
        found = _day(int(year.value), month, int(day.value))
        return (found, year.last) if found else None
    for candidate in range(today.year, today.year + 9):
        found = _day(candidate, month, int(day.value))
        if found and found >= today:
            return found, last
    return None


def _behind(words: Sequence[Word], day: Number) -> int:
    return day.last + (_at(words, day.last) in ("st", "nd", "rd", "th"))


def _is_day(number: Number) -> bool:
    return number.value % 1 == 0 and 1 <= number.value <= 31


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _at(words: Sequence[Word], place: int) -> str:
    return words[place].text if 0 <= place < len(words) else ""
