"""palettize: tuned or not, few values a layer, zeros that stay, and what it refuses."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch

from linnet import data, nn, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.shrink.evening import even_channels

OPTIONS = train.Options(batch=16, device="cpu", learning_rate=1e-3)
BLOCK = "layers.block2.pointwise.conv"


@pytest.fixture(scope="module")
def model(tone_task: tasks.Classify) -> nn.Model:
    return nn.zoo.dscnn(tone_task, width=16, seed=0)


@pytest.fixture(scope="module")
def materials(tone_task: tasks.Classify, tones: data.Splits) -> shrink.Materials:
    return shrink.Materials(tone_task, tones, 0)


def _carried_out(model: nn.Model, materials: shrink.Materials, settings: Mapping[str, Any]) -> nn.Model:
    """Without tuning between."""
    method = shrink.METHODS["palettize"]
    read = method.read("palettize", settings)
    return method.finish(method.prepare(model, read, materials), read, materials)


def _values(model: nn.Model, layer: str) -> torch.Tensor:
    return model.module.get_submodule(layer).get_parameter("weight").detach().unique()


@pytest.mark.parametrize("tuned", [True, False])
def test_every_layer_has_no_more_values_than_its_bits_say(
        model: nn.Model, materials: shrink.Materials, tuned: bool) -> None:
    small = _carried_out(model, materials, {"bits": 3, "tuned": tuned})
    assert {len(_values(small, layer)) <= 1 << bits for layer, bits in small.encoding.palettes.items()} == {True}
    assert small.encoding.palettes[BLOCK] == 3
    assert len(_values(small, BLOCK)) == 8


def test_the_first_and_the_last_layer_keep_more_bits(model: nn.Model, materials: shrink.Materials) -> None:
    palettes = _carried_out(model, materials, {"bits": 2, "tuned": False}).encoding.palettes
    # the head's 48 weights share a value by fours at 3 bits
    assert [palettes["layers.stem.conv"], palettes[BLOCK], palettes["head"]] == [5, 2, 3]
    even = _carried_out(model, materials, {"bits": 2, "tuned": False, "edges": None}).encoding.palettes
    assert set(even.values()) == {2}


def test_layers_may_have_bits_of_their_own_or_none(model: nn.Model, materials: shrink.Materials) -> None:
    settings = {"bits": 2, "tuned": False, "own_bits": {"layers.block2": 4}, "exclude": ["layers.block3", "head"],
                "layers": ["layers.block1.pointwise", "layers.block2.pointwise", "layers.block3", "head"]}
    palettes = _carried_out(model, materials, settings).encoding.palettes
    assert palettes == {"layers.block1.pointwise.conv": 2, BLOCK: 4}


def test_vectors_share_an_index(model: nn.Model, materials: shrink.Materials) -> None:
    small = _carried_out(model, materials, {"bits": 3, "length": 4, "tuned": False, "layers": [BLOCK]})
    weight = small.module.get_submodule(BLOCK).get_parameter("weight").detach()
    assert len(weight.reshape(-1, 4).unique(dim=0)) <= 8
    assert small.encoding.palettes[BLOCK] <= 5


def test_without_tuning_no_training_happens(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    plan = shrink.Plan().plus("palettize", bits=3, tuned=False)
    assert shrink.apply(plan, model, tone_task, tones).history == ()
    with_default = shrink.apply(plan.plus("palettize", bits=3), model, tone_task, tones, epochs=1, options=OPTIONS)
    assert len(with_default.history) == 1


def test_zeros_stay_where_weights_are_sparse(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    plan = shrink.Plan().plus("sparsify", share=0.5, budget="uniform").plus("palettize", bits=2)
    small = shrink.apply(plan, model, tone_task, tones, epochs=2, options=OPTIONS)
    weight = small.module.get_submodule(BLOCK).get_parameter("weight").detach()
    assert float((weight == 0).float().mean()) == pytest.approx(0.5, abs=0.02)
    assert len(weight.unique()) <= 4
    assert small.encoding.palettes[BLOCK] == 2
    assert BLOCK in small.encoding.sparse


def test_palettes_live_with_quantization_aware_training(
        model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    plan = shrink.Plan().plus("palettize", bits=3).plus("qat")
    small = shrink.apply(plan, model, tone_task, tones, epochs=1, options=OPTIONS)
    assert small.bits == 8
    assert len(_values(small, BLOCK)) <= 8 * 16  # a grid for each of 16 channels
    with pytest.raises(LinnetError, match="set tuned to true"):
        shrink.apply(plan.plus("palettize", bits=3, tuned=False), model, tone_task, tones, epochs=1, options=OPTIONS)


@pytest.mark.parametrize(("settings", "words"), [
    ({"bits": 7}, "less than or equal to 6"),
    ({"bits": 5, "length": 4}, "at most 64"),
    ({"bits": 4, "own_bits": {"head": 9}}, "own_bits.head"),
    ({"bits": 2, "layers": ["nowhere"]}, "nowhere"),
    ({"bits": 2, "own_bits": {"nowhere": 3}}, "nowhere"),
    ({"bits": 2, "exclude": ["layers", "head"]}, "none of the network's layers is left"),
    ({"bits": 6, "layers": ["layers.block2.depthwise"]}, "fewer bits"),
    ({"bits": 2, "length": 0}, "greater than or equal to 1"),
])
def test_what_cannot_be_is_refused(
        model: nn.Model, materials: shrink.Materials, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(LinnetError, match=words):
        _carried_out(model, materials, {"tuned": False, **settings})


def test_weights_that_are_not_finite_are_named(model: nn.Model, materials: shrink.Materials) -> None:
    broken = nn.build(model.spec)
    with torch.no_grad():
        broken.module.get_submodule(BLOCK).get_parameter("weight")[0] = torch.nan
    for tuned in (True, False):
        with pytest.raises(LinnetError, match=BLOCK):
            _carried_out(replace(model, module=broken.module), materials, {"bits": 2, "tuned": tuned})


def test_channels_are_made_even_without_changing_an_answer(model: nn.Model) -> None:
    module = copy.deepcopy(model.module).eval()
    with torch.no_grad():
        for norm in (part for part in module.modules() if isinstance(part, torch.nn.BatchNorm2d)):
            norm.running_var.copy_(torch.rand(norm.running_var.shape) * 1e-3)
            norm.running_mean.normal_()
            norm.weight.normal_()
        audio = torch.randn(4, *model.spec["inputs"][0]["shape"])
        before = module(audio)
        changed = even_channels(module, [BLOCK, "layers.block2.depthwise.conv"])
        assert changed == ("layers.block2.depthwise.conv", BLOCK)
        assert torch.allclose(module(audio), before, rtol=1e-3, atol=1e-3 * float(before.abs().max()))
    sizes = module.get_submodule(BLOCK).get_parameter("weight").square().mean((1, 2, 3))
    assert torch.allclose(sizes, sizes.mean())
