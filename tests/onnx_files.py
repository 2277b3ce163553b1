"""ONNX files that tests make themselves: right by construction, nothing is trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from linnet import tasks
from linnet.runtime import ArraySpec, Card, with_metadata

BANDS_HZ = {"low": (270, 330), "middle": (720, 880), "high": (1710, 2090)}


def digits_bytes(*, seed: int = 0, batch: str | int = "batch") -> bytes:
    """Images (batch, 8, 8, 1) uint8 to logits (batch, 10), by random weights; without a card."""
    weights = np.random.default_rng(seed).standard_normal((64, 10)).astype(np.float32)
    nodes = [helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
             helper.make_node("Flatten", ["pixels"], ["row"]), helper.make_node("Gemm", ["row", "weights"], ["logits"])]
    pixels = helper.make_tensor_value_info("image", TensorProto.UINT8, [batch, 8, 8, 1])
    graph = helper.make_graph(nodes, "digits", [pixels],
                              [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, 10])],
                              [numpy_helper.from_array(weights, "weights")])
    return _bytes(graph)


def convolutions_bytes(*, seed: int = 0) -> bytes:
    """Two convolutions and a product: images (batch, 3, 8, 8) float to logits (batch, 4); no card."""
    rng = np.random.default_rng(seed)
    stored = {"first": rng.standard_normal((16, 3, 3, 3)), "second": rng.standard_normal((32, 16, 3, 3)),
              "last": rng.standard_normal((32 * 64, 4))}
    nodes = [helper.make_node("Conv", ["image", "first"], ["a"], pads=[1, 1, 1, 1], name="one"),
             helper.make_node("Relu", ["a"], ["b"], name="two"),
             helper.make_node("Conv", ["b", "second"], ["c"], pads=[1, 1, 1, 1], name="three"),
             helper.make_node("Relu", ["c"], ["d"], name="four"),
             helper.make_node("Flatten", ["d"], ["e"], name="five"),
             helper.make_node("Gemm", ["e", "last"], ["logits"], name="six")]
    graph = helper.make_graph(
        nodes, "plain", [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 4])],
        [numpy_helper.from_array(values.astype(np.float32), name) for name, values in stored.items()])
    return _bytes(graph)


def tones_bytes(task: tasks.Classify, *, bands_hz: dict[str, tuple[float, float]] = BANDS_HZ) -> bytes:
    """Names the pitch by the loudest band of the spectrum: audio (batch, samples) to logits; with a card."""
    frequencies = {label: np.arange(*bands_hz[label], 10.0) for label in task.labels}
    time = np.arange(task.samples) / task.sample_rate_hz
    angles = 2 * np.pi * time[:, None] * np.concatenate(list(frequencies.values()))
    basis = np.concatenate([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    owner = np.concatenate([np.full(len(band), index) for index, band in enumerate(frequencies.values())])
    pool = np.tile(np.eye(len(task.labels), dtype=np.float32)[owner], (2, 1)) / np.float32(task.samples)
    nodes = [helper.make_node("MatMul", ["audio", "basis"], ["waves"]),
             helper.make_node("Mul", ["waves", "waves"], ["power"]),
             helper.make_node("MatMul", ["power", "pool"], ["logits"])]
    graph = helper.make_graph(
        nodes, "tones", [helper.make_tensor_value_info("audio", TensorProto.FLOAT, ["batch", task.samples])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(task.labels)])],
        [numpy_helper.from_array(basis, "basis"), numpy_helper.from_array(pool, "pool")])
    return with_metadata(_bytes(graph), {"linnet.card": tones_card(task, basis.size + pool.size).to_json()})


def table_bytes(task: tasks.Task, weights: np.ndarray) -> bytes:
    """Answers out of a table, with a card: a row of weights (tokens, outputs) a token, summed unless the task tags;
    or rows (features, outputs) of a linear model.
    """
    ((name, (dtype, shape)),) = task.arrays.items()
    output, answers = task.output
    look = [helper.make_node("MatMul", [name, "weights"], ["sum"])] if name == "features" else [
        helper.make_node("Gather", ["weights", name], ["each"], axis=0),
        helper.make_node("Identity", ["each"], ["sum"]) if len(answers) == 2 else
        helper.make_node("ReduceSum", ["each", "places"], ["sum"], keepdims=0)]
    kind = TensorProto.FLOAT if name == "features" else TensorProto.INT64
    graph = helper.make_graph(
        [*look, helper.make_node("Identity", ["sum"], [output])], "table",
        [helper.make_tensor_value_info(name, kind, ["batch", *shape])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", *answers])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights"),
         numpy_helper.from_array(np.array([1]), "places")])
    card = Card(name="table", task=task.to_json(), input={name: ArraySpec(dtype=dtype, shape=shape)},
                output={output: ArraySpec(dtype="float32", shape=answers)}, labels=task.labels,
                parameters=weights.size, linnet_version="0.1.0")
    return with_metadata(_bytes(graph), {"linnet.card": card.to_json()})


def tones_card(task: tasks.Classify, parameters: int) -> Card:
    """The card of such a file."""
    spec = {name: ArraySpec(dtype=dtype, shape=shape) for name, (dtype, shape) in task.arrays.items()}
    logits = ArraySpec(dtype="float32", shape=(len(task.labels),))
    return Card(name="tones", task=task.to_json(), input=spec, output={"logits": logits},
                labels=task.labels, parameters=parameters, linnet_version="0.1.0")


def with_external_weights(folder: Path) -> Path:
    """The same as `digits_bytes`, its weights in `weights.bin` beside it."""
    model = onnx.load_from_string(digits_bytes())
    path = folder / "external.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    return path


def _bytes(graph: onnx.GraphProto) -> bytes:
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())
