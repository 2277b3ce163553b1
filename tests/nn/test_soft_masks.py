"""Masks against their equations, their gradients and their schedule."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized, register_parametrization

from linnet.errors import LinnetError
from linnet.nn import soft
from linnet.nn.soft.masks import Mask, shares, soft_mask


def weight(*shape: int, seed: int = 0) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, generator=torch.Generator().manual_seed(seed)))


def masked(*, seed: int = 0, **settings: object) -> tuple[nn.Conv2d, Mask]:
    layer = nn.Conv2d(8, 6, 3)
    with torch.no_grad():
        layer.weight.copy_(weight(6, 8, 3, 3, seed=seed))
    piece = Mask(layer.weight, **settings)  # type: ignore[arg-type]
    register_parametrization(layer, "weight", piece)
    return layer, piece


def test_the_soft_mask_is_the_papers() -> None:
    w, t, temperature = np.random.default_rng(0).normal(size=(5, 7)), 0.6, 0.3
    tau = temperature * t**2
    expected = np.exp(w**2 / tau) / (np.exp(w**2 / tau) + np.exp(t**2 / tau))
    found = soft_mask(torch.from_numpy(w), torch.tensor([t], dtype=torch.float64), temperature)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)
    assert float(soft_mask(torch.tensor([t]), torch.tensor([t]), temperature)) == 0.5


def test_the_threshold_lies_between_what_goes_and_what_stays() -> None:
    _, piece = masked(share=0.7, temperature=0.1)
    piece.advance(0.6)
    sizes = np.sort(np.abs(piece.weight[0].detach().numpy()).ravel())
    going = round(0.7 * sizes.size)
    assert float(piece.threshold) == pytest.approx((sizes[going - 1] + sizes[going]) / 2)


@pytest.mark.parametrize("pattern", [None, (2, 4)])
def test_the_gradient_of_the_soft_mask(pattern: tuple[int, int] | None) -> None:
    w = weight(3, 4, 2).double().detach().requires_grad_()
    threshold = torch.full((6, 1) if pattern else (1, 1), 0.7, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda v: v * soft_mask(v, threshold, 0.5, pattern), (w,))


def test_a_hard_mask_lets_no_gradient_through_to_what_is_gone() -> None:
    layer, piece = masked(share=0.5)
    piece.advance(0.5)
    layer.weight.sum().backward()
    assert torch.equal(piece.weight[0].grad, piece.keep.float())


def test_the_share_grows_as_a_cubic_and_settles() -> None:
    layer, piece = masked(share=0.8, ramp=(0.2, 0.6), settles=0.7)
    found = []
    for done in (0.0, 0.2, 0.4, 0.6, 1.0):
        piece.advance(done)
        found.append(float((layer.weight == 0).float().mean()))
    np.testing.assert_allclose(found, [0, 0, 0.8 * (1 - 0.5**3), 0.8, 0.8], atol=2e-3)


def test_settled_masks_stay_and_the_weights_take_up_the_soft_values() -> None:
    layer, piece = masked(share=0.5, temperature=0.2)
    piece.advance(0.6)
    before = layer.weight.detach().clone()
    assert not piece.is_settled
    assert (before != 0).float().mean() > 0.9
    piece.advance(0.75)
    assert piece.is_settled
    assert torch.equal(layer.weight.detach(), before * piece.keep)
    assert int((layer.weight == 0).sum()) == layer.weight.numel() // 2
    kept = piece.keep.clone()
    with torch.no_grad():
        piece.weight[0].copy_(weight(6, 8, 3, 3, seed=9))
    piece.advance(1.0)
    assert torch.equal(piece.keep, kept)


@pytest.mark.parametrize("temperature", [None, 0.1])
def test_two_of_four_inputs_that_follow_each_other_stay(temperature: float | None) -> None:
    layer, piece = masked(pattern=(2, 4), temperature=temperature)
    piece.advance(1.0)
    zeros = (layer.weight.detach() == 0).numpy().reshape(6, 2, 4, 3, 3)
    assert (zeros.sum(axis=2) == 2).all()
    sizes = np.abs(weight(6, 8, 3, 3).detach().numpy()).reshape(6, 2, 4, 3, 3)
    assert (np.where(zeros, sizes, 0).max(axis=2) <= np.where(zeros, np.inf, sizes).min(axis=2)).all()


def test_constant_weights_lose_their_share_and_no_more() -> None:
    layer = nn.Linear(10, 10)
    nn.init.constant_(layer.weight, 0.5)
    piece = Mask(layer.weight, share=0.3)
    piece.advance(1.0)
    assert int(piece.keep.sum()) == 70


def test_a_fresh_mask_changes_nothing() -> None:
    layer, piece = masked(share=0.5, temperature=0.1)
    assert torch.equal(layer.weight, piece.weight[0])
    piece.advance(0.0)
    assert torch.equal(layer.weight, piece.weight[0])


def test_copies_prune_their_own_weight() -> None:
    layer, _ = masked(share=0.5)
    other = copy.deepcopy(layer)
    soft.advance(other, 1.0)
    assert (layer.weight != 0).all()
    assert int((other.weight == 0).sum()) == layer.weight.numel() // 2


def test_the_state_lies_in_buffers() -> None:
    layer, _ = masked(share=0.5, temperature=0.1)
    soft.advance(layer, 0.8)
    other, _ = masked(share=0.5, temperature=0.1, seed=3)
    other.load_state_dict(layer.state_dict())
    assert soft.is_settled(other)
    assert torch.equal(other.weight, layer.weight)


@pytest.mark.parametrize("temperature", [None, 0.1])
def test_compiled_steps_follow_the_schedule(temperature: float | None) -> None:
    layer, _ = masked(share=0.5, temperature=temperature)
    fast = torch.compile(layer, backend="eager", fullgraph=True)
    x = torch.randn(2, 8, 5, 5)
    for done in (0.0, 0.3, 0.5, 1.0):
        soft.advance(layer, done)
        assert torch.allclose(fast(x), layer(x), atol=1e-6)


def test_baking_leaves_a_plain_layer() -> None:
    layer, _ = masked(share=0.5)
    soft.advance(layer, 1.0)
    expected = layer.weight.detach().clone()
    soft.bake(layer, Mask)
    assert type(layer) is nn.Conv2d
    assert not is_parametrized(layer)
    assert torch.equal(layer.weight, expected)


def test_baking_a_copy_leaves_the_first_as_it_is() -> None:
    layer, _ = masked(share=0.5)
    other = copy.deepcopy(layer)
    soft.bake(other, Mask)
    assert torch.equal(layer.weight, other.weight)
    assert is_parametrized(layer)


class Doubled(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * x


def test_baking_leaves_the_pieces_of_others() -> None:
    layer, _ = masked(share=0.5)
    register_parametrization(layer, "weight", Doubled())
    soft.advance(layer, 1.0)
    expected = layer.weight.detach().clone()
    soft.bake(layer, Mask)
    assert torch.equal(layer.weight, expected)
    assert soft.piece_of(layer, Mask) is None
    with pytest.raises(LinnetError, match="has Doubled on it first"):
        soft.bake(layer, Mask)


@pytest.mark.parametrize("budget", ["global", "lamp", "uniform"])
def test_shares_add_up(budget: str) -> None:
    weights = [weight(20, 30), 0.1 * weight(40, 50, seed=1), 3 * weight(5, 5, 3, 3, seed=2)]
    found = shares(weights, 0.8, budget)
    sizes = [w.numel() for w in weights]
    assert np.dot(found, sizes) == pytest.approx(0.8 * sum(sizes), abs=1)
    assert all(round((1 - share) * w.numel()) >= len(w) for share, w in zip(found, weights, strict=True))


def test_no_layer_is_emptied() -> None:
    found = shares([1e-6 * weight(10, 10), weight(10, 10, seed=1)], 0.6, "global")
    np.testing.assert_allclose(found, [0.9, 0.3])


def test_global_shares_are_those_of_one_threshold() -> None:
    weights = [weight(20, 30), 0.5 * weight(40, 50, seed=1)]
    together = np.concatenate([np.abs(w.detach().numpy()).ravel() for w in weights])
    cut = np.quantile(together, 0.7)
    np.testing.assert_allclose(shares(weights, 0.7), [(np.abs(w.detach().numpy()) <= cut).mean() for w in weights],
                               atol=2e-3)


def test_lamp_scores_are_the_papers() -> None:
    """Lee et al. 2021, equation 1: sort by w^2, divide by the sum from there on."""
    weights = [weight(4, 6), 7 * weight(3, 8, seed=1)]
    scores = []
    for w in weights:
        squares = np.square(w.detach().numpy().ravel())
        scores.append(np.array([value / squares[squares >= value].sum() for value in squares]))
    cut = np.sort(np.concatenate(scores))[round(0.5 * 48) - 1]
    np.testing.assert_allclose(shares(weights, 0.5, "lamp"), [(score <= cut).mean() for score in scores])


@pytest.mark.parametrize(("settings", "message"), [
    ({}, "either a share or a pattern"), ({"share": 0.5, "pattern": (2, 4)}, "either a share or a pattern"),
    ({"share": 1.0}, "above 0 and below 1"), ({"pattern": (4, 4)}, "0 < n < m"),
    ({"pattern": (2, 3)}, "no whole groups of 3"), ({"share": 0.5, "temperature": 0.0}, "temperature must be above 0"),
    ({"share": 0.5, "ramp": (0.5, 0.9), "settles": 0.7}, "in this order"),
])
def test_what_makes_no_sense_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        Mask(weight(8, 8), **settings)  # type: ignore[arg-type]


def test_weights_that_are_not_finite_are_refused() -> None:
    broken = weight(4, 4)
    with torch.no_grad():
        broken[0, 0] = float("nan")
    with pytest.raises(LinnetError, match="not finite"):
        Mask(broken, share=0.5)
