"""Normalisation over time that does not hear the padding behind a shorter recording."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(eq=False)
class Heard:
    """How many samples of each recording of the batch are real, while a network runs; else None."""

    lengths: Tensor | None = None


class NormOverTime(nn.GroupNorm):
    """A group norm with one channel a group, behind a first convolution over time: each channel's mean and variance
    are those of its real positions. With lengths that fill the batch it is the group norm that it stands for.
    """

    def __init__(self, norm: nn.GroupNorm, convolution: nn.Conv1d, heard: Heard) -> None:
        super().__init__(norm.num_groups, norm.num_channels, eps=norm.eps)
        self.weight, self.bias = norm.weight, norm.bias
        self.kernel, self.stride = convolution.kernel_size[0], convolution.stride[0]
        self.heard = heard
        self.train(norm.training)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, positions) to the same."""
        if self.heard.lengths is None:
            return super().forward(x)
        counts = (self.heard.lengths - self.kernel) // self.stride + 1
        places = torch.arange(x.shape[2], device=x.device).unsqueeze(0)
        real = (places < counts.unsqueeze(1)).to(x.dtype).unsqueeze(1)
        shares = real / real.sum(dim=2, keepdim=True).clamp(min=1)
        centred = x - (x * shares).sum(dim=2, keepdim=True)
        variance = (centred * centred * shares).sum(dim=2, keepdim=True)
        normal = centred * torch.rsqrt(variance + self.eps)
        return normal * self.weight.unsqueeze(1) + self.bias.unsqueeze(1)


def norm_over_time(network: nn.Module, heard: Heard) -> None:
    """Put NormOverTime in place of the group norms of convolutional layers that know no lengths, as the first layer of
    wav2vec 2.0 (Baevski et al. 2020, arXiv:2006.11477) and its kin has one. In place.
    """
    for layer in list(network.modules()):
        norm, convolution = getattr(layer, "layer_norm", None), getattr(layer, "conv", None)
        if (type(norm) is nn.GroupNorm and isinstance(convolution, nn.Conv1d) and norm.affine
                and norm.num_groups == norm.num_channels and convolution.in_channels == 1
                and convolution.padding == (0,)):
            layer.layer_norm = NormOverTime(norm, convolution, heard)
