"""Repairs: what is done to weights and biases so that 8 bits change less of the answers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.ptq.grids import Weights
from linnet.export.ptq.layers import bias_of, users_of, values_of
from linnet.export.ptq.observe import Sample, observe
from linnet.export.ptq.rounding import adaround

_SAMPLES = 32
"""Whole activations of so many samples are kept for each layer while its weights are rounded."""

Insert = Callable[[onnx.ModelProto, Mapping[str, Weights]], onnx.ModelProto]


def round_weights(model: onnx.ModelProto, weights: Mapping[str, Weights], layers: Collection[str], insert: Insert,
                  samples: Sequence[Sample]) -> dict[str, Weights]:
    """The weights with those of the nodes `layers` rounded by AdaRound, in the order of the signal.

    `insert` gives the quantized graph for some weights: a layer reads there what the layers before it, rounded
    already, make of the samples. Raises LinnetError where no weight is another one than by rounding to the nearest.
    """
    made = dict(weights)
    stored, users = values_of(model.graph), users_of(model.graph)
    for node in model.graph.node:
        if node.name not in layers or node.name not in made:
            continue
        bias, output = bias_of(model.graph, node)
        after = users.get(output, [])
        quantized = insert(model, made)
        reads = next(found for found in quantized.graph.node if found.name == node.name).input[0]
        pairs = _pairs(quantized, reads, model, output, samples[:_SAMPLES])
        made[node.name] = adaround(node, stored[node.input[1]], None if bias is None else stored[bias].reshape(-1),
                                   made[node.name], pairs, is_rectified=[user.op_type for user in after] == ["Relu"])
    if all(np.array_equal(made[name].integers, weights[name].integers) for name in made):
        raise LinnetError("adaround changes nothing: rounding each weight to the nearest step is as good on these "
                          "samples. Leave it out of the repairs.")
    return made


def _pairs(quantized: onnx.ModelProto, reads: str, model: onnx.ModelProto, output: str,
           samples: Sequence[Sample]) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    given = [seen[reads] for seen in observe(quantized, [reads], samples)]
    wanted = [seen[output] for seen in observe(model, [output], samples)]
    return list(zip(given, wanted, strict=True))
