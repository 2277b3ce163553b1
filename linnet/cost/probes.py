"""Probes: small ONNX files of one kind of operator, from which a machine's speed at that kind is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

_FLOAT = onnx.TensorProto.FLOAT
_LARGEST = 8_000_000
"""Multiplications of a layer."""
_SHAPES = 16
PRODUCT = ((1, 64, 64), (16, 128, 128), (64, 128, 512), (64, 512, 128), (1, 256, 1024), (128, 96, 96))
OTHER = ((16, 32), (32, 32), (64, 8), (96, 24), (8, 64))

Convolution = tuple[int, int, int, int, int]
"""Channels in and out, kernel, groups, stride."""


def probes(eight_bits: bool) -> Iterator[onnx.ModelProto]:
    """One file a shape, in float, or in QuantizeLinear and DequantizeLinear that engines make int8 operators of."""
    random = np.random.default_rng(0)
    for layers, size in _drawn(random):
        yield _chain(layers, size, eight_bits)
    if not eight_bits:
        for rows, inner, outer in PRODUCT:
            yield _products(rows, inner, outer)
        for channels, size in OTHER:
            yield _sums(channels, size)


def _drawn(random: np.random.Generator) -> Iterator[tuple[list[Convolution], int]]:
    """Dense, pointwise and depthwise convolutions: on whole blocks of channels, into them, and on any number."""
    for kind in ("dense", "pointwise", "depthwise"):
        for block in (16, 1):
            for _ in range(_SHAPES):
                inputs, outputs = (int(block * random.integers(max(1, 8 // block), 161 // block)) for _ in range(2))
                kernel = 1 if kind == "pointwise" else int(random.choice([3, 3, 5]))
                groups = inputs if kind == "depthwise" else 1
                outputs = inputs if groups > 1 else outputs
                room = _LARGEST / (outputs * inputs // groups * kernel**2)
                size = int(np.clip(np.sqrt(room * random.uniform(0.02, 1)), 4, 64))
                layer = (inputs, outputs, kernel, groups, int(random.choice([1, 1, 2])))
                yield [layer] * (2 if inputs == outputs else 1), size
        if kind != "depthwise":
            for inputs in (1, 3, 3, 8, 12, 15, 24, 40):
                kernel = 1 if kind == "pointwise" else int(random.choice([3, 3, 5]))
                yield [(inputs, int(16 * random.integers(1, 9)), kernel, 1, int(random.choice([1, 2])))], int(
                    random.integers(16, 56))


def _chain(layers: Sequence[Convolution], size: int, eight_bits: bool) -> onnx.ModelProto:
    """Convolutions, each with a Relu in float, each between pairs of rounding in 8 bits."""
    build = _Build()
    value = build.rounded("x") if eight_bits else "x"
    for inputs, outputs, kernel, groups, stride in layers:
        shape = (outputs, inputs // groups, kernel, kernel)
        bias = np.zeros(outputs, np.float32)
        if eight_bits:
            weight = build.node("DequantizeLinear", [build.constant(_noise(shape, np.int8)),
                                                     build.constant(np.full(outputs, 0.01, np.float32))], axis=0)
            stored = build.node("DequantizeLinear", [build.constant(bias.astype(np.int32)),
                                                     build.constant(np.full(outputs, 0.0002, np.float32))], axis=0)
        else:
            weight, stored = build.constant(_noise(shape, np.float32)), build.constant(bias)
        made = build.node("Conv", [value, weight, stored], group=groups, kernel_shape=[kernel, kernel],
                          pads=[kernel // 2] * 4, strides=[stride] * 2)
        value = build.rounded(made) if eight_bits else build.node("Relu", [made])
    return build.model((1, layers[0][0], size, size), value)


def _products(rows: int, inner: int, outer: int) -> onnx.ModelProto:
    build = _Build()
    value = build.node("MatMul", ["x", build.constant(_noise((inner, outer), np.float32))])
    return build.model((rows, inner), build.node("MatMul", [value, build.constant(_noise((outer, inner), np.float32))]))


def _sums(channels: int, size: int) -> onnx.ModelProto:
    """Operators that only move: an addition, a sigmoid, a product with itself."""
    build = _Build()
    value = build.node("Add", ["x", build.node("Sigmoid", ["x"])])
    return build.model((1, channels, size, size), build.node("Mul", [value, "x"]))


class _Build:
    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, list(inputs), [f"v{len(self.nodes)}"], **attributes))
        return f"v{len(self.nodes) - 1}"

    def constant(self, values: np.ndarray[Any, Any]) -> str:
        self.constants.append(numpy_helper.from_array(values, f"c{len(self.constants)}"))
        return f"c{len(self.constants) - 1}"

    def rounded(self, value: str) -> str:
        grid = [self.constant(np.array(0.02, np.float32)), self.constant(np.array(128, np.uint8))]
        return self.node("DequantizeLinear", [self.node("QuantizeLinear", [value, *grid]), *grid])

    def model(self, shape: Sequence[int], output: str) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [output], ["y"]))
        graph = helper.make_graph(self.nodes, "probe", [helper.make_tensor_value_info("x", _FLOAT, shape)],
                                  [helper.make_tensor_value_info("y", _FLOAT, None)], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def _noise(shape: Sequence[int], dtype: type) -> np.ndarray[Any, Any]:
    return (np.random.default_rng(0).normal(size=shape) * (30 if dtype is np.int8 else 0.1)).astype(dtype)
