"""Post-training quantization: int8 weights per channel, uint8 activations, ranges from calibration samples.

The front end stays in float: its logarithm spans more than eight bits hold. So do the logits, lest two classes tie.
What has weights but no 8-bit kernel stores them in 8 bits and computes in float.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import onnx
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.export.ptq.bias import correct_biases
from linnet.export.ptq.equalize import equalize
from linnet.export.ptq.grids import Weights, folded_scales, weight_grids
from linnet.export.ptq.layers import nodes_under
from linnet.export.ptq.observe import Sample, Seen, observe
from linnet.export.ptq.places import Places, find_places, grids, learned_ranges
from linnet.export.ptq.qdq import insert
from linnet.export.ptq.ranges import Range, read_ranges
from linnet.export.ptq.repairs import round_weights
from linnet.export.ptq.stored import store_narrow
from linnet.export.samples import one_by_one
from linnet.nn.encoding import Encoding
from linnet.tasks import Arrays

Originals = Mapping[str, NDArray[np.float32]]


def quantize(graph: onnx.ModelProto, calibration: Arrays, encoding: Encoding, *,
             originals: Originals | None = None) -> onnx.ModelProto:
    """The graph with QuantizeLinear and DequantizeLinear around the operators that are to compute in 8 bits.

    `originals` are the weights of the layers that have learned scales, as they were before normalisation was folded.
    Raises LinnetError for weights or samples that are not finite, samples that are all alike, layers that are not
    there, and a repair that finds nothing to do.
    """
    check_samples(calibration)
    return quantize_samples(graph, list(one_by_one(calibration)), encoding, originals=originals)


def quantize_samples(graph: onnx.ModelProto, samples: Sequence[Sample], encoding: Encoding, *,
                     originals: Originals | None = None) -> onnx.ModelProto:
    """`quantize` from samples that are fed one after the other as they are."""
    check_weights(graph.graph)
    excluded = nodes_under(graph.graph, encoding.exclude)
    places = find_places(graph.graph, excluded)
    if not places.nodes:
        raise LinnetError("the network has no layer that can be computed in 8 bits: none has float32 weights, or all "
                          "are excluded. Keep it in float.")
    learned = folded_scales(graph.graph, encoding.scales, originals or {})
    free = [name for name in places.weighted if name not in learned and name not in _stored_otherwise(graph, encoding)]
    _check_repairs(encoding, free)
    if "equalize" in encoding.repairs:
        graph = equalize(graph, free)
        places = find_places(graph.graph, excluded)
    found = grids(graph.graph, places, ranges(graph, places, samples, encoding))
    made = weight_grids(graph.graph, places.weighted, places.by_value(found), learned)

    def inserted(model: onnx.ModelProto, weights: Mapping[str, Weights]) -> onnx.ModelProto:
        return insert(model, places, found, weights)

    if "adaround" in encoding.repairs:
        made = round_weights(graph, made, free, inserted, samples)
    if "bias_correction" in encoding.repairs:
        graph = correct_biases(graph, partial(inserted, weights=made), places.weighted, samples)
    quantized = inserted(graph, made)
    store_narrow(quantized.graph, without=excluded)
    return quantized


def _check_repairs(encoding: Encoding, free: Sequence[str]) -> None:
    """Raise LinnetError for repairs of weights where no weights may be changed."""
    asked = [repair for repair in encoding.repairs if repair in ("equalize", "adaround")]
    if asked and not free:
        raise LinnetError(f"{' and '.join(asked)} may change no weights here: every layer has a palette, zeros that "
                          "are not stored or learned steps, which the file keeps as they are. Leave the repair out "
                          "(bias_correction is possible), or those methods.")


def _stored_otherwise(graph: onnx.ModelProto, encoding: Encoding) -> set[str]:
    """The nodes whose weights have few values, or zeros that are not stored: they must stay as they are."""
    return nodes_under(graph.graph, (*encoding.palettes, *encoding.sparse))


def ranges(graph: onnx.ModelProto, places: Places, samples: Sequence[Sample], encoding: Encoding) -> dict[str, Range]:
    """By root its learned range, or that of the calibration samples."""
    learned = learned_ranges(graph.graph, places, encoding.ranges)
    names = [name for name in places.roots if name not in learned]

    def seen() -> Iterator[Seen]:
        return observe(graph, names, samples)

    return {**(read_ranges(seen, encoding.calibration) if names else {}), **learned}


def check_weights(graph: onnx.GraphProto) -> None:
    """Raise LinnetError for weights that are not finite, naming their layer."""
    for tensor in graph.initializer:
        if tensor.data_type == onnx.TensorProto.FLOAT:
            values = onnx.numpy_helper.to_array(tensor)
            if not np.isfinite(values).all() and np.isnan(values).any():
                users = [node.name or node.op_type for node in graph.node if tensor.name in node.input]
                raise LinnetError(f"the weights of layer '{users[0] if users else tensor.name}' are not finite: "
                                  f"{int(np.isnan(values).sum())} of {values.size} are NaN. Train the model again, "
                                  "with a smaller learning rate or clip, before it is quantized.")


def check_samples(calibration: Arrays) -> None:
    """Raise LinnetError where the samples cannot say which values occur: there are none, or all are one number."""
    if not calibration or not all(len(values) for values in calibration.values()):
        raise LinnetError("there are no calibration samples, from which ranges are read; give some hundred real ones.")
    floats = {name: values for name, values in calibration.items() if values.ndim > 1}
    if floats and all(np.ptp(values) == 0 for values in floats.values() if values.size):
        name, values = next(iter(floats.items()))
        raise LinnetError(f"the calibration samples say nothing of the ranges: every value of '{name}' is "
                          f"{values.flat[0]}. Give some hundred real samples.")


