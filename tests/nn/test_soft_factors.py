"""Factors against the algebra they come from."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from linnet import nn as ours
from linnet import tasks
from linnet.errors import LinnetError
from linnet.nn.rewrites import with_rewrite
from linnet.nn.soft import factors, ranks


def conv(**options: object) -> nn.Conv2d:
    torch.manual_seed(0)
    return nn.Conv2d(6, 10, 3, **{"padding": 1, **options})  # type: ignore[arg-type]


def linear() -> nn.Linear:
    torch.manual_seed(0)
    return nn.Linear(12, 7)


LAYERS = {"linear": (linear(), torch.randn(4, 5, 12)), "conv": (conv(stride=2, dilation=2), torch.randn(4, 6, 9, 9)),
          "pointwise": (nn.Conv2d(6, 10, 1, stride=2), torch.randn(4, 6, 9, 9)),
          "conv1d": (nn.Conv1d(6, 5, 3, bias=False), torch.randn(4, 6, 9))}


@pytest.mark.parametrize("name", LAYERS)
def test_factors_of_full_rank_are_the_layer(name: str) -> None:
    layer, x = LAYERS[name]
    made = factors.factorize(layer, ranks.full_ranks(layer))
    assert factors.ranks_of(made) == ranks.full_ranks(layer)
    torch.testing.assert_close(made(x), layer(x), atol=1e-5, rtol=1e-5)


def test_svd_is_the_best_of_its_rank() -> None:
    layer = linear()
    made = factors.factorize(layer, (3,))
    product = (made.expand.weight @ made.reduce.weight).detach().numpy()
    weight = layer.weight.detach().numpy()
    left, values, right = np.linalg.svd(weight, full_matrices=False)
    np.testing.assert_allclose(product, (left[:, :3] * values[:3]) @ right[:3], atol=1e-6)
    assert np.sum((weight - product) ** 2) == pytest.approx(np.sum(values[3:] ** 2), rel=1e-4)


def tucker_error(layer: nn.Conv2d, wanted: tuple[int, int]) -> float:
    """Of the product of the factors, by numpy: W[o, i, k] = sum over s, r of L[o, s] C[s, r, k] R[r, i]."""
    made = factors.factorize(layer, wanted)
    left, core, right = (made.get_parameter(f"{name}.weight").detach().numpy() for name in ("expand", "core", "reduce"))
    product = np.einsum("os,srhw,ri->oihw", left[..., 0, 0], core, right[..., 0, 0])
    return float(np.sum((layer.weight.detach().numpy() - product) ** 2))


def test_tucker_is_as_good_as_its_theory() -> None:
    """De Lathauwer et al. 2000, property 10: at most the squares that both cuts leave out, at least those of one."""
    layer = conv()
    weight = layer.weight.detach().numpy()
    by_input = np.linalg.svd(weight.transpose(1, 0, 2, 3).reshape(6, -1), compute_uv=False) ** 2
    by_output = np.linalg.svd(weight.reshape(10, -1), compute_uv=False) ** 2
    for r, s in ((4, 6), (2, 3), (6, 5)):
        lost = tucker_error(layer, (r, s))
        assert max(by_input[r:].sum(), by_output[s:].sum()) - 1e-5 <= lost <= by_input[r:].sum() + by_output[s:].sum()


def test_tucker_finds_a_product_that_is_there() -> None:
    layer = conv()
    with torch.no_grad():
        layer.weight.copy_(torch.einsum("os,srhw,ri->oihw", torch.randn(10, 3), torch.randn(3, 2, 3, 3),
                                        torch.randn(2, 6)))
    assert tucker_error(layer, (2, 3)) < 1e-6 * float(layer.weight.detach().square().sum())
    assert ranks.ranks_for(ranks.energies(layer), 1 - 1e-9) == (2, 3)


def test_ranks_follow_the_energy() -> None:
    squares = [torch.tensor([6.0, 3.0, 1.0]), torch.tensor([10.0, 0.0])]
    assert ranks.ranks_for(squares, 0.6) == (1, 1)
    assert ranks.ranks_for(squares, 0.61) == (2, 1)
    assert ranks.ranks_for(squares, 1.0) == (3, 1)


@pytest.mark.parametrize("name", LAYERS)
def test_multiplications_are_those_of_the_layers(name: str) -> None:
    layer, x = LAYERS[name]
    wanted = tuple(max(1, rank // 2) for rank in ranks.full_ranks(layer))
    made, counted = factors.factorize(layer, wanted), 0

    def count(part: nn.Module, inputs: tuple[torch.Tensor], output: torch.Tensor) -> None:
        nonlocal counted
        counted += output.numel() // len(part.weight) * part.weight.numel()

    for part in made:
        part.register_forward_hook(count)
    made(x[:1])
    after = layer(x[:1]).numel() // len(layer.weight)
    before = x[:1].numel() // layer.weight.shape[1]
    assert ranks.multiplications(layer, wanted, (before, after)) == counted
    assert ranks.multiplications(layer, None, (before, after)) == after * layer.weight.numel()


@pytest.mark.parametrize(("layer", "reason"), [
    (nn.Conv2d(4, 4, 3, groups=4), "4 groups"), (nn.Conv2d(1, 4, 3), "one input"), (nn.Linear(3, 1), "one output"),
    (nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), "padding is reflect"), (nn.GRU(3, 3), "a GRU is neither"),
])
def test_what_has_no_factors_says_why(layer: nn.Module, reason: str) -> None:
    assert reason in (ranks.reason_against(layer) or "")


@pytest.mark.parametrize("wanted", [(0, 1), (7, 10), (6, 11), (3,)])
def test_ranks_that_cannot_be_are_refused(wanted: tuple[int, ...]) -> None:
    with pytest.raises(LinnetError, match="has ranks from 1 to"):
        factors.factorize(conv(), wanted)


def test_factors_draw_no_random_numbers() -> None:
    layer = linear()
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    factors.blank(layer, (2,))
    assert torch.equal(torch.rand(1), expected)


@pytest.mark.parametrize("name", LAYERS)
def test_closed_gates_go_with_their_channels(name: str) -> None:
    layer, x = LAYERS[name]
    made = factors.gated(factors.factorize(layer, ranks.full_ranks(layer)))
    torch.testing.assert_close(made(x), layer(x), atol=1e-5, rtol=1e-5)  # fresh gates are open
    for gates in made.gates:
        gates.harden(torch.arange(len(gates.scores)) % 3 != 1)
    expected = made(x).detach()
    bare = factors.without_gates(copy.deepcopy(made))
    torch.testing.assert_close(bare(x), expected, atol=1e-6, rtol=1e-5)
    assert not bare.gates
    assert factors.ranks_of(bare) == tuple(int(gates.kept.sum()) for gates in made.gates)
    fresh = factors.blank(layer, factors.ranks_of(bare))
    assert str(fresh) == str(bare)


@pytest.fixture
def model(tone_task: tasks.Classify) -> ours.Model:
    """With statistics that are not those of a fresh network."""
    made = ours.zoo.dscnn(tone_task, width=8, seed=1)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, buffer in made.module.named_buffers():
            if "norm.running" in name:
                buffer.copy_(torch.rand(buffer.shape, generator=generator) + 0.5)
    return made


def test_factors_are_rebuilt_from_the_spec_and_take_up_the_normalisation(model: ours.Model) -> None:
    path = "layers.block2.pointwise.conv"
    made = factors.factorize(model.module.get_submodule(path), (3,))
    factors.replace_layer(model.module, path, made)
    again = ours.build(with_rewrite(model.spec, "factorize", layers={path: [3]}))
    again.module.load_state_dict(model.module.state_dict())
    sounds = {"audio": np.random.default_rng(0).uniform(-1, 1, (3, 2400)).astype(np.float32)}
    np.testing.assert_array_equal(again(sounds)["logits"], model(sounds)["logits"])
    folded = ours.fold_normalisation(again.module)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in folded.modules())
    with torch.no_grad():
        np.testing.assert_allclose(folded(torch.from_numpy(sounds["audio"])).numpy(), model(sounds)["logits"],
                                   atol=1e-5)
