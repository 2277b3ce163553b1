import copy

import pytest
import torch
from torch import nn

from linnet.train import OPTIMIZERS, Options
from linnet.train.optimizers import moments, remember, set_rate, worst_neighbour
from linnet.train.options import OPTIMIZER_DEFAULTS


def network() -> nn.Module:
    torch.manual_seed(0)
    parts = {"conv": nn.Conv2d(3, 8, 3), "depthwise": nn.Conv2d(8, 8, 3, groups=8), "norm": nn.BatchNorm2d(8),
             "pool": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "hidden": nn.Linear(8, 8), "head": nn.Linear(8, 2)}
    module = nn.Sequential()
    for name, part in parts.items():
        module.add_module(name, part)
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def learn(module: nn.Module, made: list[torch.optim.Optimizer], steps: int) -> float:
    generator = torch.Generator().manual_seed(1)
    images = torch.randn(16, 3, 8, 8, generator=generator)
    targets = torch.tensor([0, 1] * 8)
    images[::2] += 0.3
    for _ in range(steps):
        module.zero_grad()
        loss = nn.functional.cross_entropy(module(images), targets)
        loss.backward()
        for optimizer in made:
            optimizer.step()
    return loss.item()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_learns_and_every_parameter_moves(name: str) -> None:
    module = network()
    before = copy.deepcopy(module)
    made = OPTIMIZERS[name](module, Options(optimizer=name))
    first, last = learn(module, made, 1), learn(module, made, 20)
    assert last < first
    for parameter, old in zip(module.parameters(), before.parameters(), strict=True):
        assert not torch.equal(parameter, old)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_it_remembers_can_be_taken_up(name: str) -> None:
    whole, part = network(), network()
    made = OPTIMIZERS[name](whole, Options(optimizer=name))
    learn(whole, made, 6)
    learn(part, first := OPTIMIZERS[name](part, Options(optimizer=name)), 3)
    resumed = network()
    resumed.load_state_dict(part.state_dict())
    second = OPTIMIZERS[name](resumed, Options(optimizer=name))
    remember(second, moments(first))
    learn(resumed, second, 3)
    for one, other in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_every_optimizer_has_a_rate() -> None:
    assert set(OPTIMIZERS) == set(OPTIMIZER_DEFAULTS)
    assert Options(optimizer="sgd").peak_rate == 0.1
    assert Options(optimizer="sgd", learning_rate=0.2, weight_decay=0.0).peak_rate == 0.2
    assert Options(optimizer="sgd", learning_rate=0.2, weight_decay=0.0).decay == 0


def test_muon_takes_matrices_and_leaves_the_head_to_adamw() -> None:
    module = network()
    matrices, rest = OPTIMIZERS["muon"](module, Options(optimizer="muon"))
    shapes = [tuple(parameter.shape) for parameter in matrices.param_groups[0]["params"]]
    assert shapes == [(8, 27), (8, 8)]
    assert sum(p.numel() for group in [*matrices.param_groups, *rest.param_groups] for p in group["params"]) == sum(
        parameter.numel() for parameter in module.parameters())


def test_weight_decay_spares_biases_and_normalisation() -> None:
    for group in OPTIMIZERS["adamw"](network(), Options(weight_decay=0.5))[0].param_groups:
        assert group["weight_decay"] == (0.5 if group["params"][0].ndim > 1 else 0)


def test_the_rate_reaches_every_group_and_the_momentum_those_that_cycle() -> None:
    made = OPTIMIZERS["muon"](network(), Options(optimizer="muon"))
    set_rate(made, 0.5, 0.9)
    assert all(group["lr"] == 0.5 for optimizer in made for group in optimizer.param_groups)
    assert made[0].param_groups[0]["momentum"] == 0.95
    assert made[1].param_groups[0]["betas"][0] == 0.9
    (sgd,) = OPTIMIZERS["sgd"](network(), Options(optimizer="sgd"))
    set_rate([sgd], 0.5, 0.9)
    assert sgd.param_groups[0]["momentum"] == 0.9


def test_the_worst_neighbour_is_as_far_as_said_and_left_again() -> None:
    module = network()
    images, targets = torch.randn(16, 3, 8, 8, generator=torch.Generator().manual_seed(1)), torch.tensor([0, 1] * 8)
    loss = nn.functional.cross_entropy(module(images), targets)
    loss.backward()
    before = copy.deepcopy(module.state_dict())
    with worst_neighbour(module):
        moved = [value - before[name] for name, value in module.named_parameters()]
        assert torch.stack([step.norm() for step in moved]).norm().item() == pytest.approx(0.05, rel=1e-4)
        worse = nn.functional.cross_entropy(module(images), targets)
        assert worse > loss
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
