"""Every convolutional family ships: as torch answers in float, and wholly in 8 bits behind the front end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from linnet import export, nn, runtime, tasks

IMAGES = tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": ["a", "b", "c"], "choice": "one",
                          "takes": {"kind": "images", "column": "x", "shape": [19, 24, 3]}})
LARGE = tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": ["a", "b", "c"], "choice": "one",
                         "takes": {"kind": "images", "column": "x", "shape": [72, 66, 1]}})
SOUNDS = tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": ["a", "b", "c"], "choice": "one",
                          "takes": {"kind": "audio_window", "column": "x", "sample_rate_hz": 8000, "samples": 2400}})

CASES: dict[str, tuple[Callable[..., nn.Model], tasks.Task]] = {
    "resnet": (partial(nn.zoo.resnet, depth=8), IMAGES),
    "dscnn, causal": (partial(nn.zoo.dscnn, width=8, causal=True), SOUNDS),
}
SLOW: dict[str, tuple[Callable[..., nn.Model], tasks.Task]] = {
    "resnet of large images": (nn.zoo.resnet, LARGE),
    "resnet, causal": (partial(nn.zoo.resnet, depth=8, causal=True), SOUNDS),
    "mobilenet": (partial(nn.zoo.mobilenet, width=0.1), IMAGES),
    "mobilenet, causal": (partial(nn.zoo.mobilenet, width=0.1, causal=True), SOUNDS),
    "bcresnet": (nn.zoo.bcresnet, SOUNDS),
    "bcresnet, causal": (partial(nn.zoo.bcresnet, causal=True), SOUNDS),
}
BORDERS = {"dscnn, causal": 11, "resnet, causal": 12, "mobilenet, causal": 33, "bcresnet, causal": 28}
"""As many as were counted; fewer would be better."""


def arrays(task: tasks.Task, rows: int = 16) -> dict[str, np.ndarray]:
    ((name, (dtype, shape)),) = task.arrays.items()
    rng = np.random.default_rng(0)
    if dtype == "uint8":
        return {name: rng.integers(0, 256, (rows, *shape)).astype(dtype)}
    return {name: (np.linspace(0, 1, rows)[:, None] * rng.uniform(-1, 1, (rows, *shape))).astype(dtype)}


def settled(model: nn.Model, given: dict[str, np.ndarray]) -> nn.Model:
    """With statistics that are those of its inputs, as after training."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for _ in range(20):
            model.module.train()(*map(torch.from_numpy, given.values()))
    model.module.eval()
    return model


@pytest.mark.parametrize("case", [*CASES, *(pytest.param(case, marks=pytest.mark.slow) for case in SLOW)])
def test_it_ships_in_float_and_wholly_in_eight_bits(case: str, tmp_path: Path) -> None:
    make, task = {**CASES, **SLOW}[case]
    given = arrays(task)
    model = settled(make(task), given)
    expected = model(given)["logits"]
    shipped = runtime.load(export.write(model, task, tmp_path / "float.onnx", samples=given))
    np.testing.assert_allclose(shipped(given)["logits"], expected, atol=1e-4)
    small = replace(model, encoding=nn.Encoding(bits=8), calibration=given)
    path = export.write(small, task, tmp_path / "int8.onnx", samples=given)
    realised = runtime.load(path).card.realised
    assert realised is not None
    convolutions = sum(node.op_type == "Conv" for node in onnx.load(path).graph.node)
    assert realised.int8["QLinearConv"] == convolutions
    assert not [operator for operator, reason in realised.float_reasons.items() if "kept" in reason]
    if "causal" in case:  # what a stream keeps is float32, so there is a border wherever something is kept
        assert 1 < realised.float_["QuantizeLinear"] <= BORDERS[case]
    else:
        assert realised.float_["QuantizeLinear"] == 1  # where the picture comes in, and nowhere between
        assert "DequantizeLinear" not in realised.float_
    np.testing.assert_allclose(runtime.load(path)(given)["logits"], expected, atol=0.15 * np.abs(expected).max())
