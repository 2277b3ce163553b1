"""What a table has to be before it is a dataset: ids of its own, no holes, labels and spans that fit its schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from linnet.data.columns import (
    LISTS,
    MEDIA,
    AudioColumn,
    Column,
    LabelColumn,
    LabelsColumn,
    SequenceColumn,
    SpansColumn,
    TextColumn,
)
from linnet.data.leaks import listed
from linnet.errors import LinnetError

if TYPE_CHECKING:
    import pyarrow as pa


def check_table(name: str, table: pa.Table, columns: Mapping[str, Column]) -> None:
    """Raises LinnetError, with the ids of the rows, where the cells are not what the columns say."""
    where = f"dataset '{name}'"
    missing = sorted({"id", *columns} - set(table.column_names))
    if missing:
        raise LinnetError(f"{where}: the table has no column {', '.join(missing)}; it has "
                          f"{', '.join(sorted(table.column_names))}.")
    _check_ids(where, table.column("id"))
    for column_name, column in columns.items():
        cells = table.column(column_name)
        said = f"{where}: column '{column_name}'"
        _refuse_other_type(said, column, cells.type)
        if column.kind in MEDIA:
            _refuse_no_file(said, cells, table)
        else:
            _refuse_holes(said, column, cells, table)
            _refuse_strange(said, column, cells)
        if isinstance(column, LabelsColumn):
            _refuse_repeats(said, cells, table)
        if isinstance(column, SpansColumn):
            of = columns.get(column.of)
            if not isinstance(of, TextColumn | AudioColumn):
                raise LinnetError(f"{said} marks stretches of '{column.of}', which is no column of texts or recordings "
                                  "of it.")
            _refuse_bad_spans(said, cells, table, table.column(column.of) if isinstance(of, TextColumn) else None)


def labels_of(column: Column) -> tuple[str, ...] | None:
    """The labels that a column's cells may hold; None for one without labels."""
    return column.labels if isinstance(column, LabelColumn | LabelsColumn | SequenceColumn | SpansColumn) else None


def flat_labels(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Every label in the cells of a column, lists and spans opened."""
    import pyarrow.compute as pc

    flat = pc.list_flatten(cells) if column.kind in LISTS else cells
    return pc.struct_field(flat, "label") if isinstance(column, SpansColumn) else flat


def _check_ids(where: str, ids: pa.ChunkedArray) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    if not _is_string(ids.type):
        raise LinnetError(f"{where}: the column 'id' holds {ids.type}; an id is a string.")
    if ids.null_count or pc.any(pc.equal(ids, "")).as_py():
        raise LinnetError(f"{where}: a row has no id; every sample needs one of its own.")
    if pc.count_distinct(ids).as_py() < len(ids):
        counted = pc.value_counts(ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids)
        twice = [entry["values"] for entry in counted.to_pylist() if entry["counts"] > 1]
        raise LinnetError(f"{where}: {len(twice)} ids occur more than once: {listed(twice)}. "
                          "Every sample needs an id of its own.")


def _is_string(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))


def _refuse_other_type(said: str, column: Column, kind: pa.DataType) -> None:
    import pyarrow as pa

    types = pa.types
    is_list = types.is_list(kind) or types.is_large_list(kind)
    fits = {
        "media": types.is_struct(kind) and {"path", "bytes"} <= {field.name for field in kind},
        "value": types.is_integer(kind) or types.is_floating(kind) or types.is_null(kind),
        "strings": _is_string(kind),
        "labels": types.is_null(kind) or (is_list and _is_string(kind.value_type)),
        "spans": types.is_null(kind) or (is_list and (types.is_null(kind.value_type) or _is_span(kind.value_type)))}
    wanted, words = {"audio": ("media", "files: struct<path: string, bytes: binary>"),
                     "image": ("media", "files: struct<path: string, bytes: binary>"),
                     "value": ("value", "numbers"), "labels": ("labels", "lists of strings"),
                     "sequence": ("labels", "lists of strings"),
                     "spans": ("spans", "lists of {label: string, start: integer, end: integer}")}.get(
                         column.kind, ("strings", "strings"))
    if not fits[wanted]:
        raise LinnetError(f"{said} is said to hold {column.kind}, that is {words}; its cells are {kind}.")


def _is_span(kind: pa.DataType) -> bool:
    import pyarrow as pa

    fields = {field.name: field.type for field in kind} if pa.types.is_struct(kind) else {}
    return (set(fields) == {"label", "start", "end"} and _is_string(fields["label"])
            and all(pa.types.is_integer(fields[end]) for end in ("start", "end")))


def _refuse_holes(said: str, column: Column, cells: pa.ChunkedArray, table: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    holes = pc.is_null(cells)
    if _is_string(cells.type) and not pa.types.is_null(cells.type):
        empty = pc.equal(pc.utf8_trim_whitespace(cells) if isinstance(column, TextColumn) else cells, "")
        holes = pc.or_(holes, pc.fill_null(empty, True))
    elif pa.types.is_floating(cells.type):
        holes = pc.or_(holes, pc.invert(pc.fill_null(pc.is_finite(cells), False)))
    if pc.any(holes).as_py():
        raise LinnetError(f"{said} is empty (or no finite number) in {pc.sum(holes).as_py()} rows: "
                          f"{_ids(table, holes)}. "
                          "Fill them in, take these rows out, or leave the column out.")


def _refuse_no_file(said: str, cells: pa.ChunkedArray, table: pa.Table) -> None:
    import pyarrow.compute as pc

    none = pc.and_(pc.is_null(pc.struct_field(cells, "path")), pc.is_null(pc.struct_field(cells, "bytes")))
    if pc.any(none).as_py():
        raise LinnetError(f"{said} has neither a path nor bytes in {pc.sum(none).as_py()} rows: {_ids(table, none)}. "
                          "Fill them in, or take these rows out.")


def _refuse_strange(said: str, column: Column, cells: pa.ChunkedArray) -> None:
    known = labels_of(column)
    if known is None:
        return
    if len(set(known)) < len(known):
        raise LinnetError(f"{said}: its schema names a label twice: {listed(known)}.")
    strange = sorted({str(value) for value in flat_labels(column, cells).unique().to_pylist()} - set(known))
    if strange:
        raise LinnetError(f"{said} holds labels that its schema does not know: {listed(strange)}.")


def _refuse_repeats(said: str, cells: pa.ChunkedArray, table: pa.Table) -> None:
    import pyarrow.compute as pc

    rows, flat = _parents(cells), pc.list_flatten(cells)
    if not len(flat):
        return
    codes = flat.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    pairs, counts = np.unique(np.stack([rows, codes]), axis=1, return_counts=True)
    repeated = np.unique(pairs[0][counts > 1])
    if len(repeated):
        raise LinnetError(f"{said} names a label twice in {len(repeated)} rows: {_ids(table, repeated)}. "
                          "Name each once; for labels in order, in which one may come again, say 'sequence'.")


def _refuse_bad_spans(said: str, cells: pa.ChunkedArray, table: pa.Table,
                      texts: pa.ChunkedArray | None) -> None:
    """`texts` is None for spans of recordings, whose lengths only a decoder knows: the task that reads them checks."""
    import pyarrow.compute as pc

    rows, flat = _parents(cells), pc.list_flatten(cells)
    if not len(flat):
        return
    starts, ends = (_integers(pc.struct_field(flat, end)) for end in ("start", "end"))
    within = True if texts is None else ends <= _integers(pc.utf8_length(texts))[rows]
    outside = np.unique(rows[(starts < 0) | (starts >= ends) | np.logical_not(within)])
    if len(outside):
        thing, unit = ("recording", "milliseconds") if texts is None else ("text", "characters")
        raise LinnetError(f"{said} has spans that do not lie in the {thing} of their row, in {len(outside)} "
                          f"rows: {_ids(table, outside)}. Expected 0 <= start < end <= length, in {unit}.")
    order = np.lexsort((starts, rows))
    rows, starts, ends = rows[order], starts[order], ends[order]
    overlapping = np.unique(rows[1:][(rows[1:] == rows[:-1]) & (starts[1:] < ends[:-1])])
    if len(overlapping):
        raise LinnetError(f"{said} has spans that overlap in {len(overlapping)} rows: {_ids(table, overlapping)}. "
                          f"A {'millisecond' if texts is None else 'character'} belongs to one span at most.")


def _parents(cells: pa.ChunkedArray) -> NDArray[np.int64]:
    """The row that each element of the lists belongs to."""
    import pyarrow.compute as pc

    return np.repeat(np.arange(len(cells)), _integers(pc.list_value_length(cells)))


def _integers(cells: pa.ChunkedArray) -> NDArray[np.int64]:
    import pyarrow.compute as pc

    return np.asarray(pc.fill_null(cells, -1).to_numpy(), np.int64)


def _ids(table: pa.Table, rows: Any) -> str:
    """Names of rows, from their positions or a boolean mask."""
    ids = table.column("id")
    found = ids.take(rows) if isinstance(rows, np.ndarray) else ids.filter(rows)
    return listed(found.to_pylist())
