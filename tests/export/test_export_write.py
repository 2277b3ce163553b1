"""What is written is one small ONNX file that answers as its model does and is the same every time."""

from __future__ import annotations

import logging
import warnings
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from linnet import data, export, nn, runtime, tasks
from linnet.errors import LinnetError


def weights_bytes(path: Path) -> int:
    return sum(len(tensor.raw_data) for tensor in onnx.load(path).graph.initializer)


def test_the_float_file_answers_as_torch_does(float_file: Path, trained: nn.Model, sounds: dict[str,
                                              np.ndarray]) -> None:
    np.testing.assert_allclose(runtime.load(float_file)(sounds)["logits"], trained(sounds)["logits"], atol=1e-4)


def test_the_int8_file_answers_nearly_as_torch_does(int8_file: Path, small: nn.Model, sounds: dict[str,
                                                    np.ndarray]) -> None:
    expected = small(sounds)["logits"]
    np.testing.assert_allclose(runtime.load(int8_file)(sounds)["logits"], expected, atol=0.1 * np.abs(expected).max())


@pytest.mark.parametrize("file", ["float_file", "int8_file"])
def test_silence_gets_an_answer(file: str, request: pytest.FixtureRequest, tone_task: tasks.Classify) -> None:
    silence = np.zeros((1, tone_task.samples), np.float32)
    assert np.isfinite(runtime.load(request.getfixturevalue(file))({"audio": silence})["logits"]).all()


@pytest.mark.parametrize("file", ["float_file", "int8_file"])
def test_the_graph_takes_any_batch_and_is_valid(file: str, request: pytest.FixtureRequest,
                                                tone_task: tasks.Classify) -> None:
    model = onnx.load(request.getfixturevalue(file))
    onnx.checker.check_model(model, full_check=True)
    ((batch, samples),) = [value.type.tensor_type.shape.dim for value in model.graph.input]
    assert (model.graph.input[0].name, batch.dim_param, samples.dim_value) == ("audio", "batch", tone_task.samples)
    (logits,) = model.graph.output
    assert (logits.name, logits.type.tensor_type.shape.dim[0].dim_param) == ("logits", "batch")


@pytest.mark.parametrize("file", ["float_file", "int8_file"])
def test_no_table_of_the_front_end_is_stored(file: str, request: pytest.FixtureRequest, trained: nn.Model) -> None:
    graph = onnx.load(request.getfixturevalue(file)).graph
    front = trained.module.get_submodule("front")
    assert isinstance(front, nn.LogMel)
    tables = {front.cosine.numel(), front.sine.numel(), front.filters.numel(), front.window}
    assert not tables & {int(np.prod(tensor.dims)) for tensor in graph.initializer}
    operators = Counter(node.op_type for node in graph.node)
    assert operators["Cos"] == 2
    assert operators["Sin"] == 1
    assert operators["BatchNormalization"] == 0


def test_the_files_are_small(float_file: Path, int8_file: Path, trained: nn.Model) -> None:
    """A few kilobytes beside the weights: names and notes of the exporter would take ten times that."""
    card = {path: len(runtime.load(path).card.to_json()) for path in (float_file, int8_file)}
    assert float_file.stat().st_size - card[float_file] - 4 * trained.parameters_count < 7_000
    assert int8_file.stat().st_size - card[int8_file] - trained.parameters_count < 12_000
    assert weights_bytes(float_file) < 4 * trained.parameters_count + 1_000


def test_nothing_in_the_file_tells_where_it_was_made(float_file: Path, int8_file: Path) -> None:
    for path in (float_file, int8_file):
        content = path.read_bytes()
        for text in (b"/home", b"/tmp", b"site-packages", b"pkg.torch", b"stack_trace", b"linnet/nn"):
            assert text not in content


def test_every_layer_can_be_found_by_its_name(float_file: Path, int8_file: Path, trained: nn.Model) -> None:
    for path in (float_file, int8_file):
        convolutions = [node.name for node in onnx.load(path).graph.node if node.op_type == "Conv"]
        convolutions = [name for name in convolutions if name != "avg_pool2d"]  # a mean, in the 8-bit file
        assert convolutions == ["stem.conv", *[f"block{number}.{part}.conv" for number in range(1, 6)
                                               for part in ("depthwise", "pointwise")]]


def test_node_names_are_unique(float_file: Path, int8_file: Path) -> None:
    for path in (float_file, int8_file):
        names = [node.name for node in onnx.load(path).graph.node if node.name]
        assert len(set(names)) == len(names) >= 13


def test_the_card_says_what_the_file_is(int8_file: Path, small: nn.Model, tone_task: tasks.Classify) -> None:
    card = runtime.load(int8_file).card
    assert tasks.from_json(card.task) == tone_task
    assert card.labels == tone_task.labels == ("high", "low", "middle")
    assert (card.bits, card.parameters, card.model) == ("int8", small.parameters_count, small.spec)
    assert card.training["epochs"] == 3
    assert card.parity is not None
    assert card.realised is not None


@pytest.mark.parametrize(("file", "model"), [("float_file", "trained"), ("int8_file", "small")])
def test_the_same_model_gives_the_same_bytes(file: str, model: str, request: pytest.FixtureRequest, tmp_path: Path,
                                             tone_task: tasks.Classify, tones: data.Splits) -> None:
    again = export.write(request.getfixturevalue(model), tone_task, tmp_path / "again.onnx", samples=tones.validation)
    assert again.read_bytes() == request.getfixturevalue(file).read_bytes()


def test_writing_without_samples_has_no_side_effects(trained: nn.Model, tone_task: tasks.Classify, tmp_path: Path,
                                     capfd: pytest.CaptureFixture[str]) -> None:
    loggers = [logging.getLogger(), logging.getLogger("torch.onnx")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    state, identity = torch.get_rng_state(), trained.identity
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        filters = list(warnings.filters)
        export.write(trained, tone_task, tmp_path / "a.onnx")
        assert warnings.filters == filters
    assert [(logger.level, list(logger.handlers)) for logger in loggers] == before
    assert torch.equal(state, torch.get_rng_state())
    assert trained.identity == identity
    assert capfd.readouterr() == ("", "")
    parity = runtime.load(tmp_path / "a.onnx").card.parity
    assert parity is not None
    assert parity.samples == 16  # of noise, because none were given
    assert [path.name for path in tmp_path.iterdir()] == ["a.onnx"]


def test_images_ship_as_pixels_and_become_int8(tmp_path: Path) -> None:
    task = tasks.from_json({"kind": "classify", "target": "digit", "groups": [], "labels": ["0", "1"], "choice": "one",
                            "takes": {"kind": "images", "column": "image", "shape": [16, 16, 1]}})
    pixels = {"image": np.random.default_rng(0).integers(0, 256, (20, 16, 16, 1), dtype=np.uint8)}
    model = replace(nn.zoo.smallcnn(task, width=4), encoding=nn.Encoding(bits=8), calibration=pixels)
    shipped = runtime.load(export.write(model, task, tmp_path / "digits.onnx"))
    assert shipped.card.realised is not None
    assert shipped.card.realised.int8["QLinearConv"] == 3
    assert "Conv" not in shipped.card.realised.float_
    expected = model(pixels)["logits"]
    np.testing.assert_allclose(shipped(pixels)["logits"], expected, atol=0.1 * np.abs(expected).max())


def test_a_network_without_channels_to_spare_survives(tone_task: tasks.Classify, trained: nn.Model, tmp_path: Path,
                                                      sounds: dict[str, np.ndarray]) -> None:
    smaller = nn.remove_channels(trained, {"stem": [0, 1, 2], "block3": range(7)})
    shipped = runtime.load(export.write(smaller, tone_task, tmp_path / "smaller.onnx", samples=sounds))
    assert shipped.card.parity is not None
    assert shipped.card.parity.samples == len(sounds["audio"])
    np.testing.assert_allclose(shipped(sounds)["logits"], smaller(sounds)["logits"], atol=1e-4)


def test_eight_bits_without_calibration_are_refused(trained: nn.Model, tone_task: tasks.Classify,
                                                    tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=r"has no calibration samples; use shrink\.apply"):
        export.write(replace(trained, encoding=nn.Encoding(bits=8)), tone_task, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())


def test_another_task_is_refused(trained: nn.Model, tone_task: tasks.Classify, tmp_path: Path) -> None:
    other = tasks.from_json({**tone_task.to_json(), "labels": ["a", "b"]})
    with pytest.raises(LinnetError, match=r"answers \('logits', \(3,\)\); the task has .* \(2,\)"):
        export.write(trained, other, tmp_path / "a.onnx")


def test_onnxruntime_computes_the_tables_once_at_load(float_file: Path, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(str(float_file), options, providers=["CPUExecutionProvider"])
    left = {node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node}
    assert not left & {"Cos", "Sin", "Range", "Mod", "Where", "Cast"}
