"""factorize: fewer multiplications, as many as the plan says; the network is a plain one that can be saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from linnet import data, nn, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.nn.soft import Budget, Factors, Gates
from linnet.shrink.choosing import chosen

OPTIONS = train.Options(batch=16, device="cpu")


@pytest.fixture(scope="module")
def big(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=16, seed=0), tone_task, tones, epochs=2, options=OPTIONS)


def small(big: nn.Model, task: tasks.Classify, tones: data.Splits, **settings: Any) -> nn.Model:
    return shrink.apply(shrink.Plan().plus("factorize", **settings), big, task, tones, epochs=1, options=OPTIONS)


def multiplications(model: nn.Model, arrays: dict[str, np.ndarray]) -> int:
    """Of all layers with a weight, counted by hooks, a sample."""
    counts: list[int] = []

    def count(layer: Any, inputs: Any, output: torch.Tensor) -> None:
        counts.append(output.numel() // layer.weight.shape[0] * layer.weight.numel())

    handles = [layer.register_forward_hook(count) for layer in chosen(model.module).values()]
    model(arrays)
    for handle in handles:
        handle.remove()
    return sum(counts)


@pytest.mark.parametrize("rank", ["fixed", "learned"])
def test_the_asked_share_of_the_multiplications_stays(
        rank: str, big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    layers = [f"layers.block{number}.pointwise.conv" for number in range(1, 6)]
    changed = small(big, tone_task, tones, keep=0.6, rank=rank, layers=layers)
    arrays = {name: values[:1] for name, values in tone_task.prepare(tones.test.decode("audio")).items()}
    before, after = multiplications(big, arrays), multiplications(changed, arrays)
    ours = sum(_own(big, path, arrays) for path in layers)
    assert 0.5 * ours < after - (before - ours) <= 0.6 * ours
    assert not any(isinstance(part, Budget | Gates) for part in changed.module.modules())
    assert changed.spec["rewrites"][0]["kind"] == "factorize"
    assert nn.build(changed.spec).parameters_count == changed.parameters_count < big.parameters_count


def _own(model: nn.Model, path: str, arrays: dict[str, np.ndarray]) -> int:
    found: list[int] = []
    layer = model.module.get_submodule(path)
    handle = layer.register_forward_hook(lambda part, _, output: found.append(
        output.numel() // part.weight.shape[0] * part.weight.numel()))
    model(arrays)
    handle.remove()
    return sum(found)


def test_energy_is_kept_in_each_layer(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    method, materials = shrink.METHODS["factorize"], shrink.Materials(tone_task, tones, 0)
    settings = method.read("factorize", {"keep": 0.8, "of": "energy"})
    prepared = method.prepare(big, settings, materials)
    made = {path: part for path, part in prepared.module.named_modules() if isinstance(part, Factors)}
    assert made
    for path, part in made.items():
        if len(part) == 2:
            weight = big.module.get_submodule(path).weight.detach().flatten(1)
            product = (part.expand.weight.flatten(1) @ part.reduce.weight.flatten(1)).detach()
            assert 1 - float((weight - product).square().sum() / weight.square().sum()) >= 0.8 - 1e-5


def test_factorizing_twice_can_be_saved(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                        tmp_path: Any) -> None:
    once = small(big, tone_task, tones, keep=0.7, layers=["layers.block1.pointwise"])
    twice = small(once, tone_task, tones, keep=0.7, layers=["layers.block2.pointwise"])
    nn.save(twice, tmp_path)
    assert nn.load(tmp_path).identity == twice.identity
    assert len(twice.spec["rewrites"]) == 2


@pytest.mark.parametrize(("settings", "message"), [
    ({}, "keep"), ({"keep": 1.0}, "less than 1"), ({"keep": 0.5, "rank": "learned", "of": "energy"}, "must be 'macs'"),
    ({"keep": 0.001}, "cannot keep so little"), ({"keep": 0.001, "rank": "learned"}, "cannot keep so little"),
    ({"keep": 0.5, "layers": ["layers.block1.depthwise.conv"]}, "in 8 groups"),
    ({"keep": 0.5, "layers": ["layers.block1.depthwise"]}, "none of the layers can be factorized"),
    ({"keep": 0.5, "layers": ["nowhere"]}, "nowhere"),
    ({"keep": 0.999999, "of": "energy"}, "changes nothing"),
])
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], message: str, big: nn.Model,
                                        tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match=message):
        small(big, tone_task, tones, **settings)


def test_weights_that_are_not_numbers_are_refused_by_name(tone_task: tasks.Classify, tones: data.Splits) -> None:
    broken = nn.zoo.dscnn(tone_task, width=8, seed=0)
    with torch.no_grad():
        broken.module.get_parameter("head.weight")[0, 0] = float("inf")
    with pytest.raises(LinnetError, match="layer 'head' has weights that are not finite"):
        small(broken, tone_task, tones, keep=0.5)


def test_factors_take_zeros_and_eight_bits_in_one_plan(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    plan = shrink.Plan().plus("factorize", keep=0.7, layers=["layers.block2"]).plus("sparsify", share=0.5).quantize()
    changed = shrink.apply(plan, big, tone_task, tones, epochs=1, options=OPTIONS)
    assert changed.bits == 8
    assert "layers.block2.pointwise.conv.reduce" in changed.encoding.sparse
    reduced = changed.module.get_parameter("layers.block2.pointwise.conv.reduce.weight")
    assert 0.1 < float((reduced == 0).float().mean()) < 0.9


def test_ranks_that_are_learned_take_nothing_else_at_once(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    plan = shrink.Plan().plus("factorize", keep=0.7, rank="learned", layers=["layers.block2"])
    with pytest.raises(LinnetError, match="are still to be learned"):
        shrink.apply(plan.plus("sparsify", share=0.5), big, tone_task, tones, epochs=1, options=OPTIONS)
