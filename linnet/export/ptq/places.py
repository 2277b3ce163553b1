"""Places: which values of a graph are held in 8 bits, and which of them lie on one grid."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import onnx

from linnet.export.choose import (
    CUTTING,
    MOVING,
    WEIGHTED,
    WIDE,
    eight_bit_nodes,
    limits,
    values_into,
    values_out_of,
)
from linnet.export.ptq.grids import Grid
from linnet.export.ptq.layers import users_of, values_of, weighted_node
from linnet.export.ptq.ranges import Range


@dataclass(frozen=True)
class Places:
    """`nodes` become 8-bit ones. `root` says for a value held in 8 bits whose grid it has: often its own."""

    nodes: Mapping[str, onnx.NodeProto]
    root: Mapping[str, str]
    stored: frozenset[str]
    """Of the roots those that are constants of the graph."""

    @property
    def weighted(self) -> dict[str, onnx.NodeProto]:
        """Of the nodes those whose weights are stored with a scale an output channel."""
        return {name: node for name, node in self.nodes.items() if WEIGHTED.get(node.op_type)}

    @property
    def roots(self) -> tuple[str, ...]:
        """The activations whose range is needed."""
        return tuple(dict.fromkeys(root for root in self.root.values() if root not in self.stored))

    def by_value(self, grids: Mapping[str, Grid]) -> dict[str, Grid]:
        """The grid of every value, from those of the roots."""
        return {name: grids[root] for name, root in self.root.items()}


def find_places(graph: onnx.GraphProto, excluded: Collection[str]) -> Places:
    """What is held in 8 bits when the nodes `excluded` stay in float."""
    chosen = set(eight_bit_nodes(graph, exclude=excluded))
    nodes = {node.name: node for node in graph.node if node.name in chosen}
    constants = set(values_of(graph))
    integers = {tensor.name for tensor in graph.initializer} - constants
    users, outputs = users_of(graph), {value.name for value in graph.output}
    root: dict[str, str] = {}
    for node in nodes.values():
        for name in values_into(node) if node.op_type not in CUTTING else ():
            if name and name not in integers:
                root.setdefault(name, name)
        if node.op_type in WIDE:
            continue
        for name in values_out_of(node):
            readers = users.get(name, [])
            if name in outputs or (_is_cut(readers) and readers[0].name in chosen):
                continue
            root[name] = root[node.input[0]] if node.op_type in MOVING else name
    return Places(nodes, root, frozenset(constants.intersection(root.values())))


def _is_cut(readers: list[onnx.NodeProto]) -> bool:
    """Whether the only use of a value is to be cut: its grid is then the one of what is left."""
    return len(readers) == 1 and readers[0].op_type in CUTTING


def grids(graph: onnx.GraphProto, places: Places, ranges: Mapping[str, Range]) -> dict[str, Grid]:
    """By root its grid; of a stored one over its own values, of what comes out of a cut no wider than the cut."""
    stored, constants = values_of(graph), {tensor.name: tensor for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    made = {}
    for root in dict.fromkeys(places.root.values()):
        if root in places.stored:
            made[root] = Grid.over((float(stored[root].min()), float(stored[root].max())))
            continue
        low, high = ranges[root]
        maker = makers.get(root)
        if maker is not None and maker.op_type in CUTTING and maker.name in places.nodes:
            low, high = 0.0, min(high, limits(maker, constants)[1])
        made[root] = Grid.over((low, high))
    return made


def learned_ranges(graph: onnx.GraphProto, places: Places, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """By root the learned ranges of the layers that read it; of several the widest."""
    found: dict[str, Range] = {}
    for layer, (low, high) in ranges.items():
        node = weighted_node(graph, layer)
        if node.name in places.nodes:
            root = places.root[node.input[0]]
            before = found.get(root, (low, high))
            found[root] = (min(before[0], low), max(before[1], high))
    return found
