"""Anybody's ONNX file in 8 bits: small, checked, and everything said that was not to be had."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from foreign_graphs import foreign, model, samples, weights
from onnx import helper

from linnet import export, nn, runtime
from linnet.errors import LinnetError
from linnet.export.parity import run
from linnet.export.ptq.file import QUANTIZED_KEY

EIGHT = nn.Encoding(bits=8)


def saved(graph: onnx.ModelProto, folder: Path) -> Path:
    onnx.save(graph, folder / "float.onnx")
    return folder / "float.onnx"


def answers(path: Path) -> np.ndarray:
    return np.array(run(path.read_bytes(), samples()))


def facts(path: Path) -> dict:
    return json.loads(runtime.artifact.read(path).metadata[QUANTIZED_KEY])


@pytest.mark.parametrize("opset", [13, 20])
def test_a_bare_file_becomes_int8_as_a_whole(opset: int, tmp_path: Path) -> None:
    source = saved(foreign(opset=opset), tmp_path)
    made = export.quantize_file(source, tmp_path / "int8.onnx", samples())
    found = facts(made)
    assert found["realised"]["int8"]["QLinearConv"] == 3
    assert found["realised"]["int8"]["QGemm"] == 1
    assert not {"Conv", "FusedConv", "BatchNormalization", "Relu", "Clip", "Add"} & set(found["realised"]["float"])
    assert found["realised"]["float"]["QuantizeLinear"] == 1
    assert "DequantizeLinear" not in found["realised"]["float"]
    assert found["parity"]["largest_difference"] <= found["parity"]["tolerance"]
    assert found["source"] == runtime.artifact.read(source).identity
    expected = answers(source)
    assert np.abs(answers(made) - expected).max() < 0.03 * np.abs(expected).max()
    again = export.quantize_file(source, tmp_path / "again.onnx", samples())
    assert again.read_bytes() == made.read_bytes()


def test_a_fixed_batch_is_fed_as_the_file_wants_it(tmp_path: Path) -> None:
    source = saved(foreign(batch=4), tmp_path)
    assert facts(export.quantize_file(source, tmp_path / "a.onnx", samples()))["parity"]["samples"] == 6
    with pytest.raises(LinnetError, match="takes 4 samples at a time; 3 were given"):
        export.quantize_file(source, tmp_path / "b.onnx", samples(3))


def test_layers_are_excluded_by_name_and_it_is_said(tmp_path: Path) -> None:
    source = saved(foreign(), tmp_path)
    found = facts(export.quantize_file(source, tmp_path / "a.onnx", samples(),
                                       encoding=nn.Encoding(bits=8, exclude=("third",))))
    assert found["realised"]["int8"]["QLinearConv"] == 2
    assert "excluded: third" in " ".join(found["realised"]["float_reasons"].values())
    with pytest.raises(LinnetError, match="third"):
        export.quantize_file(source, tmp_path / "b.onnx", samples(),
                             encoding=nn.Encoding(bits=8, exclude=("thirt",)))
    everything = ("conv", "conv_2", "third", "last")
    with pytest.raises(LinnetError, match="no layer that can be computed in 8 bits"):
        export.quantize_file(source, tmp_path / "b.onnx", samples(),
                             encoding=nn.Encoding(bits=8, exclude=everything))
    assert not (tmp_path / "b.onnx").exists()


@pytest.mark.parametrize("given", [
    {"x": np.zeros((8, 3, 8, 8), np.float32)}, {"x": np.full((8, 3, 8, 8), 0.5, np.float32)},
    {"x": np.zeros((0, 3, 8, 8), np.float32)}, {}])
def test_samples_that_say_nothing_are_refused(given: dict[str, np.ndarray], tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match="calibration samples"):
        export.quantize_file(saved(foreign(), tmp_path), tmp_path / "a.onnx", given)


def test_samples_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    source = saved(foreign(), tmp_path)
    with pytest.raises(LinnetError, match="takes the inputs x; samples were given for z"):
        export.quantize_file(source, tmp_path / "a.onnx", {"z": samples()["x"]})
    with pytest.raises(LinnetError, match="sample 0"):
        export.quantize_file(source, tmp_path / "a.onnx", {"x": samples()["x"][:, :2]})
    spoilt = samples()
    spoilt["x"][3, 0, 0, 0] = np.nan
    with pytest.raises(LinnetError, match="sample 3 the value 'x' is not finite"):
        export.quantize_file(source, tmp_path / "a.onnx", spoilt)


def test_weights_that_are_no_numbers_are_refused_by_layer(tmp_path: Path) -> None:
    graph = foreign()
    broken = weights(8, 8, 1, 1)
    broken[0] = np.nan
    next(t for t in graph.graph.initializer if t.name == "w3").raw_data = broken.tobytes()
    with pytest.raises(LinnetError, match="weights of layer 'third' are not finite: 8 of 64 are NaN"):
        export.quantize_file(saved(graph, tmp_path), tmp_path / "a.onnx", samples())


def test_operators_without_an_8_bit_kernel_stay_in_float_and_it_is_said(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="first"), helper.make_node("Erf", ["c"], ["e"]),
             helper.make_node("Conv", ["e", "v"], ["y"], name="second")]
    graph = model(nodes, {"w": weights(4, 3, 3, 3), "v": weights(2, 4, 1, 1)}, ["n", 3, 8, 8])
    found = facts(export.quantize_file(saved(graph, tmp_path), tmp_path / "a.onnx", samples()))["realised"]
    assert found["int8"]["QLinearConv"] == 1
    assert found["float_reasons"]["Erf"]


def test_a_file_that_cannot_be_quantized_says_why(tmp_path: Path) -> None:
    made = export.quantize_file(saved(foreign(), tmp_path), tmp_path / "a.onnx", samples())
    with pytest.raises(LinnetError, match="is quantized already"):
        export.quantize_file(made, tmp_path / "b.onnx", samples())
    nothing = model([helper.make_node("Relu", ["x"], ["y"])], {}, ["n", 3, 8, 8])
    with pytest.raises(LinnetError, match="no layer that can be computed in 8 bits"):
        export.quantize_file(saved(nothing, tmp_path), tmp_path / "b.onnx", samples())
    for wrong in (nn.Encoding(), nn.Encoding(bits=8, palettes={"third": 4})):
        with pytest.raises(LinnetError, match="bits"):
            export.quantize_file(saved(foreign(), tmp_path), tmp_path / "b.onnx", samples(), encoding=wrong)
    (tmp_path / "text.onnx").write_text("no file of ours")
    with pytest.raises(LinnetError, match=r"text\.onnx"):
        export.quantize_file(tmp_path / "text.onnx", tmp_path / "b.onnx", samples())


def test_a_file_with_a_card_keeps_it(float_file: Path, sounds: dict[str, np.ndarray], tmp_path: Path) -> None:
    made = runtime.load(export.quantize_file(float_file, tmp_path / "a.onnx", sounds))
    assert made.card.bits == "int8"
    assert made.card.realised is not None
    assert made.card.realised.int8["QLinearConv"] == 11
    assert made.card.realised.float_reasons["Log"] == "front end: in float by design"
    assert made.card.notes["quantized_from"] == runtime.artifact.read(float_file).identity
    expected = runtime.load(float_file)(sounds)["logits"]
    assert np.abs(made(sounds)["logits"] - expected).max() < 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("opset", [17, 20])
@pytest.mark.parametrize("keepdims", [0, 1])
def test_operators_without_a_kernel_become_others_that_have_one(opset: int, keepdims: int, tmp_path: Path) -> None:
    axes = {"axes": [-1, 2]} if opset < 18 else {}
    nodes = [helper.make_node("Conv", ["x", "w"], ["c"], name="first"), helper.make_node("Sub", ["c", "s"], ["d"]),
             helper.make_node("Div", ["d", "s"], ["e"]),
             helper.make_node("ReduceMean", ["e", *([] if axes else ["axes"])], ["m"], keepdims=keepdims, **axes),
             helper.make_node("Flatten", ["m"], ["f"]), helper.make_node("Gemm", ["f", "v"], ["y"], name="last")]
    constants = {"w": weights(4, 3, 3, 3), "v": weights(4, 2), "s": np.float32(1.5), "axes": np.array([-1, 2])}
    source = saved(model(nodes, constants, ["n", 3, 8, 8], opset=opset), tmp_path)
    made = export.quantize_file(source, tmp_path / "a.onnx", samples())
    found = facts(made)["realised"]
    assert found["int8"]["QLinearGlobalAveragePool"] == 1
    assert set(found["float"]) <= {"QuantizeLinear", "DequantizeLinear", "Transpose"}
    assert np.abs(answers(made) - answers(source)).max() < 0.05 * np.abs(answers(source)).max()
