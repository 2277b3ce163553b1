"""Datasets into files that others read too: one Parquet table, or a folder of recordings and images."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from linnet.data.columns import MEDIA
from linnet.data.dataset import Dataset
from linnet.data.leaks import listed
from linnet.data.magic import likeness, suffix_of_bytes
from linnet.data.media import contents, kind_of_name
from linnet.data.schema import metadata
from linnet.data.storage import storage_type, to_storage
from linnet.errors import DamagedFileError, LinnetError
from linnet.files import replacing

MANIFEST = "metadata.jsonl"
_NUMBERS = {"float": "float32", "double": "float64", "halffloat": "float16"}
_UNSAFE = re.compile(r'^\.|[. ]$|[\x00-\x1f\x7f<>:"/\\|?*%]')
_ROWS = 1000
_GROUP_BYTES = 64 << 20


def write_parquet(dataset: Dataset, path: str | Path) -> Path:
    """Write a dataset as one Parquet file that holds everything; `data.load(path)` gives the very same dataset.

    Recordings and images go in byte for byte, as {bytes, path}; labels as numbers of a class. The features that
    Hugging Face's `datasets` looks for are written, too, so that `load_dataset("parquet", ...)` knows every column.
    Raises LinnetError for a path that does not end in .parquet, DamagedFileError where a file cannot be read.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if path.suffix.lower() != ".parquet":
        raise LinnetError(f"write_parquet: a Parquet file's name ends in .parquet; got '{path.name}'.")
    numbers = {name: dataset.table.column(name).type for name, column in dataset.columns.items()
               if column.kind == "value"}
    schema = pa.schema([("id", pa.string()), *((name, storage_type(column, numbers.get(name)))
                                               for name, column in dataset.columns.items())])
    facts = metadata(dataset.name, dataset.part, dataset.columns, {name: _NUMBERS.get(str(kind), str(kind))
                                                                   for name, kind in numbers.items()})
    with replacing(path) as partial, pq.ParquetWriter(partial, schema.with_metadata(facts)) as writer:
        for rows, files in _groups(dataset):
            cells = [pa.chunked_array([pa.array(files[name], schema.field(name).type)]) if name in files
                     else to_storage(column, rows.table.column(name)) for name, column in dataset.columns.items()]
            writer.write_table(pa.table([rows.table.column("id").cast(pa.string()), *cells],
                                        schema=schema.with_metadata(facts)))
    return path


def write_folder(dataset: Dataset, folder: str | Path, *, label: str | None = None) -> Path:
    """Write the recordings or images of a dataset as files, byte for byte, and what else it holds as a manifest.

    Files lie at FOLDER/<value of `label`>/<id>.<suffix>, or FOLDER/<id>.<suffix> without `label`. Other columns go to
    FOLDER/metadata.jsonl, which `data.load(folder)` follows, and which Hugging Face's `imagefolder` and `audiofolder`
    do, too. Raises LinnetError for a folder that is not empty, for a dataset without (or with two columns of) media,
    and for labels and ids that make no names of files.
    """
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LinnetError(f"write_folder: {folder} is not empty; give a new folder.")
    media = [name for name, column in dataset.columns.items() if column.kind in MEDIA]
    if len(media) != 1:
        raise LinnetError(f"write_folder: '{dataset.name}' has {len(media)} columns of recordings or images; a folder "
                          "holds one. Use write_parquet.")
    if label is not None and dataset.column(label).kind not in ("label", "group"):
        raise LinnetError(f"write_folder: label='{label}' holds {dataset.column(label).kind}; a folder is named after "
                          "a label or a group.")
    partial = folder.with_name(folder.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    names = _stems(dataset, label)
    for index, stem in enumerate(names):
        data = _bytes(dataset, media[0], index)
        names[index] = stem + _suffix(dataset, media[0], index, data)
        place = partial / names[index]
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    _write_manifest(dataset, partial, media[0], names, label)
    if folder.exists():
        folder.rmdir()
    partial.replace(folder)
    return folder


def _groups(dataset: Dataset) -> Iterator[tuple[Dataset, dict[str, list[dict[str, Any]]]]]:
    """Stretches of rows with their media files: about 64 MiB, and at most 1000 rows, each."""
    media = [name for name, column in dataset.columns.items() if column.kind in MEDIA]
    start, total = 0, 0
    files: dict[str, list[dict[str, Any]]] = {name: [] for name in media}
    for index in range(len(dataset)):
        for name in media:
            files[name].append({"bytes": _bytes(dataset, name, index), "path": dataset.path(name, index)})
            total += len(files[name][-1]["bytes"])
        if total > _GROUP_BYTES or index + 1 - start == _ROWS:
            yield dataset.take(range(start, index + 1)), files
            start, total, files = index + 1, 0, {name: [] for name in media}
    yield dataset.take(range(start, len(dataset))), files


def _bytes(dataset: Dataset, column: str, index: int) -> bytes:
    try:
        return contents(dataset.file(column, index))
    except DamagedFileError as error:
        raise DamagedFileError(f"'{column}' of sample '{dataset.ids[index]}' {error}. Repair the file, or take the "
                               "sample out of the data.") from error


def _stems(dataset: Dataset, label: str | None) -> list[str]:
    """Where each file lies, without its suffix; what no file system takes in a name is written as %20 is."""
    folders = [""] * len(dataset) if label is None else [f"{value}/" for value in dataset.values(label)]
    strange = sorted({folder[:-1] for folder in folders if folder and _safe(folder[:-1]) + "/" != folder})
    if strange:
        raise LinnetError(f"write_folder: {len(strange)} values of '{label}' are no names of folders: "
                          f"{listed([repr(value) for value in strange])}. Name them otherwise with dataset.map(...), "
                          "or write without label=.")
    stems = [folder + "/".join(_safe(part) for part in name.removeprefix(folder).split("/"))
             for folder, name in zip(folders, dataset.ids, strict=True)]
    twice = [name for name, count in Counter(stems).items() if count > 1]
    if twice:
        raise LinnetError(f"write_folder: {len(twice)} files would have a name that another one has: {listed(twice)}.")
    return stems


def _safe(part: str) -> str:
    """A name of a file: without separators and signs that some systems refuse, and not hidden.

    >>> _safe("../a:b"), _safe("Käse 3")
    ('%2E.%2Fa%3Ab', 'Käse 3')
    """
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", part) or "%"


def _suffix(dataset: Dataset, column: str, index: int, data: bytes) -> str:
    name = dataset.path(column, index) or ""
    suffix = Path(name).suffix if kind_of_name(name) else suffix_of_bytes(data[:12])
    if not suffix:
        raise DamagedFileError(f"'{column}' of sample '{dataset.ids[index]}' is of no known format: it "
                               f"{likeness(data[:64])}.")
    return suffix


def _write_manifest(dataset: Dataset, folder: Path, media: str, names: list[str], label: str | None) -> None:
    """The manifest, unless the folder alone says as much."""
    others = [name for name in dataset.columns if name != media]
    if others == ["label"] == [label] and [str(Path(name).with_suffix("")) for name in names] == dataset.ids:
        return
    values = {"file_name": names, "id": dataset.ids} | {name: dataset.values(name) for name in others}
    rows = (dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True))
    (folder / MANIFEST).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
