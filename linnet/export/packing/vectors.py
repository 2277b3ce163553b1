"""Scales and biases of 8-bit layers, one number a channel: in small networks these are many bytes.

A scale needs no more digits than half precision has; a bias counts in steps that its layer's scales already say, and 16
bits of it are finer than what the layer rounds to. All scales of a file are one tensor, all biases another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.export.choose import WEIGHTED
from linnet.export.packing.writing import Writing

_DIGITS = 2.0**11
"""Of a number in half precision."""
_UP = np.float32(2.0**12)
"""Scales are small; times this they lie where half precision has all of its digits."""
_LARGEST_SHORT = 2**15 - 1
_MOST_SHIFT = 8
_FEW = 2
"""Scales of so few distinct values are a palette."""
_LEAST = 16
"""Shorter vectors are not worth their operators."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Where an 8-bit layer keeps its numbers: initializers by name."""

    input_scale: str
    scale: str
    bias: str | None
    bias_scale: str | None


def layers(graph: onnx.GraphProto) -> Iterator[Layer]:
    """The operators whose weights are 8 bits with one scale a channel."""
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output if node.op_type == "DequantizeLinear"}
    for node in graph.node:
        parts = [makers.get(name) for name in node.input[:3]]
        if node.op_type not in WEIGHTED or len(parts) < 2 or parts[0] is None or parts[1] is None:
            continue
        scale = tensors.get(parts[1].input[1])
        if scale is None or len(scale.dims) != 1 or parts[1].input[0] not in tensors:
            continue
        bias = parts[2] if len(parts) > 2 else None
        has_bias = bias is not None and bias.input[0] in tensors and bias.input[1] in tensors
        yield Layer(parts[0].input[1], scale.name, bias.input[0] if bias is not None and has_bias else None,
                    bias.input[1] if bias is not None and has_bias else None)


def shorten(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose scales of weights have 11 binary digits (a change of at most 1/4096), and biases as many bits as 16.

    The biases keep their values but for at most the half of 1/32767 of the layer's largest one.
    """
    short = onnx.ModelProto()
    short.CopyFrom(graph)
    tensors = {tensor.name: tensor for tensor in short.graph.initializer}
    found = list(layers(short.graph))
    before = {layer.scale: _read(tensors[layer.scale]) for layer in found}
    for name, scale in before.items():
        _set(tensors[name], _rounded(scale))
    for layer in found:
        if layer.bias is not None and layer.bias_scale is not None:
            whole, step = _read(tensors[layer.bias]), _read(tensors[layer.bias_scale]).astype(np.float64)
            fresh = (step * _read(tensors[layer.scale]) / before[layer.scale]).astype(np.float32)
            coarse = 2 ** _shift(whole)
            _set(tensors[layer.bias_scale], fresh)
            _set(tensors[layer.bias], (np.rint(whole * step / fresh / coarse) * coarse).astype(np.int32))
    return short


def store(graph: onnx.GraphProto, writing: Writing) -> tuple[set[str], dict[str, tuple[str, str]]]:
    """Write what gives scales and biases back; the names of the initializers that are no longer needed.

    Also, by the name of a bias's steps, the two names whose product they are.
    """
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    scales: dict[str, NDArray[Any]] = {}
    biases: dict[str, NDArray[Any]] = {}
    derived: dict[str, tuple[str, str]] = {}
    for layer in layers(graph):
        scale = _read(tensors[layer.scale])
        if len(scale) >= _LEAST:
            if len(np.unique(scale)) > _FEW:
                scales[layer.scale] = scale
            if layer.bias is not None and layer.bias_scale is not None and layer.input_scale in tensors:
                biases[layer.bias] = _read(tensors[layer.bias])
                step = _read(tensors[layer.bias_scale])
                if np.allclose(step, _read(tensors[layer.input_scale]) * scale, rtol=1e-6, atol=0):
                    derived[layer.bias_scale] = (layer.input_scale, layer.scale)
    return _store_scales(scales, writing) | _store_biases(biases, writing) | set(derived), derived


def _store_scales(scales: Mapping[str, NDArray[Any]], writing: Writing) -> set[str]:
    """Those that half precision holds, as one tensor."""
    halves = {name: (values * _UP).astype(np.float16) for name, values in scales.items()
              if np.all(values < np.finfo(np.float16).max / _UP)}
    exact = {name: half for name, half in halves.items() if np.array_equal(half / _UP, scales[name])}
    if exact:
        stored = writing.constant(np.concatenate(list(exact.values())))
        wide = writing.node("Cast", [stored], to=onnx.TensorProto.FLOAT)
        writing.split(writing.node("Div", [wide, writing.constant(np.array(_UP))]), exact)
    return set(exact)


def _store_biases(biases: Mapping[str, NDArray[Any]], writing: Writing) -> set[str]:
    """Those whose shifted values fit in 16 bits, as one tensor."""
    shifts = {name: _shift(values) for name, values in biases.items()}
    exact = {name: (values // 2 ** shifts[name]).astype(np.int16) for name, values in biases.items()
             if not np.any(values % 2 ** shifts[name])
             and np.abs(values // 2 ** shifts[name]).max() <= _LARGEST_SHORT}
    if exact:
        stored = writing.constant(np.concatenate(list(exact.values())))
        wide = writing.node("Cast", [stored], to=onnx.TensorProto.INT32)
        parts = writing.split(wide, {f"{name}/short" if shifts[name] else name: values
                                     for name, values in exact.items()})
        for name, part in zip(exact, parts, strict=True):
            if shifts[name]:
                writing.node("Mul", [part, writing.constant(np.array(2 ** shifts[name], np.int32))], name)
    return set(exact)


def _shift(values: NDArray[Any]) -> int:
    """How many bits a vector loses to fit in 16; none where it would lose too many."""
    largest = float(np.abs(values.astype(np.float64)).max(initial=0))
    shift = max(0, int(np.ceil(np.log2((largest + 1) / _LARGEST_SHORT))))
    return shift if shift <= _MOST_SHIFT else 0


def _rounded(values: NDArray[Any]) -> NDArray[np.float32]:
    """The nearest numbers with as many digits as half precision has."""
    digits, exponents = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(digits * _DIGITS) / _DIGITS, exponents), np.float32)


def _read(tensor: onnx.TensorProto) -> NDArray[Any]:
    return np.asarray(numpy_helper.to_array(tensor))


def _set(tensor: onnx.TensorProto, values: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))
