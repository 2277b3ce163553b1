"""Fake quantization of weights and activations: learned steps (LSQ), or steps that follow a percentile.

Weights are symmetric around zero, a step for the tensor or one an output channel; activations have any range around
zero. Each is a module: a parametrization of a weight, or in front of a layer.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.soft.rounding import fake_quantize, round_through, scale_gradient

FEWEST_BITS, MOST_BITS = 2, 8
_SHRUNK = tuple(1 - place / 40 for place in range(36))
"""Shares of the largest value among which the first step is searched."""
_MOST_VALUES = 1 << 16
"""Of a tensor whose percentile is taken: sorting more costs time and changes little."""
_TINY = 1e-12


def weight_levels(bits: int) -> tuple[int, int]:
    """The lowest and highest whole number: -127 to 127 in 8 bits, in fewer -2 ** (bits - 1) to 2 ** (bits - 1) - 1.

    In 8 bits one level is left out, so that a batch normalisation may turn a channel's sign when it is folded.

    >>> weight_levels(8), weight_levels(2)
    ((-127, 127), (-2, 1))
    """
    _check(bits)
    half = 2 ** (bits - 1)
    return (1 - half if bits == MOST_BITS else -half), half - 1


def best_steps(weights: Tensor, bits: int, *, per_channel: bool = True) -> Tensor:
    """The step with the least squared error, one for each row of `weights` (outputs, ...) or one: (outputs or 1,).

    A row of zeros has the step 1 / highest level.
    """
    lowest, highest = weight_levels(bits)
    rows = weights.detach().float().reshape(len(weights) if per_channel else 1, -1)
    largest = rows.abs().amax(dim=1, keepdim=True)
    largest = torch.where(largest > 0, largest, torch.ones_like(largest))
    steps = torch.stack([largest * (share / highest) for share in _SHRUNK])
    errors = torch.stack([(fake_quantize(rows, step, torch.zeros_like(step), lowest, highest) - rows).square().sum(1)
                          for step in steps])
    found: Tensor = steps[errors.argmin(dim=0), torch.arange(len(rows)), 0]
    return found


def best_range(values: Tensor, bits: int) -> tuple[float, float]:
    """The range (low, high) of an activation with the least squared error among shares of what was seen."""
    low, high = _around_zero(float(values.min()), float(values.max()))
    highest = 2**bits - 1
    errors = {}
    for share in _SHRUNK:
        step = values.new_tensor(share * (high - low) / highest)
        zero = torch.round(-share * low / step)
        errors[share] = float((fake_quantize(values, step, zero, 0, highest) - values).square().sum())
    best = min(errors, key=errors.__getitem__)
    return best * low, best * high


class WeightQuantizer(nn.Module):
    """A weight (outputs, ...) on the grid of so many bits, whose steps are learned; a parametrization of a layer.

    Esser et al. 2020, Learned Step Size Quantization, arXiv:1902.08153: gradients of the step are scaled by
    1 / sqrt(weights that share it * highest level). It begins at the least squared error, not at twice the mean size,
    which suits a network that is trained already. What is learned is the step's logarithm (Jain et al. 2020,
    arXiv:1903.08066): an optimizer like Adam, whose steps are of one size, then moves every step by a share.
    """

    def __init__(self, weights: Tensor, bits: int = 8, *, per_channel: bool = True) -> None:
        super().__init__()
        self.bits, (self.lowest, self.highest) = bits, weight_levels(bits)
        self.log_steps = nn.Parameter(best_steps(weights, bits, per_channel=per_channel).log())
        self.factor = 1 / math.sqrt(weights.numel() / len(self.log_steps) * self.highest)

    @property
    def steps(self) -> Tensor:
        """(outputs,) or (1,): between two neighbouring weights."""
        return self.log_steps.exp()

    def forward(self, weights: Tensor) -> Tensor:
        """(outputs, ...) to the same."""
        steps = scale_gradient(self.log_steps.exp(), self.factor).reshape(-1, *[1] * (weights.ndim - 1))
        return fake_quantize(weights, steps, torch.zeros_like(steps), self.lowest, self.highest)


class PercentileWeightQuantizer(nn.Module):
    """A weight (outputs, ...) on the grid of so many bits, whose steps follow the weights: nothing is learned.

    The highest level stands at the percentile `share` of a channel's (or the whole tensor's) absolute values; what is
    larger is clipped. The settled way of quantization-aware training (Jacob et al. 2018, arXiv:1712.05877) is share 1.
    """

    def __init__(self, weights: Tensor, bits: int = 8, *, per_channel: bool = True, share: float = 1.0) -> None:
        super().__init__()
        self.bits, (self.lowest, self.highest) = bits, weight_levels(bits)
        self.per_channel, self.share = per_channel, _share(share)
        self.register_buffer("last", self._steps(weights.detach()))
        self.last: Tensor

    @property
    def steps(self) -> Tensor:
        """(outputs,) or (1,): of the weights that were seen last."""
        return self.last

    def forward(self, weights: Tensor) -> Tensor:
        """(outputs, ...) to the same."""
        with torch.no_grad():
            self.last.copy_(self._steps(weights))
        steps = self.last.reshape(-1, *[1] * (weights.ndim - 1)).clone()
        return fake_quantize(weights, steps, torch.zeros_like(steps), self.lowest, self.highest)

    def _steps(self, weights: Tensor) -> Tensor:
        rows = weights.detach().abs().reshape(len(weights) if self.per_channel else 1, -1)
        ends = _percentile(rows, self.share)
        return torch.where(ends > 0, ends, torch.ones_like(ends)) / self.highest


class InputQuantizer(nn.Module):
    """An activation on the grid of so many bits, with a learned step and a learned place of zero (LSQ+).

    Bhalgat et al. 2020, arXiv:2004.09576; but zero is always one of the levels, as ONNX has it, so that padding stays
    zero. It begins with the range (low, high), made to hold zero. Where low is 0 (after a rectifier) zero stays the
    lowest level. `ceiling` is what the activation cannot exceed (6 after ReLU6): nor does the range.
    """

    def __init__(self, low: float, high: float, bits: int = 8, *, ceiling: float = math.inf) -> None:
        super().__init__()
        _check(bits)
        low, high = _around_zero(low, high)
        self.bits, self.highest, self.ceiling = bits, 2**bits - 1, ceiling
        self.is_signed = low < 0
        self.log_step = nn.Parameter(torch.tensor([math.log((high - low) / self.highest)]))
        self.zero_share = nn.Parameter(torch.tensor([-low / (high - low)]), requires_grad=self.is_signed)

    def grid(self) -> tuple[Tensor, Tensor]:
        """The step and the level that stands for zero, a whole number: (1,) each."""
        zero = round_through(self.zero_share.clamp(0, 1) * self.highest)
        step = self.log_step.exp()
        if math.isfinite(self.ceiling):
            step = torch.minimum(step, self.ceiling / (self.highest - zero).clamp(min=1))
        return step, zero

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        factor = 1 / math.sqrt(max(1, math.prod(x.shape[1:])) * self.highest)
        step, zero = self.grid()
        return fake_quantize(x, scale_gradient(step, factor), scale_gradient(zero, factor), 0, self.highest)


class PercentileInputQuantizer(nn.Module):
    """An activation on the grid of so many bits, whose range follows its percentiles while training; none is learned.

    The range from the percentile 1 - share to the percentile share moves by `momentum` with each batch, and stands
    still from the middle of the training on (it is settled then), or in evaluation mode.
    """

    def __init__(self, low: float, high: float, bits: int = 8, *, share: float = 0.9999,
                 momentum: float = 0.05) -> None:
        super().__init__()
        _check(bits)
        self.bits, self.highest, self.share, self.momentum = bits, 2**bits - 1, _share(share), momentum
        self.register_buffer("ends", torch.tensor(_around_zero(low, high)))
        self.register_buffer("is_moving", torch.ones(()))
        self.ends: Tensor
        self.is_moving: Tensor

    def advance(self, share: float) -> None:
        """The range stands still from the middle of the training on."""
        self.is_moving.fill_(float(share < 0.5))

    @property
    def is_settled(self) -> bool:
        """Whether the range stands still."""
        return not bool(self.is_moving)

    def grid(self) -> tuple[Tensor, Tensor]:
        """The step and the level that stands for zero, a whole number: (1,) each."""
        low, high = self.ends[:1], self.ends[1:]
        step = (high - low).clamp(min=_TINY) / self.highest
        return step, torch.round(-low / step)

    def forward(self, x: Tensor) -> Tensor:
        """Any shape to the same."""
        if self.training:
            self._follow(x.detach())
        step, zero = self.grid()
        return fake_quantize(x, step, zero, 0, self.highest)

    @torch.no_grad()
    def _follow(self, x: Tensor) -> None:
        row = x.float().reshape(1, -1)
        seen = torch.cat([-_percentile(-row, self.share), _percentile(row, self.share)])
        seen = torch.cat([seen[:1].clamp(max=0), seen[1:].clamp(min=0)])
        self.ends.lerp_(seen, self.momentum * self.is_moving)


def _percentile(rows: Tensor, share: float) -> Tensor:
    """Of each row (rows, values) the value that so large a share does not exceed: (rows,)."""
    if share == 1:
        return rows.amax(dim=1)
    few = rows[:, :: -(-rows.shape[1] // _MOST_VALUES)]
    return few.kthvalue(max(1, math.ceil(share * few.shape[1])), dim=1).values


def _around_zero(low: float, high: float) -> tuple[float, float]:
    """The range with zero in it and a width above zero."""
    if not (math.isfinite(low) and math.isfinite(high) and low <= high):
        raise LinnetError(f"the range of an activation must be two numbers, the lower first; got {low!r} and {high!r}. "
                          "Is there NaN or infinity in the weights or in the samples?")
    low, high = min(low, 0.0), max(high, 0.0)
    return (low, high) if high - low > _TINY else (0.0, 1.0)


def _share(share: float) -> float:
    if not 0.5 < share <= 1:
        raise LinnetError(f"a percentile is given as a share above 0.5 and at most 1; got {share!r}.")
    return share


def _check(bits: int) -> None:
    if bits not in range(FEWEST_BITS, MOST_BITS + 1):
        raise LinnetError(f"quantizers have {FEWEST_BITS} to {MOST_BITS} bits; got {bits!r}.")
