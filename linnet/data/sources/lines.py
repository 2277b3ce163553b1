"""JSON lines and plain text of a corpus, read with one clear error for whatever is wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from linnet.errors import DamagedFileError

Kind = type | tuple[type, ...]


def text_of(file: Path) -> str:
    """A file as text: UTF-8, with or without a byte order mark, lines ended by LF or CRLF."""
    try:
        return file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise DamagedFileError(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        line = error.object[:error.start].count(b"\n") + 1
        raise DamagedFileError(f"{file}, line {line}: byte {error.object[error.start]:#04x} is not UTF-8. Save the "
                               "file as UTF-8, or get the corpus again.") from error


def json_lines(file: Path, keys: Mapping[str, Kind]) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines; each has at least `keys`, with values of these types.

    Raises DamagedFileError with the number of the first line that is otherwise, and how many are.
    """
    rows, wrong = [], []
    for number, line in enumerate(text_of(file).split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            wrong.append(f"line {number}: not JSON ({error.msg})")
            continue
        problem = _problem(row, keys)
        if problem:
            wrong.append(f"line {number}: {problem}")
        rows.append(row)
    if wrong:
        more = f" ({len(wrong)} lines are wrong)" if len(wrong) > 1 else ""
        raise DamagedFileError(f"{file}, {wrong[0]}{more}. Get the corpus again.")
    return rows


def json_file(file: Path) -> Any:
    """What a JSON file holds."""
    try:
        return json.loads(text_of(file))
    except json.JSONDecodeError as error:
        raise DamagedFileError(f"{file} is not JSON ({error}). Get the corpus again.") from error


def write_lines(file: Path, rows: list[dict[str, Any]]) -> None:
    """One JSON object a line, in UTF-8."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    file.write_text(text, encoding="utf-8", newline="\n")


def _problem(row: object, keys: Mapping[str, Kind]) -> str | None:
    if not isinstance(row, dict):
        return f"expected an object {{...}}; got {row!r:.60}"
    missing = sorted(set(keys) - set(row))
    if missing:
        return f"has no {', '.join(missing)}; it has {', '.join(map(str, row))}"
    for name, kind in keys.items():
        if not isinstance(row[name], kind):
            return f"'{name}' is {row[name]!r:.60}; expected {_said(kind)}"
    return None


def _said(kind: Kind) -> str:
    return " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
