"""CIFAR-10: small photographs of ten kinds of things, as JPEG in two Parquet files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from linnet.data.columns import Column, GroupColumn, ImageColumn, LabelColumn
from linnet.data.dataset import Dataset
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.errors import DamagedFileError
from linnet.progress import BytesProgress

LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
VALIDATION_ROWS = 2000
_COLUMNS = ["image", "label_name", "file"]


def load(*, folder: str | None = None, validation: bool = False) -> Dataset:
    """Columns: image (32, 32, 3), label, split (group: train or test, as in the source).

    With `validation=True` the last 2,000 training rows are called validation. The id is the path in the source.
    """
    root = PLACE.root(folder, get)
    parts = {split: _read(root / f"{split}.parquet") for split in ("train", "test")}
    held = VALIDATION_ROWS if validation else 0
    splits = {"train": ["train"] * (len(parts["train"]) - held) + ["validation"] * held,
              "test": ["test"] * len(parts["test"])}
    return _dataset(root, parts, splits)


def get(*, progress: BytesProgress | None = None, to: Path | None = None) -> Path:
    """The folder; raises NotAvailableError where it is not on this machine: the source has every image as a file."""
    del progress
    return PLACE.there(to)


def _dataset(root: Path, parts: dict[str, Any], splits: dict[str, list[str]]) -> Dataset:
    import pyarrow as pa

    whole = pa.concat_tables(parts.values())
    images = pa.chunked_array([_cells(chunk) for chunk in whole.column("image").chunks])
    table = pa.table({"id": [str(Path(name).with_suffix("").as_posix()) for name in whole.column("file").to_pylist()],
                      "image": images, "label": whole.column("label_name").cast(pa.string()),
                      "split": [split for part in parts for split in splits[part]]})
    columns: dict[str, Column] = {"image": ImageColumn(), "label": LabelColumn(LABELS), "split": GroupColumn()}
    return Dataset("cifar10", table, columns, root=root)


def _read(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(file, columns=_COLUMNS)
    except (pa.ArrowException, OSError) as error:
        raise DamagedFileError(f"{file} cannot be read as Parquet ({error}). Get the corpus again.") from error
    if table.column_names != _COLUMNS:
        raise DamagedFileError(f"{file} has no column {', '.join(sorted(set(_COLUMNS) - set(table.column_names)))}.")
    return table


def _cells(chunk: Any) -> Any:
    import pyarrow as pa

    return pa.StructArray.from_arrays([pa.nulls(len(chunk), pa.string()), chunk.cast(pa.large_binary())],
                                      ["path", "bytes"])


def _recognises(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("train.parquet", "test.parquet", "labels.txt"))


PLACE = Place(card("cifar10"), _recognises, "train.parquet, test.parquet, labels.txt")
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
