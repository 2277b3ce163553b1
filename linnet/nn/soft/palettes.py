"""Palettes: a weight whose values are few, learned with it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.soft.clustering import kmeans
from linnet.nn.soft.dkm import soft_weights

MOST_BITS = 8


class Palette(nn.Module):
    """A parametrization of one weight by 2 ** bits centroids of `length` weights each, that follow each other.

    While it is trained, the weight is attention @ centroids (DKM: Cho et al. 2021, arXiv:2108.12659), where the
    centroids follow the weights from step to step by `iterations` of soft k-means. tau falls from the first to the
    second `temperature`, times the mean squared distance of a weight from its centroid at the start, so that it means
    the same for every layer and number of bits. From the share `settles` of the training on it is 0: each weight is
    its nearest centroid, the mean of those that share it, and its gradient goes straight through. In evaluation it is
    so from the start. It has no parameters. With `zeros_stay` one of the palette's values is 0, for weights that are 0.

    Raises LinnetError for a weight that is not finite, or that has no whole vectors.
    """

    centroids: Tensor
    tau: Tensor
    error: Tensor

    def __init__(self, weight: Tensor, *, bits: int, length: int = 1, temperature: tuple[float, float] = (2.0, 0.2),
                 settles: float = 0.5, iterations: int = 1, zeros_stay: bool = False, seed: int = 0) -> None:
        super().__init__()
        _check(weight, bits, length, temperature, settles)
        self.length, self.temperature, self.settles = length, temperature, settles
        self.iterations, self.zeros_stay = iterations, zeros_stay
        points = weight.detach().reshape(-1, length).float()
        drawing = points[(points != 0).any(1)] if zeros_stay else points
        if not len(drawing):
            raise LinnetError("the weight is 0 everywhere, so it needs no palette; leave its layer out.")
        self.register_buffer("centroids", kmeans(drawing, (1 << bits) - zeros_stay, seed=seed))
        nearest, _ = soft_weights(drawing, self.centroids, 0.0, iterations=0)
        self.register_buffer("error", (nearest - drawing).square().sum(1).mean())
        self.register_buffer("tau", temperature[0] * self.error)

    @property
    def is_settled(self) -> bool:
        """Whether every weight is one of the palette."""
        return not bool(self.tau)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight as the palette gives it, in the same shape."""
        points = weight.reshape(-1, self.length)
        if not self.training:
            hard, _ = soft_weights(points, self.centroids, 0.0, iterations=0, zeros_stay=self.zeros_stay)
            return hard.view_as(weight)
        soft, centroids = soft_weights(points, self.centroids, self.tau, iterations=self.iterations,
                                       zeros_stay=self.zeros_stay)
        with torch.no_grad():
            self.centroids.copy_(centroids)
        return soft.view_as(weight)

    @torch.no_grad()
    def advance(self, share: float) -> None:
        """Take the tau of this share of the training."""
        first, last = self.temperature
        done = share / self.settles if self.settles else 1.0
        self.tau.copy_(self.error * (first * (last / first) ** done if done < 1 else 0.0))


def palette_bits(weight: Tensor) -> int:
    """The bits of an index into the weight's distinct values."""
    return max(1, math.ceil(math.log2(len(torch.unique(weight.detach())))))


def _check(weight: Tensor, bits: int, length: int, temperature: tuple[float, float], settles: float) -> None:
    if not 1 <= bits <= MOST_BITS:
        raise LinnetError(f"a palette has 1 to {MOST_BITS} bits; got {bits!r}.")
    if length < 1 or weight[0].numel() % length:
        raise LinnetError(f"vectors of {length} weights do not fill the {weight[0].numel()} inputs of an output; take "
                          "a length that divides them, or 1.")
    if not 0 < temperature[1] <= temperature[0]:
        raise LinnetError(f"temperatures must be above 0, the first the higher; got {temperature!r}.")
    if not 0 <= settles <= 1:
        raise LinnetError(f"settles is a share of the training, from 0 to 1; got {settles!r}.")
    if weight.numel() // length < 1 << bits:
        raise LinnetError(f"{weight.numel()} weights have no use for a palette of {1 << bits} times {length}; take "
                          "fewer bits.")
