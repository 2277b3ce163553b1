"""How mel power becomes the picture that a network sees: against silence, against the loudest, or as time goes by.

The running ones are causal, and recursive: what they remember of the past is one number a recording or a band. They are
computed for all frames at once, by operators that every engine has; from chunk to chunk they carry just that number.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, exp, log
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, pad

from linnet.nn.carrying import Carrying

POWER_FLOOR = 1e-10
_RANGE = 6 * log(10)
"""60 dB of power, as a natural logarithm."""

_LOUDEST = log(1e8)
"""No power is larger: a full-scale tone under a window of 20 000 samples."""

_BLOCK = 128
"""Frames over which a running mean is one matrix product."""


class Absolute(nn.Module):
    """Decibels re 1.0, -60 to 0 and 0 to 1, not clipped above: loudness stays to be seen."""

    def forward(self, power: Tensor) -> Tensor:
        """(batch, frames, bands), above zero, to the same shape."""
        return torch.relu(torch.log(power) / _RANGE + 1)


class BelowMaximum(nn.Module):
    """Decibels below the clip's loudest value, 60 below to 0 and the loudest to 1: what loudness cannot change.

    The loudest value counts as 60 dB above the floor at least, so that silence is zero and not as loud as can be.
    """

    def forward(self, power: Tensor) -> Tensor:
        """(batch, frames, bands), above zero, to the same shape."""
        level = torch.log(power)
        loudest = level.amax(dim=(1, 2), keepdim=True).clamp(min=log(POWER_FLOOR) + _RANGE)
        return torch.relu((level - loudest) / _RANGE + 1)


class Running(Carrying):
    """BelowMaximum without the future: decibels below the loudest value so far, which is forgotten at 6 dB a second.

    loudest[t] = max(loudest[t - 1] - step, level[t]), and loudest[-1] is 60 dB above the floor. Since the steps add up,
    it is the maximum of level[s] + step s over s up to t, less step t; beyond `reach` frames nothing is left to find.
    The maximum over so many is one over `side` of them, then over every side-th of those.
    """

    def __init__(self, hop_s: float) -> None:
        super().__init__()
        self.step = 6 / 10 * log(10) * hop_s
        self.reach = ceil((_LOUDEST - log(POWER_FLOOR) - _RANGE) / self.step)

    def forward(self, power: Tensor) -> Tensor:
        """(batch, frames, bands), above zero, to the same shape."""
        level = torch.log(power)
        frames, least = level.shape[1], log(POWER_FLOOR) + _RANGE
        side = ceil((min(frames, self.reach) if isinstance(frames, int) else self.reach) ** 0.5)
        steps = torch.arange(frames, device=level.device, dtype=level.dtype) * self.step
        found = level.amax(dim=2)[:, None, :, None] + steps.unsqueeze(1)
        for apart in (1, side):
            found = max_pool2d(pad(found, (0, 0, (side - 1) * apart, 0), value=log(POWER_FLOOR)), (side, 1), 1,
                               dilation=(apart, 1))
        above = found.squeeze(1) - steps.unsqueeze(1) - least
        before = self.recall(level.new_zeros(level.shape[0], 1)).unsqueeze(1) - (steps + self.step).unsqueeze(1)
        above = torch.relu(torch.maximum(above, before))
        self.keep(above[:, -1])
        loudest = above + least
        return torch.relu((level - loudest) / _RANGE + 1)


class Pcen(Carrying):
    """Per-channel energy normalisation: power over its running mean, then a root (Wang et al. 2017, arXiv:1607.05666).

    mean[t] = (1 - s) mean[t - 1] + s power[t], and mean[-1] is the first frame's power; the picture is
    (power / (1e-6 + mean)^gain + bias)^root - bias^root. Gain, bias and root are trained, one a band, from the paper's
    values 0.98, 2 and 0.5; s is 0.025 for 10 ms.
    """

    def __init__(self, bands: int, hop_s: float) -> None:
        super().__init__()
        self.log_gain, self.log_bias, self.log_root = (nn.Parameter(torch.full((bands,), log(value)))
                                                       for value in (0.98, 2.0, 0.5))
        self.rate = -log(1 - 0.025) * hop_s / 0.010

    def forward(self, power: Tensor) -> Tensor:
        """(batch, frames, bands), above zero, to the same shape."""
        energy = power - POWER_FLOOR
        gain, bias, root = torch.exp(self.log_gain), torch.exp(self.log_bias), torch.exp(self.log_root)
        smooth = torch.exp(-gain * torch.log(self._mean(energy) + 1e-6))
        return torch.pow(energy * smooth + bias, root) - torch.pow(bias, root)

    def _mean(self, energy: Tensor) -> Tensor:
        """The running mean; what is kept of it is one number a band, and whether there is any."""
        kept = self.recall(energy.new_zeros(energy.shape[0], energy.shape[2] + 1))
        began, mean = kept[:, :1], kept[:, 1:]
        means = running_mean(energy, self.rate, began * mean + (1 - began) * energy[:, 0])
        self.keep(torch.cat([torch.ones_like(began), means[:, -1]], dim=1))
        return means


def running_mean(x: Tensor, rate: float, first: Tensor | None = None) -> Tensor:
    """mean[t] = e^-rate mean[t - 1] + (1 - e^-rate) x[t]: (batch, frames, bands) to the same.

    mean[-1] is `first` (batch, bands), without it x[0].

    Within a block of frames it is a product with a triangle of decays; what a block has gathered is handed to later
    blocks by a second one. No power is ever above one, so any number of frames is safe.
    """
    frames, bands = x.shape[1], x.shape[2]
    is_short = isinstance(frames, int) and frames <= _BLOCK  # in a trace, frames may be any number
    size, blocks = (frames, 1) if is_short else (_BLOCK, frames // _BLOCK + 1)
    apart = pad(x, (0, 0, 0, blocks * size - frames)).reshape(-1, blocks, size, bands)
    own = (1 - exp(-rate)) * (_decays(size, rate, x) @ apart)
    gathered = _decays(blocks, rate * size, x, delay=1) @ own[:, :, -1]
    start = gathered + _fading(blocks, rate * size, x) * (x[:, 0] if first is None else first).unsqueeze(1)
    means = own + exp(-rate) * _fading(size, rate, x) * start.unsqueeze(2)
    return means.reshape(-1, blocks * size, bands)[:, :frames]


def _decays(size: int, rate: float, like: Tensor, *, delay: int = 0) -> Tensor:
    """What is left of each place, a column, at each later one, a row: (size, size)."""
    places = torch.arange(size, device=like.device)
    lag = places.unsqueeze(1) - places - delay
    return torch.exp(-rate * lag.clamp(min=0).to(like.dtype)) * (lag >= 0)


def _fading(size: int, rate: float, like: Tensor) -> Tensor:
    """e^0, e^-rate, e^-2 rate and so on: (size, 1)."""
    return torch.exp(-rate * torch.arange(size, device=like.device).to(like.dtype)).unsqueeze(1)


NORMALISATIONS: MappingProxyType[str, Callable[[int, float], nn.Module]] = MappingProxyType({
    "absolute": lambda _bands, _hop_s: Absolute(),
    "below_maximum": lambda _bands, _hop_s: BelowMaximum(),
    "pcen": Pcen,
    "running": lambda _bands, hop_s: Running(hop_s),
})
"""By name: (bands, hop in seconds) to what makes the picture of mel power (batch, frames, bands), above zero."""

CAUSAL = ("absolute", "pcen", "running")
"""Those in which no frame hears a later one."""
