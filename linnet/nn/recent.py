"""Pools over time for streams: what was heard so far, or as much of it as a window of the task lasts."""

from __future__ import annotations

import torch
from torch import Tensor

from linnet.nn.carrying import Carrying


class Mean(Carrying):
    """The mean over the last `positions` that are real, or over all so far: (batch, positions, channels) to
    (batch, channels); zero where none is.
    """

    def __init__(self, positions: int | None) -> None:
        super().__init__()
        self.positions = positions

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`mask` (batch, positions) is 1.0 for real positions."""
        weights = mask.unsqueeze(2)
        counted = torch.cat([x * weights, weights], dim=2)
        if self.positions is None:
            sums = self.recall(counted.new_zeros(counted.shape[0], counted.shape[2])) + counted.sum(dim=1)
            self.keep(sums)
        else:
            sums = self.behind(counted, self.positions - 1, 1)[:, -self.positions :].sum(dim=1)
        return sums[:, :-1] / sums[:, -1:].clamp(min=1)


class Maximum(Carrying):
    """The largest of the last `positions`, none of which is negative: (batch, positions, channels) to
    (batch, channels).
    """

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.positions = positions

    def forward(self, x: Tensor) -> Tensor:
        """Every position counts."""
        return self.behind(x, self.positions - 1, 1)[:, -self.positions :].amax(dim=1)
