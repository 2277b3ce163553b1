"""The same sums in an order that the engine's 8-bit kernels take faster; the graph answers what it answered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from linnet.export.packing import Scaled

Sizes = Mapping[str, tuple[int | None, ...]]
Axis = tuple[int, int, int, list[tuple[int, int]]]


def friendly(graph: onnx.ModelProto, scaled: Mapping[str, Scaled]) -> tuple[onnx.ModelProto, dict[str, Scaled]]:
    """A copy of a quantized graph in which some operators are others that answer the same; `scaled` moves along.

    A mean over whole rows becomes a convolution in each channel: onnxruntime's 8-bit average pool takes as long as
    several convolutions. A convolution of stride 2 over a single channel becomes one of stride 1 over the four pixels
    of each block: its kernel gathers what it multiplies, and gathers four bytes as fast as one. The times are in
    docs/methods/int8.md. Nodes without a name, those of the front end, stay.
    """
    changed = _Graph(graph, scaled)
    for node in list(changed.graph.node):
        if node.op_type == "AveragePool" and node.name:
            changed.mean_as_convolution(node)
        elif node.op_type == "Conv" and node.name:
            changed.read_blocks(node)
    return changed.model, changed.scaled


class _Graph:
    """A copy of the graph that is being changed, with what is known of its values."""

    def __init__(self, graph: onnx.ModelProto, scaled: Mapping[str, Scaled]) -> None:
        self.model, self.scaled = onnx.ModelProto(), dict(scaled)
        self.model.CopyFrom(graph)
        self.graph = self.model.graph
        self.sizes = _sizes(self.model)
        self.tensors = {tensor.name: tensor for tensor in self.graph.initializer}
        self.makers = {name: node for node in self.graph.node for name in node.output}

    def mean_as_convolution(self, node: onnx.NodeProto) -> None:
        """For a pool that covers one whole axis and nothing of the other."""
        said, size = _attributes(node), self.sizes.get(node.input[0], ())
        kernel = tuple(said["kernel_shape"])
        if len(size) != 4 or size[1] is None or any(said.get("pads", ())) or said.get("ceil_mode") or (
                said.get("auto_pad", b"NOTSET") != b"NOTSET"):
            return
        covers = [extent == places and places > 1 for extent, places in zip(size[2:], kernel, strict=True)]
        rest = covers.index(False) if sorted(covers) == [False, True] else None
        if rest is None or kernel[rest] != 1 or list(said.get("strides", [1, 1]))[rest] != 1:
            return
        weight = self._equal_weights(node, (size[1], 1, *kernel))
        node.CopyFrom(helper.make_node("Conv", [node.input[0], weight], list(node.output), name=node.name,
                                       group=size[1], kernel_shape=list(kernel), strides=list(kernel)))

    def _equal_weights(self, node: onnx.NodeProto, shape: tuple[int, ...]) -> str:
        """Weights that make a mean: 127 times a step, where the pool's input has 8 bits."""
        name, share = f"{node.output[0]}.mean", 1 / math.prod(shape[1:])
        if self._is_dequantized(node.input[0]):
            stored = [numpy_helper.from_array(np.full(shape, 127, np.int8), f"{name}_8"),
                      numpy_helper.from_array(np.array(share / 127, np.float32), f"{name}_scale")]
            self._before(node, helper.make_node("DequantizeLinear", [part.name for part in stored], [name]))
        else:
            stored = [numpy_helper.from_array(np.full(shape, share, np.float32), name)]
        self.graph.initializer.extend(stored)
        return name

    def read_blocks(self, node: onnx.NodeProto) -> None:
        """For a convolution of stride 2 over one channel of even sides."""
        said, size = _attributes(node), self.sizes.get(node.input[0], ())
        tensor = self._stored_weights(node.input[1])
        if (tensor is None or len(size) != 4 or size[1] != 1 or any(side is None or side % 2 for side in size[2:])
                or list(said.get("strides", [])) != [2, 2] or set(said.get("dilations", [1])) != {1}
                or said.get("auto_pad", b"NOTSET") != b"NOTSET" or not self._is_alone(node.input[0])):
            return
        pads = list(said.get("pads", [0] * 4))
        axes = [_axis(int(side or 0), kernel, pads[place], pads[place + 2])
                for place, (side, kernel) in enumerate(zip(size[2:], tensor.dims[2:], strict=True))]
        if any(axis[2] < 0 for axis in axes):
            return
        self._fold(tensor, axes)
        (height, top, bottom, _), (width, left, right, _) = axes
        inputs = [self._blocks(node, node.input[0]), *node.input[1:]]
        node.CopyFrom(helper.make_node("Conv", inputs, list(node.output), name=node.name,
                                       kernel_shape=[height, width], pads=[top, left, bottom, right]))

    def _fold(self, tensor: onnx.TensorProto, axes: list[Axis]) -> None:
        """The weights, and what is known of them, in their new places."""
        tensor.CopyFrom(numpy_helper.from_array(_folded(numpy_helper.to_array(tensor), axes), tensor.name))
        if tensor.name in self.scaled:
            known = self.scaled[tensor.name]
            self.scaled[tensor.name] = replace(known, values=_folded(known.values, axes))

    def _blocks(self, node: onnx.NodeProto, value: str) -> str:
        """The blocks of the value; of what is quantized, so that 8 bits come after it."""
        quantize = self.makers[self.makers[value].input[0]] if self._is_dequantized(value) else None
        read, blocks = quantize.input[0] if quantize else value, f"{node.output[0]}.blocks"
        fresh = helper.make_node("SpaceToDepth", [read], [blocks], name=f"{node.name}.blocks", blocksize=2)
        if quantize is None:
            self._before(node, fresh)
            return blocks
        self._before(quantize, fresh)
        quantize.input[0] = blocks
        return value

    def _is_alone(self, value: str) -> bool:
        """Whether only one node reads the value, and its two quantizers."""
        names = [value]
        if self._is_dequantized(value):
            names.append(self.makers[value].input[0])
        return all(sum(name in node.input for node in self.graph.node) == 1 for name in names)

    def _is_dequantized(self, value: str) -> bool:
        maker = self.makers.get(value)
        return (maker is not None and maker.op_type == "DequantizeLinear" and maker.input[0] in self.makers
                and self.makers[maker.input[0]].op_type == "QuantizeLinear")

    def _stored_weights(self, value: str) -> onnx.TensorProto | None:
        """The tensor itself, or that which is dequantized into it."""
        maker = self.makers.get(value)
        return self.tensors.get(maker.input[0] if maker and maker.op_type == "DequantizeLinear" else value)

    def _before(self, node: onnx.NodeProto, fresh: onnx.NodeProto) -> None:
        self.graph.node.insert(list(self.graph.node).index(node), fresh)


def _folded(before: NDArray[Any], axes: list[Axis]) -> NDArray[Any]:
    """Weights (outputs, 1, height, width) over blocks: (outputs, 4, height', width')."""
    (height, _, _, rows), (width, _, _, columns) = axes
    after = np.zeros((len(before), 4, height, width), before.dtype)
    for i, (row, down) in enumerate(rows):
        for j, (column, across) in enumerate(columns):
            after[:, 2 * down + across, row, column] = before[:, 0, i, j]
    return after


def _axis(side: int, kernel: int, before: int, after: int) -> Axis:
    """Over pairs of places: the kernel, the padding on either side, and for each old place its pair and its half."""
    places = [divmod(place - before, 2) for place in range(kernel)]
    first, wide = places[0][0], places[-1][0] - places[0][0] + 1
    outputs = (side + before + after - kernel) // 2 + 1
    return wide, -first, outputs - side // 2 + first + wide - 1, [(pair - first, half) for pair, half in places]


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}


def _sizes(graph: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """What is known of every value's shape."""
    inferred = onnx.shape_inference.infer_shapes(graph, data_prop=True).graph
    return {value.name: tuple(part.dim_value if part.HasField("dim_value") else None
                              for part in value.type.tensor_type.shape.dim)
            for value in (*inferred.value_info, *inferred.input, *inferred.output)}
