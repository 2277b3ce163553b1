"""Handwritten digits: 1797 grey images of 8 by 8 pixels that come with scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from linnet.data.cells import media_cells
from linnet.data.columns import ImageColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.media import encode
from linnet.data.sources.source import Source, card
from linnet.errors import missing_extra


def load() -> Dataset:
    """Columns: image (8, 8, 1) uint8, digit. The test set of the UCI corpus, as scikit-learn ships it."""
    import pyarrow as pa

    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise missing_extra("scikit-learn", "train") from error
    found = load_digits()
    pixels = np.round(found.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = [str(digit) for digit in found.target]
    table = pa.table({"id": [f"digit_{index:04d}" for index in range(len(labels))],
                      "image": media_cells([encode(image) for image in pixels]), "digit": labels})
    return Dataset("handwritten", table, {"image": ImageColumn(), "digit": label_column(labels)})


def find() -> Path | None:
    """The folder of scikit-learn's data, or None where it is not installed."""
    from importlib.util import find_spec

    spec = find_spec("sklearn")
    return Path(spec.origin).parent / "datasets" / "data" if spec and spec.origin else None


def get(*, progress: object = None, to: Path | None = None) -> Path:
    """The folder of scikit-learn's data: there is nothing to bring. Raises LinnetError where it is not installed."""
    del progress, to
    folder = find()
    if folder is None:
        raise missing_extra("scikit-learn", "train")
    return folder


def recognises(folder: Path) -> bool:
    """Never: these images come with a package, not in a folder."""
    del folder
    return False


SOURCE = Source(card("handwritten"), load, find, get, recognises)
