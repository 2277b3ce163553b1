"""Without findings a plan follows from what units matter, and what they cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from linnet import data, nn, shrink, tasks, train
from linnet.errors import LinnetError
from linnet.shrink.importance import least_missed, plan_by_importance, unit_importance

OPTIONS = train.Options(batch=16, device="cpu")


@pytest.fixture(scope="module")
def model(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=8, seed=0), tone_task, tones, epochs=2, options=OPTIONS)


@pytest.mark.parametrize("how", ["taylor", "magnitude"])
def test_what_is_removed_matters_least_and_the_budget_holds(
        how: str, model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    found = nn.dependencies_of(model)
    plan = plan_by_importance(model, tone_task, tones, keep=0.6, how=how, samples=32)
    smaller = shrink.METHODS["remove_channels"].prepare(
        model, shrink.check(plan)["remove_channels"], shrink.Materials(tone_task, tones, 0))
    front = nn.dependencies_of(nn.remove_channels(model, {})).macs()
    assert nn.dependencies_of(smaller).macs() <= 0.6 * front
    scores = unit_importance(model, tone_task, tones.train, found, how=how, samples=32)
    for group in found.groups:
        gone = plan.methods["remove_channels"]["layers"].get(group.name.removeprefix("layers."), [])
        values = scores[group.name]
        stays = np.setdiff1d(np.arange(len(group)), gone)
        assert not gone or values[gone].max() <= values[stays].min()


def test_taylor_is_the_squared_first_order_change_of_the_loss(
        model: nn.Model, tone_task: tasks.Classify, tones: data.Splits) -> None:
    found = nn.dependencies_of(model)
    group = next(group for group in found.groups if group.name == "layers.block5.pointwise.conv")
    scores = unit_importance(model, tone_task, tones.train, found, samples=16)[group.name]
    part = tones.train.take(sorted(np.random.default_rng(0).permutation(len(tones.train))[:16].tolist()))
    module = nn.remove_channels(model, {}).module.eval()
    audio = torch.from_numpy(tone_task.prepare(tone_task.read(part))["audio"])
    loss = torch.nn.functional.cross_entropy(module(audio), torch.from_numpy(tone_task.targets(part)))
    names = ["layers.block5.pointwise.conv.weight", "layers.block5.pointwise.norm.weight",
             "layers.block5.pointwise.norm.bias", "head.weight"]
    gradients = torch.autograd.grad(loss, [module.get_parameter(name) for name in names])
    expected = sum((gradient * module.get_parameter(name)).detach().transpose(0, int(name == "head.weight"))
                   .flatten(1).sum(1) if gradient.ndim > 1 else (gradient * module.get_parameter(name)).detach()
                   for name, gradient in zip(names, gradients, strict=True))
    np.testing.assert_allclose(scores, np.square(expected.numpy()), rtol=1e-3, atol=1e-12)


def test_units_go_in_multiples_and_blocks_first(tone_task: tasks.Classify, tones: data.Splits) -> None:
    resnet = nn.zoo.resnet(tone_task, depth=14, seed=1)
    part = tones.validation
    arrays, targets = tone_task.prepare(tone_task.read(part)), torch.from_numpy(tone_task.targets(part))
    losses = {name: float(torch.nn.functional.cross_entropy(torch.from_numpy(
        nn.remove_blocks(resnet, [name])(arrays)["logits"]), targets)) for name in nn.removable_blocks(resnet)}
    first = min(losses, key=losses.__getitem__)
    assert least_missed(resnet, tone_task, part, count=1) == [first]
    plan = plan_by_importance(resnet, tone_task, tones, keep=0.6, blocks=1, multiple=8)
    assert plan.methods["remove_blocks"]["layers"] == [first]
    assert {len(units) % 8 for units in plan.methods["remove_channels"]["layers"].values()} == {0}


@pytest.mark.parametrize(("settings", "message"), [
    ({"keep": 1.2}, "keep is the share of multiplications"),
    ({"keep": 0.01}, "multiplications cannot be met"),
    ({"keep": 0.7, "blocks": 1}, "no further block"),
    ({"keep": 0.7, "how": "guess"}, "unknown way of telling importance"),
])
def test_what_cannot_be_planned_is_said(settings: dict[str, object], message: str, model: nn.Model,
                                        tone_task: tasks.Classify, tones: data.Splits) -> None:
    with pytest.raises(LinnetError, match=message):
        plan_by_importance(model, tone_task, tones, samples=8, **settings)
