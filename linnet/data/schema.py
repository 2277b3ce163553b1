"""A dataset's columns as JSON, and as the features that Hugging Face's `datasets` writes beside a Parquet table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from linnet.data.columns import (
    AudioColumn,
    Column,
    GroupColumn,
    ImageColumn,
    Kind,
    LabelColumn,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    ValueColumn,
)
from linnet.errors import LinnetError

KEY = b"linnet"
"""Where a Parquet file carries the columns of a dataset."""
HUGGINGFACE = b"huggingface"
_FORMAT = 1
_LISTS: dict[Kind, Callable[[tuple[str, ...]], Column]] = {"labels": LabelsColumn, "sequence": SequenceColumn}
_PLAIN: dict[Kind, Callable[[], Column]] = {
    "audio": AudioColumn, "image": ImageColumn, "text": TextColumn, "group": GroupColumn, "value": ValueColumn}


def columns_to_json(columns: Mapping[str, Column]) -> dict[str, Any]:
    """What `columns_from_json` reads.

    >>> columns_to_json({"mark": LabelColumn(("bad", "good"), ordered=True)})
    {'mark': {'kind': 'label', 'labels': ['bad', 'good'], 'ordered': True}}
    """
    return {name: {"kind": column.kind} | {key: list(value) if isinstance(value, tuple) else value
                                           for key, value in vars(column).items()} for name, column in columns.items()}


def columns_from_json(value: Mapping[str, Any]) -> dict[str, Column]:
    """Columns as `columns_to_json` wrote them; raises LinnetError for anything else."""
    try:
        return {str(name): _column(entry) for name, entry in value.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LinnetError(f"these are no columns of a dataset: {error!r} is missing or off.") from error


def metadata(name: str, part: str | None, columns: Mapping[str, Column],
             types: Mapping[str, str]) -> dict[bytes, bytes]:
    """The two entries of a Parquet file's metadata; `types` are the value columns' number types, such as "int64"."""
    features = {"id": _value("string")} | {key: feature_of(column, types.get(key, "float64"))
                                           for key, column in columns.items()}
    own = {"format": _FORMAT, "name": name, "part": part, "columns": columns_to_json(columns)}
    return {KEY: json.dumps(own).encode(), HUGGINGFACE: json.dumps({"info": {"features": features}}).encode()}


def own_columns(found: Mapping[bytes, bytes], where: str) -> tuple[str, str | None, dict[str, Column]] | None:
    """Name, part and columns of a dataset that Linnet wrote; None for a table of other origin."""
    if KEY not in found:
        return None
    try:
        value = json.loads(found[KEY])
        if value["format"] != _FORMAT:
            raise LinnetError(f"{where} was written in format {value['format']}; this version reads {_FORMAT}.")
        return str(value["name"]), value["part"], columns_from_json(value["columns"])
    except (ValueError, KeyError, TypeError) as error:
        raise LinnetError(f"{where}: its description of the columns cannot be read ({error!r}). Write the file again, "
                          "or remove the entry 'linnet' from its metadata.") from error


def huggingface_features(found: Mapping[bytes, bytes]) -> dict[str, Any]:
    """Column name to feature, as `datasets` writes it; empty for a table without them, or with others than known."""
    try:
        features = json.loads(found.get(HUGGINGFACE, b"{}"))["info"]["features"]
        return {str(name): feature for name, feature in features.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def class_names(feature: Any) -> list[str] | None:
    """The labels of a ClassLabel, or of a list of them; None for any other feature."""
    inner = element_of(feature)
    feature = inner if inner is not None else feature
    is_class = isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    return [str(name) for name in feature["names"]] if is_class else None


def element_of(feature: Any) -> Any:
    """What a list feature is a list of, in each of the ways in which it was ever written; None for no list."""
    if isinstance(feature, list) and len(feature) == 1:
        return feature[0]
    if isinstance(feature, dict) and feature.get("_type") in ("Sequence", "List", "LargeList"):
        return feature.get("feature")
    return None


def feature_of(column: Column, number_type: str) -> Any:
    """The Hugging Face feature of a column."""
    if isinstance(column, LabelColumn):
        return {"names": list(column.labels), "_type": "ClassLabel"}
    if isinstance(column, LabelsColumn | SequenceColumn):
        return {"feature": {"names": list(column.labels), "_type": "ClassLabel"}, "_type": "Sequence"}
    if isinstance(column, SpansColumn):
        return [{"label": _value("string"), "start": _value("int64"), "end": _value("int64")}]
    if isinstance(column, AudioColumn | ImageColumn):
        return {"_type": column.kind.capitalize()}
    return _value(number_type if isinstance(column, ValueColumn) else "string")


def _value(dtype: str) -> dict[str, str]:
    return {"dtype": dtype, "_type": "Value"}


def _column(entry: Mapping[str, Any]) -> Column:
    kind = cast(Kind, entry["kind"])
    if kind in _PLAIN:
        return _PLAIN[kind]()
    labels = tuple(str(label) for label in entry["labels"])
    if kind == "label":
        return LabelColumn(labels, bool(entry["ordered"]))
    if kind == "spans":
        return SpansColumn(labels, str(entry["of"]))
    return _LISTS[kind](labels)
