"""How a column's cells lie in a Parquet file, and back: labels as numbers of a class, media as {bytes, path}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from linnet.data.columns import LISTS, MEDIA, Column
from linnet.data.leaks import listed
from linnet.errors import LinnetError

if TYPE_CHECKING:
    import pyarrow as pa


def storage_type(column: Column, number: pa.DataType | None = None) -> pa.DataType:
    """The Arrow type of a column in a file; `number` is that of a value column."""
    import pyarrow as pa

    if column.kind in MEDIA:
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if column.kind == "spans":
        return pa.list_(pa.struct([("label", pa.string()), ("start", pa.int64()), ("end", pa.int64())]))
    if column.kind in LISTS:
        return pa.list_(pa.int64())
    if column.kind == "label":
        return pa.int64()
    return (number or pa.float64()) if column.kind == "value" else pa.string()


def to_storage(column: Column, cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells of a column without media as a file holds them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.kind not in ("label", "labels", "sequence"):
        return cells if column.kind == "value" else cells.cast(storage_type(column))
    known = pa.array(column.labels, pa.string())  # type: ignore[union-attr]

    def numbers(values: pa.Array) -> pa.Array:
        return pc.index_in(values.cast(pa.string()), known).cast(pa.int64())

    chunks = [numbers(chunk) if column.kind == "label" else _lists(chunk, numbers(pc.list_flatten(chunk)))
              for chunk in cells.chunks]
    return pa.chunked_array(chunks, storage_type(column))


def from_storage(column: Column, cells: pa.ChunkedArray, said: str) -> pa.ChunkedArray:
    """The cells of a dataset's column; raises LinnetError for numbers that no label has."""
    import pyarrow as pa

    if column.kind in MEDIA:
        return media_storage(cells)
    if column.kind in ("label", "labels", "sequence"):
        return decoded(list(column.labels), cells, said)  # type: ignore[union-attr]
    return cells if column.kind == "value" else cells.cast(
        pa.string() if column.kind in ("text", "group") else storage_type(column))


def decoded(names: list[str], cells: pa.ChunkedArray, said: str) -> pa.ChunkedArray:
    """Labels, or lists of them, out of their numbers."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_list = pa.types.is_list(cells.type) or pa.types.is_large_list(cells.type)
    flat = pc.list_flatten(cells) if is_list else cells
    if not pa.types.is_integer(flat.type):
        raise LinnetError(f"{said} is said to hold numbers of labels; its cells are {cells.type}.")
    found = flat.drop_null().unique().to_pylist()
    strange = sorted(number for number in found if not -1 <= number < len(names))
    if strange:
        raise LinnetError(f"{said} holds numbers of labels that are not there: {listed(strange)}; there are "
                          f"{len(names)} labels ({listed(names)}).")
    known = pa.array(names, pa.string())

    def labels(values: pa.Array) -> pa.Array:
        return known.take(pc.replace_with_mask(values, pc.equal(values, -1), pa.scalar(None, values.type)))

    chunks = [_lists(chunk, labels(pc.list_flatten(chunk))) if is_list else labels(chunk) for chunk in cells.chunks]
    return pa.chunked_array(chunks, pa.list_(pa.string()) if is_list else pa.string())


def media_storage(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Files as a dataset holds them, from {bytes, path} or from their bytes alone; the bytes are not copied."""
    import pyarrow as pa
    import pyarrow.compute as pc

    chunks = []
    for chunk in cells.chunks:
        if pa.types.is_struct(chunk.type):
            data, path = pc.struct_field(chunk, "bytes"), pc.struct_field(chunk, "path").cast(pa.string())
        else:
            data, path = chunk, pa.nulls(len(chunk), pa.string())
        chunks.append(pa.StructArray.from_arrays([path, data.cast(pa.large_binary())], ["path", "bytes"]))
    return pa.chunked_array(chunks, pa.struct([("path", pa.string()), ("bytes", pa.large_binary())]))


def _lists(like: pa.Array, flat: pa.Array) -> pa.Array:
    """Lists of the same lengths (and holes) with other elements."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = np.asarray(pc.fill_null(pc.list_value_length(like), 0))
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, flat, mask=pc.is_null(like) if like.null_count else None)
