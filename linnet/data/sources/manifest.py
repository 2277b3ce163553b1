"""A manifest: a CSV or TSV file, or JSON lines, with one row a sample and a column of paths."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, ImageColumn, ValueColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from linnet.data.sources.folder import ids_of, media_kind
from linnet.errors import LinnetError, unknown

SUFFIXES = (".csv", ".tsv", ".jsonl")
PATH_COLUMNS = ("audio", "image", "file", "path")
_GROUPS = ("speaker", "speaker_id", "writer", "client_id", "group", "session", "device", "split")
_LABELS = ("label", "class", "target", "word", "digit")
_KINDS = ("label", "group", "value", "skip")


def load(file: Path, *, columns: Mapping[str, str] | None = None, root: str | None = None, prefix: str = "") -> Dataset:
    """Read a manifest.

    The path column is called audio, image, file or path, and becomes "audio" or "image". A relative path starts at
    `root` (seen from the manifest's folder) and stays inside of it; an absolute one is taken as it is. Of the other
    columns, speaker, writer, session, device, group and split become groups; label, class, target, word and digit
    labels; what holds nothing but numbers values; and anything else labels. `columns` says otherwise:
    {"age": "group", "note": "skip"}.
    The id is the column "id", or else the path without its suffix; `prefix` goes before it.
    """
    rows = _rows(file)
    path_column = _path_column(rows, file)
    base = file.parent / (root or "")
    names = [Path(str(row[path_column])) for row in rows]
    _refuse_unusable(names, base, file)
    kind = media_kind(names, file)
    named = "id" in rows[0]
    ids = [prefix + str(row["id"]) for row in rows] if named else ids_of(_without_common_folder(names), prefix)
    schema, cells = _columns(rows, {path_column, "id"}, columns or {}, file)
    if kind in schema:
        raise LinnetError(f"{file}: the paths would become the column '{kind}', which there is already; rename it.")
    return _dataset(file.stem, base, {"id": ids, kind: media_cells(names), **cells},
                    {kind: AudioColumn() if kind == "audio" else ImageColumn(), **schema})


def _dataset(name: str, root: Path, cells: Mapping[str, Any], columns: Mapping[str, Column]) -> Dataset:
    import pyarrow as pa

    return Dataset(name, pa.table(dict(cells)), columns, root=root)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LinnetError(f"{file} cannot be read ({error}); a manifest is CSV, TSV or JSON lines in UTF-8.") from error
    rows = _json_rows(text, file) if file.suffix.lower() == ".jsonl" else _csv_rows(text, file)
    if not rows:
        raise LinnetError(f"{file} has no rows; give one a sample.")
    uneven = [line for line, row in enumerate(rows, 1) if row.keys() != rows[0].keys()]
    if uneven:
        raise LinnetError(f"{file}: rows {uneven[:10]} have other columns than the first one "
                          f"({', '.join(rows[0])}); give every row the same columns.")
    return rows


def _csv_rows(text: str, file: Path) -> list[dict[str, Any]]:
    separator = "\t" if file.suffix.lower() == ".tsv" else ","
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True))
    except csv.Error as error:
        raise LinnetError(f"{file}: not a table of cells ({error}).") from error
    header, body = (lines[0], [line for line in lines[1:] if line]) if lines else ([], [])
    uneven = [number for number, line in enumerate(body, 1) if len(line) != len(header)]
    if uneven:
        raise LinnetError(f"{file}: rows {uneven[:10]} do not have the {len(header)} cells that its header names "
                          f"({', '.join(header)}).")
    if len(set(header)) < len(header):
        raise LinnetError(f"{file}: the header names a column twice: {', '.join(header)}.")
    return [dict(zip(header, line, strict=True)) for line in body]


def _json_rows(text: str, file: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise LinnetError(f"{file}, line {number}: not JSON ({error}).") from error
        if not isinstance(row, dict):
            raise LinnetError(f"{file}, line {number}: expected an object {{...}}; got {row!r:.60}.")
        rows.append(row)
    return rows


def _path_column(rows: Sequence[Mapping[str, Any]], file: Path) -> str:
    found = [name for name in PATH_COLUMNS if name in rows[0]]
    if len(found) != 1:
        raise LinnetError(f"{file}: expected one column of paths, called {', '.join(PATH_COLUMNS)}; found "
                          f"{', '.join(found) or 'none'} among the columns {', '.join(rows[0])}.")
    return found[0]


def _refuse_unusable(names: Sequence[Path], base: Path, file: Path) -> None:
    """One error for every path that is wrong, so that a manifest is mended in one go."""
    leaving = [str(name) for name in names if not name.is_absolute() and os.path.normpath(name).startswith("..")]
    if leaving:
        raise LinnetError(f"{file}: {len(leaving)} paths leave the folder {base}: {', '.join(leaving[:10])}. Give the "
                          "folder where they start as root=..., or write absolute paths.")
    other = [str(name) for name in names if name.suffix.lower() not in AUDIO_SUFFIXES + IMAGE_SUFFIXES]
    if other:
        raise LinnetError(f"{file}: {len(other)} paths are neither recordings nor images by their name: "
                          f"{', '.join(other[:10])}. Known: {' '.join(AUDIO_SUFFIXES + IMAGE_SUFFIXES)}.")
    missing = [str(name) for name in names if not (base / name).is_file()]
    if missing:
        raise LinnetError(f"{file}: {len(missing)} of {len(names)} files are not there (looked in {base}): "
                          f"{', '.join(missing[:10])}{' ...' if len(missing) > 10 else ''}. Mend the paths, or give "
                          "the folder where they start as root=....")


def _without_common_folder(names: Sequence[Path]) -> list[Path]:
    """Absolute paths from the folder that they share, so that ids do not depend on where the corpus lies."""
    if not all(name.is_absolute() for name in names):
        return [Path(os.path.normpath(name)) for name in names]
    shared = os.path.commonpath([name.parent for name in names])
    return [name.relative_to(shared) for name in names]


def _columns(rows: Sequence[Mapping[str, Any]], taken: set[str], given: Mapping[str, str],
             file: Path) -> tuple[dict[str, Column], dict[str, list[Any]]]:
    names = [name for name in rows[0] if name not in taken]
    for name, kind in given.items():
        if name not in names:
            raise unknown("column", name, names)
        if kind not in _KINDS:
            raise unknown("kind of column", kind, _KINDS)
    schema: dict[str, Column] = {}
    cells: dict[str, list[Any]] = {}
    for name in names:
        if given.get(name) != "skip":
            schema[name], cells[name] = _column(name, [row[name] for row in rows], given.get(name), file)
    return schema, cells


def _column(name: str, raw: Sequence[Any], kind: str | None, file: Path) -> tuple[Column, list[Any]]:
    nested = next((value for value in raw if isinstance(value, list | dict)), None)
    if nested is not None:
        raise LinnetError(f"{file}: column '{name}' holds {type(nested).__name__}s; a cell is a string or a number. "
                          f"Leave it out with columns={{'{name}': 'skip'}}.")
    empty = [number for number, value in enumerate(raw, 1) if value is None or str(value).strip() == ""]
    if empty:
        raise LinnetError(f"{file}: column '{name}' is empty in {len(empty)} rows (rows {empty[:10]}). Fill them in, "
                          f"or leave the column out with columns={{'{name}': 'skip'}}.")
    numbers = [_number(value) for value in raw]
    is_numeric = all(number is not None for number in numbers)
    if kind == "value" and not is_numeric:
        wrong = [value for value, number in zip(raw, numbers, strict=True) if number is None]
        raise LinnetError(f"{file}: column '{name}' was asked for as value; {wrong[:5]} are no numbers.")
    if kind == "value" or (kind is None and is_numeric and name not in _GROUPS + _LABELS):
        return ValueColumn(), numbers
    texts = [str(value).lower() if isinstance(value, bool) else str(value) for value in raw]
    return (GroupColumn() if kind == "group" or (kind is None and name in _GROUPS) else label_column(texts)), texts


def _number(value: Any) -> int | float | None:
    text = str(value)
    try:
        return int(text)
    except ValueError:
        pass
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
