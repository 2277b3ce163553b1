"""Realised precision is read from what the engine runs, not from what the file hopes for."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from linnet import export, nn, runtime, tasks
from linnet.errors import LinnetError


def test_every_convolution_behind_the_front_end_is_int8(int8_file: Path) -> None:
    found = runtime.load(int8_file).card.realised
    assert found is not None
    assert found.int8["QLinearConv"] == 12, "eleven, and the mean over whole rows, which is one too"
    assert found.int8["QGemm"] == 1
    assert not {"Conv", "Gemm", "FusedConv", "DequantizeLinear", "AveragePool"} & set(found.float_)
    assert found.float_["QuantizeLinear"] == 1
    assert (found.engine, found.version) == ("onnxruntime", onnxruntime.__version__)


def test_what_stays_in_float_has_a_reason(int8_file: Path) -> None:
    found = runtime.load(int8_file).card.realised
    assert found is not None
    assert found.float_reasons.keys() == found.float_.keys()
    assert found.float_reasons["Log"] == "front end: in float by design"
    assert found.float_reasons["QuantizeLinear"] == "the border between float and 8 bits"


def test_a_float_file_has_nothing_in_int8_and_needs_no_reasons(float_file: Path) -> None:
    found = runtime.load(float_file).card.realised
    assert found is not None
    assert found.int8 == {}
    assert found.float_["Conv"] == 11
    assert found.float_reasons == {}


def signed(*, operator: str = "Conv") -> bytes:
    """A convolution between pairs of 8-bit values, or an operator for which onnxruntime has no 8-bit kernel."""
    def pair(name: str) -> list[onnx.NodeProto]:
        return [helper.make_node("QuantizeLinear", [name, "scale", "zero"], [f"{name}_q"]),
                helper.make_node("DequantizeLinear", [f"{name}_q", "scale", "zero"], [f"{name}_d"])]

    weights = {"Conv": ["weight"], "Erf": []}[operator]
    layer = helper.make_node(operator, ["x_d", *(f"{name}_d" for name in weights)], ["y"], name="layer")
    nodes = [*pair("x"), layer, *pair("y")]
    if weights:
        nodes.insert(0, helper.make_node("DequantizeLinear", ["weight", "scale", "zero"], ["weight_d"]))
    nodes[-1].output[0] = "out"
    constants = {"scale": np.float32(0.1), "zero": np.uint8(128), "weight": np.full((2, 1, 3, 3), 130, np.uint8)}
    shape = [1, 1, 8, 8]
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
         if name != "weight" or weights])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()


def test_an_operator_without_an_8_bit_kernel_counts_as_float() -> None:
    found = export.realised(signed(operator="Erf"), quantized=True, layers=["layer"])
    assert "Erf" not in found.int8
    assert found.float_["Erf"] == 1
    assert found.float_reasons["Erf"] == "onnxruntime kept layer in float"


def test_an_operator_with_one_counts_as_int8() -> None:
    found = export.realised(signed(), quantized=True, layers=["layer"])
    assert found.int8["QLinearConv"] == 1
    assert set(found.float_) <= {"QuantizeLinear", "DequantizeLinear"}


def test_a_file_in_which_nothing_became_int8_is_refused(small: nn.Model, tone_task: tasks.Classify, tmp_path: Path,
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["linnet.export.write"], "quantize", lambda graph, *_, **__: graph)
    with pytest.raises(LinnetError, match=r"asks for 8 bits, but onnxruntime .* runs none of its .* operators in int8"):
        export.write(small, tone_task, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
