"""How a value is written in a language, and which case of a choice it leads to."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from linnet.errors import LinnetError
from linnet.responses.locales import babel, locale_of, rule
from linnet.responses.parsing import Choice, Slot

Number = int | float | Decimal


def written(slot: Slot, value: Any, locale: str) -> str:
    """The value as the language writes it; raises LinnetError for one of another kind than the template says."""
    return _WRITERS[slot.kind or _kind_of(slot, value)](slot, value, locale)


def chosen(choice: Choice, value: Any, locale: str) -> str:
    """Which case of the choice the value leads to: an exact number, the case of the language, `other`."""
    if choice.kind == "select":
        return str(value) if str(value) in choice.branches else "other"
    number = _number(choice.name, value)
    exact = f"={number}"
    if exact in choice.branches:
        return exact
    return str(rule(locale, choice.kind)(Decimal(str(abs(number)))))


def _kind_of(slot: Slot, value: Any) -> str:
    """What a value without a kind is."""
    if isinstance(value, str):
        return "text"
    if isinstance(value, Number) and not isinstance(value, bool):
        return "number"
    if isinstance(value, datetime.date):
        return "date"
    if isinstance(value, datetime.time):
        return "time"
    if isinstance(value, list | tuple):
        return "list"
    raise LinnetError(f"the value of '{slot.name}' is a {type(value).__name__}; a template takes texts, numbers, "
                      "dates, times and lists of texts.")


def _number(name: str, value: Any) -> Number:
    """A finite number, a whole one as int."""
    if isinstance(value, bool) or not isinstance(value, Number) or not Decimal(str(value)).is_finite():
        raise LinnetError(f"'{name}' must be a number; got {value!r:.60}.")
    return int(value) if value == int(value) else value


def _write_number(slot: Slot, value: Any, locale: str) -> str:
    number, numbers = _number(slot.name, value), babel().numbers
    if slot.style == "percent":
        return str(numbers.format_percent(number, locale=locale_of(locale)))
    if slot.style == "integer":
        return str(numbers.format_decimal(round(number), locale=locale_of(locale)))
    return str(numbers.format_decimal(number, locale=locale_of(locale)))


def _write_currency(slot: Slot, value: Any, locale: str) -> str:
    return str(babel().numbers.format_currency(_number(slot.name, value), slot.style, locale=locale_of(locale)))


def _write_date(slot: Slot, value: Any, locale: str) -> str:
    if not isinstance(value, datetime.date):
        raise LinnetError(f"'{slot.name}' must be a date; got {value!r:.60}.")
    return str(babel().dates.format_date(value, slot.style or "medium", locale=locale_of(locale)))


def _write_time(slot: Slot, value: Any, locale: str) -> str:
    if not isinstance(value, datetime.time | datetime.datetime):
        raise LinnetError(f"'{slot.name}' must be a time; got {value!r:.60}.")
    return str(babel().dates.format_time(value, slot.style or "short", locale=locale_of(locale)))


def _write_list(slot: Slot, value: Any, locale: str) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence) or not all(isinstance(one, str) for one in value):
        raise LinnetError(f"'{slot.name}' must be a list of texts; got {value!r:.60}.")
    style = "or" if slot.style == "or" else "standard"
    return str(babel().lists.format_list(list(value), style=style, locale=locale_of(locale))) if value else ""


_WRITERS: dict[str, Callable[[Slot, Any, str], str]] = {
    "text": lambda _, value, __: str(value), "number": _write_number, "currency": _write_currency,
    "date": _write_date, "time": _write_time, "list": _write_list}
