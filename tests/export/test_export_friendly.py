"""Graphs made friendly to 8-bit kernels answer what they answered before."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from linnet import export, nn, runtime, tasks
from linnet.export.friendly import friendly


def graph_of(nodes: Sequence[onnx.NodeProto], shape: Sequence[int], **weights: np.ndarray) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *shape])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    stored = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    return helper.make_model(helper.make_graph(nodes, "g", inputs, outputs, stored), ir_version=10,
                             opset_imports=[helper.make_opsetid("", 20)])


def answers(graph: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def operators(graph: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in graph.graph.node]


@settings(max_examples=60)
@given(st.integers(2, 6), st.integers(2, 6), st.integers(1, 6), st.integers(1, 6),
       st.lists(st.integers(0, 2), min_size=4, max_size=4), st.integers(1, 3), st.booleans())
def test_blocks_of_four_pixels_give_the_same_sums(height, width, tall, wide, pads, outputs, has_bias):
    rng = np.random.default_rng(height + 7 * width)
    tall, wide = min(tall, 2 * height), min(wide, 2 * width)
    weights = {"w": rng.normal(size=(outputs, 1, tall, wide)).astype(np.float32)}
    if has_bias:
        weights["b"] = rng.normal(size=outputs).astype(np.float32)
    node = helper.make_node("Conv", ["x", *weights], ["y"], name="stem.conv", strides=[2, 2], pads=pads)
    graph, x = graph_of([node], (1, 2 * height, 2 * width), **weights), rng.normal(size=(2, 1, 2 * height, 2 * width))
    changed, _ = friendly(graph, {})
    np.testing.assert_allclose(answers(changed, x.astype(np.float32)), answers(graph, x.astype(np.float32)), atol=1e-5)


def test_a_strided_stem_reads_blocks_and_keeps_its_name():
    weights = np.ones((4, 1, 5, 5), np.float32)
    node = helper.make_node("Conv", ["x", "w"], ["y"], name="stem.conv", strides=[2, 2], pads=[2, 2, 2, 2])
    changed, _ = friendly(graph_of([node], (1, 8, 6), w=weights), {})
    assert [(node.op_type, node.name) for node in changed.graph.node] == [
        ("SpaceToDepth", "stem.conv.blocks"), ("Conv", "stem.conv")]


@pytest.mark.parametrize("kernel", [[1, 5], [6, 1]])
def test_a_mean_over_whole_rows_is_a_convolution(kernel: list[int]) -> None:
    node = helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=kernel, strides=kernel)
    narrow = helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=kernel,
                              strides=[1 if side == 1 else 2 for side in kernel])
    x = np.random.default_rng(0).normal(size=(2, 3, 6, 5)).astype(np.float32)
    for one in (node, narrow):
        graph = graph_of([one], (3, 6, 5))
        changed, _ = friendly(graph, {})
        assert operators(changed) == ["Conv"]
        np.testing.assert_allclose(answers(changed, x), answers(graph, x), atol=1e-6)


@pytest.mark.parametrize("node", [
    helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=[1, 3], strides=[1, 3]),
    helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=[6, 4], strides=[6, 4]),
    helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=[1, 4], strides=[2, 4]),
    helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[1, 4], strides=[1, 4]),
    helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=[1, 4], pads=[0, 1, 0, 1]),
    helper.make_node("AveragePool", ["x"], ["y"], name="pool", kernel_shape=[1, 4], auto_pad="SAME_UPPER"),
    helper.make_node("Conv", ["x", "w"], ["y"], name="conv", strides=[1, 1]),
    helper.make_node("Conv", ["x", "w"], ["y"], strides=[2, 2]),
])
def test_what_gains_nothing_or_belongs_to_the_front_end_stays(node: onnx.NodeProto) -> None:
    graph = graph_of([node], (1, 6, 4), w=np.ones((2, 1, 3, 3), np.float32))
    assert friendly(graph, {})[0] == graph


def test_a_file_in_8_bits_is_friendly_and_answers_as_without(
        small: nn.Model, tone_task: tasks.Classify, sounds: dict[str, np.ndarray], tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    file = export.write(small, tone_task, tmp_path / "friendly.onnx")
    monkeypatch.setattr(import_module("linnet.export.write"), "friendly", lambda graph, scaled: (graph, scaled))
    plain = export.write(small, tone_task, tmp_path / "plain.onnx")
    assert "SpaceToDepth" in operators(onnx.load(file))
    assert "AveragePool" not in operators(onnx.load(file))
    assert "AveragePool" in operators(onnx.load(plain))
    given = {"audio": sounds["audio"][:32]}
    ours, theirs = (runtime.load(path)(given)["logits"] for path in (file, plain))
    assert np.abs(ours - theirs).max() < 0.05 * np.abs(theirs).max()
    assert (ours.argmax(1) == theirs.argmax(1)).mean() > 0.95
