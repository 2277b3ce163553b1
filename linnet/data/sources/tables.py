"""Two small tables that come with scikit-learn: breast_cancer (two classes) and diabetes (a number to be told)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from linnet.data.columns import Column, ValueColumn, label_column
from linnet.data.dataset import Dataset
from linnet.data.sources.handwritten import find, get, recognises
from linnet.data.sources.source import Source, card
from linnet.errors import missing_extra


def breast_cancer() -> Dataset:
    """Columns: thirty measurements of cell nuclei (values), diagnosis (benign or malignant)."""
    found = _loaded(lambda datasets: datasets.load_breast_cancer())
    names = [_plain(name) for name in found.feature_names]
    labels = [str(found.target_names[index]) for index in found.target]
    return _table("breast_cancer", dict(zip(names, found.data.T, strict=True)), {"diagnosis": labels})


def diabetes() -> Dataset:
    """Columns: age, sex, bmi, bp, s1 to s6 (values, as measured), progression (value) a year later."""
    found = _loaded(lambda datasets: datasets.load_diabetes(scaled=False))
    columns = dict(zip(map(str, found.feature_names), found.data.T, strict=True))
    return _table("diabetes", {**columns, "progression": found.target}, {})


def _loaded(load: Callable[[Any], Any]) -> Any:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise missing_extra("scikit-learn", "train") from error
    return load(datasets)


def _plain(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip())


def _table(name: str, values: dict[str, Any], labels: dict[str, list[str]]) -> Dataset:
    import pyarrow as pa

    rows = len(next(iter(values.values())))
    cells = {column: [float(value) for value in found] for column, found in values.items()}
    columns: dict[str, Column] = {column: ValueColumn() for column in values}
    columns |= {column: label_column(found) for column, found in labels.items()}
    return Dataset(name, pa.table({"id": [f"row_{index:04d}" for index in range(rows)], **cells, **labels}), columns)


BREAST_CANCER = Source(card("breast_cancer"), breast_cancer, find, get, recognises)
DIABETES = Source(card("diabetes"), diabetes, find, get, recognises)
