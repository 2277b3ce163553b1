"""CSV files: their reader finds out what they are; what it would take wrongly without a word is refused here."""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError

_FILES_LOOKED_AT = 10
_DELIMITERS = ",;\t|"
_YEAR_FIRST = ("%Y",)


def columns_kept_as_text(connection: Any, files: Sequence[str]) -> dict[str, str]:
    """The columns of dates whose day and month the reader has guessed; LinnetError where lines do not fit together."""
    kept: dict[str, str] = {}
    for file in files[:_FILES_LOOKED_AT]:
        found = connection.execute("SELECT SkipRows, HasHeader, Columns, DateFormat, TimestampFormat FROM "
                                   "sniff_csv($file)", {"file": file}).fetchone()
        skipped, has_names, columns, *formats = found
        if skipped or not has_names or _is_one_with_delimiters(columns):
            _check_lines(file)
        for kind, order in zip(("DATE", "TIMESTAMP"), formats, strict=True):
            if order and not order.startswith(_YEAR_FIRST):
                kept |= {column["name"]: "VARCHAR" for column in columns
                         if column["type"] == kind or (kind == "TIMESTAMP" and column["type"].startswith(kind))}
    return kept


def explained(said: str) -> str | None:
    """What the reader says of a line or of letters, in a few words; None for anything else."""
    named = re.search(r"^ *file = (.+)$", said, re.M)
    file = Path(named[1].strip()).name if named else "the file"
    if "not utf-8" in said:
        return (f"'{file}' is not UTF-8; write it so again, such as with: iconv -f latin1 -t utf-8 {file} > new.csv "
                "(or -f utf-16, where it comes so).")
    line, fields = re.search(r"Error on Line: (\d+)", said), re.search(r"Columns: (\d+) Found: (\d+)", said)
    if not (line and fields):
        return None
    expected, seen = int(fields[1]), int(fields[2])  # it stops at the first field too many
    return str(_ragged(file, int(line[1]), f"{seen} or more" if seen > expected else str(seen), expected))


def _is_one_with_delimiters(columns: Sequence[dict[str, str]]) -> bool:
    return len(columns) == 1 and any(mark in columns[0]["name"] for mark in _DELIMITERS)


def _check_lines(file: str) -> None:
    """The first line that has not as many fields as the names of columns; one field alone is a title."""
    is_packed = file.lower().endswith(".gz")
    with (gzip.open(file, "rt", encoding="utf-8", errors="replace", newline="") if is_packed
          else open(file, encoding="utf-8", errors="replace", newline="")) as lines:  # noqa: PTH123
        first = lines.readline()
        delimiter = max(_DELIMITERS, key=first.count)
        expected = len(next(csv.reader([first], delimiter=delimiter), []))
        for line, fields in enumerate(csv.reader(lines, delimiter=delimiter), 2):
            if fields and len(fields) != expected > 1:
                raise _ragged(Path(file).name, line, str(len(fields)), expected)


def _ragged(file: str, line: int, found: str, expected: int) -> LinnetError:
    return LinnetError(f"line {line:,} of '{file}' has {found} field{'s' if found != '1' else ''}, expected {expected} "
                       "as in the first line. A text with a comma in it stands in quotes; cut out one that broke off.")
