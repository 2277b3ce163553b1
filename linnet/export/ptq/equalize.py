"""Cross-layer equalization: channels of two layers in a row trade their sizes, so that each uses its grid well.

Nagel, van Baalen, Blankevoort and Welling 2019, Data-Free Quantization Through Weight Equalization and Bias Correction,
arXiv:1906.04721, section 4.1: what is between must be positively homogeneous, f(s x) = s f(x), as a rectifier is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.errors import LinnetError
from linnet.export.ptq.layers import attribute, bias_of, out_axis, users_of, values_of

_HOMOGENEOUS = frozenset({"AveragePool", "GlobalAveragePool", "LeakyRelu", "MaxPool", "Relu"})
_LAYERS = ("Conv", "Gemm", "MatMul")
_SWEEPS = 20
_SMALLEST = 1e-8


@dataclass(frozen=True)
class Pair:
    """Two layers with nothing but homogeneous operators between them; `bias` is the name of the first one's."""

    first: onnx.NodeProto
    second: onnx.NodeProto
    bias: str | None


def equalize(model: onnx.ModelProto, layers: Collection[str]) -> onnx.ModelProto:
    """A copy whose layers (of these names) have equal ranges of weights on both sides of each channel; answers stay.

    Channel i of the first layer is divided by s_i = sqrt(r1_i r2_i) / r2_i, the second's input i multiplied by it,
    where r1 and r2 are the largest absolute weights (equation 11), until nothing changes. Raises LinnetError where no
    two layers follow each other so: ReLU6, SiLU and additions in between are no such thing.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    stored = {name: values.astype(np.float64) for name, values in values_of(made.graph).items()}
    pairs = list(find_pairs(made.graph, layers))
    if not pairs:
        raise LinnetError("equalize changes nothing: no two layers follow each other with only ReLU, LeakyReLU or "
                          "pools between them, both free to change: palettes, zeros that are not stored and learned "
                          "steps stay as they are. Leave 'equalize' out of the repairs.")
    for _ in range(_SWEEPS):
        if max(_balance(pair, stored) for pair in pairs) < 1e-3:
            break
    for tensor in made.graph.initializer:
        if tensor.name in stored:
            tensor.CopyFrom(numpy_helper.from_array(stored[tensor.name].astype(np.float32), tensor.name))
    return made


def find_pairs(graph: onnx.GraphProto, layers: Collection[str]) -> Iterator[Pair]:
    """Layers of these names whose output goes only to another one, channel by channel."""
    users, stored = users_of(graph), values_of(graph)
    outputs = {value.name for value in graph.output}
    for first in graph.node:
        if first.name not in layers or not _is_own(first, users, stored):
            continue
        bias, name = bias_of(graph, first)
        while name not in outputs and len(users.get(name, [])) == 1 and (after := users[name][0]):
            if after.op_type in _LAYERS:
                channels = stored[first.input[1]].shape[out_axis(first)]
                if after.name in layers and after.input[0] == name and _is_own(after, users, stored) \
                        and len(by_input(stored[after.input[1]], after)) == channels:
                    yield Pair(first, after, bias)
                break
            if after.op_type not in _HOMOGENEOUS:
                break
            name = after.output[0]


def by_input(values: NDArray[np.float64], node: onnx.NodeProto) -> NDArray[np.float64]:
    """Weights as (input channels, all that each is multiplied with)."""
    if node.op_type != "Conv":
        return values.T if out_axis(node) == 0 else values
    groups = attribute(node, "group", 1)
    grouped = values.reshape(groups, len(values) // groups, *values.shape[1:])
    return np.moveaxis(grouped, 2, 1).reshape(groups * values.shape[1], -1)


def _balance(pair: Pair, stored: dict[str, NDArray[np.float64]]) -> float:
    """One step for one pair; the largest change of a channel, as a share."""
    first, second = (stored[node.input[1]] for node in (pair.first, pair.second))
    axis = out_axis(pair.first)
    r1 = np.abs(np.moveaxis(first, axis, 0).reshape(first.shape[axis], -1)).max(axis=1)
    r2 = np.abs(by_input(second, pair.second)).max(axis=1)
    used = (r1 > _SMALLEST) & (r2 > _SMALLEST)
    factor = np.where(used, np.sqrt(r1 * r2) / np.maximum(r2, _SMALLEST), 1.0)
    stored[pair.first.input[1]] = first / factor.reshape([-1 if place == axis else 1 for place in range(first.ndim)])
    if pair.bias is not None:
        stored[pair.bias] = (stored[pair.bias].reshape(-1) / factor).reshape(stored[pair.bias].shape)
    stored[pair.second.input[1]] = _times_inputs(second, pair.second, factor)
    return float(np.abs(factor - 1).max())


def _times_inputs(values: NDArray[np.float64], node: onnx.NodeProto,
                  factor: NDArray[np.float64]) -> NDArray[np.float64]:
    if node.op_type != "Conv":
        return values * (factor if out_axis(node) == 0 else factor[:, None])
    groups = attribute(node, "group", 1)
    grouped = values.reshape(groups, len(values) // groups, values.shape[1], -1)
    return (grouped * factor.reshape(groups, 1, -1, 1)).reshape(values.shape)


def _is_own(node: onnx.NodeProto, users: dict[str, list[onnx.NodeProto]],
            stored: dict[str, NDArray[np.float32]]) -> bool:
    """Whether the weights are stored and no other node's."""
    return node.op_type in _LAYERS and node.input[1] in stored and len(users[node.input[1]]) == 1
