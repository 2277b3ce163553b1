"""Columns of text where numbers or times are needed: what stands in them, and how it would be written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.watch.experiments.layout import Layout
    from linnet.watch.experiments.tables import Table

NUMBER = r"^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$"
"""A number as text, in the words that every database knows."""
_NOTHING = re.compile(r"(?:null|none|na|n/a|nan|nil|-|\\n|)", re.IGNORECASE)
_SIGN = r"(?:[A-Za-z]{3}|[^\w\s.,+-])?"
DRESSED = rf"{_SIGN}\s?([-+]?(?:\d{{1,3}}(?:,\d{{3}})+|\d+)(?:[.,]\d+)?)\s?{_SIGN}"
"""A number with a currency or a sign beside it, or with commas between its thousands."""
_MONTHS, _SHOWN = 12, 40
_THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4}|\d{2})\b.*")


@dataclass(frozen=True)
class Texts:
    """What stands in a column of text."""

    rows: int
    filled: int
    not_numbers: int
    example: str | None
    """One that is no number, else any."""

    @property
    def shown(self) -> str:
        """The example in one short line."""
        return " ".join((self.example or "").split())[:_SHOWN]

    @property
    def how(self) -> str:
        """How the example would be written as a number; empty where it is none at all."""
        text = (self.example or "").strip()
        if not self.not_numbers:
            return "convert them when the table is written"
        if _NOTHING.fullmatch(text):
            return "leave the field empty where nothing is known"
        dressed = re.fullmatch(DRESSED, text)
        return f"write {_plain(dressed[1])}" if dressed else ""


def _plain(number: str) -> str:
    return number.replace(",", "" if _THOUSANDS.fullmatch(number) else ".")


def refuse_texts(table: Table, layout: Layout) -> None:
    """One error for a column of text that the plan takes for numbers or times, with an example."""
    wanted = [layout.time, *(variable.column for variable in layout.variables)]
    for column in (name for name in wanted if name and table.columns.get(name) == "text"):
        texts = table.texts(column)
        if not texts.rows:
            raise LinnetError("the table has no rows.")
        raise _no_time(column, texts.shown) if column == layout.time else _no_number(column, texts)


def _no_time(column: str, example: str) -> LinnetError:
    hint = ambiguous(example) or "convert it when the table is written"
    return LinnetError(f"the time column '{column}' holds text, such as '{example}': expected timestamps or numbers; "
                       f"{hint}.")


def ambiguous(example: str) -> str:
    """What is odd about a date whose year does not stand first, and how it is written; empty for anything else."""
    date = _DATE.fullmatch(example.strip())
    return f"the day or the month may come first; write {_year_first(date)}" if date else ""


def _year_first(date: re.Match[str]) -> str:
    year, first, second = date[3] if int(date[3]) > 99 else f"20{date[3]}", int(date[1]), int(date[2])
    pairs = [(month, day) for month, day in ((second, first), (first, second)) if month <= _MONTHS]
    return ", or ".join(dict.fromkeys(f"{year}-{month:02}-{day:02}" for month, day in pairs)) + ", whichever it is"


def _no_number(column: str, texts: Texts) -> LinnetError:
    if not texts.not_numbers:
        return LinnetError(f"the column '{column}' holds numbers that are written as text, such as '{texts.shown}'; "
                           f"{texts.how}.")
    hint = f"; {texts.how}." if texts.how else "."
    return LinnetError(f"the column '{column}' holds text in {texts.not_numbers:,} of {texts.rows:,} rows, such as "
                       f"'{texts.shown}'; a metric needs numbers, or true and false{hint}")
