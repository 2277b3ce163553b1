"""What a plan will cost, before anything is tuned.

For latency on onnxruntime the cost model says it of the untuned file, in milliseconds of this machine. For all else:
multiplications and stored numbers of the graph, and how they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from linnet import cost
from linnet.shrink.plan import Plan
from linnet.shrink.search.wish import Wish

_FLOAT_BITS = 32
_INT8_SPEED = 0.6
"""What a multiplication in 8 bits takes of one in float, about, on processors with instructions for it."""


@dataclass(frozen=True)
class Count:
    """Of one run of one sample."""

    macs: int
    parameters: int
    """Stored floats; what the graph computes from formulas is not among them."""


def knows_machine(wish: Wish) -> bool:
    """Whether the cost model can say what the wish is about."""
    return wish.goal == "latency" and wish.engine == "onnxruntime"


def predicted_ms(file: Path | bytes) -> float:
    """From a file's counts and this machine's rates: the same whenever it is asked, however busy the machine is."""
    return cost.predict(file, runs=1).predicted_ms


def predicted(count: Count, plan: Plan, goal: str) -> float:
    """From counts, about what the goal comes to, in a unit of its own: to be compared with other plans' only."""
    if goal == "size":
        return count.parameters * _bits(plan.methods) / 8
    is_int8 = bool({"int8", "qat"} & plan.methods.keys())
    return count.macs * (_INT8_SPEED if is_int8 else 1.0)


def _bits(methods: Mapping[str, Mapping[str, Any]]) -> float:
    """A weight's bits in the file."""
    bits: float = 8 if {"int8", "qat"} & methods.keys() else _FLOAT_BITS
    if "palettize" in methods:
        bits = min(bits, float(methods["palettize"].get("bits", 4)))
    if "sparsify" in methods:
        bits = min(bits, 1 + bits * (1 - float(methods["sparsify"].get("share", 0.5))))
    return bits


def count(graph: onnx.ModelProto) -> Count:
    """Multiplications (of convolutions, matrix products and recurrent layers) and stored numbers; one sample."""
    single = onnx.ModelProto()
    single.CopyFrom(graph)
    for port in single.graph.input:
        for place, size in enumerate(port.type.tensor_type.shape.dim):
            if size.HasField("dim_param"):
                size.ClearField("dim_param")
                size.dim_value = 1 if place == 0 else 100
    inferred = onnx.shape_inference.infer_shapes(single, data_prop=True).graph
    shapes = {value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
              for value in (*inferred.value_info, *inferred.output, *inferred.input)}
    shapes |= {tensor.name: list(tensor.dims) for tensor in inferred.initializer}
    stored = sum(int(np.prod(tensor.dims)) for tensor in inferred.initializer
                 if tensor.data_type == onnx.TensorProto.FLOAT)
    return Count(sum(_macs(node, shapes) for node in inferred.node), stored)


def _macs(node: onnx.NodeProto, shapes: Mapping[str, list[int]]) -> int:
    """0 for anything but products, and where a shape is not known."""
    known = [shapes.get(name, []) for name in node.input]
    made = int(np.prod(shapes.get(node.output[0], [0])))
    if node.op_type in ("Conv", "ConvTranspose") and len(known[1]) > 2:
        return made * int(np.prod(known[1][1:]))
    if node.op_type == "MatMul" and known[0]:
        return made * known[0][-1]
    if node.op_type == "Gemm" and len(known[1]) == 2:
        turned = any(entry.name == "transB" and entry.i for entry in node.attribute)
        return made * known[1][1 if turned else 0]
    if node.op_type in ("GRU", "LSTM", "RNN") and len(known) > 2 and len(known[0]) == 3:
        return known[0][0] * (int(np.prod(known[1])) + int(np.prod(known[2])))
    return 0
