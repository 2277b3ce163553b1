"""Palettes found again in a graph: a tensor of few distinct values, times a number for each output channel.

Batch normalisation, folded into a convolution, multiplies each of its output channels by a number of its own; so the
few values of a layer become many in the graph. Beside the module's weights they are few again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.errors import LinnetError
from linnet.nn import Model

_CLOSE = 1e-5
"""Largest difference, as a share of a channel's largest weight, that folding in float32 makes."""


@dataclass(frozen=True, eq=False)
class Scaled:
    """A tensor of the graph as values that repeat, times `scale`, which broadcasts along `axis`."""

    values: NDArray[Any]
    scale: NDArray[Any] | None = None
    axis: int = 0

    @property
    def channels(self) -> NDArray[Any] | None:
        """The scale shaped so that it multiplies the values."""
        if self.scale is None:
            return None
        return self.scale.reshape([-1 if place == self.axis else 1 for place in range(self.values.ndim)])


def find(graph: onnx.GraphProto, model: Model) -> dict[str, Scaled]:
    """By initializer: what `model.encoding` calls a palette, or sparse; LinnetError for a layer that is neither."""
    found: dict[str, Scaled] = {}
    encoding = model.encoding
    for layer in dict.fromkeys([*encoding.palettes, *encoding.sparse]):
        tensors, sources = dict(_tensors(graph, layer)), _weights(model, layer)
        for name, tensor in tensors.items():
            match = next(filter(None, (_match(tensor, weights) for weights in sources)), None)
            if match is not None:
                found[name] = match
        if not found.keys() & tensors.keys():
            raise LinnetError(f"model '{model.name}' asks for {layer} to be stored small, but no operator of that "
                              "name in the graph has its weights. Name layers by their path in model.module.")
        most = encoding.palettes.get(layer)
        for name in found.keys() & tensors.keys():
            distinct = len(np.unique(found[name].values))
            if most is not None and distinct > 2**most:
                raise LinnetError(f"{layer} has {distinct} distinct weights, but its palette has {most} bits, which "
                                  f"tell {2**most} apart. Finish the method that made the palette before writing.")
    return found


def layer_of(name: str) -> str:
    """The name of a layer's nodes in the graph, from its path in the module."""
    return name.removeprefix("layers.")


def _tensors(graph: onnx.GraphProto, layer: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """The float tensors, of at least two axes, of the nodes that carry this layer's name."""
    values = {tensor.name: tensor for tensor in graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT}
    wanted = layer_of(layer)
    for node in graph.node:
        head, _, tail = node.name.rpartition(".")
        if node.name == wanted or (head == wanted and tail.isdecimal()):
            for name in node.input:
                if name in values and len(values[name].dims) > 1:
                    yield name, numpy_helper.to_array(values[name])


def _weights(model: Model, layer: str) -> list[NDArray[np.float32]]:
    try:
        module = model.module.get_submodule(layer)
    except AttributeError:
        raise LinnetError(f"model '{model.name}' has no layer {layer}, which its encoding names.") from None
    found = [value.detach().float().cpu().numpy() for value in module.parameters() if value.ndim > 1]
    steps = np.array(model.encoding.scales.get(layer, ()), np.float32)
    if len(steps) and found and len(found[0]) % len(steps) == 0:  # learned steps: few whole numbers a channel
        found.insert(0, np.rint(found[0] / steps.reshape(-1, *[1] * (found[0].ndim - 1))))
    return found


def _match(tensor: NDArray[np.float32], weights: NDArray[np.float32]) -> Scaled | None:
    """The tensor as these weights, or these transposed, times a number a channel; None where it is neither."""
    if tensor.size != weights.size:
        return None
    if np.array_equal(np.sort(tensor, axis=None), np.sort(weights, axis=None)):
        return Scaled(tensor)  # only moved, as the gates of a recurrent layer are
    for laid, axis in ((weights, 0), (weights.T, tensor.ndim - 1)):
        if laid.shape == tensor.shape:
            scaled = _scaled(tensor, np.ascontiguousarray(laid), axis)
            if scaled is not None:
                return scaled
    return None


def _scaled(tensor: NDArray[np.float32], laid: NDArray[np.float32], axis: int) -> Scaled | None:
    rows, source = (np.moveaxis(part, axis, 0).reshape(len(np.moveaxis(part, axis, 0)), -1).astype(np.float64)
                    for part in (tensor, laid))
    norms = (source * source).sum(axis=1)
    scale = (rows * source).sum(axis=1) / np.where(norms > 0, norms, 1)
    scale = np.where(norms > 0, scale, np.abs(scale[scale != 0]).min(initial=1))  # of no weights: fine for its bias
    largest = np.abs(rows).max(axis=1, initial=0)
    if np.any(np.abs(rows - source * scale[:, None]).max(axis=1, initial=0) > _CLOSE * largest + 1e-30):
        return None
    return Scaled(laid, scale.astype(np.float32), axis)
