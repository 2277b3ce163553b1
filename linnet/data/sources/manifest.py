"""A manifest or a table: CSV, TSV or JSON lines with one row a sample, with or without a column of paths."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from linnet.data.archive import is_member, members, split
from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, ImageColumn
from linnet.data.dataset import Dataset
from linnet.data.leaks import listed
from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from linnet.data.sources import rows
from linnet.data.sources.folder import ids_of, media_kind
from linnet.data.sources.inference import columns_of, told
from linnet.data.sources.rows import read_columns, stem
from linnet.errors import LinnetError

PATH_COLUMNS = ("audio", "image", "file", "path", "file_name")
SUFFIXES = rows.SUFFIXES
_ROOT = "Give the folder where they start as root=... (in the shell --option root=FOLDER)"


def load(file: Path, *, columns: Mapping[str, Any] | None = None, root: str | None = None, prefix: str = "") -> Dataset:
    """Read a manifest, or a table without recordings and images.

    A path column is called audio, image, file, path or file_name, and becomes "audio" or "image". A relative path
    starts at `root` (seen from the manifest's folder) and stays inside of it; an absolute one is taken as it is; one
    such as "clips.zip!/a.wav" is read out of the archive. What the other columns hold is told by their names and
    values (see `inference.columns_of`); `columns` says otherwise: {"age": "group", "note": "skip", "tags": "labels",
    "mark": ["bad", "fair", "good"]}.
    The id is the column "id", or else the path without its suffix, or else the row's number; `prefix` goes before it.
    """
    file = described(file) or file
    raw = read_columns(file)
    given = dict(columns or {})
    path_column = _path_column(raw, given, file)
    ids = [prefix + str(name) for name in raw["id"]] if "id" in raw else None
    rest = {name: values for name, values in raw.items() if name not in ("id", path_column)}
    if path_column is None:
        schema, cells = columns_of(rest, given, str(file))
        return _dataset(_name(file), None, {"id": ids or numbered(len(raw[next(iter(raw))]), prefix), **cells}, schema)
    base = file.parent / (root or "")
    names = [Path(str(value)) for value in raw[path_column]]
    _refuse_unusable(names, base, file)
    kind = media_kind(names, file)
    ids = ids or ids_of(_without_common_folder(names), prefix)
    schema, cells = columns_of(rest, given, str(file))
    if kind in schema:
        raise LinnetError(f"{file}: the paths would become the column '{kind}', which there is already; rename it.")
    return _dataset(_name(file), base, {"id": ids, kind: media_cells(names), **cells},
                    {kind: AudioColumn() if kind == "audio" else ImageColumn(), **schema})


def described(folder: Path) -> Path | None:
    """The manifest of a folder that has one: metadata.csv or metadata.jsonl, with a column "file_name"."""
    for file in (folder / name for name in ("metadata.jsonl", "metadata.csv")):
        if file.is_file():
            with file.open("rb") as opened:
                if b"file_name" in opened.readline(1 << 16):
                    return file
    return None


def numbered(count: int, prefix: str) -> list[str]:
    """Ids of rows that have none: "row1", "row2", and so on."""
    return [f"{prefix}row{number}" for number in range(1, count + 1)]


def _name(file: Path) -> str:
    return file.resolve().parent.name if stem(file) == "metadata" else stem(file)


def _dataset(name: str, root: Path | None, cells: Mapping[str, Any], columns: Mapping[str, Column]) -> Dataset:
    import pyarrow as pa

    return Dataset(name, pa.table(dict(cells)), columns, root=root)


def _path_column(raw: Mapping[str, Sequence[Any]], given: Mapping[str, Any], file: Path) -> str | None:
    """The column of paths, by its name or because it holds nothing else; one that was said to be a kind is none."""
    free = {name: [_is_media(str(value)) for value in values] for name, values in raw.items()
            if name not in given and name != "id"}
    found = [name for name in PATH_COLUMNS if name in free]
    found = [name for name in found if any(free[name])] or found or [name for name in free if all(free[name])]
    if len(found) > 1:
        raise LinnetError(f"{file}: expected one column of paths, called {', '.join(PATH_COLUMNS)}; found "
                          f"{', '.join(found)} among the columns {', '.join(raw)}. Leave the others out with "
                          f"{told(found[1], 'skip')}.")
    return found[0] if found else None


def _is_media(name: str) -> bool:
    return Path(name).suffix.lower() in AUDIO_SUFFIXES + IMAGE_SUFFIXES


def _refuse_unusable(names: Sequence[Path], base: Path, file: Path) -> None:
    """One error for every kind of path that is wrong, with the first ten of each."""
    leaving = [str(name) for name in names if not name.is_absolute() and os.path.normpath(name).startswith("..")]
    other = [str(name) for name in names if not _is_media(str(name))]
    outside = set(leaving)
    missing = _missing([name for name in names if str(name) not in outside], base)
    troubles = [
        (leaving, f"paths leave the folder {base}", f"{_ROOT}, or write absolute paths."),
        (other, "paths are neither recordings nor images by their name",
         f"Known: {' '.join(AUDIO_SUFFIXES + IMAGE_SUFFIXES)}."),
        (missing, f"of {len(names)} files are not there (looked in {base})",
         f"Mend the paths. {_ROOT}.")]
    said = [f"{len(wrong)} {words}: {listed(wrong)}. {advice}" for wrong, words, advice in troubles if wrong]
    if said:
        raise LinnetError(f"{file}: " + "\n".join(said))


def _missing(names: Sequence[Path], base: Path) -> list[str]:
    directories: dict[Path, Mapping[str, Any]] = {}
    missing = []
    for name in names:
        if not is_member(name):
            is_there = (base / name).is_file()
        else:
            archive, inside = split(base / name)
            if archive not in directories:
                directories[archive] = members(archive)
            is_there = inside in directories[archive]
        if not is_there:
            missing.append(str(name))
    return missing


def _without_common_folder(names: Sequence[Path]) -> list[Path]:
    """Absolute paths from the folder that they share, so that ids do not depend on where the corpus lies."""
    if not all(name.is_absolute() for name in names):
        return [Path(os.path.normpath(name)) for name in names]
    shared = os.path.commonpath([name.parent for name in names])
    return [name.relative_to(shared) for name in names]
