"""Which operators of a graph become 8-bit ones: those with weights, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import onnx
from onnx import numpy_helper

WEIGHTED: Mapping[str, int] = {"Conv": 1, "Gather": 0, "Gemm": 1, "MatMul": 1}
"""Operators that take weights, and which of their inputs the weights are."""

WIDE = ("MatMul",)
"""Of these the engine gives the sum as it is, in float: so do matrix products over sequences."""

MOVING = frozenset({"DepthToSpace", "Expand", "Flatten", "Gather", "MaxPool", "Reshape", "Resize", "Slice", "Split",
                    "Squeeze", "Transpose", "Unsqueeze"})
"""Operators that only move values: what comes out lies on the grid of what goes in."""

JOINING = frozenset({"Add", "Concat", "Mul", "Where"})
"""Operators all of whose inputs are values, but for the condition of Where."""

CUTTING = frozenset({"Clip", "Relu"})
"""Operators that a grid does by itself: it ends where they cut."""

PASSING = MOVING | JOINING | CUTTING | {"AveragePool", "GlobalAveragePool", "LeakyRelu", "Sigmoid"}
"""Operators that work on 8 bits where their inputs have them, and are no reason to go to 8 bits by themselves.

They are those for which onnxruntime has a kernel: it keeps any other in float, with a border on either side."""

STATEFUL = frozenset({"GRU"})
"""Operators without an 8-bit kernel whose weights are stored in 8 bits; they compute in float."""


def eight_bit_nodes(graph: onnx.GraphProto, *, exclude: Collection[str] = ()) -> list[str]:
    """The names of the nodes to quantize, none of `exclude`; those of the front end have no name and stay as they are.

    Products of two activations (attention), normalisations and softmax stay in float: 8 bits round the small
    differences between their values away.
    """
    constants = {tensor.name: tensor for tensor in graph.initializer}
    weights = {name for name, tensor in constants.items() if tensor.data_type == onnx.TensorProto.FLOAT}
    outputs = {value.name for value in graph.output}
    narrow: set[str] = set()
    chosen = []
    for node in graph.node:
        if not node.name or node.name in exclude:
            continue
        place = WEIGHTED.get(node.op_type)
        has_weights = place is not None and node.input[place] in weights
        values = [name for name in values_into(node) if name not in constants]
        passes = node.op_type in PASSING and values and all(name in narrow for name in values)
        if has_weights or (passes and not _cuts_elsewhere(node, constants, outputs)):
            chosen.append(node.name)
            if node.op_type not in WIDE:
                narrow.update(values_out_of(node))
    return chosen


def values_into(node: onnx.NodeProto) -> list[str]:
    """The inputs of an 8-bit node that are held in 8 bits, without its weights and settings."""
    if node.op_type in JOINING:
        return list(node.input[1:] if node.op_type == "Where" else node.input)
    return [node.input[0]]


def values_out_of(node: onnx.NodeProto) -> list[str]:
    """Its outputs that are values: of a pool not the places of the largest."""
    return list(node.output if node.op_type == "Split" else node.output[:1])


def _cuts_elsewhere(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto], outputs: set[str]) -> bool:
    """Whether no grid can take the place of a cut: not at zero, at values that the graph computes, or at its end."""
    if node.op_type not in CUTTING:
        return False
    low, high = limits(node, constants)
    return low != 0 or not high > 0 or node.output[0] in outputs


def limits(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> tuple[float | None, float]:
    """Where a Relu or a Clip cuts; the first is None, the second NaN, where the graph computes it."""
    if node.op_type == "Relu":
        return 0.0, float("inf")
    low, high = (*node.input[1:], "", "")[:2]
    lowest = float(numpy_helper.to_array(constants[low])) if low in constants else None
    if not high:
        return lowest, float("inf")
    return lowest, float(numpy_helper.to_array(constants[high])) if high in constants else float("nan")
