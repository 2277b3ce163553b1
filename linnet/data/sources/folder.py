"""A folder of labelled files: root/<label>/<any name>.wav (or .flac, .ogg, .mp3, .png, .jpg ...)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, ImageColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from linnet.errors import LinnetError

_log = logging.getLogger("linnet")
_LAYOUT = "Expected: FOLDER/<label>/<name>.wav (or .flac, .ogg, .mp3, .png, .jpg)."


def load(root: Path, *, prefix: str = "") -> Dataset:
    """Read a folder whose sub-folders are the labels; deeper folders belong to the label above them.

    Columns: "audio" or "image", and "label". An id is the path without its suffix, with `prefix` before it: give
    each folder its own when parts are loaded apart. Hidden files are left out; other files that are no media, too, and
    that is said.
    """
    files = _media_files(root)
    _say_left_out(root)
    kind = media_kind(files, root)
    names = [file.relative_to(root) for file in files]
    loose = [name.as_posix() for name in names if len(name.parts) == 1]
    if loose:
        raise LinnetError(f"{root}: {len(loose)} files lie beside the label folders ({', '.join(loose[:10])}), so they "
                          f"have no label. {_LAYOUT} Move them into one, or write a manifest (CSV) that names labels.")
    return _dataset(root, kind, names, prefix)


def _dataset(root: Path, kind: str, names: Sequence[Path], prefix: str) -> Dataset:
    import pyarrow as pa

    labels = [name.parts[0] for name in names]
    table = pa.table({"id": ids_of(names, prefix), kind: media_cells(names), "label": labels})
    media = AudioColumn() if kind == "audio" else ImageColumn()
    return Dataset(root.resolve().name, table, {kind: media, "label": label_column(labels)}, root=root)


def media_kind(files: Sequence[Path], where: Path) -> str:
    """"audio" or "image", by the files' names. Raises LinnetError for none, or for both."""
    sounds = [file for file in files if file.suffix.lower() in AUDIO_SUFFIXES]
    if not files:
        raise LinnetError(f"{where}: no recordings or images found. {_LAYOUT}")
    if sounds and len(sounds) < len(files):
        image = next(file for file in files if file not in set(sounds))
        raise LinnetError(f"{where} has recordings ({sounds[0].name}, {len(sounds)} in all) and images "
                          f"({image.name}, {len(files) - len(sounds)} in all); it may have one of these.")
    return "audio" if sounds else "image"


def ids_of(names: Sequence[Path], prefix: str) -> list[str]:
    """Paths without their suffix as ids. Raises LinnetError where two files would have the same one."""
    ids = [prefix + name.with_suffix("").as_posix() for name in names]
    twice = [name for name, count in Counter(ids).items() if count > 1]
    if twice:
        raise LinnetError(f"{len(twice)} names occur more than once (a file listed twice, or files that differ only "
                          f"in their suffix): {', '.join(twice[:10])}. Keep one of each; they are likely the same.")
    return ids


def _media_files(root: Path) -> list[Path]:
    return [file for file in _visible_files(root) if file.suffix.lower() in AUDIO_SUFFIXES + IMAGE_SUFFIXES]


def _visible_files(root: Path) -> list[Path]:
    return sorted(file for file in root.rglob("*") if file.is_file()
                  and not any(part.startswith(".") for part in file.relative_to(root).parts))


def _say_left_out(root: Path) -> None:
    other = Counter(file.suffix.lower() or file.name for file in _visible_files(root)
                    if file.suffix.lower() not in AUDIO_SUFFIXES + IMAGE_SUFFIXES)
    if other:
        _log.warning("%d files of %s are neither recordings nor images that can be read, and were left out: %s",
                     other.total(), root, ", ".join(f"{suffix} ({count})" for suffix, count in other.most_common(10)))
    filled = {file.relative_to(root).parts[0] for file in _media_files(root)}
    empty = sorted(folder.name for folder in root.iterdir()
                   if folder.is_dir() and not folder.name.startswith(".") and folder.name not in filled)
    if empty:
        _log.warning("of the folders of %s, %d hold no sample, so there is no such label: %s",
                     root, len(empty), ", ".join(empty[:10]))
