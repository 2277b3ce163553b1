"""Channels of even size: what normalisation undoes anyway is taken out of the weights before they share a palette."""

from __future__ import annotations

from collections.abc import Collection

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from linnet.nn.layers import Convolution


@torch.no_grad()
def even_channels(module: nn.Module, layers: Collection[str]) -> tuple[str, ...]:
    """Divide each output channel of these convolutions by its size, where a batch normalisation follows; in place.

    The size is the root of the mean square, against that of the whole layer. Statistics and scale of the normalisation
    change with it, so that the answers stay what they were. Returns the paths of the convolutions that were changed.
    """
    changed = []
    for name, unit in module.named_modules():
        if (f"{name}.conv" in layers and isinstance(unit, Convolution) and isinstance(unit.norm, nn.BatchNorm2d)
                and not is_parametrized(unit.conv)):
            _even(unit.conv, unit.norm)
            changed.append(f"{name}.conv")
    return tuple(changed)


def _even(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    sizes = conv.weight.square().flatten(1).mean(1).sqrt()
    shares = torch.where(sizes > 0, sizes / sizes.square().mean().sqrt(), 1.0)
    before = (variance + norm.eps).sqrt()
    conv.weight /= shares.reshape(-1, 1, 1, 1)
    mean /= shares
    variance /= shares.square()
    # what epsilon adds to the variance does not shrink with it
    norm.weight.mul_(shares * (variance + norm.eps).sqrt() / before)
