"""What holds for every convolutional family: shapes, seeds, folding, storage, removal, and time's direction."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from math import log2
from pathlib import Path

import numpy as np
import pytest
import torch

from linnet import nn, tasks
from linnet.errors import LinnetError
from linnet.nn.layers import ACTIVATIONS, Convolution


def images(*shape: int, labels: int = 3) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": [str(n) for n in range(labels)],
                            "choice": "one", "takes": {"kind": "images", "column": "x", "shape": list(shape)}})


def sounds(samples: int = 3700, rate_hz: int = 8000) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": ["a", "b", "c"], "choice": "one",
                            "takes": {"kind": "audio_window", "column": "x", "sample_rate_hz": rate_hz,
                                      "samples": samples}})


CASES: dict[str, tuple[Callable[..., nn.Model], tasks.Task]] = {
    "resnet": (partial(nn.zoo.resnet, depth=8), images(33, 17, 1)),
    "resnet of large images": (nn.zoo.resnet, images(71, 50, 3)),
    "resnet of sounds": (partial(nn.zoo.resnet, depth=8), sounds()),
    "resnet, causal": (partial(nn.zoo.resnet, depth=8, causal=True), sounds()),
    "mobilenet": (partial(nn.zoo.mobilenet, width=0.1), images(19, 23, 3)),
    "mobilenet of large images": (partial(nn.zoo.mobilenet, width=0.1), images(71, 50, 1)),
    "mobilenet, causal": (partial(nn.zoo.mobilenet, width=0.1, causal=True), sounds()),
    "bcresnet": (nn.zoo.bcresnet, sounds(samples=4001, rate_hz=11025)),
    "bcresnet, causal": (partial(nn.zoo.bcresnet, causal=True), sounds()),
    "dscnn, causal": (partial(nn.zoo.dscnn, width=8, causal=True), sounds()),
}


def batch(task: tasks.Task, rows: int = 4) -> dict[str, np.ndarray]:
    ((name, (dtype, shape)),) = task.arrays.items()
    rng = np.random.default_rng(0)
    if dtype == "uint8":
        return {name: rng.integers(0, 256, (rows, *shape)).astype(dtype)}
    return {name: rng.uniform(-1, 1, (rows, *shape)).astype(dtype)}


def moved(model: nn.Model, arrays: dict[str, np.ndarray]) -> nn.Model:
    """With statistics, factors and summands that are not those of a fresh network."""
    generator = torch.Generator().manual_seed(0)
    for unit in model.module.modules():
        if isinstance(unit, torch.nn.BatchNorm2d):
            unit.weight.data.uniform_(0.5, 1.5, generator=generator)
            unit.bias.data.uniform_(-0.2, 0.5, generator=generator)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        for _ in range(10):
            model.module.train()(*map(torch.from_numpy, arrays.values()))
    model.module.eval()
    return model


@pytest.mark.parametrize("case", CASES)
def test_it_answers_is_drawn_from_its_seed_and_is_built_again(case: str) -> None:
    make, task = CASES[case]
    first, second, other = make(task, seed=3), make(task, seed=3), make(task, seed=4)
    assert first(batch(task))["logits"].shape == (4, 3)
    assert first.identity == second.identity != other.identity
    assert nn.build(json.loads(json.dumps(first.spec)), seed=3).identity == first.identity


@pytest.mark.parametrize("case", CASES)
def test_folding_keeps_the_answers_and_leaves_no_normalisation(case: str) -> None:
    make, task = CASES[case]
    model = moved(make(task), batch(task))
    folded = nn.fold_normalisation(model.module)
    assert not any(isinstance(unit, torch.nn.BatchNorm2d) for unit in folded.modules())
    assert all(unit.bias is not None for unit in folded.modules() if isinstance(unit, torch.nn.Conv2d))
    (array,) = map(torch.from_numpy, batch(task).values())
    with torch.no_grad():
        torch.testing.assert_close(folded(array), model.module(array), atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("case", ["resnet", "mobilenet, causal", "bcresnet"])
def test_a_saved_one_answers_the_same(case: str, tmp_path: Path) -> None:
    make, task = CASES[case]
    model = moved(make(task), batch(task))
    nn.save(model, tmp_path)
    np.testing.assert_array_equal(nn.load(tmp_path)(batch(task))["logits"], model(batch(task))["logits"])


@pytest.mark.parametrize("case", CASES)
def test_every_layer_gives_its_channels_and_the_gradient_reaches_every_weight(case: str) -> None:
    make, task = CASES[case]
    model = make(task)
    seen: dict[str, int] = {}
    for name in model.layers:
        model.module.get_submodule(f"layers.{name}").register_forward_hook(
            lambda _module, _inputs, output, name=name: seen.update({name: output.shape[1]}))
    model.module.train()(*map(torch.from_numpy, batch(task).values())).square().sum().backward()
    assert seen == {layer["name"]: layer["channels"] for layer in model.spec["layers"]}
    assert all(value.grad is not None for value in model.module.parameters())


@pytest.mark.parametrize("case", [case for case, (make, task) in CASES.items() if make(task).removable])
def test_what_is_removable_can_be_removed_and_the_rest_answers_as_if_it_were_silent(case: str) -> None:
    make, task = CASES[case]
    model = moved(make(task), batch(task))
    inside = [name for name in model.removable if name.endswith((".first", ".expand"))]
    units = {name: [0, 3] for name in (inside or model.removable)}
    smaller = nn.remove_channels(model, units)
    assert smaller.parameters_count < model.parameters_count
    assert smaller(batch(task))["logits"].shape == (4, 3)

    def silence(_module: object, _inputs: object, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        output[:, [0, 3]] = 0
        return output

    for name in inside:
        model.module.get_submodule(f"layers.{name}").register_forward_hook(silence)
        if name.endswith(".expand"):  # from a silent channel the next convolution still makes its bias
            model.module.get_submodule(f"layers.{name.removesuffix('expand')}filter").register_forward_hook(silence)
    if inside:
        np.testing.assert_allclose(smaller(batch(task))["logits"], model(batch(task))["logits"], atol=1e-4)


@pytest.mark.parametrize("case", [case for case in CASES if "sounds" in case or "causal" in case])
def test_in_a_causal_network_no_row_of_any_layer_hears_a_later_sample(case: str) -> None:
    make, task = CASES[case]
    past = batch(task)["audio"]
    other = past.copy()
    other[:, 2000:] = 0
    model = moved(make(task), {"audio": past})
    front = model.module.get_submodule("front")
    assert isinstance(front, nn.LogMel)
    whole = (2000 - front.window) // front.hop + 1  # frames that end before anything differs
    same, later = rows(model, past, whole), rows(model, other, whole)
    held = [torch.equal(same[name][0], later[name][0]) for name in same]
    assert all(held) if "causal" in case else not any(held)
    assert not any(torch.equal(same[name][1], later[name][1]) for name in same)


def rows(model: nn.Model, audio: np.ndarray, frames: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Each layer's rows up to so many frames of the front, and those after them."""
    found: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    total = model.module.get_submodule("front").frames

    def keep(name: str, output: torch.Tensor) -> None:
        stride = 2 ** round(log2(total / output.shape[2]))
        found[name] = output[:, :, : (frames - 1) // stride + 1], output[:, :, (frames - 1) // stride + 1 :]

    handles = [model.module.get_submodule(f"layers.{name}").register_forward_hook(
        lambda _module, _inputs, output, name=name: keep(name, output)) for name in model.layers]
    model({"audio": audio})
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize(("make", "task", "message"), [
    (partial(nn.zoo.resnet, causal=True), images(32, 32, 3), "causal is for recordings"),
    (nn.zoo.resnet, images(7, 32, 3), "at least 8 x 8; the task's are 7 x 32"),
    (partial(nn.zoo.resnet, depth=18), images(32, 32, 3), "depth counts the layers.*8, 14, 20.*got 18"),
    (partial(nn.zoo.resnet, depth=20), images(96, 96, 3), "depth is 18 or 34 for images larger than 64 x 64; got 20"),
    (partial(nn.zoo.resnet, depth=True), images(32, 32, 3), "got True"),
    (nn.zoo.mobilenet, images(32, 4, 3), "at least 8 x 8"),
    (partial(nn.zoo.mobilenet, width=0), images(32, 32, 3), "width multiplies the channels.*got 0"),
    (partial(nn.zoo.mobilenet, width="1"), images(32, 32, 3), "got '1'"),
    (nn.zoo.bcresnet, images(32, 32, 3), "bcresnet listens to recordings"),
    (partial(nn.zoo.bcresnet, width=1), sounds(), "width is the number of channels of the first stage, 2 or more"),
])
def test_what_cannot_be_built_is_refused(make: Callable[..., nn.Model], task: tasks.Task, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make(task)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("causal", [False, True])
def test_a_unit_keeps_the_size_whatever_its_kernel(activation: str, causal: bool) -> None:
    unit = Convolution(2, 3, (5, 3), dilation=(2, 1), activation=activation, causal=causal)
    assert unit(torch.zeros(1, 2, 9, 7)).shape == (1, 3, 9, 7)
    assert Convolution(2, 3, 3, stride=[1, 2], causal=causal)(torch.zeros(1, 2, 9, 7)).shape == (1, 3, 9, 4)
