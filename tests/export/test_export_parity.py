"""Parity: a file that answers otherwise than its source is not written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper

from linnet import export, nn, runtime, tasks
from linnet.errors import LinnetError


def test_a_float_file_agrees_with_torch(float_file: Path) -> None:
    parity = runtime.load(float_file).card.parity
    assert parity is not None
    assert parity.compared_with == "torch"
    assert 0 < parity.largest_difference < parity.tolerance == 1e-4
    assert parity.answers_changed == 0


def test_an_int8_file_agrees_with_its_graph_as_written(int8_file: Path, small: nn.Model, sounds: dict[str,
                                                       np.ndarray]) -> None:
    parity = runtime.load(int8_file).card.parity
    assert parity is not None
    assert parity.compared_with == "the unoptimised QDQ graph"
    assert parity.largest_difference <= parity.tolerance
    assert 0 <= parity.answers_changed <= parity.samples


def test_another_model_than_the_files_is_refused_and_the_worst_sample_named(
        float_file: Path, trained: nn.Model, sounds: dict[str, np.ndarray]) -> None:
    content = float_file.read_bytes()
    other = nn.remove_channels(trained, {})
    with torch.no_grad():
        other.module.get_parameter("head.bias")[1] += 1e-3
    with pytest.raises(LinnetError, match=r"does not answer as torch does: at sample \d+ a logit differs by 0\.00"):
        export.parity(content, other, sounds, quantized=False)


def test_one_bad_sample_among_many_is_found(float_file: Path, trained: nn.Model, sounds: dict[str, np.ndarray]) -> None:
    class OffAtSample3:
        def __call__(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            logits = trained(arrays)["logits"].copy()
            logits[3] += 0.01
            return {"logits": logits}

    with pytest.raises(LinnetError, match=r"at sample 3 a logit differs by 0\.01"):
        export.parity(float_file.read_bytes(), OffAtSample3(), sounds, quantized=False)


@pytest.mark.parametrize(("size", "off", "is_refused"), [
    (4.0, 1.2e-4, True), (14.0, 1.2e-4, False), (14.0, 1.6e-4, True)])
def test_of_large_logits_as_many_digits_are_kept_as_of_small_ones(size: float, off: float, is_refused: bool) -> None:
    from linnet.export.parity import _judge

    sources = [np.array([0.5, size], np.float32)]
    found = [sources[0] + np.array([0, off], np.float32)]
    if is_refused:
        with pytest.raises(LinnetError, match="a logit differs"):
            _judge(found, sources, ("torch", "logit", 1e-4), 0, large=10.0)
    else:
        assert _judge(found, sources, ("torch", "logit", 1e-4), 0, large=10.0).largest_difference < 1e-4


def test_a_network_that_answers_nan_is_refused(float_file: Path, trained: nn.Model, sounds: dict[str,
                                               np.ndarray]) -> None:
    broken = nn.remove_channels(trained, {})
    with torch.no_grad():
        broken.module.get_parameter("head.bias")[0] = float("nan")
    with pytest.raises(LinnetError, match="differs by nan"):
        export.parity(float_file.read_bytes(), broken, sounds, quantized=False)


def test_a_failure_leaves_the_old_file(trained: nn.Model, tone_task: tasks.Classify, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"old")
    with pytest.raises(LinnetError):
        export.write(replace(trained, encoding=nn.Encoding(bits=8)), tone_task, tmp_path / "a.onnx")
    assert (tmp_path / "a.onnx").read_bytes() == b"old"


def constant(output: str, answer: list[float]) -> tuple[bytes, object]:
    """A file that answers its input, and what stands for a model that answers otherwise by `answer`."""
    port = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", len(answer)]) for name in ("x", output)]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], [output])], "g", port[:1], port[1:])
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10).SerializeToString()
    return content, lambda arrays: {output: arrays["x"] + np.float32(answer)}


def test_values_are_compared_by_their_size_and_logits_by_their_digits() -> None:
    large = {"x": np.full((2, 2), 1e5, np.float32)}
    content, model = constant("values", [0, 5])
    assert export.parity(content, model, large, quantized=False).tolerance == pytest.approx(10, rel=1e-3)
    content, model = constant("logits", [0, 5])
    with pytest.raises(LinnetError, match=r"a logit differs by 5, at most 1 is"):
        export.parity(content, model, large, quantized=False)


def test_a_changed_answer_is_another_class_at_any_position_or_a_value_that_moved() -> None:
    content, model = constant("logits", [0, 2e-5])
    assert export.parity(content, model, {"x": np.zeros((3, 2), np.float32)}, quantized=False).answers_changed == 3
    content, model = constant("values", [0, 2e-5])
    assert export.parity(content, model, {"x": np.zeros((3, 2), np.float32)}, quantized=False).answers_changed == 0
