"""Fashion-MNIST: pictures of clothes in ten kinds, grey, 28 by 28 pixels, in the four files of its authors."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.data.cells import media_cells
from linnet.data.columns import Column, GroupColumn, ImageColumn, LabelColumn
from linnet.data.dataset import Dataset
from linnet.data.media import encode
from linnet.data.sources.places import Place
from linnet.data.sources.source import Source, card
from linnet.data.unpacking import gunzip
from linnet.errors import DamagedFileError
from linnet.progress import BytesProgress

LABELS = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
VALIDATION_ROWS = 5000
_PARTS = {"train": ("train", 60_000), "test": ("t10k", 10_000)}
_SIZE = 28
_IMAGES, _LABELS = 2051, 2049
"""The first number of an IDX file: unsigned bytes in three dimensions, and in one."""


def load(*, folder: str | None = None, validation: bool = False) -> Dataset:
    """Columns: image (28, 28, 1), label, split (group: train or test, as its authors say).

    With `validation=True` the last 5,000 training rows are called validation.
    """
    root = PLACE.root(folder, get)
    read = {split: _part(root, *part) for split, part in _PARTS.items()}
    rows = {split: len(labels) for split, (_, labels) in read.items()}
    held = VALIDATION_ROWS if validation else 0
    splits = ["train"] * (rows["train"] - held) + ["validation"] * held + ["test"] * rows["test"]
    return _dataset(root, read, splits)


def get(*, progress: BytesProgress | None = None, to: Path | None = None, address: str | None = None) -> Path:
    """Download the corpus (31 MB) unless it is there; `address` is where the files lie, in place of GitHub."""
    return PLACE.bring(_make, progress=progress, to=to, files=PLACE.card.files_at(address))


def _dataset(root: Path, read: dict[str, tuple[NDArray[np.uint8], NDArray[np.uint8]]], splits: list[str]) -> Dataset:
    import pyarrow as pa

    table = pa.table({"id": [f"{split}/{number:05d}" for split, (_, labels) in read.items()
                             for number in range(len(labels))],
                      "image": media_cells([encode(image) for images, _ in read.values() for image in images]),
                      "label": [LABELS[label] for _, labels in read.values() for label in labels], "split": splits})
    columns: dict[str, Column] = {"image": ImageColumn(), "label": LabelColumn(LABELS), "split": GroupColumn()}
    return Dataset("fashion_mnist", table, columns, root=root)


def _part(root: Path, name: str, rows: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    images = _idx(root / f"{name}-images-idx3-ubyte.gz", (_IMAGES, rows, _SIZE, _SIZE))
    labels = _idx(root / f"{name}-labels-idx1-ubyte.gz", (_LABELS, rows))
    if labels.max() >= len(LABELS):
        raise DamagedFileError(f"{root / name}...: a label is {labels.max()}; expected 0 to {len(LABELS) - 1}.")
    return images[..., None], labels


def _idx(file: Path, head: tuple[int, ...]) -> NDArray[np.uint8]:
    """The array of an IDX file: its head is a number for the kind, then the sizes, 4 bytes each, big end first."""
    size = int(np.prod(head[1:]))
    data = gunzip(file, limit_bytes=4 * len(head) + size)
    found = tuple(int(number) for number in np.frombuffer(data[:4 * len(head)], ">u4"))
    if found != head or len(data) != 4 * len(head) + size:
        raise DamagedFileError(f"{file} begins with {found} and has {len(data):,} bytes; expected {head} and "
                               f"{4 * len(head) + size:,}. Get the corpus again.")
    return np.frombuffer(data, np.uint8, offset=4 * len(head)).reshape(head[1:])


def _make(come: Mapping[str, Path], folder: Path) -> None:
    for name, file in come.items():
        shutil.copyfile(file, folder / name)
    for part in _PARTS.values():
        _part(folder, *part)


def _recognises(folder: Path) -> bool:
    return all((folder / f"{name}-{kind}-ubyte.gz").is_file()
               for name, _ in _PARTS.values() for kind in ("images-idx3", "labels-idx1"))


PLACE = Place(card("fashion_mnist"), _recognises, "train-images-idx3-ubyte.gz and the three files beside it")
SOURCE = Source(PLACE.card, load, PLACE.find, get, _recognises)
