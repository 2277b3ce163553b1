"""Model: a predictor that can be identified, looked into, and asked only what it takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from linnet import data, nn, tasks
from linnet.errors import LinnetError


@pytest.fixture
def model(tone_task: tasks.Classify) -> nn.Model:
    return nn.zoo.dscnn(tone_task, width=8, seed=0)


@pytest.fixture(scope="module")
def sounds(tone_task: tasks.Classify, tones: data.Splits) -> dict[str, np.ndarray]:
    return dict(tone_task.prepare(tones.test.decode("audio")))


def test_it_answers_like_its_module_in_any_batching(model: nn.Model, sounds: dict[str, np.ndarray]) -> None:
    logits = model(sounds)["logits"]
    assert logits.shape == (len(sounds["audio"]), 3)
    assert logits.dtype == np.float32
    one_by_one = [model({"audio": sounds["audio"][row : row + 1]})["logits"] for row in range(3)]
    np.testing.assert_allclose(np.concatenate(one_by_one), logits[:3], atol=1e-5)


def test_asking_leaves_the_module_as_it_was(model: nn.Model, sounds: dict[str, np.ndarray]) -> None:
    model.module.train()
    identity = model.identity
    model(sounds)
    assert model.module.training
    assert model.identity == identity


def test_the_same_seed_gives_the_same_weights_and_leaves_torch_alone(tone_task: tasks.Classify) -> None:
    state = torch.get_rng_state()
    first, second, other = (nn.zoo.dscnn(tone_task, width=8, seed=seed) for seed in (3, 3, 4))
    assert first.identity == second.identity != other.identity
    assert torch.equal(state, torch.get_rng_state())


def test_the_identity_follows_every_weight_and_the_spec(model: nn.Model) -> None:
    before = model.identity
    assert replace(model, spec={**model.spec, "dropout": 0.2}).identity != before
    with torch.no_grad():
        model.module.get_parameter("layers.block5.pointwise.norm.bias")[0] += 1e-6
    assert model.identity != before


def test_responses_are_means_over_positions(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    responses = model.responses(tone_task, tones.validation)
    assert tuple(responses) == model.layers == model.removable
    assert {name: values.shape for name, values in responses.items()} == {
        layer["name"]: (len(tones.validation), layer["channels"]) for layer in model.spec["layers"]}
    arrays = tone_task.prepare(tones.validation.decode("audio"))
    module = model.module.eval()
    with torch.no_grad():
        stem = module.get_submodule("layers.stem")(module.get_submodule("front")(torch.from_numpy(arrays["audio"])))
    np.testing.assert_allclose(responses["stem"], stem.mean(dim=(2, 3)).numpy(), rtol=1e-5, atol=1e-6)


def test_responses_of_some_layers_only(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    assert list(model.responses(tone_task, tones.validation, layers=["block2"])) == ["block2"]
    with pytest.raises(LinnetError, match="unknown layer 'blok2'; did you mean 'block2'"):
        model.responses(tone_task, tones.validation, layers=["blok2"])


@pytest.mark.parametrize(("arrays", "message"), [
    ({"sound": np.zeros((1, 2400), np.float32)}, "takes one array 'audio'; received one array 'sound'"),
    ({}, "received nothing"),
    ({"audio": np.zeros((1, 2399), np.float32)}, r"shape \(batch, 2400\); received float32 \(1, 2399\)"),
    ({"audio": np.zeros((1, 2400))}, "must be float32"),
    ({"audio": np.zeros((0, 2400), np.float32)}, r"received float32 \(0, 2400\)"),
])
def test_other_arrays_are_refused(arrays: dict[str, np.ndarray], message: str, model: nn.Model) -> None:
    with pytest.raises(LinnetError, match=message):
        model(arrays)


def test_bits_are_eight_or_none(model: nn.Model) -> None:
    with pytest.raises(LinnetError, match="bits must be 8"):
        nn.Encoding(bits=4)
