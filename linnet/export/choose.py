"""Which operators of a graph become 8-bit ones: those with weights, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

WEIGHTED: Mapping[str, int] = {"Conv": 1, "ConvTranspose": 1, "Gather": 0, "Gemm": 1, "MatMul": 1}
"""Operators that take weights, and which of their inputs the weights are."""

WIDE = ("MatMul",)
"""Of these the engine gives the sum as it is, in float: so do matrix products over sequences."""

PASSING = frozenset({
    "Add", "AveragePool", "Clip", "Concat", "Flatten", "GlobalAveragePool", "HardSigmoid", "HardSwish", "LeakyRelu",
    "MaxPool", "Mul", "Pad", "ReduceMean", "Relu", "Reshape", "Resize", "Sigmoid", "Slice", "Split", "Squeeze", "Sub",
    "Transpose", "Unsqueeze", "Where"})
"""Operators that work on 8 bits where their inputs have them, and are no reason to go to 8 bits by themselves."""

STATEFUL = frozenset({"GRU"})
"""Operators without an 8-bit kernel whose weights are stored in 8 bits; they compute in float."""


def eight_bit_nodes(graph: onnx.GraphProto) -> list[str]:
    """The names of the nodes to quantize; those of the front end have no name and stay as they are.

    Products of two activations (attention), normalisations and softmax stay in float: 8 bits round the small
    differences between their values away.
    """
    weights = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    constants = {tensor.name for tensor in graph.initializer}
    narrow: set[str] = set()
    chosen = []
    for node in graph.node:
        if not node.name:
            continue
        place = WEIGHTED.get(node.op_type)
        has_weights = place is not None and node.input[place] in weights
        values = [name for name in node.input if name and name not in constants]
        if has_weights or (node.op_type in PASSING and values and all(name in narrow for name in values)):
            chosen.append(node.name)
            if node.op_type not in WIDE:
                narrow.update(node.output)
    return chosen
