"""Grids: the numbers that 8 bits can say, for activations from their range, for weights from their size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.ptq.layers import out_axis, values_of, weight_place, weighted_node
from linnet.export.ptq.ranges import LEVELS, Range

TOP = 127
"""Weights run from -127 to 127: a grid around zero."""
_LARGEST_BIAS = 2.0**30
"""A bias is kept in 32 bits, in steps of its layer's input times its weights; some room for the sum is left."""
_SMALLEST = 1e-12

Learned = Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class Grid:
    """Of an activation: value = (integer - zero) * scale, integers from 0 to 255."""

    scale: float
    zero: int

    @classmethod
    def over(cls, found: Range) -> Grid:
        """256 levels over a range, which is widened to hold zero; zero is a level."""
        low, high = min(0.0, found[0]), max(0.0, found[1])
        scale = float(np.float32(max((high - low) / (LEVELS - 1), _SMALLEST)))
        return cls(scale, int(np.clip(round(-low / scale), 0, LEVELS - 1)))

    def integers(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The nearest levels, halves to the even one as ONNX rounds."""
        levels: NDArray[np.uint8] = np.clip(np.rint(values / np.float32(self.scale)) + self.zero, 0,
                                            LEVELS - 1).astype(np.uint8)
        return levels

    def values(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """What is left of these values."""
        return ((self.integers(values).astype(np.float32) - self.zero) * np.float32(self.scale)).astype(np.float32)


@dataclass(frozen=True)
class Weights:
    """Whole numbers from -127 to 127 and the step between them, one an index of `axis`: values = integers * scale."""

    integers: NDArray[np.int8]
    scale: NDArray[np.float32]
    axis: int

    @property
    def steps(self) -> NDArray[np.float32]:
        """The scale in a shape that multiplies the integers."""
        return along(self.scale, self.axis, self.integers.ndim)

    @property
    def values(self) -> NDArray[np.float32]:
        """As the engine sees them."""
        return (self.integers * self.steps).astype(np.float32)


def along(values: NDArray[np.float32], axis: int, ndim: int) -> NDArray[np.float32]:
    """One number an index of `axis`, in a shape that multiplies an array of so many axes."""
    return values.reshape([-1 if place == axis else 1 for place in range(ndim)])


def rounded(values: NDArray[np.float32], axis: int, scale: NDArray[np.float32]) -> Weights:
    """Each weight as its nearest step."""
    steps = along(scale, axis, values.ndim)
    return Weights(np.clip(np.rint(values / steps), -TOP, TOP).astype(np.int8), scale, axis)


def scale_of(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The smallest step that reaches the largest weight of each output channel."""
    others = tuple(place for place in range(values.ndim) if place != axis)
    scale: NDArray[np.float32] = np.maximum(np.abs(values).max(axis=others) / TOP, _SMALLEST).astype(np.float32)
    return scale


def weight_grids(graph: onnx.GraphProto, nodes: Mapping[str, onnx.NodeProto], inputs: Mapping[str, Grid],
                 learned: Mapping[str, NDArray[np.float32]]) -> dict[str, Weights]:
    """By node the weights as whole numbers; `inputs` are the grids of what the nodes read.

    A `learned` scale stays as it is. Another one is wide enough for the layer's bias to fit in 32 bits.
    """
    stored = values_of(graph)
    made = {}
    for name, node in nodes.items():
        place = weight_place(node)
        assert place is not None
        values, axis = stored[node.input[place]], out_axis(node)
        scale = learned.get(name)
        if scale is None:
            scale = scale_of(values, axis)
            bias = stored.get(node.input[2]) if len(node.input) > 2 else None
            if bias is not None:
                least = np.abs(bias.reshape(-1)) / (inputs[node.input[0]].scale * _LARGEST_BIAS)
                scale = np.maximum(scale, least.astype(np.float32))
        made[name] = rounded(values, axis, scale)
    return made


def folded_scales(graph: onnx.GraphProto, scales: Learned,
                  originals: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
    """By node the learned step of each output channel, as it is after normalisation was folded into the weights.

    Folding multiplies a channel's weights by one number; `originals` are the weights before that, by layer, outputs
    first (default: nothing was folded). Raises LinnetError where the weights do not lie on the steps, since the file
    would not be what was trained.
    """
    stored = values_of(graph)
    found = {}
    for layer, learned in scales.items():
        node = weighted_node(graph, layer)
        place = weight_place(node)
        assert place is not None
        values, axis = stored[node.input[place]], out_axis(node)
        rows = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1).astype(np.float64)
        before = np.abs(originals.get(layer, rows)).reshape(len(rows), -1).max(axis=1)
        ratio = np.abs(rows).max(axis=1) / np.maximum(before, 1e-30)
        scale = np.broadcast_to(np.asarray(learned, np.float64), len(rows)) * np.where(ratio > 0, ratio, 1.0)
        found[node.name] = scale.astype(np.float32)
        steps = rows / found[node.name][:, None]
        if np.abs(steps - np.rint(steps)).max() > 0.05 or np.abs(steps).max() > TOP + 0.5:
            raise LinnetError(f"layer '{layer}': its weights do not lie on its learned scale, from -{TOP} to {TOP} "
                              "steps. Give the encoding of the method that set these weights, or leave scales out.")
    return found
