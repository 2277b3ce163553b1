"""What an operator does, counted from its shapes: multiplications, bytes in, bytes out, bytes of weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]

_ITEM_BYTES = {"float": 4, "float16": 2, "double": 8, "int64": 8, "int32": 4, "int8": 1, "uint8": 1, "bool": 1}
_CONVOLUTIONS = ("Conv", "FusedConv", "QLinearConv", "ConvInteger", "NhwcFusedConv", "ConvTranspose")
_PRODUCTS = ("MatMul", "FusedMatMul", "Gemm", "FusedGemm", "QGemm", "QLinearMatMul", "MatMulInteger",
             "MatMulIntegerToFloat", "DynamicQuantizeMatMul", "MatMulNBits")
_RECURRENT = ("GRU", "LSTM", "RNN")
_BLOCK = 16
"""Numbers of 32 bits in a vector of 512: engines compute channels in blocks of as many."""


@dataclass(frozen=True)
class Layer:
    """One operator as the engine runs it. `ms` is what the engine's profile said, median over the runs."""

    name: str
    operator: str
    kind: str
    """dense, pointwise or depthwise convolution, product, recurrent, or other."""
    precision: str
    """int8 where it computes on 8 bits, else float."""
    layout: str
    """blocked: channels in whole blocks of the vector unit; entering: blocks only behind the layer; plain: neither."""
    macs: int
    blocked_macs: int
    """With channels filled up to blocks of the vector unit."""
    gathered: int
    """Of a convolution the numbers that its windows hold together; of others those that come out."""
    channels: int
    """Of a convolution, that come out."""
    places: int
    """Of a convolution, that it gives: height times width."""
    input_bytes: int
    weight_bytes: int
    output_bytes: int
    ms: float

    @property
    def bytes(self) -> int:
        """Moved at least once."""
        return self.input_bytes + self.weight_bytes + self.output_bytes

    @property
    def intensity(self) -> float:
        """Multiplications a byte."""
        return self.macs / self.bytes if self.bytes else 0.0


def count(name: str, operator: str, seen: Mapping[str, Any], weights: Sequence[tuple[str, Shape]], ms: float, *,
          is_blocked: bool = False) -> Layer:
    """A layer from what the profile says of its values, and its constants as (type, shape)."""
    inputs, outputs = (_values(seen.get(key, ())) for key in ("input_type_shape", "output_type_shape"))
    output = max((shape for _, shape in outputs), key=math.prod, default=())
    matrix = max((shape for _, shape in weights if len(shape) > 1), key=math.prod, default=())
    kind = _kind(operator, matrix, inputs, len(weights))
    macs, blocked = _macs(kind, matrix, output, [shape for _, shape in inputs])
    is_convolution = kind in _CONVOLVING
    gathered = math.prod(output) if not is_convolution else macs // (1 if kind == "depthwise" else matrix[0])
    precision = "int8" if _is_narrow(operator, inputs) else "float"
    is_blocked = is_blocked or (is_convolution and precision == "int8" and matrix[0] % _BLOCK == 0)
    weight_bytes = sum(_bytes(*one) for one in weights)
    layout = "plain" if not is_blocked else (
        "entering" if is_convolution and kind != "depthwise" and matrix[1] % _BLOCK else "blocked")
    return Layer(name, operator, kind, precision, layout, macs, blocked if is_blocked else macs, gathered,
                 matrix[0] if is_convolution else 0, _spatial(output, matrix) if is_convolution else 0,
                 max(0, sum(_bytes(*one) for one in inputs if one not in weights)), weight_bytes,
                 sum(_bytes(*one) for one in outputs), ms)


_CONVOLVING = ("dense", "pointwise", "depthwise")


def _kind(operator: str, matrix: Shape, inputs: Sequence[tuple[str, Shape]], constants: int) -> str:
    if operator in _CONVOLUTIONS and len(matrix) > 2:
        if matrix[1] == 1 and matrix[0] > 1 and _channels(inputs, matrix) != 1:
            return "depthwise"
        return "dense" if math.prod(matrix[2:]) > 1 else "pointwise"
    if operator in _PRODUCTS:
        return "product"
    return "recurrent" if operator in _RECURRENT and constants else "other"


def _channels(inputs: Sequence[tuple[str, Shape]], matrix: Shape) -> int:
    """1 where the convolution reads a single channel: then a kernel of one channel is an ordinary one."""
    first = next((shape for _, shape in inputs if len(shape) == len(matrix)), ())
    return 1 if 1 in (first[1:2] + first[-1:] if first else ()) and matrix[0] not in first else 0


def _macs(kind: str, matrix: Shape, output: Shape, inputs: Sequence[Shape]) -> tuple[int, int]:
    """Multiplications as asked for, and in whole blocks of channels."""
    if kind in _CONVOLVING:
        spatial = _spatial(output, matrix)
        channels = matrix[:1] if kind == "depthwise" else matrix[:2]
        few = len(channels) > 1 and channels[1] <= 4
        blocked = _whole(channels[0]) * channels[1] if few else math.prod(map(_whole, channels))
        return spatial * math.prod(matrix), spatial * blocked * math.prod(matrix[2:])
    if kind == "product":
        inner = inputs[0][-1] if inputs and inputs[0] else 1
        return math.prod(output) * inner, math.prod(output[:-1]) * _whole(output[-1] if output else 1) * inner
    if kind == "recurrent":
        steps = math.prod(output[:-1]) // max(1, output[1] if len(output) > 3 else 1)
        return steps * math.prod(matrix) * 2, steps * math.prod(matrix) * 2
    return 0, 0


def _spatial(output: Shape, matrix: Shape) -> int:
    """Places of the output without its channels, wherever they stand."""
    rest = math.prod(output) if output else 0
    blocks = [size for size in (matrix[0], _whole(matrix[0])) if rest % size == 0 and size in output] if matrix else []
    return rest // (blocks[0] if blocks else max(1, matrix[0] if matrix else 1))


def _whole(channels: int) -> int:
    return -(-channels // _BLOCK) * _BLOCK


def _is_narrow(operator: str, inputs: Sequence[tuple[str, Shape]]) -> bool:
    return (operator.startswith(("QLinear", "QGemm", "ConvInteger", "MatMulInteger", "DynamicQuantize"))
            or bool(inputs and inputs[0][0] in ("uint8", "int8") and operator != "DequantizeLinear"))


def _values(entries: Sequence[Mapping[str, Sequence[int]]]) -> list[tuple[str, Shape]]:
    return [(kind, tuple(shape)) for entry in entries for kind, shape in entry.items()]


def _bytes(kind: str, shape: Shape) -> int:
    return _ITEM_BYTES.get(kind, 4) * math.prod(shape)


def values_bytes(entries: Sequence[Mapping[str, Sequence[int]]]) -> list[int]:
    """Bytes of each value that a profile lists."""
    return [_bytes(*one) for one in _values(entries)]
