"""One layer as a product of smaller ones: a linear one as two (SVD), a convolution as three (Tucker-2)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.rewrites import REWRITES
from linnet.nn.soft.gates import Gates
from linnet.nn.soft.ranks import full_ranks, is_plain, reason_against

_SWEEPS = 3
"""Of the higher-order iteration; the first already comes within a percent."""


class Factors(nn.Sequential):
    """In place of a layer: `reduce` to fewer channels, `core` (of a convolution with a kernel), `expand` again.

    A linear layer or a 1 x 1 convolution of rank r: expand(reduce(x)), r channels between. A convolution of ranks
    (r, s): 1 x 1 from its inputs to r channels, its kernel from r to s with its stride and padding, 1 x 1 from s to its
    outputs (Kim et al. 2016, arXiv:1511.06530, figure 1). The bias is that of `expand`. While ranks are learned,
    `reduce_gates` and `core_gates` lie between.
    """

    @property
    def gates(self) -> list[Gates]:
        """Those that there are, in the order of the signal."""
        return [part for part in self if isinstance(part, Gates)]


def blank(layer: nn.Module, ranks: Sequence[int]) -> Factors:
    """Factors of these ranks with fresh weights, for a linear layer or a convolution."""
    refusal = reason_against(layer)
    if refusal:
        raise LinnetError(f"a layer cannot be factorized: {refusal}.")
    if len(ranks) != len(full_ranks(layer)) or any(
            not 1 <= rank <= most for rank, most in zip(ranks, full_ranks(layer), strict=True)):
        raise LinnetError(f"a layer of shape {tuple(layer.get_parameter('weight').shape)} has ranks from 1 to "
                          f"{full_ranks(layer)}; got {tuple(ranks)}.")
    with torch.random.fork_rng(devices=[]):
        return _blank(layer, ranks)


def _blank(layer: nn.Module, ranks: Sequence[int]) -> Factors:
    place: dict[str, Any] = {"device": layer.get_parameter("weight").device}
    bias, named = layer.bias is not None, OrderedDict[str, nn.Module]()
    if isinstance(layer, nn.Linear):
        named["reduce"] = nn.Linear(layer.in_features, ranks[0], bias=False, **place)
        named["expand"] = nn.Linear(ranks[0], layer.out_features, bias=bias, **place)
        return Factors(named)
    assert isinstance(layer, nn.Conv1d | nn.Conv2d)
    kind: Any = type(layer)
    moving: dict[str, Any] = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    if is_plain(layer):
        named["reduce"] = kind(layer.in_channels, ranks[0], layer.kernel_size, bias=False, **moving, **place)
    else:
        named["reduce"] = kind(layer.in_channels, ranks[0], 1, bias=False, **place)
        named["core"] = kind(ranks[0], ranks[1], layer.kernel_size, bias=False, **moving, **place)
    named["expand"] = kind(ranks[-1], layer.out_channels, 1, bias=bias, **place)
    return Factors(named)


@torch.no_grad()
def factorize(layer: nn.Module, ranks: Sequence[int]) -> Factors:
    """The factors of these ranks that come closest to the layer, in the sum of squares.

    SVD, the best there is (Eckart and Young 1936); for a kernel the Tucker-2 product by higher-order orthogonal
    iteration (De Lathauwer, De Moor and Vandewalle 2000, SIAM J. Matrix Anal. Appl. 21, 1324), which comes close to it.
    """
    made, weight = blank(layer, ranks), layer.get_parameter("weight").detach().double()
    for part, value in zip(("reduce", "core", "expand") if len(ranks) == 2 else ("reduce", "expand"),
                           _tucker(weight, ranks) if len(ranks) == 2 else _svd(weight, ranks[0]), strict=True):
        made.get_parameter(f"{part}.weight").copy_(value)
    if layer.bias is not None:
        made.get_parameter("expand.bias").copy_(layer.get_parameter("bias"))
    return made.train(layer.training)


def _svd(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, values, right = torch.linalg.svd(weight.flatten(1), full_matrices=False)
    half, tail = values[:rank].sqrt(), [1] * (weight.ndim - 2)
    return (half[:, None] * right[:rank]).reshape(rank, -1, *tail), (left[:, :rank] * half).reshape(-1, rank, *tail)


def _tucker(weight: Tensor, ranks: Sequence[int]) -> tuple[Tensor, Tensor, Tensor]:
    outputs, inputs, *kernel = weight.shape
    flat = weight.flatten(2)
    left = _leading(flat.flatten(1), ranks[1])
    for _ in range(_SWEEPS):
        right = _leading(torch.einsum("oik,os->isk", flat, left).flatten(1), ranks[0])
        left = _leading(torch.einsum("oik,ir->ork", flat, right).flatten(1), ranks[1])
    core = torch.einsum("oik,os,ir->srk", flat, left, right)
    tail = [1] * len(kernel)
    return (right.T.reshape(ranks[0], inputs, *tail), core.reshape(ranks[1], ranks[0], *kernel),
            left.reshape(outputs, ranks[1], *tail))


def _leading(matrix: Tensor, rank: int) -> Tensor:
    """Its first left singular vectors, as columns."""
    vectors: Tensor = torch.linalg.svd(matrix, full_matrices=False)[0][:, :rank]
    return vectors


def gated(factors: Factors) -> Factors:
    """The same factors with gates behind `reduce` and `core`: channels with more energy are more open."""
    named, axis = OrderedDict[str, nn.Module](), -1 if isinstance(factors.reduce, nn.Linear) else 1
    order = list(factors.named_children())
    for (name, part), (_, after) in zip(order, [*order[1:], order[-1]], strict=True):
        named[name] = part
        if name != "expand":
            weight, next_weight = (found.get_parameter("weight").detach() for found in (part, after))
            energy = weight.flatten(1).norm(dim=1) * next_weight.transpose(0, 1).flatten(1).norm(dim=1)
            named[f"{name}_gates"] = Gates(len(weight), axis=axis, importance=energy).to(weight.device)
    return Factors(named).train(factors.training)


@torch.no_grad()
def without_gates(factors: Factors) -> Factors:
    """The factors without the channels whose gates are closed, and without gates; they answer the same."""
    named, kept = OrderedDict[str, nn.Module](), None
    for name, part in factors.named_children():
        if isinstance(part, Gates):
            kept = part.kept
            before = next(reversed(named.values()))
            _take(before, kept, 0)
        else:
            if kept is not None:
                _take(part, kept, 1)
            named[name] = part
    return Factors(named).train(factors.training)


def _take(layer: nn.Module, kept: Tensor, axis: int) -> None:
    """Only these outputs (axis 0) or inputs (axis 1) stay; the layer's own numbers of channels follow."""
    weight = layer.get_parameter("weight")
    layer.register_parameter("weight", nn.Parameter(weight.detach()[kept] if axis == 0 else weight.detach()[:, kept]))
    features = isinstance(layer, nn.Linear)
    name = ("out_" if axis == 0 else "in_") + ("features" if features else "channels")
    setattr(layer, name, int(kept.sum()))


def ranks_of(factors: Factors) -> tuple[int, ...]:
    """(r,) or (r, s): the channels behind `reduce` and `core`."""
    return tuple(len(part.get_parameter("weight")) for name, part in factors.named_children()
                 if name in ("reduce", "core"))


def replace_layer(module: nn.Module, path: str, layer: nn.Module) -> None:
    """Put another layer at this path."""
    parent, _, name = path.rpartition(".")
    setattr(module.get_submodule(parent), name, layer)


def _rewrite(module: nn.Module, arguments: Mapping[str, Any]) -> None:
    """{"layers": {path: [r] or [r, s]}}: `blank` factors in the place of each."""
    for path, ranks in arguments["layers"].items():
        replace_layer(module, path, blank(module.get_submodule(path), ranks))


REWRITES["factorize"] = _rewrite
