"""Bias correction: rounding shifts the mean of a layer's outputs; its bias takes the shift back.

Nagel et al. 2019, arXiv:1906.04721, section 4.2, with the mean over calibration samples (their appendix D).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from linnet.errors import LinnetError
from linnet.export.ptq.layers import bias_of, values_of
from linnet.export.ptq.observe import Sample, observe

_SAMPLES = 64

Quantize = Callable[[onnx.ModelProto], onnx.ModelProto]


def correct_biases(model: onnx.ModelProto, quantize: Quantize, layers: Collection[str],
                   samples: Sequence[Sample]) -> onnx.ModelProto:
    """A copy whose biases (of the nodes of these names) make up for what `quantize` does to the mean of each channel.

    Layer by layer in the order of the signal: what earlier layers still shift is part of what is corrected. A layer
    without a bias of its own is left alone; LinnetError where all are.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    nodes = [node for node in made.graph.node if node.name in layers]
    biased = {node.name: found[0] for node in nodes if (found := bias_of(made.graph, node))[0] is not None}
    if not biased:
        raise LinnetError("bias_correction changes nothing: no layer that is computed in 8 bits has a bias of its own. "
                          "Leave it out of the repairs.")
    chosen = [node for node in nodes if node.name in biased]
    some = samples[:_SAMPLES]
    wanted = channel_means(model, [(node.output[0], channel_axis(node)) for node in chosen], some)
    for node in chosen:
        name, axis = node.output[0], channel_axis(node)
        now = channel_means(quantize(made), [(name, axis)], some)
        _add(made.graph, str(biased[node.name]), wanted[name] - now[name])
    return made


def channel_axis(node: onnx.NodeProto) -> int:
    """Along which axis of a layer's output its channels lie."""
    return 1 if node.op_type == "Conv" else -1


def channel_means(model: onnx.ModelProto, values: Sequence[tuple[str, int]],
                  samples: Sequence[Sample]) -> Mapping[str, NDArray[np.float64]]:
    """By name the mean of each channel over everything else; `values` are names and the axes of their channels."""
    sums: dict[str, NDArray[np.float64]] = {}
    counts: dict[str, int] = {}
    for seen in observe(model, [name for name, _ in values], samples):
        for name, axis in values:
            rows = np.moveaxis(seen[name], axis, 0).reshape(seen[name].shape[axis], -1).astype(np.float64)
            sums[name] = sums.get(name, 0.0) + rows.sum(axis=1)
            counts[name] = counts.get(name, 0) + rows.shape[1]
    return {name: total / counts[name] for name, total in sums.items()}


def _add(graph: onnx.GraphProto, name: str, shift: NDArray[np.float64]) -> None:
    values = values_of(graph)[name]
    corrected = (values.reshape(-1) + shift).reshape(values.shape).astype(np.float32)
    tensor = next(tensor for tensor in graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(corrected, name))
