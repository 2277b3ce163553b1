"""Wiring: a foreign graph gets the task's inputs and output, and loses what leads to no answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, compose, helper, numpy_helper

from linnet.errors import LinnetError
from linnet.export.adapters.foreign import TINY, Scale
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs
from linnet.tasks import Task

_PREFIX = "source/"
_STRING = "string"


def wire(graph: onnx.ModelProto, task: Task, *, output: str, scale: Scale = "scores",
         order: Sequence[int] | None = None, feeds: Mapping[str, str] | None = None) -> onnx.ModelProto:
    """A copy that takes `task.arrays` and gives `task.output` from the graph's `output`; other outputs go.

    `feeds` says which array each graph input takes (default: the one of its name, or the only one). An array is cast,
    flattened or turned from (h, w, c) to (c, h, w) where the graph's input says so. Probabilities become logarithms;
    a classifier's single column becomes two; `order` puts the columns in the order of the task's labels.
    """
    chosen = feeds or _feeds(graph, task)
    model = onnx.ModelProto()
    model.CopyFrom(compose.add_prefix(graph, _PREFIX))
    inner = model.graph
    before = [node for port in graph.graph.input if port.name in chosen
              for node in _feed(inner, port, chosen[port.name], task)]
    is_single = task.kind == "classify" and len(task.labels) == 2 and _columns(graph, output) == 1
    after = _answer(inner, _port(graph, output), task, scale=scale, order=order, is_single=is_single)
    nodes = [*before, *inner.node, *after]
    name, shape = task.output
    del inner.node[:], inner.input[:], inner.output[:], inner.value_info[:]
    inner.node.extend(_needed(nodes, name))
    inner.input.extend(_info(array, dtype, size) for array, (dtype, size) in task.arrays.items())
    inner.output.append(_info(name, "float32", shape))
    _strip(model)
    onnx.checker.check_model(model)
    return model


def stored_numbers(graph: onnx.ModelProto) -> int:
    """How many numbers the graph keeps: weights, and the thresholds and coefficients of trees and linear models."""
    count = sum(_floats(tensor) for tensor in graph.graph.initializer)
    for node in graph.graph.node:
        count += sum(len(attribute.floats) + _floats(attribute.t) for attribute in node.attribute)
    return count


def _floats(tensor: onnx.TensorProto) -> int:
    is_float = tensor.data_type in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)
    return int(np.prod(tensor.dims)) if is_float else 0


def _feeds(graph: onnx.ModelProto, task: Task) -> dict[str, str]:
    """By name, or the only one to the only one."""
    stored = {tensor.name for tensor in graph.graph.initializer}
    ports, arrays = [port.name for port in graph.graph.input if port.name not in stored], list(task.arrays)
    if sorted(ports) == sorted(arrays):
        return {name: name for name in ports}
    if len(ports) == len(arrays) == 1:
        return {ports[0]: arrays[0]}
    raise LinnetError(f"the graph takes {', '.join(ports) or 'nothing'}, the task gives {', '.join(arrays)}: name the "
                      "graph's inputs so.")


def _feed(inner: onnx.GraphProto, port: onnx.ValueInfoProto, array: str, task: Task) -> list[onnx.NodeProto]:
    """The nodes from a task's array to the graph's input."""
    dtype, shape = task.arrays[array]
    wanted = helper.tensor_dtype_to_string(port.type.tensor_type.elem_type).removeprefix("TensorProto.")
    asked = _sizes(port)[1:]
    current, nodes = array, []
    if _element(dtype) != port.type.tensor_type.elem_type:
        if _STRING in (dtype, wanted.lower()):
            raise LinnetError(f"the source takes {wanted.lower()}, the task gives {dtype}: they do not fit.")
        nodes.append(helper.make_node("Cast", [current], [f"{array}/cast"], to=port.type.tensor_type.elem_type))
        current = f"{array}/cast"
    if len(shape) == 3 and asked == [shape[2], shape[0], shape[1]] != list(shape):
        nodes.append(helper.make_node("Transpose", [current], [f"{array}/turned"], perm=[0, 3, 1, 2]))
    elif len(asked) == 1 and len(shape) != 1:
        sizes = np.array([-1, math.prod(size or 1 for size in shape)])
        inner.initializer.append(numpy_helper.from_array(sizes, f"{array}/sizes"))
        nodes.append(helper.make_node("Reshape", [current, f"{array}/sizes"], [f"{array}/flat"]))
    elif len(asked) != len(shape) or any(None not in pair and len(set(pair)) > 1
                                         for pair in zip(asked, shape, strict=True)):
        raise LinnetError(f"the source takes arrays of shape {_said(asked)} a sample, the task gives {_said(shape)}.")
    current = nodes[-1].output[0] if nodes else current
    return [*nodes, helper.make_node("Identity", [current], [_PREFIX + port.name])]


def _answer(inner: onnx.GraphProto, port: onnx.ValueInfoProto, task: Task, *, scale: Scale,
            order: Sequence[int] | None, is_single: bool) -> list[onnx.NodeProto]:
    """The nodes from the graph's output to the task's."""
    nodes: list[onnx.NodeProto] = []
    current = _PREFIX + port.name

    def then(operator: str, *more: str, **attributes: Any) -> None:
        nonlocal current
        nodes.append(helper.make_node(operator, [current, *more], [f"answer/{len(nodes)}"], **attributes))
        current = f"answer/{len(nodes) - 1}"

    def constant(name: str, value: Any) -> str:
        inner.initializer.append(numpy_helper.from_array(np.array(value), f"answer/{name}"))
        return f"answer/{name}"

    if port.type.tensor_type.elem_type != TensorProto.FLOAT:
        then("Cast", to=TensorProto.FLOAT)
    if is_single:
        then("Reshape", constant("column", [-1, 1]))
        second = current
        then("Neg")
        if scale == "probabilities":
            then("Add", constant("one", np.float32(1)))
        then("Concat", second, axis=1)
    if order is not None and list(order) != list(range(len(order))):
        then("Gather", constant("order", list(order)), axis=1)
    if scale == "probabilities":
        then("Max", constant("tiny", np.float32(TINY)))
        then("Log")
    if None not in task.output[1]:
        then("Reshape", constant("sizes", [-1, *task.output[1]]))
    nodes.append(helper.make_node("Identity", [current], [task.output[0]]))
    return nodes


def _columns(graph: onnx.ModelProto, output: str) -> int:
    """How many numbers one sample gets; asked of the engine, because converters do not always say it rightly."""
    session = start(graph.SerializeToString())
    return int(session.run(random_inputs(session))[output].size)


def _needed(nodes: Sequence[onnx.NodeProto], output: str) -> list[onnx.NodeProto]:
    """The nodes that the output depends on, in their order."""
    wanted, kept = {output}, []
    for node in reversed(nodes):
        if wanted.intersection(node.output):
            kept.append(node)
            wanted.update(_uses(node))
    return kept[::-1]


def _uses(node: onnx.NodeProto) -> set[str]:
    """What a node reads, its inner graphs included."""
    names = set(node.input)
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            names.update(name for inside in graph.node for name in _uses(inside))
            names.update(port.name for port in graph.output)
    return names


def _strip(model: onnx.ModelProto) -> None:
    """Weights that nothing reads, and notes of the making: these may name a stranger's folders."""
    used = set().union(*(_uses(node) for node in model.graph.node))
    kept = [tensor for tensor in model.graph.initializer if tensor.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer):
        part.ClearField("doc_string")
        if hasattr(part, "metadata_props"):
            del part.metadata_props[:]
    model.producer_name, model.graph.name = "linnet", "linnet"


def _port(graph: onnx.ModelProto, name: str) -> onnx.ValueInfoProto:
    found: onnx.ValueInfoProto = next(port for port in graph.graph.output if port.name == name)
    return found


def _sizes(port: onnx.ValueInfoProto) -> list[int | None]:
    return [dim.dim_value if dim.HasField("dim_value") else None for dim in port.type.tensor_type.shape.dim]


def _info(name: str, dtype: str, shape: Sequence[int | None]) -> onnx.ValueInfoProto:
    sizes = ["batch", *(f"{name}_{at}" if size is None else size for at, size in enumerate(shape))]
    info: onnx.ValueInfoProto = helper.make_tensor_value_info(name, _element(dtype), sizes)
    return info


def _element(dtype: str) -> int:
    return int(TensorProto.STRING) if dtype == _STRING else int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def _said(shape: Sequence[int | None]) -> str:
    return f"({', '.join('any' if size is None else str(size) for size in shape)})"
