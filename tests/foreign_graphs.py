"""Small ONNX graphs as other tools write them: batch normalisation, constants as nodes, nodes without names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def weights(*shape: int, scale: float = 0.3) -> np.ndarray:
    return (np.random.default_rng(sum(shape)).standard_normal(shape) * scale).astype(np.float32)


def model(nodes: Sequence[onnx.NodeProto], constants: dict[str, np.ndarray], shape: Sequence[int | str], *,
          output: str = "y", opset: int = 20) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def foreign(*, opset: int = 20, batch: int | str = "n") -> onnx.ModelProto:
    """x (n, 3, 8, 8): conv, BN, relu; depthwise conv, BN, clip; a 1x1 conv, added; mean; gemm: y (n, 5)."""
    constants = {"w1": weights(8, 3, 3, 3), "w2": weights(8, 1, 3, 3), "w3": weights(8, 8, 1, 1), "b3": weights(8),
                 "w4": weights(5, 8), "b4": weights(5), "zero": np.float32(0), "six": np.float32(6)}
    for n in (1, 2):
        constants |= {f"g{n}": np.abs(weights(8)) + 0.5, f"s{n}": weights(8), f"m{n}": weights(8),
                      f"v{n}": np.abs(weights(8)) + 0.5}
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], pads=[1, 1, 1, 1]),
        helper.make_node("BatchNormalization", ["c1", "g1", "s1", "m1", "v1"], ["n1"]),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], pads=[1, 1, 1, 1], group=8),
        helper.make_node("BatchNormalization", ["c2", "g2", "s2", "m2", "v2"], ["n2"]),
        helper.make_node("Clip", ["n2", "zero", "six"], ["r2"]),
        helper.make_node("Conv", ["r2", "w3", "b3"], ["c3"], name="third"),
        helper.make_node("Add", ["c3", "r1"], ["a"]),
        helper.make_node("Relu", ["a"], ["r3"]),
        helper.make_node("GlobalAveragePool", ["r3"], ["p"]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Gemm", ["f", "w4", "b4"], ["y"], transB=1, name="last"),
    ]
    return model(nodes, constants, [batch, 3, 8, 8], opset=opset)


def samples(rows: int = 24) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(1).standard_normal((rows, 3, 8, 8)).astype(np.float32)}
