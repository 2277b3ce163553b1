"""The distinct values of a weight: millions of weights have some ten thousand of them in bfloat16."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

_VALUES = 1 << 16
_FEW = 1 << 12
"""Below so many weights, a table of all bfloat16 values costs more than it spares."""
_CHUNK = 1 << 16


@dataclass(frozen=True)
class Distinct:
    """`points` (distinct, length), `counts` (distinct, 1): of how many weights each is the value, 0 for none.

    `slots` are the places of the points in the table of all values, `keys` each weight's place there; both are None
    where every weight is a point of its own.
    """

    points: Tensor
    counts: Tensor
    slots: Tensor | None = None
    keys: Tensor | None = None

    def parts(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Points and counts in chunks, so that a map over them and the centroids stays small."""
        return zip(torch.split(self.points, _CHUNK), torch.split(self.counts, _CHUNK), strict=True)

    def spread(self, values: Tensor) -> Tensor:
        """A value (distinct, length) for each point becomes one for each weight; 0 for those that have no point."""
        if self.slots is None or self.keys is None:
            return torch.where(self.counts > 0, values, 0)
        table = values.new_zeros(_VALUES)
        table[self.slots] = values[:, 0]
        return table.index_select(0, self.keys)[:, None]

    def gathered(self, values: Tensor) -> tuple[Tensor, ...]:
        """The sum over each point's weights of values (weights, length), in the chunks of `parts`."""
        if self.slots is None or self.keys is None:
            return torch.split(torch.where(self.counts > 0, values, 0), _CHUNK)
        table = values.new_zeros(_VALUES).index_add_(0, self.keys, values[:, 0])
        return torch.split(table[self.slots][:, None], _CHUNK)


def distinct(weights: Tensor, precision: torch.dtype, *, exact: bool, zeros_stay: bool) -> Distinct:
    """Of weights (n, length): scalars rounded to bfloat16, unless `exact`, few, or double; else each by itself.

    With `zeros_stay`, weights that are 0 count as no point.
    """
    if exact or weights.shape[1] > 1 or len(weights) < _FEW or weights.dtype == torch.float64:
        counts = (weights != 0).any(1, keepdim=True) if zeros_stay else torch.ones_like(weights[:, :1])
        return Distinct(weights.to(precision), counts.to(precision))
    keys = weights[:, 0].to(torch.bfloat16).view(torch.int16).to(torch.int32) & (_VALUES - 1)
    counts = torch.bincount(keys, minlength=_VALUES)
    if zeros_stay:
        counts[0] = counts[_VALUES >> 1] = 0
    slots = counts.nonzero()[:, 0]
    points = slots.to(torch.int16).view(torch.bfloat16).to(precision)
    return Distinct(points[:, None], counts[slots][:, None].to(precision), slots, keys)
