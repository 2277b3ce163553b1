import copy
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from linnet.errors import LinnetError
from linnet.nn import soft
from linnet.nn.soft import quantizing
from linnet.nn.soft.quantizers import (
    InputQuantizer,
    PercentileInputQuantizer,
    PercentileWeightQuantizer,
    WeightQuantizer,
    best_range,
    best_steps,
    weight_levels,
)
from linnet.nn.soft.rounding import fake_quantize, round_through, scale_gradient


def paper(v: np.ndarray, s: float, low: int, high: int) -> tuple[np.ndarray, np.ndarray]:
    """Esser et al. 2020, equations 1 to 3: the quantized values, and their derivative by the step."""
    place = v / s
    quantized = np.round(np.clip(place, low, high)) * s
    inside = (place > low) & (place < high)
    return quantized, np.where(inside, np.round(place) - place, np.where(place <= low, low, high))


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_lsq_is_the_papers_equation(bits: int) -> None:
    low, high = weight_levels(bits)
    values = np.random.default_rng(bits).normal(0, 1, 500)
    x = torch.tensor(values, requires_grad=True)
    size = 2.1 / high
    step = torch.tensor(size, dtype=torch.float64, requires_grad=True)
    found = fake_quantize(x, step, torch.zeros((), dtype=torch.float64), low, high)
    expected, slope = paper(values, size, low, high)
    np.testing.assert_allclose(found.detach(), expected, atol=1e-12)
    weights = torch.arange(500, dtype=torch.float64)
    (found * weights).sum().backward()
    assert step.grad is not None
    np.testing.assert_allclose(float(step.grad), float(slope @ weights.numpy()), rtol=1e-9)
    inside = (values / size > low) & (values / size < high)
    np.testing.assert_array_equal(x.grad, weights.numpy() * inside)


def surrogate(x: torch.Tensor, step: torch.Tensor, zero: torch.Tensor, low: int, high: int) -> torch.Tensor:
    """What the straight-through gradients are the gradients of: rounding errors held fixed."""
    places = x / step + zero
    error = (torch.round(places) - places).detach()
    inside = (places > low) & (places < high)
    return torch.where(inside, (places + error - zero) * step, (places.clamp(low, high).detach() - zero) * step)


def test_gradients_are_those_of_the_surrogate() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(6, 40, generator=generator, dtype=torch.float64, requires_grad=True)
    step = torch.rand(6, 1, generator=generator, dtype=torch.float64).add(0.1).requires_grad_()
    zero = torch.randint(0, 15, (6, 1), generator=generator).double().requires_grad_()
    weights = torch.randn(6, 40, generator=generator, dtype=torch.float64)
    found, wanted = (torch.autograd.grad((function(x, step, zero, 0, 15) * weights).sum(), (x, step, zero))
                     for function in (fake_quantize, surrogate))
    for own, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(own, other)


def test_the_smooth_parts_pass_gradcheck() -> None:
    x = torch.randn(7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: scale_gradient(values, 1.0), (x,))
    (slope,) = torch.autograd.grad(scale_gradient(x, 0.25).sum() + 0 * round_through(x).sum(), x)
    torch.testing.assert_close(slope, torch.full_like(x, 0.25))
    (slope,) = torch.autograd.grad(round_through(3 * x).sum(), x)
    torch.testing.assert_close(slope, torch.full_like(x, 3.0))


def test_a_learned_step_has_the_papers_gradient_times_the_step() -> None:
    """The logarithm is learned, and the paper's factor 1 / sqrt(N Qp) stands before it."""
    weights = torch.randn(4, 3, 5, 5)
    quantizer = WeightQuantizer(weights, 3)
    quantizer(weights).sum().backward()
    steps = quantizer.steps.detach()
    slopes = [paper(row.double().numpy(), float(step), -4, 3)[1].sum()
              for row, step in zip(weights, steps, strict=True)]
    expected = np.array(slopes) * steps.numpy() / math.sqrt(75 * 3)
    np.testing.assert_allclose(quantizer.log_steps.grad, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("per_channel", [True, False])
def test_so_many_bits_are_so_many_levels(bits: int, per_channel: bool) -> None:
    weights = torch.randn(6, 40)
    quantizer = WeightQuantizer(weights, bits, per_channel=per_channel)
    grid = quantizer(weights).detach() / quantizer.steps.detach().reshape(-1, 1)
    torch.testing.assert_close(grid, grid.round(), atol=1e-4, rtol=0)
    assert len(grid.round().unique()) <= 2**bits
    assert len(quantizer.steps) == (6 if per_channel else 1)


def test_the_first_step_is_the_one_with_the_least_error() -> None:
    weights = torch.randn(3, 2000)
    for bits in (2, 4):
        low, high = weight_levels(bits)

        def error(step: torch.Tensor, low: int = low, high: int = high) -> torch.Tensor:
            return (fake_quantize(weights, step, torch.zeros(1), low, high) - weights).square().mean(dim=1)

        best = best_steps(weights, bits)
        for factor in (0.8, 1.25):
            assert (error(best[:, None]) < error(factor * best[:, None])).all()


def test_rows_of_zeros_stay_zeros() -> None:
    weights = torch.zeros(2, 9)
    for quantizer in (WeightQuantizer(weights, 4), PercentileWeightQuantizer(weights, 4)):
        assert torch.equal(quantizer(weights), weights)
        assert torch.isfinite(quantizer.steps).all()


@pytest.mark.parametrize(("low", "high"), [(-1.3, 2.0), (0.0, 6.0), (0.5, 2.0), (-3.0, -1.0), (0.0, 0.0)])
def test_zero_is_always_a_level(low: float, high: float) -> None:
    for quantizer in (InputQuantizer(low, high), PercentileInputQuantizer(low, high)):
        assert torch.equal(quantizer(torch.zeros(3, 4)), torch.zeros(3, 4))
        zero = float(quantizer.grid()[1].detach())
        assert zero == round(zero)
        assert (low > -1e-9) == (zero == 0)


def test_a_range_learns_towards_what_is_needed() -> None:
    x = torch.randn(64, 100) * 3
    quantizer = InputQuantizer(-1.0, 1.0, 4)
    optimizer = torch.optim.Adam(quantizer.parameters(), lr=0.02)
    errors = []
    for _ in range(300):
        optimizer.zero_grad()
        error = (quantizer(x) - x).square().mean()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    low, high = best_range(x.flatten(), 4)
    wanted = float((fake_quantize(x, torch.tensor((high - low) / 15), torch.tensor(round(-low / (high - low) * 15)),
                                  0, 15) - x).square().mean())
    assert errors[-1] < 1.15 * wanted < errors[0] / 4


def test_a_range_never_exceeds_its_ceiling() -> None:
    quantizer = InputQuantizer(0.0, 6.0, 8, ceiling=6.0)
    with torch.no_grad():
        quantizer.log_step.add_(1.0)
    assert float(quantizer(torch.tensor([50.0])).detach()) <= 6.00001
    assert not quantizer.is_signed
    assert not quantizer.zero_share.requires_grad


def test_percentiles_clip_what_is_rare() -> None:
    weights = torch.cat([torch.linspace(-1, 1, 1000), torch.tensor([50.0])]).reshape(1, -1)
    assert 0.9 < float(PercentileWeightQuantizer(weights, 8, share=0.99).steps * 127) <= 1
    assert float(PercentileWeightQuantizer(weights, 8).steps * 127) == pytest.approx(50)
    on_input = PercentileInputQuantizer(-1.0, 1.0, share=0.99, momentum=0.5)
    for _ in range(20):
        on_input(weights * 4)
    assert 3.5 < float(on_input.ends[1]) < 4.5


def test_percentile_ranges_settle_in_the_middle() -> None:
    quantizer = PercentileInputQuantizer(-1.0, 1.0)
    assert isinstance(quantizer, soft.Scheduled)
    soft.advance(quantizer, 0.4)
    quantizer(torch.randn(8, 8) * 9)
    before = quantizer.ends.clone()
    assert not soft.is_settled(quantizer)
    soft.advance(quantizer, 0.5)
    quantizer(torch.randn(8, 8) * 9)
    assert soft.is_settled(quantizer)
    assert torch.equal(before, quantizer.ends)


@pytest.mark.parametrize("bits", [1, 9, 0])
def test_bits_that_are_none_are_refused(bits: int) -> None:
    with pytest.raises(LinnetError, match="2 to 8 bits"):
        WeightQuantizer(torch.ones(2, 2), bits)
    with pytest.raises(LinnetError, match="2 to 8 bits"):
        InputQuantizer(0, 1, bits)


def test_ranges_of_nan_are_refused() -> None:
    with pytest.raises(LinnetError, match="NaN"):
        InputQuantizer(float("nan"), 1.0)


class Small(nn.Module):
    """A residual network: `first` and `shortcut` take the same tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.front = nn.Conv2d(1, 3, 1)
        self.first, self.shortcut = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 4, 1)
        self.second = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.front(x)
        return self.second((self.first(x) + self.shortcut(x)).relu().amax(dim=(2, 3)))


def prepared(x: torch.Tensor, percentile: float | None = None) -> tuple[Small, Small]:
    torch.manual_seed(0)
    plain = Small()
    wrapped = copy.deepcopy(plain)
    seen = quantizing.watch(wrapped, lambda: wrapped(x))
    quantizing.quantize_layers(wrapped, dict.fromkeys(quantizing.quantizable(wrapped), 8), seen, percentile=percentile)
    return plain, wrapped


@pytest.mark.parametrize("percentile", [None, 1.0])
def test_layers_are_quantized_and_baked(percentile: float | None) -> None:
    x = torch.randn(5, 1, 6, 6)
    plain, wrapped = prepared(x, percentile)
    assert quantizing.quantizable(plain) == ("first", "shortcut", "second")
    assert wrapped.first.input_quantizer is wrapped.shortcut.input_quantizer
    assert torch.equal(plain.front.weight, wrapped.front.weight)
    wrapped.eval()
    rounded, exact = wrapped(x), plain(x)
    assert 0 < (rounded - exact).abs().max() < 0.05 * exact.abs().max()
    grids = {name: getattr(wrapped, name).weight.clone() for name in ("first", "shortcut", "second")}
    scales, ranges = quantizing.take_off(wrapped)
    assert list(scales) == list(ranges) == ["first", "shortcut", "second"]
    assert not any(parametrize.is_parametrized(layer) or layer._forward_pre_hooks for layer in wrapped.modules())
    assert set(wrapped.state_dict()) == set(plain.state_dict())
    for name, grid in grids.items():
        assert torch.equal(getattr(wrapped, name).weight, grid)
        places = grid.flatten(1) / torch.tensor(scales[name])[:, None]
        torch.testing.assert_close(places, places.round(), atol=1e-4, rtol=0)
    assert ranges["second"][0] == 0
    assert ranges["first"][0] < 0 < ranges["first"][1]


def test_a_copy_uses_its_own_quantizers() -> None:
    x = torch.randn(2, 1, 6, 6)
    _, wrapped = prepared(x)
    twin = copy.deepcopy(wrapped)
    with torch.no_grad():
        wrapped.second.input_quantizer.log_step.add_(3)
    assert not torch.equal(twin(x), wrapped(x))
    assert twin.first.input_quantizer is twin.shortcut.input_quantizer


@pytest.mark.filterwarnings("ignore:.*autograd.function.Function:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("percentile", [None, 0.999])
def test_a_quantized_network_compiles_in_one_piece(percentile: float | None) -> None:
    x = torch.randn(3, 1, 6, 6)
    _, wrapped = prepared(x, percentile)
    twin = copy.deepcopy(wrapped)
    compiled = torch.compile(twin, backend="eager", fullgraph=True)
    for network in (wrapped, compiled):
        network(x).square().sum().backward()
    torch.testing.assert_close(compiled(x), wrapped(x))
    for own, other in zip(twin.parameters(), wrapped.parameters(), strict=True):
        if other.grad is not None:
            torch.testing.assert_close(own.grad, other.grad)


def test_a_ceiling_is_seen_where_values_pile_up() -> None:
    seen = quantizing.Seen()
    seen.take(torch.tensor([0.0, 5.0]))
    assert math.isinf(seen.ceiling)
    seen.take(torch.tensor([6.0, 6.0]))
    assert seen.ceiling == 6


def test_broken_weights_are_refused() -> None:
    layer = nn.Sequential(nn.Linear(2, 2))
    with torch.no_grad():
        layer[0].weight[0, 0] = float("nan")
    with pytest.raises(LinnetError, match="layer '0' hold NaN"):
        quantizing.quantize_layers(layer, {"0": 8})
