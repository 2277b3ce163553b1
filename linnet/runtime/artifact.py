"""Artifact: the bytes of an ONNX file, its metadata, and its identity; read without the onnx package.

Every byte is taken for untrusted. Field numbers are those of ModelProto in onnx.proto.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from linnet.errors import DamagedFileError, LinnetError
from linnet.files import replacing
from linnet.runtime.wire import LENGTH, VARINT, Field, encode_bytes, fields

CLAIMS_KEY = "linnet.claims"
"""The one metadata entry that is not part of the file's identity, because it speaks of it."""

_IR_VERSION, _GRAPH, _METADATA, _TENSOR_EXTERNAL_DATA = 1, 7, 14, 13
_MESSAGES = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
}
"""Where tensors hide: message kind, field number, kind of the message in it."""

_PROTOBUF_LIMIT_BYTES = 1 << 31
"""Larger messages cannot be read by protobuf itself."""


@dataclass(frozen=True)
class Artifact:
    """The content of an ONNX file, with its metadata; `name` is for messages."""

    content: bytes
    metadata: Mapping[str, str]
    name: str = "the file"

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the file's bytes with the metadata entry "linnet.claims" left out."""
        digest = hashlib.sha256()
        for part in _without(self.content, CLAIMS_KEY):
            digest.update(part)
        return digest.hexdigest()

    @property
    def size_bytes(self) -> int:
        """The size of the file as it is."""
        return len(self.content)

    @cached_property
    def size_without_claims_bytes(self) -> int:
        """The size of the file without its claims: what was measured when they were made."""
        return sum(len(part) for part in _without(self.content, CLAIMS_KEY))

    @cached_property
    def external_files(self) -> tuple[str, ...]:
        """The files beside this one in which it keeps its weights; empty for a file that is whole."""
        return tuple(sorted(set(_external_locations(self.content))))


def read(source: Path | str | bytes) -> Artifact:
    """Read an ONNX file, or its bytes. Raises DamagedFileError where it is cut off or something else."""
    if isinstance(source, bytes):
        content, name = source, "the file"
    else:
        content, name = _read_bytes(Path(source)), Path(source).name
    try:
        return Artifact(content, _checked_metadata(content), name)
    except DamagedFileError as error:
        raise DamagedFileError(f"{name} cannot be read as an ONNX file: {error}") from None


def with_metadata(content: bytes, values: Mapping[str, str]) -> bytes:
    """The same file with these metadata entries set; those of the same key are replaced, all others stay."""
    parts = [bytes(part) for part in _without(content, *values)]
    entries = (encode_bytes(1, key.encode()) + encode_bytes(2, value.encode()) for key, value in values.items())
    return b"".join([*parts, *(encode_bytes(_METADATA, entry) for entry in entries)])


def write(path: Path, content: bytes) -> None:
    """Write beside and rename, so that a kill never hurts the file that was there; its permissions stay."""
    target = path.resolve()
    with replacing(target) as partial:
        partial.write_bytes(content)
        if target.exists():
            shutil.copymode(target, partial)


def _read_bytes(path: Path) -> bytes:
    if not path.is_file():
        raise LinnetError(f"there is no file {path}; give the path of an ONNX file.")
    try:
        size = path.stat().st_size
        if size > _PROTOBUF_LIMIT_BYTES:
            raise DamagedFileError(f"{path.name} has {size} bytes; an ONNX file has at most {_PROTOBUF_LIMIT_BYTES}.")
        return path.read_bytes()
    except OSError as error:
        raise LinnetError(f"{path} cannot be read: {error.strerror or error}.") from error


def _checked_metadata(content: bytes) -> dict[str, str]:
    view = memoryview(content)
    wires = {field.number: field.wire for field in fields(view)}
    if wires.get(_IR_VERSION) != VARINT or wires.get(_GRAPH) != LENGTH:
        raise DamagedFileError("it holds no graph.")
    metadata: dict[str, str] = {}
    for field in fields(view):
        if field.number == _METADATA:
            key, value = _entry(view, field)
            if key in metadata and key.startswith("linnet."):
                raise DamagedFileError(f"its metadata holds '{key}' twice.")
            metadata[key] = value
    return metadata


def _entry(view: memoryview, field: Field) -> tuple[str, str]:
    """Key and value of a metadata entry."""
    if field.wire != LENGTH:
        raise DamagedFileError("its metadata is not made of keys and values.")
    texts: dict[int, str] = {}
    for part in fields(view, field.value_start, field.end):
        if part.number not in (1, 2) or part.wire != LENGTH or part.number in texts:
            raise DamagedFileError("an entry of its metadata is not one key and one value.")
        try:
            texts[part.number] = str(view[part.value_start : part.end], "utf-8")
        except UnicodeDecodeError as error:
            raise DamagedFileError("its metadata is not UTF-8 text.") from error
    return texts.get(1, ""), texts.get(2, "")


def _without(content: bytes, *keys: str) -> Iterator[memoryview]:
    """The bytes between the metadata entries of these keys."""
    view, position = memoryview(content), 0
    for field in fields(view):
        if field.number == _METADATA and _entry(view, field)[0] in keys:
            yield view[position : field.start]
            position = field.end
    yield view[position:]


def _external_locations(content: bytes) -> Iterator[str]:
    view = memoryview(content)
    waiting = [("model", 0, len(view))]
    while waiting:
        kind, start, end = waiting.pop()
        parts = [field for field in fields(view, start, end) if field.wire == LENGTH]
        if kind == "tensor":
            entries = dict(_entry(view, part) for part in parts if part.number == _TENSOR_EXTERNAL_DATA)
            if "location" in entries:
                yield entries["location"]
        inner = _MESSAGES.get(kind, {})
        waiting += [(inner[part.number], part.value_start, part.end) for part in parts if part.number in inner]
