"""Numbers in words: counts, plurals, rates in a hundred, sizes; always rounded so that nothing looks better."""

from __future__ import annotations

import math
from typing import Literal

_WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
Rounding = Literal["nearest", "down", "up"]


def in_words(number: int) -> str:
    """A count as one reads it: words up to twelve, then figures with commas.

    >>> in_words(2), in_words(1000)
    ('two', '1,000')
    """
    return _WORDS[number] if 0 <= number < len(_WORDS) else f"{number:,}"


def plural(noun: str) -> str:
    """The plural of an English noun by its ending; a name that is plural already, or of several words, keeps its head.

    >>> plural("speaker"), plural("class"), plural("category"), plural("key"), plural("species")
    ('speakers', 'classes', 'categories', 'keys', 'species')
    >>> plural("slots"), plural("diagnosis"), plural("bus")
    ('slots', 'diagnoses', 'buses')
    """
    if noun.endswith("sis"):
        return noun[:-2] + "es"
    if noun.endswith("s") and not noun.endswith(("ss", "us", "is")):
        return noun
    if noun.endswith("y") and noun[-2:-1] not in tuple("aeiou"):
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "ch", "sh")) else "s")


def counted(number: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "speaker"), counted(360, "image")
    ('one speaker', '360 images')
    """
    return f"{in_words(number)} {noun if number == 1 else plural(noun)}"


def percent(level: float) -> str:
    """A confidence level: no more digits than it has.

    >>> percent(0.95), percent(0.999)
    ('95 %', '99.9 %')
    """
    return f"{100 * level:.10g} %"


def scale(*rates: float) -> int:
    """100, or as many more as keep a rate near 0 or 1 from being rounded to none or all.

    >>> scale(0.91), scale(0.997), scale(1.0)
    (100, 1000, 100)
    """
    for of in (100, 1000, 10_000):
        if all(rate in (0.0, 1.0) or 0 < round(rate * of) < of for rate in rates):
            return of
    return 100_000


def share(rate: float, *, of: int = 100, rounding: Rounding = "nearest") -> int:
    """So many of `of`; lower bounds are rounded down, upper bounds up.

    >>> share(0.889, rounding="down"), share(0.011, rounding="up"), share(0.29, rounding="down")
    (88, 2, 29)
    """
    exact = round(rate * of, 9)
    if rounding == "nearest":
        return round(exact)
    return math.floor(exact) if rounding == "down" else math.ceil(exact)


def in_hundred(rate: float, *, of: int = 100, rounding: Rounding = "nearest") -> str:
    """A rate as one says it.

    >>> in_hundred(0.914), in_hundred(0.9973, of=1000, rounding="down")
    ('91 in 100', '997 in 1,000')
    """
    return f"{share(rate, of=of, rounding=rounding):,} in {of:,}"


def bound_in_hundred(rate: float) -> str:
    """A bound that somebody asked for, unrounded.

    >>> bound_in_hundred(0.8), bound_in_hundred(0.825)
    ('80 in 100', '82.5 in 100')
    """
    return f"{round(100 * rate, 6):.10g} in 100"


def size(size_bytes: int) -> str:
    """A size in KB of 1000 bytes, or in MB, rounded up.

    >>> size(37_120), size(352_000), size(4_210_000)
    ('38 KB', '352 KB', '4.3 MB')
    """
    if size_bytes < 1_000_000:
        return f"{math.ceil(size_bytes / 1000)} KB"
    return f"{math.ceil(size_bytes / 100_000) / 10:.10g} MB"


def kilobytes(value: float) -> str:
    """Kilobytes with one decimal, rounded up.

    >>> kilobytes(30.71), kilobytes(64.0)
    ('30.8 KB', '64.0 KB')
    """
    return f"{math.ceil(round(10 * value, 6)) / 10:,.1f} KB"


def times(ratio: float) -> str:
    """How many times smaller, rounded down: whole from two on, else with a tenth.

    >>> times(9.4), times(1.48)
    ('9', '1.4')
    """
    return str(math.floor(ratio)) if ratio >= 2 else f"{math.floor(ratio * 10) / 10:.1f}"


def milliseconds(value: float) -> str:
    """A time in milliseconds with two significant digits, rounded up.

    >>> milliseconds(0.412), milliseconds(12.31)
    ('0.42 ms', '13 ms')
    """
    if value <= 0:
        return "0 ms"
    digits = max(0, 1 - math.floor(math.log10(value)))
    return f"{math.ceil(round(value * 10**digits, 6)) / 10**digits:.10g} ms"


def listed(names: list[str] | tuple[str, ...], *, most: int = 6) -> str:
    """Names as one reads them aloud.

    >>> listed(["lucas", "theo"]), listed(["a", "b", "c"], most=2)
    ('lucas and theo', 'a, b and 1 more')
    """
    shown = list(names[:most]) + ([f"{len(names) - most} more"] if len(names) > most else [])
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
