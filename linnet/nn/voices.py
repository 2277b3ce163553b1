"""Blocks that hear who speaks: convolutions over time at several scales, and statistics over the frames that matter."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn

from linnet.nn.layers import Convolution
from linnet.nn.masking import FAR, real_frames

_SCALES = 4
_LEAST_VARIANCE = 1e-5
_RANGE_DB, _NEPERS = 60.0, 6 * log(10)
"""What a picture spans, from 0 to 1, in decibels and as a natural logarithm of power."""
_CEPSTRA, _QUIET = 20, 1e-3
STATISTICS = 4 * _CEPSTRA
"""Values of `SpeechStatistics`."""


class Scales(nn.Module):
    """A residual block of Res2Net with squeeze and excitation, as in ECAPA-TDNN.

    Gao et al. 2019, Res2Net, arXiv:1904.01169; Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143 (section 2.2).
    Where a `mask` (batch, 1, frames, 1) is given, no frame hears one that is not real.
    """

    def __init__(self, channels: int, *, dilation: int) -> None:
        super().__init__()
        part = channels // _SCALES
        self.first = Convolution(channels, channels, 1)
        self.parts = nn.ModuleList(Convolution(part, part, (3, 1), dilation=(dilation, 1)) for _ in range(_SCALES - 1))
        self.last = Convolution(channels, channels, 1)
        self.squeeze = nn.Linear(channels, max(2, channels // 4))
        self.excite = nn.Linear(max(2, channels // 4), channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """(batch, channels, frames, 1) to the same."""
        kept, *parts = self.first(x).chunk(_SCALES, dim=1)
        found, before = [kept], None
        for convolution, part in zip(self.parts, parts, strict=True):
            heard = part if before is None else part + before
            before = convolution(heard if mask is None else heard * mask)
            found.append(before)
        y = self.last(torch.cat(found, dim=1))
        gates = torch.sigmoid(self.excite(torch.relu(self.squeeze(_mean(y, mask)[:, :, 0, 0]))))
        gated: Tensor = x + y * gates[:, :, None, None]
        return gated


class AttentiveStatistics(nn.Module):
    """Mean and deviation over frames, weighted by channel: (batch, channels, frames, 1) to (batch, 2 * channels).

    The weights see the frame beside the mean and the deviation of all frames (Desplanques et al. 2020, section 2.1).
    """

    def __init__(self, channels: int, *, inner: int) -> None:
        super().__init__()
        self.first = Convolution(3 * channels, inner, 1)
        self.second = nn.Conv2d(inner, channels, 1)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`mask` (batch, 1, frames, 1): what is not real has no weight."""
        mean = _mean(x, mask)
        deviation = _root(_mean((x - mean).square(), mask))
        scores = self.second(torch.tanh(self.first(torch.cat([x, mean.expand_as(x), deviation.expand_as(x)], dim=1))))
        weights = (scores if mask is None else scores - (1 - mask) * FAR).softmax(dim=2)
        mean = (x * weights).sum(dim=2, keepdim=True)
        deviation = _root(((x - mean).square() * weights).sum(dim=2, keepdim=True))
        return torch.cat([mean, deviation], dim=1).flatten(1)


def _mean(x: Tensor, mask: Tensor | None) -> Tensor:
    """Over the real frames, (batch, channels, 1, 1)."""
    if mask is None:
        return x.mean(dim=2, keepdim=True)
    return (x * mask).sum(dim=2, keepdim=True) / mask.sum(dim=2, keepdim=True).clamp(min=1)


def _root(variance: Tensor) -> Tensor:
    return torch.sqrt(variance.clamp(min=_LEAST_VARIANCE))


class Disturbed(nn.Module):
    """While it learns, another microphone, some noise and two gaps: pictures (batch, 1, frames, bands) to the same.

    The response is cosines over the bands, the slower the stronger, `response_db` each; noise lies 10 to 40 dB below
    the mean power; a gap is up to `band_gap` bands or `frame_gap` frames of silence (Park et al. 2019, SpecAugment,
    arXiv:1904.08779). Pictures are those of `loudness.BelowMaximum`: 1 for the loudest value, 0 for 60 dB less.
    """

    def __init__(self, *, response_db: float = 3.0, noisy: float = 0.5, band_gap: int = 7, frame_gap: int = 19) -> None:
        super().__init__()
        self.response, self.noisy, self.gaps = response_db / _RANGE_DB, noisy, (frame_gap, band_gap)

    def forward(self, picture: Tensor) -> Tensor:
        """The same, unless it learns."""
        if not self.training:
            return picture
        batch, _, frames, bands = picture.shape
        order = torch.arange(1, 6, device=picture.device, dtype=picture.dtype)
        waves = torch.cos(torch.pi * torch.linspace(0, 1, bands, device=picture.device) * order[:, None])
        response = (torch.randn(batch, 5, device=picture.device) * order**-0.75 * self.response) @ waves
        heard = (picture + response[:, None, None] * (picture > 0)) * _NEPERS
        snr = (10 + 30 * torch.rand(batch, 1, 1, 1, device=picture.device)) / _RANGE_DB * _NEPERS
        tilt = torch.linspace(0, -1, bands, device=picture.device) * 2 * torch.rand_like(snr) / 6 * _NEPERS
        level = torch.log(torch.exp(heard).mean(dim=(2, 3), keepdim=True)) - snr + tilt
        drawn = -torch.log(-torch.log(torch.rand_like(heard).clamp(1e-6, 1 - 1e-6))) * 0.3
        noisy = torch.where(torch.rand_like(snr) < self.noisy, torch.logaddexp(heard, level + drawn), heard) / _NEPERS
        loudest = noisy.amax(dim=(2, 3), keepdim=True)
        kept: Tensor = torch.relu(noisy - loudest + 1)
        for axis, (size, widest) in enumerate(zip((frames, bands), self.gaps, strict=True), 2):
            kept = kept * self._gap(kept, axis, size, min(widest, size // 2))
        return kept

    @staticmethod
    def _gap(x: Tensor, axis: int, size: int, widest: int) -> Tensor:
        """1.0, but 0.0 in one stretch of each picture."""
        width = torch.rand(len(x), 1, device=x.device) * (widest + 1)
        start = torch.rand_like(width) * (size - width)
        places = torch.arange(size, device=x.device)
        outside = ((places < start) | (places >= start + width.floor())).to(x.dtype)
        return outside[:, None, :, None] if axis == 2 else outside[:, None, None, :]


class SpeechStatistics(nn.Module):
    """Mean and deviation of 20 cepstra and their slopes over speech: mel power (batch, frames, bands) to (batch, 80).

    Speech is what is less than 30 dB below the loudest frame; the first cepstrum counts from its largest value. As
    `speech.speakers.statistics`, but that frames whose slope would reach beyond the recording are left out.
    """

    basis: Tensor

    def __init__(self, bands: int) -> None:
        super().__init__()
        place = torch.arange(bands) + 0.5
        basis = torch.cos(torch.pi / bands * place[:, None] * torch.arange(_CEPSTRA)) * (2 / bands) ** 0.5
        basis[:, 0] *= 0.5**0.5
        self.register_buffer("basis", basis, persistent=False)

    def forward(self, power: Tensor, counts: Tensor | None = None) -> Tensor:
        """`counts` (batch,): how many frames are real; all, without them. Five frames at least."""
        loudness = power.sum(dim=2)
        real = torch.ones_like(loudness) if counts is None else real_frames(counts, power)
        cepstra = torch.log(power) @ self.basis
        most = (cepstra[:, :, :1] - (1 - real).unsqueeze(2) * FAR).amax(dim=1, keepdim=True)
        cepstra = torch.cat([cepstra[:, :, :1] - most, cepstra[:, :, 1:]], dim=2)
        slopes = (2 * (cepstra[:, 4:] - cepstra[:, :-4]) + cepstra[:, 3:-1] - cepstra[:, 1:-3]) / 10
        heard = torch.cat([cepstra[:, 2:-2], slopes], dim=2)
        loudest = (loudness * real).amax(dim=1, keepdim=True)
        speech = ((loudness > loudest * _QUIET).to(power.dtype) * real)[:, 2:-2] * real[:, 4:]
        shares = (speech / speech.sum(dim=1, keepdim=True).clamp(min=1)).unsqueeze(2)
        mean = (heard * shares).sum(dim=1, keepdim=True)
        deviation = _root(((heard - mean).square() * shares).sum(dim=1))
        return torch.cat([mean.squeeze(1), deviation], dim=1)
