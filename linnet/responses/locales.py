"""The rules of languages, by Babel and the Unicode CLDR that it carries: plurals, numbers, dates, lists."""

from __future__ import annotations

import difflib
from functools import cache
from typing import Any

from linnet.errors import LinnetError, missing_extra

_ORDER = ("zero", "one", "two", "few", "many", "other")
_LOOKED_AT = 1000
"""The whole numbers below show which cases a language needs; larger ones bring none but millions' forms."""


def babel() -> Any:
    """The package; raises LinnetError where it is not installed."""
    try:
        import babel
        import babel.dates
        import babel.lists
        import babel.numbers
    except ImportError as error:
        raise missing_extra("babel", "responses") from error
    return babel


@cache
def locale_of(name: str) -> Any:
    """Babel's locale of a name such as "en", "de_CH" or "pt-BR"; raises LinnetError for one that it does not know."""
    core = babel().core
    try:
        return core.Locale.parse(name.replace("-", "_"))
    except (core.UnknownLocaleError, ValueError, TypeError) as error:
        near = difflib.get_close_matches(name.replace("-", "_"), babel().localedata.locale_identifiers(), n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise LinnetError(f"unknown language '{name}'; {hint}give its code, such as en, de_CH or pt_BR.") from error


def check_locale(name: str) -> str:
    """The name, if Babel knows it."""
    locale_of(name)
    return name


def rule(locale: str, kind: str) -> Any:
    """The function from a number to its case."""
    found = locale_of(locale)
    return found.ordinal_form if kind == "selectordinal" else found.plural_form


@cache
def cases(locale: str, kind: str) -> tuple[str, ...]:
    """Every case that the language has."""
    known = {*rule(locale, kind).tags, "other"} if kind != "select" else {"other"}
    return tuple(case for case in _ORDER if case in known)


@cache
def needed(locale: str, kind: str) -> tuple[str, ...]:
    """The cases that everyday whole numbers lead to, and `other`."""
    seen = {rule(locale, kind)(number) for number in range(_LOOKED_AT)} | {"other"}
    return tuple(case for case in _ORDER if case in seen)
