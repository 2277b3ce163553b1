"""Of which ranks a layer's factors can be, how much of it they keep, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def reason_against(layer: nn.Module) -> str | None:
    """Why the layer has no factors; None where it has."""
    if not isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d):
        return f"a {type(layer).__name__} is neither linear nor a convolution"
    if isinstance(layer, nn.Linear):
        return None if min(layer.weight.shape) > 1 else "it has one input or one output only"
    if layer.groups > 1:
        return f"its channels are in {layer.groups} groups"
    if layer.padding_mode != "zeros":
        return f"its padding is {layer.padding_mode}"
    return None if min(layer.weight.shape[:2]) > 1 else "it has one input or one output only"


def is_plain(layer: nn.Module) -> bool:
    """Whether the layer has two factors and one rank: a linear layer, a convolution whose kernel is 1."""
    return isinstance(layer, nn.Linear) or math.prod(layer.kernel_size) == 1  # type: ignore[arg-type]


def full_ranks(layer: nn.Module) -> tuple[int, ...]:
    """The ranks at which the factors can be the layer itself: (r,) or (r, s)."""
    outputs, inputs, *kernel = layer.get_parameter("weight").shape
    if is_plain(layer):
        return (min(outputs, inputs),)
    places = math.prod(kernel)
    return min(inputs, outputs * places), min(outputs, inputs * places)


def energies(layer: nn.Module) -> list[Tensor]:
    """For each rank of `full_ranks`, the squares of the singular values that it counts, largest first."""
    weight = layer.get_parameter("weight").detach().double()
    unfolded = [weight.flatten(1)] if is_plain(layer) else [weight.transpose(0, 1).flatten(1), weight.flatten(1)]
    return [torch.linalg.svdvals(matrix).square() for matrix in unfolded]


def ranks_for(found: Sequence[Tensor], energy: float) -> tuple[int, ...]:
    """The smallest ranks at which the share `energy` of the squares stays, from what `energies` found.

    Of a convolution each of the two ranks keeps it, so that the product keeps at least 1 - 2 (1 - energy) (De Lathauwer
    et al. 2000, SIAM J. Matrix Anal. Appl. 21, property 10).
    """
    return tuple(min(len(squares), 1 + int((squares.cumsum(0) < energy * squares.sum() * (1 - 1e-12)).sum()))
                 for squares in found)


def multiplications(layer: nn.Module, ranks: Sequence[int] | None, positions: tuple[int, int]) -> int:
    """Of the layer (`ranks` None) or of its factors, a sample; `positions` are those of its input and its output."""
    if ranks is None:
        return positions[1] * layer.get_parameter("weight").numel()
    return round(sum(cost * math.prod(ranks[place] for place in places)
                     for places, cost in unit_costs(layer, positions).items()))


def unit_costs(layer: nn.Module, positions: tuple[int, int]) -> dict[tuple[int, ...], float]:
    """Multiplications of the factors for one channel of rank 0, of rank 1, and of both: as `Budget` takes them."""
    outputs, inputs, *kernel = layer.get_parameter("weight").shape
    before, after = positions
    if is_plain(layer):
        return {(0,): float(after * (inputs + outputs))}
    return {(0,): float(before * inputs), (0, 1): float(after * math.prod(kernel)), (1,): float(after * outputs)}
