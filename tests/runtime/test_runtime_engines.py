"""The contract: what every engine must do, whatever it is made of. An engine that is not installed is skipped."""

import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_files import digits_bytes

from linnet.errors import LinnetError
from linnet.runtime.engines import COMPANIONS, ENGINES, Port, Session, start
from linnet.runtime.inputs import random_inputs

CONVOLUTIONS = {"Convolution", "QLinearConv"}
"""What the engines call one."""

OF_ONNX = [pytest.param(engine, marks=[pytest.mark.browser] if engine == "web" else [])
           for engine in sorted(ENGINES.keys() - COMPANIONS.keys())]
"""Engines that take ONNX; the others have their files made first, in tests/export/test_export_engines.py."""


def started(content: bytes, engine: str) -> Session:
    try:
        return start(content, engine=engine)
    except LinnetError as error:
        if "not installed" in str(error):
            pytest.skip(str(error))
        raise


@pytest.fixture(params=OF_ONNX)
def session(request: pytest.FixtureRequest) -> Session:
    return started(digits_bytes(), request.param)


def eight_bit_bytes() -> bytes:
    """x (batch, 2, 6, 6) to y (batch, 4, 4, 4): one convolution in 8 bits as QDQ, and a sigmoid in float behind it."""
    rng = np.random.default_rng(0)
    parts = {"scale": np.float32(0.03), "zero": np.uint8(128), "weight_scale": np.full(4, 0.01, np.float32),
             "weights": rng.integers(-127, 128, (4, 2, 3, 3)).astype(np.int8), "sum_scale": np.float32(0.08),
             "weight_zero": np.zeros(4, np.int8), "sum_zero": np.uint8(120)}
    quantized = [helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["narrow"]),
                 helper.make_node("DequantizeLinear", ["narrow", "scale", "zero"], ["given"]),
                 helper.make_node("DequantizeLinear", ["weights", "weight_scale", "weight_zero"], ["kernel"], axis=0),
                 helper.make_node("Conv", ["given", "kernel"], ["sum"]),
                 helper.make_node("QuantizeLinear", ["sum", "sum_scale", "sum_zero"], ["rounded"]),
                 helper.make_node("DequantizeLinear", ["rounded", "sum_scale", "sum_zero"], ["wide"]),
                 helper.make_node("Sigmoid", ["wide"], ["y"])]
    graph = helper.make_graph(
        quantized, "eight", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 2, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 4, 4, 4])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in parts.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def test_every_engine_says_what_the_file_takes_and_gives(session: Session) -> None:
    assert session.inputs == {"image": Port("uint8", (None, 8, 8, 1))}
    assert session.outputs == {"logits": Port("float32", (None, 10))}
    assert (session.threads, session.engine in ENGINES, bool(session.version)) == (1, True, True)


def test_every_engine_answers_as_the_mathematics_does(session: Session) -> None:
    image = np.arange(3 * 64, dtype=np.uint8).reshape(3, 8, 8, 1)
    weights = np.random.default_rng(0).standard_normal((64, 10)).astype(np.float32)
    logits = session.run({"image": image})["logits"]
    np.testing.assert_allclose(logits, image.reshape(3, 64).astype(np.float32) @ weights, rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize(("given", "said"), [
    ({"image": np.zeros((1, 8, 8, 1), np.float32)}, r"expected uint8 \(any, 8, 8, 1\), received float32 \(1, 8, 8"),
    ({"image": np.zeros((8, 8, 1), np.uint8)}, r"received uint8 \(8, 8, 1\)"),
    ({"image": np.zeros((1, 9, 8, 1), np.uint8)}, r"received uint8 \(1, 9, 8, 1\)"),
    ({"picture": np.zeros((1, 8, 8, 1), np.uint8)}, "takes the inputs image; it was given picture"),
    ({}, r"it was given \(none\)"),
])
def test_every_engine_refuses_what_does_not_fit(session: Session, given: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        session.run(given)


@pytest.mark.parametrize("content", [b"", digits_bytes()[:300], b"no model"])
@pytest.mark.parametrize("engine", OF_ONNX)
def test_every_engine_says_what_it_cannot_load_and_prints_nothing(engine: str, content: bytes,
                                                                  capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LinnetError, match=f"{engine} .* cannot load the file"):
        started(content, engine)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("engine", OF_ONNX)
def test_every_engine_says_which_operators_compute_in_eight_bits(engine: str) -> None:
    session = started(eight_bit_bytes(), engine)
    x = np.random.default_rng(1).uniform(-3, 3, (1, 2, 6, 6)).astype(np.float32)
    y = session.run({"x": x})["y"]
    assert abs(y - start(eight_bit_bytes()).run({"x": x})["y"]).max() <= 0.025  # a step of the sum through the sigmoid
    found = session.operators({"x": x})
    assert set(found) == {"int8", "float"}
    assert CONVOLUTIONS & set(found["int8"])
    assert not CONVOLUTIONS & set(found["float"])


def test_every_engine_counts_no_operator_of_a_float_file_as_one_in_eight_bits(session: Session) -> None:
    found = session.operators(random_inputs(session))
    assert found["int8"] == {}
    assert sum(found["float"].values()) >= 1


@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_a_missing_engine_says_how_it_is_got(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "onnxruntime":
        pytest.skip("it comes with every installation")
    monkeypatch.setitem(sys.modules, {"coreml": "coremltools"}.get(engine, engine), None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(LinnetError, match=rf"not installed.*install it with: .*({engine}|make browser)"):
        start(digits_bytes(), engine=engine)


def test_unknown_engines_and_no_threads_are_refused() -> None:
    with pytest.raises(LinnetError, match="unknown engine 'onnxruntme'; did you mean 'onnxruntime'"):
        start(digits_bytes(), engine="onnxruntme")
    with pytest.raises(LinnetError, match="at least 1"):
        start(digits_bytes(), threads=0)


def test_the_adapter_does_not_hide_the_package_of_the_same_name(session: Session) -> None:
    module = sys.modules.get(session.engine)
    assert module is None or "linnet" not in str(module.__file__)


def test_made_up_inputs_fit_and_follow_the_seed(session: Session) -> None:
    inputs = random_inputs(session, batch=5, seed=3)
    assert session.run(inputs)["logits"].shape == (5, 10)
    assert (inputs["image"] == random_inputs(session, batch=5, seed=3)["image"]).all()
    assert (inputs["image"] != random_inputs(session, batch=5, seed=4)["image"]).any()
