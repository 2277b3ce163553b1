"""QDQ: QuantizeLinear and DequantizeLinear where 8 bits are meant; engines make int8 operators of what is between."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from linnet.export.choose import CUTTING
from linnet.export.ptq.grids import Grid, Weights
from linnet.export.ptq.layers import users_of, values_of, weight_place
from linnet.export.ptq.places import Places


def insert(model: onnx.ModelProto, places: Places, grids: Mapping[str, Grid],
           weights: Mapping[str, Weights]) -> onnx.ModelProto:
    """The graph with its values rounded to `grids` (by root) and its weights as `weights` (by node).

    What cuts (Relu, Clip) goes where the grid behind it ends at the cut. The graph's outputs are not rounded.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    writer = _Writer(made.graph, places, grids, weights)
    nodes = list(writer.nodes(model.graph))
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input} | {value.name for value in made.graph.output}
    kept = [tensor for tensor in made.graph.initializer if tensor.name in used]
    del made.graph.initializer[:]
    made.graph.initializer.extend([*kept, *writer.stored.values()])
    return made


class _Writer:
    """Writes the nodes of the new graph in order."""

    def __init__(self, graph: onnx.GraphProto, places: Places, grids: Mapping[str, Grid],
                 weights: Mapping[str, Weights]) -> None:
        self.places, self.grids, self.weights = places, grids, weights
        self.values = values_of(graph)
        self.users, self.stored = users_of(graph), dict[str, onnx.TensorProto]()
        self.makers = {name: node for node in graph.node for name in node.output}
        self.written: dict[str, Weights] = {}
        self.raw: dict[str, str] = {}

    def nodes(self, graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
        """What is in the graph, with the new nodes between."""
        for value in (*graph.input, *graph.initializer):
            yield from self._rounded(value.name)
        for node in graph.node:
            if self._is_needless(node):
                self.raw[node.output[0]] = self._read(node.input[0], node)
            else:
                yield from self._changed(node)
            for name in node.output:
                yield from self._rounded(name)

    def _is_needless(self, node: onnx.NodeProto) -> bool:
        """Whether the node cuts where the grid behind it ends."""
        return node.op_type in CUTTING and node.name in self.places.nodes

    def _changed(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        changed = onnx.NodeProto()
        changed.CopyFrom(node)
        for place, name in enumerate(node.input):
            changed.input[place] = self._read(name, node)
        if node.name in self.weights:
            yield from self._weights(node, changed)
        yield changed

    def _read(self, name: str, node: onnx.NodeProto) -> str:
        """What a node reads instead of a value: the rounded one, but in float where the value was made in float."""
        if name not in self.places.root:
            return self.raw.get(name, name)
        maker = self.makers.get(name)
        is_inside = maker is not None and maker.name in self.places.nodes
        return f"{name}/dq" if is_inside or node.name in self.places.nodes else name

    def _rounded(self, name: str) -> Iterator[onnx.NodeProto]:
        """A pair of QuantizeLinear and DequantizeLinear for a value; the latter only for a constant."""
        if name not in self.places.root:
            return
        root = self.places.root[name]
        grid = self.grids[root]
        grid_names = [self._store(f"{root}/scale", np.float32(grid.scale)),
                      self._store(f"zero/{grid.zero}", np.uint8(grid.zero))]
        if name in self.places.stored:
            self._store(f"{name}/q", grid.integers(self.values[name]))
        else:
            yield helper.make_node("QuantizeLinear", [self.raw.get(name, name), *grid_names], [f"{name}/q"])
        yield helper.make_node("DequantizeLinear", [f"{name}/q", *grid_names], [f"{name}/dq"])

    def _weights(self, node: onnx.NodeProto, changed: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        place, found = weight_place(node), self.weights[node.name]
        assert place is not None
        name = node.input[place]
        if name in self.written and not _same(self.written[name], found):
            name = f"{node.output[0]}/weight"
        names = [self._store(f"{name}/q", found.integers), self._store(f"{name}/scale", found.scale)]
        if node.op_type != "Conv":  # onnxruntime wants to see the zeros of matrix products
            names.append(self._store(f"zeros/{found.scale.size}", np.zeros(found.scale.shape, np.int8)))
        if name not in self.written:
            self.written[name] = found
            yield helper.make_node("DequantizeLinear", names, [f"{name}/dq"], axis=found.axis)
        changed.input[place] = f"{name}/dq"
        if len(node.input) > 2 and node.input[2] in self.values:
            yield self._bias(node, changed, found)

    def _bias(self, node: onnx.NodeProto, changed: onnx.NodeProto, found: Weights) -> onnx.NodeProto:
        """32 bits, in steps of the input's times the weights': what the sum is made of."""
        step = self.grids[self.places.root[node.input[0]]].scale * found.scale.astype(np.float64)
        bias = self.values[node.input[2]]
        integers = np.clip(np.rint(bias / step), -(2**31), 2**31 - 1).astype(np.int32)
        name = f"{node.output[0]}/bias"
        names = [self._store(f"{name}_q", integers), self._store(f"{name}_scale", step.astype(np.float32))]
        if node.op_type != "Conv":
            names.append(self._store(f"wide_zeros/{step.size}", np.zeros(step.shape, np.int32)))
        changed.input[2] = f"{name}_dq"
        return helper.make_node("DequantizeLinear", names, [f"{name}_dq"], axis=bias.ndim - 1)

    def _store(self, name: str, values: NDArray[np.generic] | np.generic) -> str:
        self.stored.setdefault(name, numpy_helper.from_array(np.asarray(values), name))
        return name


def _same(first: Weights, second: Weights) -> bool:
    """Whether two layers with the same weights may share what is stored."""
    return np.array_equal(first.integers, second.integers) and np.array_equal(first.scale, second.scale)
