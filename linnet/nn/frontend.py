"""The log-mel front end as a layer, so that it ships inside the graph: raw waveform in, log-mel picture out."""

from __future__ import annotations

from math import floor, log10, pi

import torch
from torch import Tensor
from torch.nn.functional import pad

from linnet.errors import LinnetError, unknown
from linnet.nn.carrying import Carrying
from linnet.nn.loudness import CAUSAL, NORMALISATIONS, POWER_FLOOR


class LogMel(Carrying):
    """Waveform (batch, samples) float32 in [-1, 1] to a picture (batch, 1, frames, bands), finite for silence.

    A frame is `hops_per_window` hops long, under a periodic Hann window; its DFT has as many points as the frame. Only
    whole frames count, so that what follows never changes one. Where `samples` is None, recordings may have any length
    from one hop, and silence follows them, so that a frame begins with every hop of them that is whole.
    With `hops_per_step` it is causal: a frame ends with every hop, silence goes before the first, and a `step` is so
    many hops, in samples; silence fills the last. From chunk to chunk it carries what a window hears before its hop.
    Mel bands are triangles of height one on the HTK scale, 2595 log10(1 + f / 700), from `lowest_hz` to half the rate.

    The DFT is a matrix product made cheap: the basis is centred on the frame (power does not care about phase), so
    the cosine sees only the even part of the frame and the sine only the odd part, each half a frame long; and only
    the bins that a band touches are computed. A reflecting pad gives the reversed signal, and each half frame is then
    a few whole rows of half a hop.
    """

    cosine: Tensor
    sine: Tensor
    filters: Tensor
    edges_hz: Tensor

    def __init__(self, sample_rate_hz: int, samples: int | None, *, bands: int = 40, hop_ms: float = 10.0,
                 hops_per_window: int = 3, lowest_hz: float = 60.0, normalisation: str = "below_maximum",
                 hops_per_step: int | None = None) -> None:
        super().__init__()
        if normalisation not in NORMALISATIONS:
            raise unknown("normalisation", normalisation, NORMALISATIONS)
        if hops_per_window < 2:
            raise LinnetError(f"hops_per_window must be 2 or more, so that frames overlap; got {hops_per_window}.")
        if hops_per_step is not None and normalisation not in CAUSAL:
            raise LinnetError(f"the normalisation '{normalisation}' hears the whole clip, so no stream can have it; "
                              f"with hops_per_step take one of {', '.join(CAUSAL)}.")
        self.sample_rate_hz, self.bands, self.hops_per_window = sample_rate_hz, bands, hops_per_window
        self.hop = 2 * max(1, round(sample_rate_hz * hop_ms / 2000))
        self.window = self.hop * hops_per_window
        self.step = None if hops_per_step is None else self.hop * hops_per_step
        self.past = 0 if self.step is None else self.window - self.hop
        self.added = self.window - self.hop if samples is None and not self.past else 0
        self.frames = None if samples is None else self._frames(samples)
        if self.frames is not None and self.frames < 1:
            raise LinnetError(f"a clip of {samples} samples is shorter than one window of {self.window} samples; "
                              "give longer clips, or a smaller hop_ms.")
        self.register_buffer("edges_hz", _mel_edges_hz(bands, lowest_hz, sample_rate_hz / 2), persistent=False)
        resolution_hz = sample_rate_hz / self.window
        self.first_bin = floor(lowest_hz / resolution_hz) + 1
        for name, value in zip(("cosine", "sine", "filters"), self.constants(), strict=True):
            self.register_buffer(name, value, persistent=False)
        self.normalisation = NORMALISATIONS[normalisation](bands, self.hop / sample_rate_hz)
        if not bool((self.filters.sum(dim=0) > 0).all()):
            raise LinnetError(f"{bands} bands are too many for a resolution of {resolution_hz:.1f} Hz: a band between "
                              "two bins hears nothing; give fewer bands, or more hops_per_window.")

    def forward(self, waveform: Tensor) -> Tensor:
        """(batch, samples) to (batch, 1, frames, bands)."""
        cosine, sine, filters = self.cosine, self.sine, self.filters
        if torch.compiler.is_exporting():  # a stored basis would outweigh the network; an engine folds this at load
            cosine, sine, filters = self.constants()
        after, before = self._half_frames(self._enough(waveform))
        real, imaginary = (after + before) @ cosine, (after - before) @ sine
        power = ((real * real + imaginary * imaginary) @ filters).clamp(min=POWER_FLOOR)
        picture: Tensor = self.normalisation(power).unsqueeze(1)
        return picture

    def _frames(self, samples: int) -> int:
        if self.step is None:
            return samples // self.hop - self.hops_per_window + 1
        return -(-samples // self.step) * (self.step // self.hop)

    def _enough(self, waveform: Tensor) -> Tensor:
        """With what belongs before and behind it."""
        if self.step is None:
            return pad(waveform, (0, self.added)) if self.added else waveform
        samples = waveform.shape[1]
        filled = pad(waveform, (0, (samples + self.step - 1) // self.step * self.step - samples))
        return self.behind(filled, self.past, 1)

    def counts(self, lengths: Tensor) -> Tensor:
        """How many frames recordings of so many samples have: (batch,) int64 to the same. The rest is padding's."""
        return (lengths - self.window + self.hop + self.added + self.past) // self.hop

    def constants(self) -> tuple[Tensor, Tensor, Tensor]:
        """Cosine and sine, window included (window / 2, bins), and the mel filters (bins, bands), from ranges alone."""
        place = torch.arange(self.window // 2).unsqueeze(1)
        bins = torch.arange(self.first_bin, self.window // 2)
        # Angles are reduced as integers first: float32 loses a large angle's fraction.
        angle = (place * bins).remainder(self.window).to(torch.float32) * (2 * pi / self.window)
        hann = 0.5 + 0.5 * torch.cos(place.to(torch.float32) * (2 * pi / self.window))
        hann = torch.where(place == 0, hann / 2, hann)  # the centre is in both halves
        hertz = bins.to(torch.float32).unsqueeze(1) * (self.sample_rate_hz / self.window)
        low, centre, high = self.edges_hz[:-2], self.edges_hz[1:-1], self.edges_hz[2:]
        filters = torch.relu(torch.minimum((hertz - low) / (centre - low), (high - hertz) / (high - centre)))
        return torch.cos(angle) * hann, torch.sin(angle) * hann, filters

    def _half_frames(self, waveform: Tensor) -> tuple[Tensor, Tensor]:
        """What comes after each frame's centre, and what comes before it, reversed: (batch, frames, window / 2) each.

        Both hold the centre first. What is a whole half window before it, the Hann window makes zero.
        """
        row = self.hop // 2
        frames = waveform.shape[1] // self.hop - self.hops_per_window + 1
        rows = 2 * (frames + self.hops_per_window - 1)
        if self.frames is None or self.past:
            # more rows than there are, never as many: a trace must not meet a special case
            rows = waveform.shape[1] // row + 1
            signal = pad(waveform, (0, rows * row - waveform.shape[1]))
        else:
            signal = waveform if waveform.shape[1] == rows * row else waveform.narrow(1, 0, rows * row)
        batch = waveform.shape[0] if self.frames is None or self.past else -1
        mirrored = pad(signal, ((rows - 1) * row, 0), mode="reflect").reshape(batch, 2 * rows - 1, row)
        centre = self.hops_per_window + 2 * torch.arange(frames, device=waveform.device).unsqueeze(1)
        column = torch.arange(self.hops_per_window, device=waveform.device)
        halves = [mirrored.index_select(1, places.flatten()).reshape(batch, frames, self.window // 2)
                  for places in (rows - 1 + centre + column, rows - 1 - centre + column)]
        return halves[0], halves[1]


def _mel_edges_hz(bands: int, lowest_hz: float, highest_hz: float) -> Tensor:
    """The corners of the triangles, evenly spaced in mel: (bands + 2,)."""
    low, high = (2595 * log10(1 + hertz / 700) for hertz in (lowest_hz, highest_hz))
    mel = torch.linspace(low, high, bands + 2, dtype=torch.float64)
    return (700 * (torch.pow(10.0, mel / 2595) - 1)).to(torch.float32)
