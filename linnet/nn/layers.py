"""Layers from which the networks are built: convolution, normalisation and rectifier as one unit."""

from __future__ import annotations

import copy
from collections.abc import Callable
from types import MappingProxyType
from typing import TypeVar

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d
from torch.nn.utils.fusion import fuse_conv_bn_eval

Module = TypeVar("Module", bound=nn.Module)


ACTIVATIONS: MappingProxyType[str, Callable[[], nn.Module]] = MappingProxyType({
    "hardswish": nn.Hardswish,
    "none": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
})
"""What follows a normalisation; "none" where an addition comes first, or nothing at all."""


class Convolution(nn.Module):
    """Convolution, batch normalisation, activation, and a maximum over pool x pool places where pool is above 1.

    (batch, inputs, height, width) to (batch, outputs, height', width'); the padding keeps the size at stride 1.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1,
                 pool: int = 1, activation: str = "relu") -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.activation = ACTIVATIONS[activation]()
        self.pool: nn.Module = nn.MaxPool2d(pool) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        pooled: Tensor = self.pool(self.activation(self.norm(self.conv(x))))
        return pooled


class Separable(nn.Module):
    """A convolution within each channel, then a 1 x 1 convolution across channels (Howard et al. 2017, MobileNets)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, pool: int = 1) -> None:
        super().__init__()
        self.depthwise = Convolution(inputs, inputs, kernel, stride=stride, groups=inputs)
        self.pointwise = Convolution(inputs, outputs, 1, pool=pool)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        mixed: Tensor = self.pointwise(self.depthwise(x))
        return mixed


class Pixels(nn.Module):
    """Images (batch, height, width, channels) uint8 to (batch, channels, height, width) float32 in [0, 1]."""

    def forward(self, images: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, channels, height, width)."""
        return images.float().permute(0, 3, 1, 2) * (1 / 255)


def _average(x: Tensor) -> Tensor:
    return avg_pool2d(x, x.shape[2:]).reshape(-1, x.shape[1])


def _time_maximum(x: Tensor) -> Tensor:
    """The mean over bands, then its largest value over time: a word counts wherever in the clip it is."""
    return max_pool2d(avg_pool2d(x, (1, x.shape[3])), (x.shape[2], 1)).reshape(-1, x.shape[1])


POOLS: MappingProxyType[str, Callable[[Tensor], Tensor]] = MappingProxyType({
    "average": _average,
    "time_maximum": _time_maximum,
})
"""From (batch, channels, height or time, width or bands) to (batch, channels), as pools that engines have in 8 bits."""


def fold_normalisation(module: Module) -> Module:
    """A copy in eval mode whose batch normalisations have become part of their convolutions; the answers stay."""
    folded = copy.deepcopy(module).eval()
    for unit in folded.modules():
        if isinstance(unit, Convolution) and isinstance(unit.norm, nn.BatchNorm2d):
            unit.conv = fuse_conv_bn_eval(unit.conv, unit.norm)
            unit.norm = nn.Identity()
    return folded
