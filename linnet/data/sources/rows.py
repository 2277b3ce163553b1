"""Rows of a text file: CSV, TSV or JSON lines, plain or compressed with gzip, in UTF-8."""

from __future__ import annotations

import csv
import gzip
import io
import json
import logging
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError

log = logging.getLogger("linnet")

SUFFIXES = (".csv", ".tsv", ".jsonl", ".csv.gz", ".tsv.gz", ".jsonl.gz")
_LARGEST_BYTES = 4 << 30
_DECIMAL_COMMA = re.compile(r"[+-]?\d+(,\d+)?")
_BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16"}


def form(file: Path) -> str | None:
    """".csv", ".tsv" or ".jsonl" by a file's name, without ".gz"; None for anything else.

    >>> form(Path("train.JSONL.gz")), form(Path("notes.txt"))
    ('.jsonl', None)
    """
    name = file.name.lower()
    suffix = next((suffix for suffix in reversed(SUFFIXES) if name.endswith(suffix)), None)
    return suffix.removesuffix(".gz") if suffix else None


def stem(file: Path) -> str:
    """A file's name without its suffixes: "train" for "train.jsonl.gz"."""
    suffix = next((suffix for suffix in reversed(SUFFIXES) if file.name.lower().endswith(suffix)), file.suffix)
    return file.name[: len(file.name) - len(suffix)]


def read_columns(file: Path) -> dict[str, list[Any]]:
    """Each column's cells: strings from CSV and TSV, JSON values from JSON lines.

    Raises LinnetError, naming the rows, for text that is no UTF-8, no table, or rows of different columns.
    """
    text = _text(file)
    rows = _json_rows(text, file) if form(file) == ".jsonl" else _csv_rows(text, file)
    if not rows:
        raise LinnetError(f"{file} has no rows; give one a sample.")
    header = list(rows[0])
    uneven = [number for number, row in enumerate(rows, 1) if row.keys() != rows[0].keys()]
    if uneven:
        first = rows[uneven[0] - 1]
        missing, extra = sorted(set(header) - set(first)), sorted(set(first) - set(header))
        differs = "; ".join(f"{words} {', '.join(names)}" for words, names in (("lacks", missing), ("has also", extra))
                            if names)
        raise LinnetError(f"{file}: rows {uneven[:10]}{' ...' if len(uneven) > 10 else ''} have other columns than the "
                          f"first one ({', '.join(header)}); row {uneven[0]} {differs}. Give every row the same "
                          "columns.")
    return {name: [row[name] for row in rows] for name in header}


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
        if file.name.lower().endswith(".gz"):
            with gzip.open(io.BytesIO(data)) as unpacked:
                data = unpacked.read(_LARGEST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LinnetError(f"{file} cannot be read ({reason}).") from error
    if len(data) > _LARGEST_BYTES:
        raise LinnetError(f"{file} unpacks to more than {_LARGEST_BYTES >> 30} GiB of text; store it as Parquet.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = _BYTE_ORDER_MARKS.get(data[:2])
        line = data[:error.start].count(b"\n") + 1
        is_likely = f"it begins like {kind}" if kind else "it may be Latin-1 or Windows-1252"
        raise LinnetError(f"{file}, line {line}: byte {data[error.start]:#04x} is no UTF-8; {is_likely}. Save the "
                          f"table as UTF-8: iconv -f {kind or 'WINDOWS-1252'} -t UTF-8.") from error


def _csv_rows(text: str, file: Path) -> list[dict[str, Any]]:
    separator = "\t" if form(file) == ".tsv" else _separator(text)
    limit = csv.field_size_limit(len(text) + 1)
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise LinnetError(f"{file}: not a table of cells ({error}).") from error
    finally:
        csv.field_size_limit(limit)
    header, body = (lines[0], [line for line in lines[1:] if line]) if lines else ([], [])
    uneven = [number for number, line in enumerate(body, 1) if len(line) != len(header)]
    if uneven:
        first = body[uneven[0] - 1]
        raise LinnetError(f"{file}: {len(uneven)} rows ({', '.join(map(str, uneven[:10]))}) do not have the "
                          f"{len(header)} cells that its header names ({', '.join(header)}); row {uneven[0]} has "
                          f"{len(first)}. The separator is {separator!r}; a cell with one in it stands in double "
                          "quotes.")
    unnamed = [number for number, name in enumerate(header, 1) if not name.strip()]
    if unnamed or len(set(header)) < len(header):
        raise LinnetError(f"{file}: the header names a column twice, or not at all: {', '.join(header)}.")
    if separator == ";":
        log.warning("%s is separated by ';', not by ',', and read so.", file)
        commas = [name for place, name in enumerate(header)
                  if any("," in line[place] for line in body)
                  and all(_DECIMAL_COMMA.fullmatch(line[place].strip()) for line in body)]
        if commas:
            log.warning("%s: %s looks like numbers with a decimal comma, which are not read as numbers: write them "
                        "with a point.", file, ", ".join(commas))
    return [dict(zip(header, line, strict=True)) for line in body]


def _separator(text: str) -> str:
    """"," or, where the header has it and no comma outside of quotes, ";": what Excel writes in much of Europe."""
    head = text[: text.find("\n")] if "\n" in text else text
    cells = {mark: next(csv.reader([head], delimiter=mark, skipinitialspace=True), []) for mark in ",;"}
    return ";" if len(cells[","]) == 1 < len(cells[";"]) else ","


def _json_rows(text: str, file: Path) -> list[dict[str, Any]]:
    rows, wrong = [], []
    decoder = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_number)
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = decoder.decode(line.strip())
        except (ValueError, RecursionError) as error:
            said = str(error) if not isinstance(error, RecursionError) else "nested too deeply"
            wrong.append((number, f"not JSON ({said})"))
            continue
        if isinstance(row, dict):
            rows.append(row)
        else:
            wrong.append((number, f"expected an object {{...}}; got {row!r:.60}"))
    if wrong:
        others = [number for number, _ in wrong[1:]]
        more = f" So it is in {len(others)} further lines: {', '.join(map(str, others[:10]))}." if others else ""
        raise LinnetError(f"{file}, line {wrong[0][0]}: {wrong[0][1]}.{more}")
    return rows


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("an object names a key twice")
    return made


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
