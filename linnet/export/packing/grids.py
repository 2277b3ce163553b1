"""Palettes in eight bits: one step for the whole palette, so that a value is the same whole number in every channel.

A quantizer gives each output channel a step of its own, after which few values are many whole numbers. Here the step is
that of the palette times what the channel is multiplied by, and few values stay few.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.export.choose import WEIGHTED
from linnet.export.packing.digits import BASES
from linnet.export.packing.palettes import Scaled
from linnet.export.packing.vectors import shorten

_LARGEST_BIAS = 2.0**30
_TINY = 1e-12


def on_grids(quantized: onnx.ModelProto, source: onnx.ModelProto,
             found: Mapping[str, Scaled]) -> tuple[onnx.ModelProto, dict[str, Scaled]]:
    """The quantized graph with the palettes of `source` on such steps, and by 8-bit initializer the values found.

    Weights of layers with no palette stay as the quantizer made them; all scales and biases get as many digits as are
    of use (`vectors.shorten`).
    """
    graph = onnx.ModelProto()
    graph.CopyFrom(quantized)
    tensors = {tensor.name: tensor for tensor in graph.graph.initializer}
    makers = {name: node for node in graph.graph.node for name in node.output}
    few = {name: scaled for name, scaled in found.items() if len(np.unique(scaled.values)) <= max(BASES)}
    narrow: dict[str, Scaled] = {}
    for node, name in _weighted(source.graph, graph.graph):
        stored = makers.get(node.input[WEIGHTED[node.op_type]])
        if stored is not None and name in few and _is_per_channel(stored, tensors):
            bias = makers.get(node.input[2]) if len(node.input) > 2 else None
            narrow[stored.input[0]] = _regrid(stored, bias if _is_stored(bias, tensors) else None, few[name], tensors)
    return shorten(graph), narrow


def _weighted(source: onnx.GraphProto, quantized: onnx.GraphProto) -> Iterator[tuple[onnx.NodeProto, str]]:
    """Quantized nodes with weights, each with the name that its weights have in the source."""
    weights = {node.name: node.input[WEIGHTED[node.op_type]] for node in source.node
               if node.name and node.op_type in WEIGHTED}
    for node in quantized.node:
        if node.name in weights and node.op_type in WEIGHTED:
            yield node, weights[node.name]


def _is_stored(node: onnx.NodeProto | None, tensors: Mapping[str, onnx.TensorProto]) -> bool:
    return node is not None and node.op_type == "DequantizeLinear" and node.input[0] in tensors


def _is_per_channel(node: onnx.NodeProto, tensors: Mapping[str, onnx.TensorProto]) -> bool:
    return (_is_stored(node, tensors) and len(tensors[node.input[1]].dims) == 1
            and tensors[node.input[0]].data_type == onnx.TensorProto.INT8)


def _regrid(weights: onnx.NodeProto, bias: onnx.NodeProto | None, scaled: Scaled,
            tensors: Mapping[str, onnx.TensorProto]) -> Scaled:
    """Set weights, scales and bias; give back the whole numbers before each channel's sign."""
    old = numpy_helper.to_array(tensors[weights.input[1]]).astype(np.float64)
    step = _step(scaled.values)
    channels = np.ones_like(old) if scaled.scale is None else scaled.scale.astype(np.float64)
    steps = np.maximum(np.abs(channels) * step, _TINY)
    if bias is not None:
        steps = _refit(bias, old, steps, tensors)
    steps = steps.astype(np.float32).astype(np.float64)
    signs = np.where(channels < 0, -1, 1).astype(np.int8)
    whole = np.rint(scaled.values.astype(np.float64) / step)
    off = ~np.isclose(steps, np.abs(channels) * step, rtol=1e-5, atol=0)
    axis = scaled.axis if scaled.scale is not None else _axis(weights, scaled.values.ndim)
    shape = [-1 if place == axis else 1 for place in range(scaled.values.ndim)]
    whole = np.where(off.reshape(shape), np.rint(scaled.values * (np.abs(channels) / steps).reshape(shape)), whole)
    narrow = whole.astype(np.int8)
    _set(tensors[weights.input[0]], narrow * signs.reshape(shape))
    _set(tensors[weights.input[1]], steps.astype(np.float32))
    return Scaled(narrow, signs if np.any(signs < 0) else None, axis)


def _step(values: NDArray[Any]) -> float:
    """1 for whole numbers, which are those of learned steps; else what takes the largest value to 127."""
    largest = float(np.abs(values).max(initial=0))
    if 0 < largest <= 127 and np.array_equal(values, np.rint(values)):
        return 1.0
    return max(largest / 127, _TINY)


def _refit(bias: onnx.NodeProto, old: NDArray[np.float64], steps: NDArray[np.float64],
           tensors: Mapping[str, onnx.TensorProto]) -> NDArray[np.float64]:
    """The bias counts in steps of the sum: those of input and weight multiplied. A step too fine for it is widened."""
    whole, scale = (numpy_helper.to_array(tensors[name]).astype(np.float64) for name in bias.input[:2])
    value, input_step = whole * scale, scale / old
    steps = np.maximum(steps, np.abs(value) / (input_step * _LARGEST_BIAS)).astype(np.float32)
    fresh = (input_step.astype(np.float32) * steps).astype(np.float32)
    _set(tensors[bias.input[0]], np.rint(value / fresh).astype(np.int32))
    _set(tensors[bias.input[1]], fresh)
    return steps.astype(np.float64)


def _axis(node: onnx.NodeProto, axes: int) -> int:
    return next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1) % axes


def _set(tensor: onnx.TensorProto, values: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))
