"""Layers from which the networks are built: convolution, normalisation and rectifier as one unit."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d
from torch.nn.utils.fusion import fuse_conv_bn_eval

from linnet.nn.carrying import Carrying
from linnet.nn.subbands import SubSpectral, fold

Module = TypeVar("Module", bound=nn.Module)


ACTIVATIONS: MappingProxyType[str, Callable[[], nn.Module]] = MappingProxyType({
    "hardswish": nn.Hardswish,
    "none": nn.Identity,
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "silu": nn.SiLU,
})
"""What follows a normalisation; "none" where an addition comes first, or nothing at all."""


class Convolution(Carrying):
    """Convolution, batch normalisation, activation, and a maximum over pool x pool places where pool is above 1.

    (batch, inputs, height, width) to (batch, outputs, height', width'); the padding keeps the size at stride 1. Where
    it is `causal`, height is time: of each `stride` rows one comes out, which hears those rows and what came before
    them, in an earlier chunk too. `options` are those of nn.Conv2d: stride, groups, dilation.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int | Sequence[int], *, pool: int = 1,
                 activation: str = "relu", causal: bool = False, **options: Any) -> None:
        super().__init__()
        size, dilation = _pair(kernel), _pair(options.pop("dilation", 1))
        height, width = (step * (places - 1) for step, places in zip(dilation, size, strict=True))
        self.before = max(0, height + 1 - _pair(options.get("stride", 1))[0]) if causal else 0
        self.conv = nn.Conv2d(inputs, outputs, size, padding=(0 if causal else height // 2, width // 2),
                              dilation=dilation, bias=False, **options)
        self.norm: nn.Module = nn.BatchNorm2d(outputs)
        self.activation = ACTIVATIONS[activation]()
        self.pool: nn.Module = nn.MaxPool2d(pool) if pool > 1 else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        if self.before:
            x = self.behind(x, self.before, 2)
        pooled: Tensor = self.pool(self.activation(self.norm(self.conv(x))))
        return pooled


class Separable(nn.Module):
    """A convolution within each channel, then a 1 x 1 convolution across channels (Howard et al. 2017, MobileNets)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: int = 1, pool: int = 1,
                 causal: bool = False) -> None:
        super().__init__()
        self.depthwise = Convolution(inputs, inputs, kernel, stride=stride, groups=inputs, causal=causal)
        self.pointwise = Convolution(inputs, outputs, 1, pool=pool)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, height, width) to (batch, outputs, height', width')."""
        mixed: Tensor = self.pointwise(self.depthwise(x))
        return mixed


def _pair(size: int | Sequence[int]) -> tuple[int, int]:
    """The same along both axes, or (along height, along width)."""
    along_height, along_width = (size, size) if isinstance(size, int) else size
    return along_height, along_width


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
    """A copy in eval mode whose batch normalisations have become part of their convolutions; the answers stay.

    Every convolution has a bias then: exporters would compute zeros for one that has none.
    """
    folded = copy.deepcopy(module).eval()
    for unit in folded.modules():
        if isinstance(unit, Convolution) and isinstance(unit.norm, nn.BatchNorm2d):
            owner, name = _last(unit)
            setattr(owner, name, fuse_conv_bn_eval(getattr(owner, name), unit.norm))
            unit.norm = nn.Identity()
        elif isinstance(unit, Convolution) and isinstance(unit.norm, SubSpectral):
            owner, name = _last(unit)
            conv, unit.norm = fold(getattr(owner, name), unit.norm)
            setattr(owner, name, conv)
    for unit in folded.modules():
        if isinstance(unit, nn.Conv2d) and unit.bias is None:
            unit.bias = nn.Parameter(unit.weight.new_zeros(unit.out_channels))
    return folded


def _last(unit: Convolution) -> tuple[nn.Module, str]:
    """Where the convolution before the normalisation is: in the unit itself, or the last of its factors."""
    return (unit.conv, "expand") if isinstance(unit.conv, nn.Sequential) else (unit, "conv")
