"""Masks over weights: the small ones go, gradually, softly or at once, anywhere or so many of each few."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError


class Mask(nn.Module):
    """A parametrization w -> w * m of one weight, whose m falls to zero for the share of w that is smallest.

    Without a `temperature` m is 0 or 1 (magnitude pruning; Zhu and Gupta 2017, arXiv:1710.01878). With one, it is
    m = sigmoid((w^2 - t^2) / tau), t halfway between the largest |w| that goes and the smallest that stays, tau =
    temperature * t^2 (PDP: Cho, Adya and Naik 2023, arXiv:2305.11203; their tau is a constant, this one follows the
    scale of the layer). It has no parameters: a weight near t is pulled to either side by the loss, and may return.

    `pattern` (n, m) keeps n of every m inputs that follow each other, at each output and place of the kernel, in place
    of the `share`. The share grows between the shares `ramp` of the training as 1 - (1 - x) ** `curve`; from `settles`
    on the mask is hard and stays as it is, and the weights have taken up what it was before.
    """

    keep: Tensor
    threshold: Tensor
    soft: Tensor
    settled: Tensor

    def __init__(self, weight: nn.Parameter, *, share: float | None = None, pattern: tuple[int, int] | None = None,
                 temperature: float | None = None, curve: float = 3.0, ramp: tuple[float, float] = (0.0, 0.5),
                 settles: float = 0.75) -> None:
        super().__init__()
        _check(weight, share, pattern, temperature, (*ramp, settles))
        self.share, self.pattern, self.temperature = share, pattern, temperature
        self.curve, self.ramp, self.settles = curve, ramp, settles
        self.weight = (weight,)  # no entry of the module: it is the layer's own, and copies of both stay together
        self.register_buffer("keep", torch.ones_like(weight, dtype=torch.bool))
        self.register_buffer("threshold", torch.zeros_like(_grouped(weight.detach(), pattern)[..., :1]))
        for name in ("soft", "settled"):
            self.register_buffer(name, torch.tensor(False, device=weight.device))

    @property
    def is_settled(self) -> bool:
        """Whether the mask is hard and final."""
        return bool(self.settled)

    def forward(self, weight: Tensor) -> Tensor:
        """The weight with its mask, in the same shape."""
        kept = self.keep.to(weight.dtype)
        if self.temperature is None:
            return weight * kept
        return weight * torch.where(self.soft, soft_mask(weight, self.threshold, self.temperature, self.pattern), kept)

    @torch.no_grad()
    def advance(self, share: float) -> None:
        """Prune as much as this share of the training asks, of the weight as it now is."""
        if self.is_settled:
            return
        start, end = self.ramp
        done = min(1.0, max(0.0, (share - start) / max(end - start, 1e-9)))
        weight, settles = self.weight[0], share >= self.settles
        self._prune(1 - (1 - (1.0 if settles else done)) ** self.curve)
        if settles:
            weight.copy_(self(weight) * self.keep)
            self.soft.fill_(False)
            self.settled.fill_(True)

    def _prune(self, done: float) -> None:
        weight = self.weight[0]
        rows = _grouped(weight.detach().abs(), self.pattern)
        going = self._going(done, rows.shape[-1])
        self.soft.fill_(going > 0 and self.temperature is not None)
        if going:
            sizes, order = torch.sort(rows, stable=True)
            self.threshold.copy_((sizes[..., going - 1 : going] + sizes[..., going : going + 1]) / 2)
            kept = torch.ones_like(rows, dtype=torch.bool).scatter_(-1, order[..., :going], False)
            self.keep.copy_(_apart(kept, weight, self.pattern))

    def _going(self, done: float, size: int) -> int:
        """How many of each row of so many weights go."""
        if self.pattern is not None:
            return round(done * (self.pattern[1] - self.pattern[0]))
        assert self.share is not None
        return min(size - 1, round(done * self.share * size))


def soft_mask(weight: Tensor, threshold: Tensor, temperature: float, pattern: tuple[int, int] | None = None) -> Tensor:
    """m = sigmoid((w^2 - t^2) / (temperature * t^2)), as the weight is shaped; one half where |w| = t.

    `threshold` is t, (1, 1), or with a `pattern` (groups, 1), as `Mask` keeps it. No gradient goes through t.
    """
    squares = _grouped(weight.square(), pattern)
    level = threshold.detach().square()
    mask = torch.sigmoid((squares - level) / (temperature * level).clamp(min=torch.finfo(weight.dtype).tiny ** 0.5))
    return _apart(mask, weight, pattern)


def shares(weights: list[Tensor], share: float, budget: str = "global") -> list[float]:
    """What share of each weight goes, so that `share` goes of all together.

    "uniform": the same of each. "global": the smallest magnitudes of all. "lamp": the smallest w^2 / (the sum of the
    squares in its layer that are not smaller), which no layer's scale changes (Lee et al. 2021, arXiv:2010.07611).
    Every layer keeps at least as many weights as it has outputs.
    """
    if budget == "uniform":
        return [share] * len(weights)
    scores = [_lamp(weight) if budget == "lamp" else weight.detach().abs().flatten() for weight in weights]
    most = [weight.numel() - min(len(weight), weight.numel() // 2) for weight in weights]
    going, full = [0] * len(weights), [False] * len(weights)
    left = min(round(share * sum(map(len, scores))), sum(most))
    while True:
        free = [place for place, is_full in enumerate(full) if not is_full]
        cut = torch.cat([scores[place] for place in free]).sort().values[max(0, left - 1)] if left else None
        for place in free:
            going[place] = 0 if cut is None else int((scores[place] <= cut).sum())
        over = [place for place in free if going[place] > most[place]]
        if not over:
            return [gone / weight.numel() for gone, weight in zip(going, weights, strict=True)]
        for place in over:
            going[place], full[place] = most[place], True
            left -= most[place]


def _lamp(weight: Tensor) -> Tensor:
    squares, order = weight.detach().square().flatten().sort(descending=True)
    scores = squares / squares.cumsum(0).clamp(min=torch.finfo(weight.dtype).tiny)
    return torch.empty_like(scores).scatter_(0, order, scores)


def fits(weight: Tensor, pattern: tuple[int, int] | None) -> bool:
    """Whether the weight's inputs, its second axis, come in whole groups of the pattern."""
    return pattern is None or (weight.ndim > 1 and weight.shape[1] % pattern[1] == 0)


def _grouped(weight: Tensor, pattern: tuple[int, int] | None) -> Tensor:
    """A row for every group that is pruned on its own: all of it, or every m inputs that follow each other."""
    return weight.reshape(1, -1) if pattern is None else weight.movedim(1, -1).reshape(-1, pattern[1])


def _apart(rows: Tensor, weight: Tensor, pattern: tuple[int, int] | None) -> Tensor:
    """Back from `_grouped` to the shape of the weight."""
    return rows.reshape(weight.shape) if pattern is None else rows.reshape(weight.movedim(1, -1).shape).movedim(-1, 1)


def _check(weight: Tensor, share: float | None, pattern: tuple[int, int] | None, temperature: float | None,
           times: tuple[float, float, float]) -> None:
    if (share is None) == (pattern is None):
        raise LinnetError("a mask takes either a share or a pattern (n, m).")
    if share is not None and not 0 < share < 1:
        raise LinnetError(f"share is that of the weights that go, above 0 and below 1; got {share!r}.")
    if pattern is not None and not 0 < pattern[0] < pattern[1]:
        raise LinnetError(f"pattern (n, m) keeps n of m weights, 0 < n < m; got {pattern!r}.")
    if not fits(weight, pattern):
        raise LinnetError(f"a weight of shape {tuple(weight.shape)} has no whole groups of {pattern and pattern[1]} "
                          "inputs.")
    if temperature is not None and not temperature > 0:
        raise LinnetError(f"temperature must be above 0 (or left out for hard masks); got {temperature!r}.")
    if not (0 <= times[0] <= times[1] <= times[2] <= 1):
        raise LinnetError(f"ramp and settles are shares of the training in this order, within 0 and 1; got {times}.")
    if not torch.isfinite(weight).all():
        raise LinnetError("the weight has values that are not finite (NaN or infinity), so its small ones are unknown.")
