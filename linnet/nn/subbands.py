"""Normalisation of each group of bands on its own, for networks whose last axis is frequency."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

GROUPS = 5


class SubSpectral(nn.Module):
    """Batch normalisation of each channel in each of five groups of bands (Chang et al. 2021, arXiv:2103.13620)."""

    def __init__(self, channels: int, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.norm = nn.BatchNorm2d(channels * GROUPS)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames, bands) to the same."""
        channels, frames = x.shape[1:3]
        apart = x.reshape(-1, channels, frames, GROUPS, self.bands // GROUPS).transpose(2, 3)
        normal: Tensor = self.norm(apart.reshape(-1, channels * GROUPS, frames, self.bands // GROUPS))
        return normal.reshape(apart.shape).transpose(2, 3).reshape(x.shape)


class Affine(nn.Module):
    """A factor and a summand for every channel and band."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale)
        self.register_buffer("shift", shift)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, frames, bands) to the same."""
        return x * self.scale + self.shift


def fold(conv: nn.Conv2d, norm: SubSpectral) -> tuple[nn.Conv2d, Affine]:
    """A convolution without a bias, and the normalisation after it in evaluation mode, as one with an Affine.

    Each channel's largest factor becomes part of its weights, so that those of Affine are within -1 and 1: eight bits
    a tensor are then enough for them.
    """
    inner = norm.norm
    assert inner.running_mean is not None
    assert inner.running_var is not None
    scale = inner.weight / torch.sqrt(inner.running_var + inner.eps)
    scale, shift = scale.detach(), (inner.bias - inner.running_mean * scale).detach()
    scale, shift = (values.reshape(-1, 1, GROUPS).repeat_interleave(norm.bands // GROUPS, dim=2)
                    for values in (scale, shift))
    largest = scale.abs().amax(dim=(1, 2)).clamp(min=torch.finfo(scale.dtype).tiny)
    folded = copy.deepcopy(conv)
    folded.weight.data *= largest.reshape(-1, 1, 1, 1)
    return folded, Affine(scale / largest.reshape(-1, 1, 1), shift)
