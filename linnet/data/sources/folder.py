"""A folder of labelled files, or a zip of one: root/<label>/<any name>.wav (or .flac, .ogg, .mp3, .png, .jpg ...)."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from linnet.data import archive
from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, GroupColumn, ImageColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from linnet.data.splitting import part_named
from linnet.errors import LinnetError

_log = logging.getLogger("linnet")
_LAYOUT = "Expected: FOLDER/<label>/<name>.wav (or .flac, .ogg, .mp3, .png, .jpg)."
_PARTS = ("auto", "yes", "no")


def load(root: Path, *, prefix: str = "", parts: str = "auto") -> Dataset:
    """Read a folder (or a zip archive, in place) whose sub-folders are the labels.

    Deeper folders belong to the label above them. Columns: "audio" or "image", and "label". Where the first level is
    train, validation (or val, valid, dev) and test, and the second the labels, there is a column "split", too: `parts`
    "auto" sees this where every first folder has such a name and train is among them, and says so; "yes" and "no" say
    it. An id is the path without its suffix, with `prefix` before it: give each folder its own when parts are loaded
    apart. Hidden files are left out; other files that are no media, too, and that is said.
    """
    if parts not in _PARTS:
        raise LinnetError(f"option 'parts' is one of {', '.join(_PARTS)}; got '{parts}'.")
    listing = _in_folder(root) if root.is_dir() else _in_zip(root)
    files = [name for name in listing if name.suffix.lower() in AUDIO_SUFFIXES + IMAGE_SUFFIXES]
    _say_left_out(root, list(listing))
    kind = media_kind(files, root)
    level = 2 if _is_parted(root, files, parts) else 1
    loose = [name.as_posix() for name in files if len(name.parts) <= level]
    if loose:
        raise LinnetError(f"{root}: {len(loose)} files lie beside the label folders ({', '.join(loose[:10])}), so they "
                          f"have no label. {_LAYOUT} Move them into one, or write a manifest (CSV) that names labels.")
    if root.is_dir():
        _say_empty(root, files, level)
    return _dataset(root, kind, {name: listing[name] for name in files}, ids_of(files, prefix), level)


def _dataset(root: Path, kind: str, files: Mapping[Path, str], ids: list[str], level: int) -> Dataset:
    import pyarrow as pa

    labels = [name.parts[level - 1] for name in files]
    cells = {"id": ids, kind: media_cells(list(files.values())), "label": labels}
    columns: dict[str, Column] = {kind: AudioColumn() if kind == "audio" else ImageColumn(),
                                  "label": label_column(labels)}
    if level == 2:
        cells["split"] = [part_named(name.parts[0]) for name in files]
        columns["split"] = GroupColumn()
    name, base = (root.resolve().name, root) if root.is_dir() else (root.stem, root.parent)
    return Dataset(name, pa.table(cells), columns, root=base)


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


def _in_folder(root: Path) -> dict[Path, str]:
    """The visible files by their place below the root, and what a cell says of each."""
    names = (file.relative_to(root) for file in sorted(root.rglob("*")) if file.is_file())
    return {name: name.as_posix() for name in names if _is_visible(name)}


def _in_zip(root: Path) -> dict[Path, str]:
    """The same of an archive; the one folder that archives often have around everything else is left out."""
    cells = {Path(name): f"{root.name}{archive.MARK}{name}" for name in sorted(archive.members(root))}
    seen = {name: cell for name, cell in cells.items() if _is_visible(name)}
    if len({name.parts[0] for name in seen}) == 1 and all(len(name.parts) > 2 for name in seen):
        return {Path(*name.parts[1:]): cell for name, cell in seen.items()}
    return seen


def _is_visible(name: Path) -> bool:
    return not any(part.startswith(".") for part in name.parts)


def _is_parted(root: Path, files: Sequence[Path], asked: str) -> bool:
    """Whether the first level says train, validation and test; the second then has the labels."""
    first = {name.parts[0] for name in files}
    found = {name: part_named(name) for name in first if part_named(name)}
    if asked == "yes" and len(found) < len(first):
        raise LinnetError(f"{root}: parts='yes' expects folders called train, validation and test; found also "
                          f"{', '.join(sorted(first - set(found)))}.")
    is_clear = (set(found) == first and "train" in found.values() and len(first) > 1
                and all(len(name.parts) > 2 for name in files))
    if asked == "auto" and is_clear:
        _log.warning("%s: the folders %s were taken for parts (column 'split') and those below them for labels; "
                     "parts='no' takes them for labels", root, ", ".join(sorted(first)))
    return asked == "yes" or (asked == "auto" and is_clear)


def _say_left_out(root: Path, names: Iterable[Path]) -> None:
    other = Counter(name.suffix.lower() or name.name for name in names
                    if name.suffix.lower() not in AUDIO_SUFFIXES + IMAGE_SUFFIXES)
    if other:
        _log.warning("%d files of %s are neither recordings nor images that can be read, and were left out: %s",
                     other.total(), root, ", ".join(f"{suffix} ({count})" for suffix, count in other.most_common(10)))


def _say_empty(root: Path, files: Iterable[Path], level: int) -> None:
    filled = {name.parts[level - 1] for name in files}
    empty = sorted({folder.name for folder in root.glob("/".join(["*"] * level))
                    if folder.is_dir() and _is_visible(folder.relative_to(root)) and folder.name not in filled})
    if empty:
        _log.warning("of the folders of %s, %d hold no sample, so there is no such label: %s",
                     root, len(empty), ", ".join(empty[:10]))
