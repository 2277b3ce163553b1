"""Batch normalisation becomes part of what it follows, on any graph: an engine has it in no 8 bits."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.export.ptq.layers import attribute, users_of, values_of

_FOLLOWED = ("Conv", "ConvTranspose", "Gemm")
_EPSILON = 1e-5


def fold_normalisation(graph: onnx.GraphProto) -> None:
    """Fold each BatchNormalization into the only layer that it follows; layers keep their names, answers stay.

    Weights that other layers share are copied. One that follows something else, or is in training mode, stays.
    """
    stored, users = values_of(graph), users_of(graph)
    outputs = {value.name for value in graph.output}
    makers = {name: node for node in graph.node for name in node.output}
    for norm in [node for node in graph.node if node.op_type == "BatchNormalization"]:
        layer = makers.get(norm.input[0])
        if (layer is None or layer.op_type not in _FOLLOWED or attribute(norm, "training_mode", 0)
                or len(users[norm.input[0]]) > 1 or norm.input[0] in outputs
                or not all(name in stored for name in (*norm.input[1:5], *layer.input[1:]) if name)
                or (layer.op_type == "Gemm" and any(item.name in ("alpha", "beta") and item.f != 1
                                                    for item in layer.attribute))):
            continue
        weight, bias = _folded(layer, norm, stored)
        names = [f"{norm.output[0]}/weight", f"{norm.output[0]}/bias"]
        for name, values in zip(names, (weight, bias), strict=True):
            graph.initializer.append(numpy_helper.from_array(values, name))
            stored[name] = values
        layer.input[1:] = names
        layer.output[0] = norm.output[0]
        makers[norm.output[0]] = layer
        graph.node.remove(norm)


def _folded(layer: onnx.NodeProto, norm: onnx.NodeProto, stored: dict[str, NDArray[np.float32]]) \
        -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The layer's weights and bias with scale, shift, mean and variance in them."""
    scale, shift, mean, variance = (stored[name].astype(np.float64) for name in norm.input[1:5])
    epsilon = next((item.f for item in norm.attribute if item.name == "epsilon"), _EPSILON)
    factor = scale / np.sqrt(variance + epsilon)
    weight = stored[layer.input[1]].astype(np.float64)
    bias = stored[layer.input[2]].reshape(-1) if len(layer.input) > 2 and layer.input[2] else 0.0
    if layer.op_type == "ConvTranspose":  # (inputs, outputs of a group, ...)
        groups = attribute(layer, "group", 1)
        by_group = weight.reshape(groups, -1, *weight.shape[1:])
        factors = factor.reshape(groups, 1, -1, *[1] * (weight.ndim - 2))
        weight = (by_group * factors).reshape(weight.shape)
    else:
        out_axis = 1 if layer.op_type == "Gemm" and not attribute(layer, "transB", 0) else 0
        weight = weight * factor.reshape([-1 if axis == out_axis else 1 for axis in range(weight.ndim)])
    return weight.astype(np.float32), ((bias - mean) * factor + shift).astype(np.float32)
