"""Layers and nodes: a plan names the parts of a module, a graph has nodes that carry their names."""

from __future__ import annotations

import re
from collections.abc import Iterable

import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.errors import unknown
from linnet.export.choose import STATEFUL, WEIGHTED

_NUMBERED = re.compile(r"\.\d+$")


def node_name(layer: str) -> str:
    """ "stem.conv" for the module layers.stem.conv: the name of the first of its nodes."""
    return layer.removeprefix("layers.")


def nodes_under(graph: onnx.GraphProto, layers: Iterable[str]) -> set[str]:
    """The names of all nodes of these layers, and of the layers inside them; LinnetError for one that has none."""
    names = [node.name for node in graph.node if node.name]
    found: set[str] = set()
    for layer in layers:
        wanted = node_name(layer)
        own = {name for name in names if name == wanted or name.startswith(f"{wanted}.")}
        if not own:
            raise unknown("layer", layer, sorted({_NUMBERED.sub("", name) for name in names}))
        found |= own
    return found


def weight_place(node: onnx.NodeProto) -> int | None:
    """Which input of the node would be its weights."""
    return 1 if node.op_type in STATEFUL else WEIGHTED.get(node.op_type)


def weighted(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """By name, the nodes whose weights are stored as float32, in the order of the signal."""
    stored = {tensor.name for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    return {node.name: node for node in graph.node
            if node.name and (place := weight_place(node)) is not None and node.input[place] in stored}


def weighted_node(graph: onnx.GraphProto, layer: str) -> onnx.NodeProto:
    """The node with the layer's weights: the first of its own; LinnetError where there is none."""
    wanted, nodes = node_name(layer), weighted(graph)
    for name, node in nodes.items():
        if name == wanted or _NUMBERED.sub("", name) == wanted:
            return node
    raise unknown("layer with weights", layer, [_NUMBERED.sub("", name) for name in nodes])


def out_axis(node: onnx.NodeProto) -> int:
    """Along which axis of its weights the node's output channels lie."""
    if node.op_type == "Conv" or (node.op_type == "Gemm" and attribute(node, "transB", 0)):
        return 0
    return 1


def attribute(node: onnx.NodeProto, name: str, default: int) -> int:
    """A whole-number attribute of a node."""
    return next((int(item.i) for item in node.attribute if item.name == name), default)


def values_of(graph: onnx.GraphProto) -> dict[str, NDArray]:  # type: ignore[type-arg]
    """Every stored tensor of floats, by name."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer
            if tensor.data_type == onnx.TensorProto.FLOAT}


def users_of(graph: onnx.GraphProto) -> dict[str, list[onnx.NodeProto]]:
    """By value, the nodes that read it."""
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    return users


def bias_of(graph: onnx.GraphProto, node: onnx.NodeProto) -> tuple[str | None, str]:
    """The name of a layer's bias, if it is stored and its own, and of the value with the bias in it.

    A matrix product has its bias in an addition that follows it.
    """
    stored, users = values_of(graph), users_of(graph)
    name = node.output[0]
    if node.op_type != "MatMul":
        bias = node.input[2] if len(node.input) > 2 else ""
        return (bias if bias in stored and len(users[bias]) == 1 else None), name
    after = users.get(name, [])
    if len(after) == 1 and after[0].op_type == "Add":
        other = next((value for value in after[0].input if value != name), "")
        if other in stored and stored[other].ndim == 1:
            return (other if len(users[other]) == 1 else None), after[0].output[0]
    return None, name
