"""Palettes: as the paper says, the same over distinct values as over all, and hard in the end."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.parametrize import register_parametrization

from linnet.errors import LinnetError
from linnet.nn.soft import Palette, clustering, dkm


def _paper(weights: np.ndarray, centroids: np.ndarray, tau: float, iterations: int) -> tuple[np.ndarray, np.ndarray]:
    """Section 3.2 of the paper: distances, attention, new centroids, and in the end attention times centroids."""
    for _ in range(iterations):
        distances = -((weights[:, None] - centroids[None]) ** 2).sum(-1)
        shares = np.exp(distances / tau)
        shares /= shares.sum(1, keepdims=True)
        centroids = (shares[:, :, None] * weights[:, None]).sum(0) / shares.sum(0)[:, None]
    return shares @ centroids, centroids


def _plainly(weights: torch.Tensor, centroids: torch.Tensor, tau: float, iterations: int) -> torch.Tensor:
    """The same with torch's own gradients, which keep every map."""
    for _ in range(iterations):
        shares = torch.softmax(-(weights[:, None] - centroids).square().sum(-1) / tau, 1)
        centroids = (shares.T @ weights) / shares.sum(0)[:, None]
    return shares @ centroids


def _weights(count: int, length: int = 1, **options: Any) -> torch.Tensor:
    return torch.randn(count, length, generator=torch.Generator().manual_seed(0), **options)


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("iterations", [1, 3])
def test_soft_weights_are_those_of_the_paper(length: int, iterations: int) -> None:
    weights = _weights(50, length, dtype=torch.float64)
    centroids = clustering.kmeans(weights, 4)
    soft, moved = dkm.soft_weights(weights, centroids, 0.3, iterations=iterations)
    expected, expected_moved = _paper(weights.numpy(), centroids.numpy(), 0.3, iterations)
    np.testing.assert_allclose(soft, expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(moved, expected_moved, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("length", [1, 2])
@pytest.mark.parametrize("zeros_stay", [False, True])
@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_gradients_are_right(length: int, zeros_stay: bool, iterations: int) -> None:
    weights = _weights(24, length, dtype=torch.float64)
    if zeros_stay:
        weights[::5] = 0
    centroids, drawing = clustering.kmeans(weights, 3), (weights != 0).any(1)

    def function(given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        whole = torch.zeros_like(weights).index_put((drawing,), given)
        return dkm.soft_weights(whole, centroids, 0.4, iterations=iterations, zeros_stay=zeros_stay)

    assert torch.autograd.gradcheck(function, weights[drawing].requires_grad_())


def test_distinct_values_give_what_all_weights_give() -> None:
    weights = (_weights(20_000) * 0.05).bfloat16().float().requires_grad_()
    centroids, gradient = clustering.kmeans(weights.detach(), 16), torch.randn(20_000, 1)
    soft, _ = dkm.soft_weights(weights, centroids, 1e-4)
    (pulled,) = torch.autograd.grad(soft, weights, gradient)
    double = weights.detach().double().requires_grad_()
    expected = _plainly(double, centroids.double(), 1e-4, 3)
    (expected_pull,) = torch.autograd.grad(expected, double, gradient.double())
    assert torch.allclose(soft, expected.float(), atol=1e-5)
    assert torch.allclose(pulled, expected_pull.float(), atol=2e-3)
    exact, _ = dkm.soft_weights(weights, centroids, 1e-4, exact=True)
    assert torch.allclose(exact, soft, atol=1e-5)


def test_nothing_of_the_size_of_the_map_is_kept() -> None:
    weights = (_weights(100_000) * 0.05).requires_grad_()
    kept: list[int] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor.numel()) or tensor, lambda x: x):
        dkm.soft_weights(weights, clustering.kmeans(weights.detach(), 16), 1e-4)
    assert sum(kept) < 1.1 * weights.numel()


def test_at_tau_zero_weights_are_the_nearest_centroids_and_gradients_go_straight_through() -> None:
    weights = _weights(5000).requires_grad_()
    centroids = clustering.kmeans(weights.detach(), 8) + 0.01
    hard, moved = dkm.soft_weights(weights, centroids, 0.0, iterations=1)
    distances = (weights.detach() - centroids.T).abs()
    expected = torch.stack([weights.detach()[distances.argmin(1) == place].mean() for place in range(8)])
    assert torch.allclose(moved[:, 0], expected, atol=1e-6)
    assert torch.equal(hard.detach(), moved[(weights.detach() - moved.T).abs().argmin(1)])
    gradient = torch.randn(5000, 1)
    assert torch.equal(torch.autograd.grad(hard, weights, gradient)[0], gradient)


def test_zeros_stay_and_draw_no_centroid() -> None:
    weights = _weights(9000)
    weights[::2] = 0
    centroids = clustering.kmeans(weights[weights != 0][:, None], 3)
    for tau in (0.0, 0.1):
        soft, moved = dkm.soft_weights(weights, centroids, tau, zeros_stay=True)
        assert torch.equal(soft[::2], weights[::2])
        alone, alone_moved = dkm.soft_weights(weights[weights != 0][:, None], centroids, tau)
        assert torch.allclose(moved, alone_moved, atol=1e-5)
        assert torch.allclose(soft[1::2], alone, atol=1e-5)


def test_a_centroid_without_weights_stays() -> None:
    weights = _weights(6000)
    centroids = torch.tensor([[-0.5], [0.5], [900.0]])
    for tau in (0.0, 1e-3):
        soft, moved = dkm.soft_weights(weights, centroids, tau)
        assert moved[2] == 900
        assert soft.abs().max() < 2


def test_kmeans_of_scalars_is_as_good_as_the_best_of_all() -> None:
    points = _weights(12, dtype=torch.float64).sort(0).values
    found = clustering.kmeans(points, 3)

    def error(parts: list[torch.Tensor]) -> float:
        return float(sum((part - part.mean()).square().sum() for part in parts))

    best = min(error([points[:a], points[a:b], points[b:]]) for a, b in itertools.combinations(range(1, 12), 2))
    places = clustering.nearest(points, found)
    assert error([points[places == place] for place in range(3)]) <= best * 1.05


def test_kmeans_of_vectors_finds_the_clusters() -> None:
    middles = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0], [5.0, 5.0]])
    points = middles.repeat(50, 1) + 0.1 * _weights(200, 2)
    found = clustering.kmeans(points, 4)
    assert torch.cdist(found, middles).min(0).values.max() < 0.1
    assert torch.equal(found, clustering.kmeans(points, 4))


def test_fewer_distinct_values_than_centroids() -> None:
    points = torch.tensor([1.0, 2.0]).repeat(10)[:, None]
    assert {1.0, 2.0} <= set(clustering.kmeans(points, 8).flatten().tolist())
    assert set(clustering.kmeans(torch.ones(20, 1), 4).flatten().tolist()) == {1.0}


def _layer(**options: Any) -> torch.nn.Linear:
    torch.manual_seed(0)
    layer = torch.nn.Linear(64, 96)
    register_parametrization(layer, "weight", Palette(layer.weight, **options))
    return layer


@pytest.mark.parametrize("length", [1, 4])
def test_a_palette_has_so_many_values_in_evaluation_and_once_it_has_settled(length: int) -> None:
    layer = _layer(bits=3, length=length)
    palette = layer.parametrizations.weight[0]
    assert len(layer.weight.detach().reshape(-1, length).unique(dim=0)) > 8
    assert not palette.is_settled
    layer.eval()
    assert len(layer.weight.detach().reshape(-1, length).unique(dim=0)) <= 8
    layer.train()
    palette.advance(1.0)
    assert palette.is_settled
    assert len(layer.weight.detach().reshape(-1, length).unique(dim=0)) <= 8


def test_tau_falls_and_its_state_lies_in_buffers() -> None:
    palette = Palette(_weights(5000), bits=3, settles=0.5)
    taus = []
    for share in (0.0, 0.2, 0.49, 0.5, 1.0):
        palette.advance(share)
        taus.append(float(palette.tau))
    assert taus[0] > taus[1] > taus[2] > 0 == taus[3] == taus[4]
    assert set(palette.state_dict()) == {"centroids", "tau", "error"}


def test_a_layer_learns_through_its_palette() -> None:
    layer, target = _layer(bits=2), torch.nn.Linear(64, 96)
    optimizer, x = torch.optim.Adam(layer.parameters(), 1e-2), torch.randn(64, 64)
    losses = []
    for step in range(60):
        layer.parametrizations.weight[0].advance(step / 59)
        loss = (layer(x) - target(x).detach()).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    layer.eval()
    assert float((layer(x) - target(x)).detach().square().mean()) < 0.5 * losses[0]


def test_it_compiles_whole_and_stays_valid_as_it_hardens() -> None:
    layer = _layer(bits=3)
    other, x = copy.deepcopy(layer), torch.randn(8, 64)
    torch._dynamo.reset()
    compiled = torch.compile(other, backend="eager", fullgraph=True)
    for share in (0.0, 0.4, 1.0):
        for one in (layer, other):
            one.parametrizations.weight[0].advance(share)
            one.zero_grad()
        layer(x).sum().backward()
        compiled(x).sum().backward()
        pairs = zip(layer.parameters(), other.parameters(), strict=True)
        assert all(torch.allclose(a.grad, b.grad) for a, b in pairs)
        assert torch.allclose(layer.parametrizations.weight[0].centroids, other.parametrizations.weight[0].centroids)


def test_autocast_does_not_round_the_palette() -> None:
    layer = _layer(bits=3, length=2)
    plain = copy.deepcopy(layer).weight
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(layer.weight, plain)


@pytest.mark.parametrize(("weight", "options", "words"), [
    (torch.full((8, 8), torch.nan), {"bits": 2}, "not finite"),
    (torch.randn(8, 9), {"bits": 2, "length": 2}, "vectors of 2"),
    (torch.randn(8, 8), {"bits": 9}, "1 to 8 bits"),
    (torch.randn(2, 2), {"bits": 4}, "fewer bits"),
    (torch.zeros(8, 8), {"bits": 2, "zeros_stay": True}, "0 everywhere"),
    (torch.randn(8, 8), {"bits": 2, "temperature": (1.0, 2.0)}, "temperatures"),
    (torch.randn(8, 8), {"bits": 2, "settles": 1.5}, "settles"),
])
def test_what_makes_no_palette_is_refused(weight: torch.Tensor, options: dict[str, Any], words: str) -> None:
    with pytest.raises(LinnetError, match=words):
        Palette(weight, **options)
