"""Rounding with gradients: the functions below the quantizers, as torch autograd functions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from linnet.nn.soft import fused


def fake_quantize(x: Tensor, step: Tensor, zero: Tensor, lowest: int, highest: int) -> Tensor:
    """x on the grid step * (k - zero), for whole numbers k from `lowest` to `highest`; x, step and zero may learn.

    `step` and `zero` broadcast against x; `zero` holds whole numbers. Forward this is ONNX's QuantizeLinear, then
    DequantizeLinear. The gradients are those of Esser et al. 2020, Learned Step Size Quantization, arXiv:1902.08153,
    equation 3 (the straight-through one for x, whose surrogate is a clamp), and for `zero` those of Bhalgat et al.
    2020, LSQ+, arXiv:2004.09576. On CUDA one kernel does it, where the steps are one or one a row (`fused`).

    >>> fake_quantize(torch.tensor([0.26, 9.0]), torch.tensor(0.5), torch.tensor(0.0), -2, 1)
    tensor([0.5000, 0.5000])
    """
    rounded: Tensor = _FakeQuantize.apply(x, step, zero, lowest, highest)  # type: ignore[no-untyped-call]
    return rounded


def round_through(x: Tensor) -> Tensor:
    """The nearest whole number (to even at a half); its gradient is that of x."""
    rounded: Tensor = _RoundThrough.apply(x)  # type: ignore[no-untyped-call]
    return rounded


def scale_gradient(x: Tensor, factor: float) -> Tensor:
    """x itself, with its gradient times `factor`."""
    same: Tensor = _ScaleGradient.apply(x, factor)  # type: ignore[no-untyped-call]
    return same


class _FakeQuantize(torch.autograd.Function):
    """Keeps x alone for the backward pass, and computes the rest anew: x is kept by the layer before anyway."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, zero: Tensor, lowest: int, highest: int) -> Tensor:
        ctx.save_for_backward(x, step, zero)
        ctx.ends = lowest, highest
        if fused.takes(x, step, zero):
            return fused.quantized(x, step, zero, lowest, highest)
        return (torch.clamp(torch.round(x / step) + zero, lowest, highest) - zero) * step

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,), (x, step, zero), (lowest, highest) = gradients, ctx.saved_tensors, ctx.ends
        if fused.takes(x, step, zero):
            return *fused.gradients(gradient, x, step, zero, lowest, highest), None, None
        places = x / step + zero
        inside = (places > lowest) & (places < highest)
        by_x = torch.where(inside, gradient, torch.zeros_like(gradient))
        by_step = by_zero = None
        if ctx.needs_input_grad[1]:
            slope = torch.where(inside, torch.round(places) - places, places.clamp(lowest, highest) - zero)
            by_step = (gradient * slope).sum_to_size(step.shape)
        if ctx.needs_input_grad[2]:
            by_zero = ((by_x - gradient) * step).sum_to_size(zero.shape)
        return by_x, by_step, by_zero, None, None


class _RoundThrough(torch.autograd.Function):
    @staticmethod
    def forward(_ctx: Any, x: Tensor) -> Tensor:
        return torch.round(x)

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        return gradients[0]


class _ScaleGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0] * ctx.factor, None
