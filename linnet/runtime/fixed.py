"""The same graph for inputs of one size: what depends on sizes alone is then computed once, when the engine loads it.

Half of what a streaming network does in a step is arithmetic on shapes and masks; all of it is known beforehand where
every block is as long as the last. ONNX: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto (the numbers below).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from linnet.runtime.wire import Field, encode_bytes, encode_varint, fields

_GRAPH, _INITIALIZER, _INPUT = 7, 5, 11
_CODES = {"float32": 1, "int64": 7}


def with_sizes(content: bytes, sizes: Mapping[str, tuple[int, ...]],
               constants: Mapping[str, NDArray[np.generic]]) -> bytes:
    """An ONNX file whose inputs `sizes` (float32) have these shapes; `constants` are inputs no longer, but values.

    Raises DamagedFileError for what is no ONNX file, KeyError for a constant that is neither float32 nor int64.
    """
    view = memoryview(content)
    return b"".join(encode_bytes(_GRAPH, b"".join(_graph(view, field, sizes, constants))) if field.number == _GRAPH
                    else view[field.start : field.end] for field in fields(view))


def _graph(view: memoryview, graph: Field, sizes: Mapping[str, tuple[int, ...]],
           constants: Mapping[str, NDArray[np.generic]]) -> Iterator[bytes | memoryview]:
    for field in fields(view, graph.value_start, graph.end):
        name = _name(view, field) if field.number == _INPUT else ""
        if name in sizes:
            yield encode_bytes(_INPUT, _value_info(name, sizes[name]))
        elif name not in constants:
            yield view[field.start : field.end]
    for name, values in constants.items():
        yield encode_bytes(_INITIALIZER, _tensor(name, values))


def _name(view: memoryview, info: Field) -> str:
    return next(str(view[field.value_start : field.end], "utf-8")
                for field in fields(view, info.value_start, info.end) if field.number == 1)


def _value_info(name: str, shape: tuple[int, ...]) -> bytes:
    dims = b"".join(encode_bytes(1, _number(1, size)) for size in shape)
    tensor = _number(1, _CODES["float32"]) + encode_bytes(2, dims)
    return encode_bytes(1, name.encode()) + encode_bytes(2, encode_bytes(1, tensor))


def _tensor(name: str, values: NDArray[np.generic]) -> bytes:
    little = values.astype(values.dtype.newbyteorder("<"))
    return (b"".join(_number(1, size) for size in values.shape) + _number(2, _CODES[values.dtype.name])
            + encode_bytes(8, name.encode()) + encode_bytes(9, little.tobytes()))


def _number(field: int, value: int) -> bytes:
    return encode_varint(field << 3) + encode_varint(value)
