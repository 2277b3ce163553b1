"""Removing channels is slicing: what stays answers as if the others had been switched off."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from linnet import nn, tasks
from linnet.errors import LinnetError


@pytest.fixture
def model(tone_task: tasks.Classify) -> nn.Model:
    """With statistics and biases that are not those of a fresh network."""
    made = nn.zoo.dscnn(tone_task, width=8, seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in made.module.state_dict().items():
            if tensor.is_floating_point() and tensor.ndim == 1:
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + (0.5 if name.endswith("var") else 0))
    return made


@pytest.fixture(scope="module")
def noise() -> dict[str, np.ndarray]:
    return {"audio": np.random.default_rng(0).uniform(-1, 1, (4, 2400)).astype(np.float32)}


REMOVED = {"stem": [0, 3], "block2": [1, 7, 5], "block5": [6]}


def test_the_smaller_model_answers_as_the_large_one_with_those_channels_silent(
        model: nn.Model, noise: dict[str, np.ndarray]) -> None:
    smaller = nn.remove_channels(model, REMOVED)

    def silence(units: list[int]) -> object:
        def hook(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
            output = output.clone()
            output[:, units] = 0
            return output
        return hook

    handles = [model.module.get_submodule(f"layers.{name}").register_forward_hook(silence(units))
               for name, units in REMOVED.items()]
    # From a silent channel the next depthwise convolution still makes its bias: switch that off too.
    after = {"block1.depthwise": REMOVED["stem"], "block3.depthwise": REMOVED["block2"]}
    handles += [model.module.get_submodule(f"layers.{name}").register_forward_hook(silence(units))
                for name, units in after.items()]
    expected = model(noise)["logits"]
    for handle in handles:
        handle.remove()
    np.testing.assert_allclose(smaller(noise)["logits"], expected, atol=1e-5)
    assert not np.allclose(model(noise)["logits"], expected, atol=1e-3)


def test_the_spec_and_the_count_follow(model: nn.Model) -> None:
    smaller = nn.remove_channels(model, REMOVED)
    sizes = {layer["name"]: layer["channels"] for layer in smaller.spec["layers"]}
    assert sizes == {"stem": 2, "block1": 8, "block2": 5, "block3": 8, "block4": 8, "block5": 7}
    assert smaller.parameters_count < model.parameters_count
    assert nn.build(smaller.spec).parameters_count == smaller.parameters_count


def test_removing_in_two_steps_is_removing_at_once(model: nn.Model) -> None:
    twice = nn.remove_channels(nn.remove_channels(model, {"block1": [7]}), {"block1": [0]})
    assert twice.identity == nn.remove_channels(model, {"block1": [0, 7]}).identity


def test_the_model_itself_stays(model: nn.Model) -> None:
    before = model.identity
    nn.remove_channels(model, REMOVED)
    assert model.identity == before
    assert nn.remove_channels(model, {}).identity == before


def test_images_too() -> None:
    task = tasks.from_json({"kind": "classify", "target": "digit", "groups": [], "labels": ["0", "1"], "choice": "one",
                            "takes": {"kind": "images", "column": "image", "shape": [8, 8, 1]}})
    model = nn.zoo.smallcnn(task, width=4)
    smaller = nn.remove_channels(model, {"conv1": [0], "conv3": [1, 2]})
    assert smaller({"image": np.zeros((3, 8, 8, 1), np.uint8)})["logits"].shape == (3, 2)
    assert smaller.module.get_parameter("layers.conv2.conv.weight").shape == (4, 3, 3, 3)


@pytest.mark.parametrize(("units", "message"), [
    ({"block9": [0]}, "unknown layer 'block9'"),
    ({"stem": [4]}, r"layer 'stem' has the channels 0 to 3; cannot remove \[4\]"),
    ({"stem": [-1]}, r"cannot remove \[-1\]"),
    ({"block1": range(8)}, "would lose all of its 8 channels"),
])
def test_what_cannot_be_removed_is_refused(units: dict[str, list[int]], message: str, model: nn.Model) -> None:
    with pytest.raises(LinnetError, match=message):
        nn.remove_channels(model, units)
