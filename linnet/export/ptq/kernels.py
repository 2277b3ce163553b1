"""Operators for which an engine has no 8-bit kernel, as others that answer the same and have one."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from linnet.export.ptq.layers import attribute, values_of


def use_kernels(graph: onnx.GraphProto, ranks: dict[str, int]) -> None:
    """Means over the picture become pools, x - c becomes x + (-c), x / c becomes x * (1 / c).

    `ranks` are how many axes values have, where that is known.
    """
    stored = values_of(graph)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type == "ReduceMean" and ranks.get(node.input[0]) == 4 and _axes(node, graph) == [2, 3]:
            nodes += _pooled(node)
        elif node.op_type in _INVERSES and node.input[1] in stored and stored[node.input[1]].all():
            operator, inverse = _INVERSES[node.op_type]
            name = f"{node.output[0]}/inverse"
            graph.initializer.append(numpy_helper.from_array(inverse(stored[node.input[1]]), name))
            nodes.append(helper.make_node(operator, [node.input[0], name], list(node.output), name=node.name))
        else:
            nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


def _axes(node: onnx.NodeProto, graph: onnx.GraphProto) -> list[int]:
    """The axes of a mean, counted from the first; of four."""
    found = [list(item.ints) for item in node.attribute if item.name == "axes"]
    found += [numpy_helper.to_array(tensor).tolist() for tensor in graph.initializer
              if len(node.input) > 1 and tensor.name == node.input[1]]
    return sorted(axis % 4 for axis in found[0]) if found else []


def _pooled(node: onnx.NodeProto) -> list[onnx.NodeProto]:
    if attribute(node, "keepdims", 1):
        return [helper.make_node("GlobalAveragePool", [node.input[0]], list(node.output), name=node.name)]
    pooled = f"{node.output[0]}/pooled"
    return [helper.make_node("GlobalAveragePool", [node.input[0]], [pooled], name=node.name),
            helper.make_node("Flatten", [pooled], list(node.output), name=f"{node.name}_flat")]


def _negative(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return -values


def _reciprocal(values: NDArray[np.float32]) -> NDArray[np.float32]:
    return (1 / values.astype(np.float64)).astype(np.float32)


Inverse = tuple[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]]
_INVERSES: MappingProxyType[str, Inverse] = MappingProxyType({"Sub": ("Add", _negative), "Div": ("Mul", _reciprocal)})
