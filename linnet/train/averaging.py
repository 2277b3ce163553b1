"""A running mean of the weights while they are trained."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """The exponential mean of a network's weights and running statistics (Polyak and Juditsky 1992).

    In the first steps the decay is smaller, (1 + step) / (10 + step), so that the fresh weights are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module, self.decay = copy.deepcopy(module), decay

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Take in the weights after the step of this number, counted from 0."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, value in zip(self.module.state_dict().values(), module.state_dict().values(), strict=True):
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)
