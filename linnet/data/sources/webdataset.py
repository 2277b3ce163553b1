"""WebDataset shards: tar files in which the files of one sample share a name up to the first dot; read in place."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.data.archive import MARK, Archives, members
from linnet.data.cells import media_cells
from linnet.data.columns import AudioColumn, Column, ImageColumn
from linnet.data.dataset import Dataset
from linnet.data.leaks import listed
from linnet.data.media import kind_of_name
from linnet.data.sources.inference import columns_of, told
from linnet.data.sources.parquet import part_of
from linnet.errors import DamagedFileError, LinnetError

SUFFIX = ".tar"
_NAMES = {"cls": "label", "txt": "text"}
_TEXTS = ("txt", "text", "cls", "cls2", "caption", "transcript")
_log = logging.getLogger("linnet")


@dataclass(frozen=True)
class _Sample:
    """The files of one sample: ending to path."""

    shard: Path
    key: str
    files: Mapping[str, str]


def load(path: Path, *, columns: Mapping[str, Any] | None = None, prefix: str = "") -> Dataset:
    """Read one shard, or every one below a folder.

    A recording or image becomes "audio" or "image" (or, where a sample has several, the name of its ending), .cls the
    column "label", .txt the column "text", another short text the name of its ending, and the keys of a .json columns
    of their own. Train, validation or test in the shards' names becomes the column "split". What columns hold is told
    as for a manifest, and said otherwise by `columns`. The id is the name that the files share, with `prefix` before
    it, and that of the shard where two shards use a name. Raises LinnetError where samples have not the same files.
    """
    import pyarrow as pa

    shards = [path] if path.is_file() else shards_of(path)
    root = path.parent if path.is_file() else path
    samples = [sample for shard in shards for sample in _samples(shard)]
    endings = _endings(samples, path, dict(columns or {}))
    names = _media_names([ending for ending in endings if kind_of_name(f"x.{ending}")])
    cells: dict[str, Any] = {name: media_cells([f"{sample.shard.relative_to(root).as_posix()}{MARK}"
                                                f"{sample.files[ending]}" for sample in samples])
                             for ending, name in names.items()}
    schema: dict[str, Column] = {name: AudioColumn() if kind_of_name(f"x.{ending}") == "audio" else ImageColumn()
                                 for ending, name in names.items()}
    raw = {name: values for name, values in _plain(samples, [ending for ending in endings if ending not in names],
                                                   path).items() if (columns or {}).get(name) != "skip"}
    parts = [part_of(sample.shard.relative_to(root)) for sample in samples] if path.is_dir() else []
    if any(parts) and "split" not in raw:
        if None in parts:
            raise LinnetError(f"{path}: some shards do not say by their names whether they belong to train, validation "
                              "or test. Name them so, or load them apart.")
        raw["split"] = parts
    both = sorted(set(raw) & set(schema))
    if both:
        raise LinnetError(f"{path}: {listed(both)} would be the name of a column of media and of another one; leave "
                          f"the other out with {told(both[0], 'skip')}, or rename it.")
    ids = [prefix + str(name) for name in raw.pop("id")] if "id" in raw else _ids(samples, root, prefix)
    more, plain = columns_of(raw, {name: kind for name, kind in (columns or {}).items() if name in raw}, str(path))
    return Dataset(path.stem if path.is_file() else path.resolve().name,
                   pa.table({"id": ids, **cells, **plain}), {**schema, **more}, root=root)


def shards_of(folder: Path) -> list[Path]:
    """The tar files below a folder, without the hidden ones."""
    return sorted(file for file in folder.rglob(f"*{SUFFIX}") if file.is_file()
                  and not any(part.startswith(".") for part in file.relative_to(folder).parts))


def _samples(shard: Path) -> Iterator[_Sample]:
    """The samples in the order of the shard. Raises LinnetError where the files of one do not lie together."""
    found: dict[str, dict[str, str]] = {}
    last, apart = None, set()
    for name in members(shard):
        folder, _, base = name.rpartition("/")
        key, _, ending = base.partition(".")
        if base.startswith(".") or not ending:
            continue
        key = f"{folder}/{key}" if folder else key
        if key in found and key != last:
            apart.add(key)
        files = found.setdefault(key, {})
        if ending.lower() in files:
            apart.add(key)
        files[ending.lower()] = name
        last = key
    if apart:
        raise LinnetError(f"{shard}: {len(apart)} names belong to two samples (their files lie apart, or one comes "
                          f"twice): {listed(sorted(apart))}. Pack the shard anew, one sample after the other.")
    if not found:
        raise LinnetError(f"{shard} holds no samples; expected files such as 000017.flac and 000017.cls.")
    yield from (_Sample(shard, key, files) for key, files in found.items())


def _endings(samples: Sequence[_Sample], path: Path, given: Mapping[str, Any]) -> list[str]:
    """The endings that every sample has, without those that were said to be skipped."""
    counts = Counter(ending for sample in samples for ending in sample.files)
    skipped = {ending for ending in counts if given.get(ending, given.get(_NAMES.get(ending, ""))) == "skip"}
    uneven = {ending: count for ending, count in counts.items() if count < len(samples) and ending not in skipped}
    if uneven:
        said = []
        for ending, count in uneven.items():
            lacking = [f"{sample.shard.name}{MARK}{sample.key}" for sample in samples if ending not in sample.files]
            said.append(f".{ending} in {count} of {len(samples)} samples; not in {listed(lacking)}")
        raise LinnetError(f"{path}: samples have not the same files: {'; '.join(said)}. Complete them, or leave an "
                          f"ending out with {told(next(iter(uneven)), 'skip')}.")
    return [ending for ending in counts if ending not in skipped]


def _media_names(endings: Sequence[str]) -> dict[str, str]:
    """Ending to column: "audio" or "image" where there is one of a kind, else the ending itself."""
    kinds = {ending: str(kind_of_name(f"x.{ending}")) for ending in endings}
    counts = Counter(kinds.values())
    return {ending: kind if counts[kind] == 1 else ending for ending, kind in kinds.items()}


def _plain(samples: Sequence[_Sample], endings: Sequence[str], path: Path) -> dict[str, list[Any]]:
    """The cells of what is no media, read now: texts, and the keys of JSON objects."""
    archives, raw = Archives(), dict[str, list[Any]]()
    strange = [ending for ending in endings if ending not in _TEXTS and ending.split(".")[-1] != "json"]
    if strange:
        _log.warning("%s: files that end in %s are neither media, texts nor JSON that is read, and were left out",
                     path, listed([f".{ending}" for ending in strange]))
    for ending in (ending for ending in endings if ending not in strange):
        texts = [_text(archives, sample, ending) for sample in samples]
        if ending in _TEXTS:
            raw[_NAMES.get(ending, ending)] = texts
            continue
        rows = [_object(text, sample, ending) for text, sample in zip(texts, samples, strict=True)]
        uneven = [sample.key for row, sample in zip(rows, samples, strict=True) if row.keys() != rows[0].keys()]
        if uneven:
            raise LinnetError(f"{path}: the .{ending} of {len(uneven)} samples has other keys than the first one "
                              f"({', '.join(rows[0])}): {listed(uneven)}. Give every sample the same.")
        raw |= {name: [row[name] for row in rows] for name in rows[0]}
    return raw


def _text(archives: Archives, sample: _Sample, ending: str) -> str:
    where = f"{sample.shard}{MARK}{sample.files[ending]}"
    try:
        return archives.read(Path(where)).decode("utf-8-sig").strip()
    except (DamagedFileError, UnicodeDecodeError) as error:
        said = "is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        raise DamagedFileError(f"{where} {said}. Repair the shard.") from error


def _object(text: str, sample: _Sample, ending: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{sample.shard}{MARK}{sample.files[ending]} is not JSON ({error}).") from error
    if not isinstance(row, dict):
        raise LinnetError(f"{sample.shard}{MARK}{sample.files[ending]}: expected an object {{...}}; got {row!r:.60}.")
    return {str(name): value for name, value in row.items() if name not in ("__key__", "__url__")}


def _ids(samples: Sequence[_Sample], root: Path, prefix: str) -> list[str]:
    keys = [sample.key for sample in samples]
    if len(set(keys)) == len(keys):
        return [prefix + key for key in keys]
    return [f"{prefix}{sample.shard.relative_to(root).with_suffix('').as_posix()}/{sample.key}" for sample in samples]
