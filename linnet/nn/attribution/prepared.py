"""A network made ready for many gradients of its input: a copy that computes the same answers with less work."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from linnet.nn.layers import Convolution, fold_normalisation

_SAME = 1e-4
"""Of the largest answer: within it two ways of computing are one."""


def prepared(network: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
    """A copy in evaluation mode whose parameters ask for no gradient and whose batch normalisations are folded away.

    Convolutions and normalisations of anybody's module are joined where one is seen to feed the other; where the
    answers on `inputs` were not the same then, it stays a plain copy.
    """
    plain = copy.deepcopy(network).eval().requires_grad_(False)
    ready = _joined(fold_normalisation(network).requires_grad_(False), inputs)
    with torch.no_grad():
        expected, got = plain(*inputs), ready(*inputs)
    close = bool((expected - got).abs().max() <= _SAME * expected.abs().max().clamp(min=1))
    chosen = ready if close else plain
    if inputs[0].device.type == "cpu":
        chosen = chosen.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _rectify_in_place(chosen)
    return chosen


def _joined(network: nn.Module, inputs: tuple[Tensor, ...]) -> nn.Module:
    made: dict[int, nn.Conv2d] = {}
    alive: list[Tensor] = []
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def listen(module: nn.Module, given: tuple[Any, ...], answer: Any) -> None:
        if isinstance(module, nn.Conv2d):
            made[id(answer)] = module
            alive.append(answer)
        elif isinstance(module, nn.BatchNorm2d) and id(given[0]) in made:
            pairs.append((made[id(given[0])], module))

    with listening([unit for unit in network.modules() if isinstance(unit, nn.Conv2d | nn.BatchNorm2d)], listen), \
            torch.no_grad():
        network(*inputs)
    for conv, norm in pairs:
        if [pair[0] for pair in pairs].count(conv) == 1 and norm.running_mean is not None:
            fused = fuse_conv_bn_eval(conv, norm)
            conv.weight, conv.bias = fused.weight.requires_grad_(False), fused.bias
            if conv.bias is not None:
                conv.bias.requires_grad_(False)
            setattr(norm, "forward", _unchanged)  # noqa: B010
    return network


def _unchanged(x: Tensor) -> Tensor:
    return x


def _rectify_in_place(network: nn.Module) -> None:
    """Our own convolutions' outputs are read by nobody but their rectifier, so that it can write over them."""
    for unit in network.modules():
        if isinstance(unit, Convolution) and isinstance(unit.activation, nn.ReLU):
            unit.activation = nn.ReLU(inplace=True)


@contextmanager
def listening(modules: list[nn.Module], listener: Any) -> Iterator[None]:
    """`listener(module, inputs, output)` is called whenever one of the modules has run."""
    handles = [module.register_forward_hook(listener) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
