"""The cells of a dataset's table: files or their bytes for media, and whatever a function answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from linnet.data.columns import (
    MEDIA,
    AudioColumn,
    Column,
    GroupColumn,
    ImageColumn,
    Kind,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
    ValueColumn,
    label_column,
    sorted_labels,
)
from linnet.data.media import Audio, encode
from linnet.errors import LinnetError, unknown

if TYPE_CHECKING:
    from typing import Any

    import pyarrow as pa

_EXPECTED: dict[Kind, str] = {
    "audio": "values of class Audio", "image": "arrays (height, width, channels) uint8", "text": "strings",
    "label": "strings", "group": "strings", "value": "numbers", "labels": "lists of strings",
    "sequence": "lists of strings", "spans": "lists of {label: string, start: integer, end: integer}"}


def media_cells(files: Iterable[Path | str | bytes]) -> pa.Array:
    """A column of recordings or images, from paths relative to the dataset's root or from the bytes of files."""
    import pyarrow as pa

    cells = [{"bytes": file} if isinstance(file, bytes) else {"path": Path(file).as_posix()} for file in files]
    return pa.array(cells, pa.struct([("path", pa.string()), ("bytes", pa.large_binary())]))


def plain_values(cells: pa.ChunkedArray) -> list[Any]:
    """Cells as Python values."""
    return list(cells.to_pylist())


def cells_of(values: Sequence[Any], kind: Kind) -> pa.Array:
    """The cells of a column that holds no media: strings, numbers, or lists. Raises LinnetError for anything else."""
    import pyarrow as pa

    span = pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())])
    types = {"labels": pa.list_(pa.string()), "sequence": pa.list_(pa.string()), "spans": pa.list_(span), "value": None}
    try:
        return pa.array(list(values), types.get(kind, pa.string()))
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise LinnetError(f"these are no cells of kind {kind}: {str(error).splitlines()[0]}. "
                          f"Expected {_EXPECTED[kind]}.") from error


def as_column(answers: Sequence[Any], name: str, kind: Kind | None = None, *,
              of: str = "") -> tuple[Column, pa.Array]:
    """What a function's answers are: strings become labels, numbers values, Audio and uint8 arrays media.

    `kind` says otherwise; spans are those of the text column `of`.
    """
    plain = [answer.item() if isinstance(answer, np.generic) else answer for answer in answers]
    found = _kind_of(plain)
    if kind is None and found is None:
        types = ", ".join(sorted({type(answer).__name__ for answer in plain}))
        raise LinnetError(f"map: every answer for '{name}' must be a string, or a number, or an Audio, or an image "
                          "(height, width, channels) uint8; or lists, with kind='labels', 'sequence' or 'spans'; "
                          f"got {types}.")
    kind = kind or found
    if kind not in _EXPECTED:
        raise unknown("kind of column", str(kind), _EXPECTED)
    if kind in MEDIA:
        if found != kind:
            raise LinnetError(f"map: the answers for '{name}' are no {kind}; expected {_EXPECTED[kind]}.")
        return AudioColumn() if kind == "audio" else ImageColumn(), media_cells([encode(answer) for answer in plain])
    cells = cells_of(plain, kind)
    return made_column(kind, plain, of=of), cells


def made_column(kind: Kind, values: Sequence[Any], *, of: str = "", ordered: bool = False) -> Column:
    """The column of values without media; its labels are those that occur, in order."""
    if kind == "label":
        return label_column(values, ordered=ordered)
    if kind in ("labels", "sequence"):
        labels = sorted_labels((label for value in values for label in value), by_case=kind == "sequence")
        return LabelsColumn(labels) if kind == "labels" else SequenceColumn(labels)
    if kind == "spans":
        return SpansColumn(sorted_labels(span["label"] for value in values for span in value), of)
    return TextColumn() if kind == "text" else GroupColumn() if kind == "group" else ValueColumn()


def _kind_of(plain: Sequence[Any]) -> Kind | None:
    if all(isinstance(answer, str) for answer in plain):
        return "label"
    if all(isinstance(answer, int | float) and not isinstance(answer, bool) for answer in plain):
        return "value"
    if all(isinstance(answer, Audio) for answer in plain):
        return "audio"
    if all(isinstance(answer, np.ndarray) and answer.dtype == np.uint8 and answer.ndim == 3 for answer in plain):
        return "image"
    return None
