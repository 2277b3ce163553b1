"""Weights of operators without an 8-bit kernel: stored in 8 bits, computed in float."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import onnx
from onnx import numpy_helper

from linnet.export.choose import STATEFUL


def store_narrow(graph: onnx.GraphProto, *, without: Collection[str] = ()) -> None:
    """Weights (directions, gates, inputs) of every GRU, but of those nodes, as int8 with a scale for each gate."""
    values = {tensor.name: tensor for tensor in graph.initializer}
    for name in dict.fromkeys(name for node in graph.node if node.op_type in STATEFUL and node.name not in without
                              for name in node.input[1:3]):
        if name not in values:
            continue
        weights = numpy_helper.to_array(values[name])
        scale = np.maximum(np.abs(weights).max(axis=(0, 2)), np.finfo(np.float32).tiny) / 127
        narrow = np.round(weights / scale[:, None]).astype(np.int8)
        stored = [numpy_helper.from_array(narrow, f"{name}_8"), numpy_helper.from_array(scale, f"{name}_scale")]
        graph.initializer.remove(values[name])
        graph.initializer.extend(stored)
        graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", [part.name for part in stored], [name], axis=1))
