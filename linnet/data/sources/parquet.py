"""Parquet tables: those that Linnet wrote, those of Hugging Face, and plain ones; one file or a folder of shards."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.data.columns import AudioColumn, Column, GroupColumn, ImageColumn, LabelColumn, SequenceColumn
from linnet.data.dataset import Dataset
from linnet.data.magic import kind_of_bytes, likeness
from linnet.data.media import kind_of_name
from linnet.data.schema import class_names, element_of, huggingface_features, own_columns
from linnet.data.sources.inference import columns_of, told
from linnet.data.splitting import part_named
from linnet.data.storage import decoded, from_storage, media_storage, storage_type
from linnet.errors import DamagedFileError, LinnetError, unknown

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = ".parquet"
_MAGIC = b"PAR1"
_SNIFFED = 100


def load(path: Path, *, columns: Mapping[str, Any] | None = None, prefix: str = "") -> Dataset:
    """Read a Parquet file, or every one below a folder.

    A file that `data.write_parquet` wrote gives the very same dataset. Of others, the features of Hugging Face are
    followed (Image, Audio, ClassLabel, lists of it); a column of {bytes, path}, or of files' bytes, holds media;
    what the rest holds is told as for a manifest, and said otherwise by `columns`. In a folder, train, validation or
    test in the files' names becomes the column "split". The id is the column "id", or else the media's path where
    every row has its own, or else the row's number; `prefix` goes before it.
    Raises LinnetError, with what was expected beside what was found, for files that do not fit together.
    """
    files = [path] if path.is_file() else shards(path)
    tables = [_read(file) for file in files]
    _refuse_other_schemas(files, [table.schema for table in tables])
    parts = [part_of(file.relative_to(path)) if file != path else None for file in files]
    own = own_columns(tables[0].schema.metadata or {}, str(files[0]))
    table, places = _joined(tables, parts, path)
    if own is not None and not columns:
        return _own_dataset(path, table, own, prefix)
    return _other_dataset(path, table, dict(columns or {}), places, prefix)


def shards(folder: Path) -> list[Path]:
    """The Parquet files below a folder, without the hidden ones."""
    return sorted(file for file in folder.rglob(f"*{SUFFIX}") if file.is_file()
                  and not any(part.startswith(".") for part in file.relative_to(folder).parts))


def part_of(name: Path) -> str | None:
    """The part that a file's name or folder says: "data/train-00000-of-00002.parquet" is of train."""
    words = [word for part in name.with_suffix("").parts for word in re.split(r"[^A-Za-z]+", part)]
    return next((part for part in map(part_named, words) if part), None)


def expect_columns(schema: pa.Schema, expected: Mapping[str, str], where: str) -> None:
    """Raises LinnetError, with expected beside found, where a table lacks a column or has it in another type.

    `expected` maps a name to its Arrow type; "a number" is any that counts or measures.
    """
    import pyarrow as pa

    found = {field.name: str(field.type).replace("<element: ", "<item: ") for field in schema}
    numbers = {field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)}
    wrong = [name for name, kind in expected.items()
             if name not in (numbers if kind == "a number" else found) or kind not in ("a number", found[name])]
    if wrong:
        rows = "\n".join(f"  {name}: expected {kind}, found {found.get(name, 'nothing')}"
                         f"{'  <' if name in wrong else ''}" for name, kind in expected.items())
        others = ", ".join(sorted(set(found) - set(expected)))
        raise LinnetError(f"{where} is a table with another schema:\n{rows}"
                          f"{f'{chr(10)}  besides: {others}' if others else ''}")


def _read(file: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with file.open("rb") as opened:
            head = opened.read(64)
        if not head.startswith(_MAGIC):
            raise DamagedFileError(f"{file} is no Parquet file: it {likeness(head)}; a Parquet file begins with PAR1.")
        table = pq.ParquetFile(file).read()
        table.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise DamagedFileError(f"{file} cannot be read as Parquet ({str(error).splitlines()[0]}). It may be cut off: "
                               "get it again.") from error
    return table


def _refuse_other_schemas(files: Sequence[Path], schemas: Sequence[pa.Schema]) -> None:
    if not files:
        raise LinnetError("the folder holds no Parquet file.")
    expected = {field.name: str(field.type) for field in schemas[0]}
    for file, schema in zip(files, schemas, strict=True):
        if {field.name: str(field.type) for field in schema} != expected:
            expect_columns(schema, expected, f"{file}: beside {files[0].name} it")
            more = sorted(set(schema.names) - set(expected))
            raise LinnetError(f"{file} has columns that {files[0].name} has not: {', '.join(more)}. Give every file "
                              "the same columns.")


def _joined(tables: Sequence[pa.Table], parts: Sequence[str | None], path: Path) -> tuple[pa.Table, list[str]]:
    """One table with the column "split" where files' names say parts; and each row's name by part and number."""
    import pyarrow as pa

    known = {part for part in parts if part}
    if known and None in parts and len(parts) > 1:
        raise LinnetError(f"{path}: of {len(parts)} files, {parts.count(None)} do not say by their names whether they "
                          "belong to train, validation or test. Name them so, or load them apart.")
    counts: defaultdict[str | None, int] = defaultdict(int)
    places, labelled = [], []
    for table, part in zip(tables, parts, strict=True):
        places += [f"{part}/row{counts[part] + row}" if part else f"row{counts[part] + row}"
                   for row in range(1, len(table) + 1)]
        counts[part] += len(table)
        labelled.append(table.append_column("split", pa.array([part] * len(table), pa.string()))
                        if known and "split" not in table.column_names else table)
    return pa.concat_tables(labelled), places


def _own_dataset(path: Path, table: pa.Table, own: tuple[str, str | None, dict[str, Column]], prefix: str) -> Dataset:
    name, part, columns = own
    expect_columns(table.schema, {"id": "string"} | {name: _stored(column) for name, column in columns.items()},
                   str(path))
    schema: dict[str, Column] = {}
    cells = {"id": _prefixed(table.column("id"), prefix)}
    for key, column in columns.items():
        schema[key], cells[key] = column, from_storage(column, table.column(key), f"{path}: column '{key}'")
    if "split" in table.column_names and "split" not in columns:
        schema["split"], cells["split"], part = GroupColumn(), table.column("split"), None
    return _dataset(name, path, cells, schema, part)


def _other_dataset(path: Path, table: pa.Table, given: Mapping[str, Any], places: Sequence[str],
                   prefix: str) -> Dataset:
    features = huggingface_features(table.schema.metadata or {})
    for name in given:
        if name not in table.column_names:
            raise unknown("column", name, table.column_names)
    schema: dict[str, Column] = {}
    cells: dict[str, Any] = {}
    raw: dict[str, list[Any]] = {}
    for name in [name for name in table.column_names if name != "id" and given.get(name) != "skip"]:
        column, said = table.column(name), f"{path}: column '{name}'"
        kind = _media_kind(column, features.get(name), said)
        names = class_names(features.get(name))
        if kind:
            schema[name] = AudioColumn() if kind == "audio" else ImageColumn()
            cells[name] = media_storage(column)
        elif names is not None and name not in given:
            schema[name] = (LabelColumn if element_of(features[name]) is None else SequenceColumn)(tuple(names))
            cells[name] = from_storage(schema[name], column, said)
        else:
            raw[name] = column.to_pylist() if names is None else decoded(names, column, said).to_pylist()
    more, plain = columns_of(raw, {name: kind for name, kind in given.items() if name in raw}, str(path))
    ids = _ids(table, schema, cells, places)
    return _dataset(path.stem if path.is_file() else path.resolve().name, path,
                    {"id": [prefix + name for name in ids], **cells, **plain}, {**schema, **more}, None)


def _dataset(name: str, path: Path, cells: Mapping[str, Any], columns: Mapping[str, Column],
             part: str | None) -> Dataset:
    import pyarrow as pa

    return Dataset(name, pa.table(dict(cells)), columns, root=path if path.is_dir() else path.parent, part=part)


def _ids(table: pa.Table, schema: Mapping[str, Column], cells: Mapping[str, Any], places: Sequence[str]) -> list[str]:
    import pyarrow.compute as pc

    if "id" in table.column_names:
        return ["" if name is None else str(name) for name in table.column("id").to_pylist()]
    for name, column in schema.items():
        if isinstance(column, AudioColumn | ImageColumn):
            paths = pc.struct_field(cells[name], "path")
            if not paths.null_count and pc.count_distinct(paths).as_py() == len(paths):
                return [str(Path(path).with_suffix("")) for path in paths.to_pylist()]
    return list(places)


def _media_kind(column: pa.ChunkedArray, feature: Any, said: str) -> str | None:
    """"audio" or "image" for a column of files, by its feature, else by what the files are; None for another."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = {field.name for field in column.type} if pa.types.is_struct(column.type) else set()
    is_binary = pa.types.is_binary(column.type) or pa.types.is_large_binary(column.type)
    if not is_binary and not {"bytes", "path"} <= names:
        return None
    if isinstance(feature, dict) and feature.get("_type") in ("Audio", "Image"):
        return str(feature["_type"]).lower()
    data = column if is_binary else pc.struct_field(column, "bytes")
    heads = pc.binary_slice(data.drop_null().slice(0, _SNIFFED).cast(pa.binary()), 0, 64).to_pylist()
    paths = [] if is_binary else pc.struct_field(column, "path").drop_null().slice(0, _SNIFFED).to_pylist()
    kinds = {kind_of_bytes(head) for head in heads} or {kind_of_name(path) for path in paths}
    if len(kinds) == 1 and None not in kinds:
        return kinds.pop()
    strange = next((head for head in heads if kind_of_bytes(head) is None), b"")
    shown = f"a cell {likeness(strange)}" if heads and None in kinds else "recordings and images are mixed, or unnamed"
    name = said.split("'")[-2]
    raise LinnetError(f"{said} holds bytes, but neither recordings throughout nor images throughout: {shown}. Leave it "
                      f"out with {told(name, 'skip')}.")


def _stored(column: Column) -> str:
    return "a number" if column.kind == "value" else str(storage_type(column))


def _prefixed(ids: pa.ChunkedArray, prefix: str) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.binary_join_element_wise(prefix, ids, "") if prefix else ids
