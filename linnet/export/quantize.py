"""Post-training quantization: int8 weights per channel, uint8 activations, ranges from calibration samples.

The front end stays in float: its logarithm spans more than eight bits hold. So do the logits, lest two classes tie.
What has weights but no 8-bit kernel stores them in 8 bits and computes in float.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from linnet.errors import LinnetError
from linnet.export.choose import STATEFUL, WIDE, eight_bit_nodes
from linnet.export.samples import one_by_one
from linnet.tasks import Arrays


def quantize(graph: onnx.ModelProto, calibration: Arrays) -> onnx.ModelProto:
    """The graph of `to_graph` with QuantizeLinear and DequantizeLinear around the network's operators."""
    source = onnx.ModelProto()
    source.CopyFrom(graph)  # the quantizer moves its input's weights to a temporary file
    # Without this mark it logs advice to the root logger, which would install a handler there.
    source.metadata_props.add(key="onnx.quant.pre_process", value="onnxruntime.quant")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "quantized.onnx"
        try:
            quantize_static(source, path, _Samples(calibration), quant_format=QuantFormat.QDQ, per_channel=True,
                            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                            nodes_to_quantize=eight_bit_nodes(graph.graph),
                            calibrate_method=CalibrationMethod.MinMax,
                            extra_options={"OpTypesToExcludeOutputQuantization": list(WIDE)})
        except Exception as error:  # the quantizer's and the engine's errors have no class in common
            raise LinnetError(f"the network cannot be quantized: {' '.join(str(error).split())}. "
                              "Export it in float (bits=None).") from error
        quantized = onnx.load(path)
    _free_outputs(quantized.graph)
    _drop_zero_points(quantized.graph)
    _store_narrow(quantized.graph)
    return quantized


class _Samples(CalibrationDataReader):  # type: ignore[misc]
    """The calibration samples one by one, as the quantizer asks for them."""

    def __init__(self, arrays: Arrays) -> None:
        self._rows = one_by_one(arrays)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next sample, None after the last."""
        return next(self._rows, None)


def _free_outputs(graph: onnx.GraphProto) -> None:
    """The outputs straight from the last operator, without rounding them to 256 levels."""
    makers = {name: node for node in graph.node for name in node.output}
    for output in graph.output:
        dequantize = makers[output.name]
        if dequantize.op_type == "DequantizeLinear":
            rounding = makers[dequantize.input[0]]
            makers[rounding.input[0]].output[0] = output.name
            graph.node.remove(dequantize)
            graph.node.remove(rounding)


def _drop_zero_points(graph: onnx.GraphProto) -> None:
    """Zero is what is assumed without one. Only for convolutions: onnxruntime wants to see those of matrix products."""
    values = {tensor.name: tensor for tensor in graph.initializer}
    users = defaultdict(set)
    for node in graph.node:
        for name in node.input:
            users[name].add(node.op_type)
    for node in graph.node:
        if (node.op_type == "DequantizeLinear" and node.input[0] in values and len(node.input) == 3
                and users[node.output[0]] == {"Conv"} and not np.any(numpy_helper.to_array(values[node.input[2]]))):
            del node.input[2]


def _store_narrow(graph: onnx.GraphProto) -> None:
    """Weights of operators without an 8-bit kernel, (directions, gates, inputs), as int8 with a scale for each gate."""
    values = {tensor.name: tensor for tensor in graph.initializer}
    for name in dict.fromkeys(name for node in graph.node if node.op_type in STATEFUL for name in node.input[1:3]):
        weights = numpy_helper.to_array(values[name])
        scale = np.maximum(np.abs(weights).max(axis=(0, 2)), np.finfo(np.float32).tiny) / 127
        narrow = np.round(weights / scale[:, None]).astype(np.int8)
        stored = [numpy_helper.from_array(narrow, f"{name}_8"), numpy_helper.from_array(scale, f"{name}_scale")]
        graph.initializer.remove(values[name])
        graph.initializer.extend(stored)
        graph.node.insert(0, onnx.helper.make_node("DequantizeLinear", [part.name for part in stored], [name], axis=1))
