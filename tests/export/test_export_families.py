"""Families of every kind become files that answer as they do, in float and in 8 bits, for any input and output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from stand_in import StandIn, texts

from linnet import data, export, nn, runtime, tasks
from linnet.errors import LinnetError
from linnet.export.samples import made_up, one_by_one

Make = Callable[[data.Splits], tasks.Task]
CASES: dict[str, tuple[str, Make, Mapping[str, Any]]] = {
    "mlp": ("numbers", lambda rows: tasks.Regress(rows, input=["length", "width"], target="weight", tolerance=1), {}),
    "textcnn": ("sentences", lambda rows: tasks.Classify(rows, input="text", target="intent"), {}),
    "transformer": ("sentences", lambda rows: tasks.Tag(rows, input="text", target="slots"), {}),
    "gru": ("sentences", lambda rows: tasks.Tag(rows, input="text", target="slots"), {}),
    "vit": ("squares", lambda rows: tasks.Classify(rows, input="image", target="side"), {}),
    "crnn": ("tunes", lambda rows: tasks.Transcribe(rows, input="audio", target="notes"), {}),
    "conformer": ("tunes", lambda rows: tasks.Transcribe(rows, input="audio", target="notes"), {"causal": True}),
}
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("vit", "conformer", "textcnn")]


def made(family: str, request: pytest.FixtureRequest) -> tuple[nn.Model, tasks.Task, dict[str, np.ndarray]]:
    """A fresh model, its task, and twenty samples."""
    fixture, task_of, options = CASES[family]
    splits: data.Splits = request.getfixturevalue(fixture)
    task = task_of(splits)
    samples = dict(task.prepare(task.read(splits.train.take(range(20)))))
    return nn.FAMILIES[family](task, width=16, seed=1, **options), task, samples


@pytest.mark.parametrize("family", ["transformer", "crnn", *SLOW])
def test_a_float_file_answers_as_its_model(family: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model, task, samples = made(family, request)
    shipped = runtime.load(export.write(model, task, tmp_path / "a.onnx"))  # checked against torch on made-up samples
    name = task.output[0]
    np.testing.assert_allclose(shipped(samples)[name], model(samples)[name], atol=1e-4)
    asked = task.read(request.getfixturevalue(CASES[family][0]).train.take(range(20)))
    assert shipped.task.decode(shipped(samples), asked) == task.decode(model(samples), asked)
    assert tasks.from_json(shipped.card.task) == task
    assert shipped.card.parity is not None
    assert shipped.card.parity.largest_difference < 1e-4


@pytest.mark.parametrize("family", ["mlp", "gru", *SLOW])
def test_an_int8_file_is_small_and_close_and_says_what_stayed_in_float(
        family: str, request: pytest.FixtureRequest, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model, task, samples = made(family, request)
    caplog.clear()  # what was said of the data
    narrow = replace(model, encoding=nn.Encoding(bits=8), calibration=samples)
    file = export.write(narrow, task, tmp_path / "a.onnx")
    shipped = runtime.load(file)
    answer, expected = shipped(samples)[task.output[0]], model(samples)[task.output[0]]
    real = np.abs(expected) < 1e3  # beyond a recording's end the blank is certain
    assert np.abs(answer - expected)[real].max() < 0.1 * np.abs(expected[real]).max()
    found = shipped.card.realised
    assert found is not None
    assert found.int8
    assert set(found.float_reasons) == set(found.float_)
    assert "kept" not in " ".join(found.float_reasons.values()) + caplog.text
    assert export.write(narrow, task, tmp_path / "b.onnx").read_bytes() == file.read_bytes()


def test_the_weights_of_a_recurrent_layer_are_stored_in_8_bits_and_it_is_said(
        request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model, task, samples = made("gru", request)
    file = export.write(replace(model, encoding=nn.Encoding(bits=8), calibration=samples), task, tmp_path / "a.onnx")
    graph = onnx.load(file).graph
    (layer,) = (node for node in graph.node if node.op_type == "GRU")
    makers = {node.output[0]: node for node in graph.node}
    kinds = {tensor.name: tensor.data_type for tensor in graph.initializer}
    for name in layer.input[1:3]:
        assert kinds[makers[name].input[0]] == onnx.TensorProto.INT8
    assert kinds[makers_of(graph, "Gather").input[0]] in (onnx.TensorProto.INT8, onnx.TensorProto.UINT8)
    found = runtime.load(file).card.realised
    assert found is not None
    assert found.float_reasons["GRU"] == "no 8-bit kernel: its weights are stored in 8 bits, it computes in float"


def makers_of(graph: onnx.GraphProto, operator: str) -> onnx.NodeProto:
    """What dequantizes the first input of the first node of this kind."""
    name = next(node for node in graph.node if node.op_type == operator).input[0]
    return next(node for node in graph.node if name in node.output)


def test_a_file_for_recordings_of_any_length_takes_any_and_can_be_measured(
        request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model, task, _ = made("crnn", request)
    shipped = runtime.load(file := export.write(model, task, tmp_path / "a.onnx"))
    for samples in (300, 4001, 20_000):
        arrays = {"audio": np.zeros((2, samples), np.float32), "lengths": np.array([samples, 300])}
        assert shipped(arrays)["logits"].shape[1] == model(arrays)["logits"].shape[1]
    assert runtime.bench(file, runs=1, seconds=0).p50_ms > 0


def test_a_tokenizer_that_does_not_fit_the_model_is_refused(tmp_path: Path) -> None:
    model = nn.zoo.textcnn(texts(), width=4)
    other = StandIn(texts().arrays, tokenizer=type("Tokenizer", (), {"size": 51})())
    with pytest.raises(LinnetError, match="tokenizer does not fit model 'textcnn': it knows 51 tokens, the model 50"):
        export.write(model, other, tmp_path / "a.onnx")


def test_made_up_samples_are_ones_that_the_network_takes() -> None:
    spec = {"vocabulary": 9, "inputs": [{"name": "tokens", "dtype": "int64", "shape": [12]}]}
    tokens = made_up(spec)["tokens"]
    assert tokens.min() == 0 < tokens.max() == 8
    assert ((tokens[:, :-1] != 0) | (tokens[:, 1:] == 0)).all()  # padding comes last
    spec = {"inputs": [{"name": "audio", "dtype": "float32", "shape": [None]},
                       {"name": "lengths", "dtype": "int64", "shape": []}]}
    sounds = made_up(spec)
    assert sounds["lengths"].max() == sounds["audio"].shape[1]
    assert all((row[length:] == 0).all() for row, length in zip(sounds["audio"], sounds["lengths"], strict=True))
    assert [sample["audio"].shape[1] for sample in one_by_one(sounds)] == sounds["lengths"].tolist()
