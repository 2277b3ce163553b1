"""The same sums in an order that the engine's 8-bit kernels take faster; the graph answers what it answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Sizes = Mapping[str, tuple[int | None, ...]]


def friendly(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A copy in which some operators are others that answer the same; for graphs that are to be quantized.

    A mean over whole rows becomes a convolution in each channel: onnxruntime's 8-bit average pool takes as long as five
    convolutions. A convolution of stride 2 over a single channel becomes one of stride 1 over the four pixels of each
    block: kernels gather what they multiply, and gather four bytes as fast as one. See docs/methods/int8.md for times.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(graph)
    sizes = _sizes(changed)
    weights = {tensor.name: tensor for tensor in changed.graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in changed.graph.node:
        if node.op_type == "AveragePool" and node.name:
            nodes += _row_mean(node, sizes, changed.graph) or [node]
        elif node.op_type == "Conv" and node.name and node.input[1] in weights:
            nodes += _blocks(node, sizes, changed.graph, weights) or [node]
        else:
            nodes.append(node)
    del changed.graph.node[:]
    changed.graph.node.extend(nodes)
    return changed


def _row_mean(node: onnx.NodeProto, sizes: Sizes, graph: onnx.GraphProto) -> list[onnx.NodeProto] | None:
    """For a pool that covers one whole axis and nothing of the other."""
    said, size = _attributes(node), sizes.get(node.input[0], ())
    kernel = tuple(said["kernel_shape"])
    if len(size) != 4 or size[1] is None or any(said.get("pads", ())) or said.get("ceil_mode") or said.get("dilations"):
        return None
    covers = [extent == places and places > 1 for extent, places in zip(size[2:], kernel, strict=True)]
    if sorted(covers) != [False, True] or kernel[covers.index(False)] != 1:
        return None
    if list(said.get("strides", [1, 1]))[covers.index(False)] != 1:
        return None
    weight = f"{node.output[0]}.mean"
    stored = np.full((size[1], 1, *kernel), 1 / math.prod(kernel), np.float32)
    graph.initializer.append(numpy_helper.from_array(stored, weight))
    return [helper.make_node("Conv", [node.input[0], weight], list(node.output), name=node.name, group=size[1],
                             kernel_shape=list(kernel), strides=list(kernel))]


def _blocks(node: onnx.NodeProto, sizes: Sizes, graph: onnx.GraphProto,
            weights: Mapping[str, onnx.TensorProto]) -> list[onnx.NodeProto] | None:
    """For a convolution of stride 2 over one channel of even sides."""
    said, size = _attributes(node), sizes.get(node.input[0], ())
    pads, dilations = list(said.get("pads", [0] * 4)), list(said.get("dilations", [1, 1]))
    if (len(size) != 4 or size[1] != 1 or any(side is None or side % 2 for side in size[2:])
            or list(said.get("strides", [])) != [2, 2] or dilations != [1, 1]
            or said.get("auto_pad", b"NOTSET") != b"NOTSET"):
        return None
    before = numpy_helper.to_array(weights[node.input[1]])
    axes = [_axis(int(side or 0), kernel, pads[place], pads[place + 2])
            for place, (side, kernel) in enumerate(zip(size[2:], before.shape[2:], strict=True))]
    if any(axis[2] < 0 for axis in axes):
        return None
    (height, top, bottom, rows), (width, left, right, columns) = axes
    after = np.zeros((len(before), 4, height, width), before.dtype)
    for i, (row, down) in enumerate(rows):
        for j, (column, across) in enumerate(columns):
            after[:, 2 * down + across, row, column] = before[:, 0, i, j]
    weight, blocks = f"{node.input[1]}.blocks", f"{node.output[0]}.blocks"
    graph.initializer.append(numpy_helper.from_array(after, weight))
    return [helper.make_node("SpaceToDepth", [node.input[0]], [blocks], name=f"{node.name}.blocks", blocksize=2),
            helper.make_node("Conv", [blocks, weight, *node.input[2:]], list(node.output), name=node.name,
                             kernel_shape=[height, width], pads=[top, left, bottom, right])]


def _axis(side: int, kernel: int, before: int, after: int) -> tuple[int, int, int, list[tuple[int, int]]]:
    """Over pairs of places: the kernel, the padding on either side, and for each old place its pair and its half."""
    places = [divmod(place - before, 2) for place in range(kernel)]
    first, last = places[0][0], places[-1][0]
    outputs = (side + before + after - kernel) // 2 + 1
    wide = last - first + 1
    return wide, -first, outputs - side // 2 + first + wide - 1, [(pair - first, half) for pair, half in places]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _sizes(graph: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """What is known of every value's shape."""
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True).graph
    return {value.name: tuple(part.dim_value if part.HasField("dim_value") else None
                              for part in value.type.tensor_type.shape.dim)
            for value in (*inferred.value_info, *inferred.input, *inferred.output)}
