"""Log-mel frames in NumPy: what the networks' front end computes, for whatever listens without a network.

The same definition as `nn.LogMel` (periodic Hann window of a few hops, triangles of height one on the HTK scale), by
SciPy's float32 transform. Whole recordings and streams give the same frames.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Frames = NDArray[np.float32]
POWER_FLOOR = 1e-10
_BLOCK = 256
"""Frames that are transformed at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class Mel:
    """Samples (n,) float32 to natural logarithms of mel power (frames, bands): `Mel(16000)(samples)`.

    A frame is `hops_per_window` hops of about `hop_ms` (an even number of samples) long, and only whole frames count;
    no power is below 1e-10. Bands reach from `lowest_hz` to half the rate, 2595 log10(1 + f / 700) apart.

    >>> Mel(8000)(np.zeros(8000, np.float32)).shape
    (98, 40)
    """

    sample_rate_hz: int
    bands: int = 40
    hop_ms: float = field(default=10.0, kw_only=True)
    hops_per_window: int = field(default=3, kw_only=True)
    lowest_hz: float = field(default=60.0, kw_only=True)

    def __post_init__(self) -> None:
        if self.hops_per_window < 2:
            raise LinnetError(f"hops_per_window must be 2 or more, so that frames overlap; got {self.hops_per_window}.")
        if not self._triangles.any(axis=0).all():
            resolution_hz = self.sample_rate_hz / self.window
            raise LinnetError(f"{self.bands} bands are too many for a resolution of {resolution_hz:.1f} Hz: a band "
                              "between two bins hears nothing; give fewer bands, or more hops_per_window.")

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return 2 * max(1, round(self.sample_rate_hz * self.hop_ms / 2000))

    @property
    def window(self) -> int:
        """Samples of a frame."""
        return self.hop * self.hops_per_window

    def __call__(self, samples: NDArray[np.float32]) -> Frames:
        """(n,) float32 to (1 + (n - window) // hop, bands); no frames where n is less than a window."""
        _check(samples)
        count = max(0, 1 + (len(samples) - self.window) // self.hop)
        levels = np.empty((count, self.bands), np.float32)
        if count:
            frames = np.lib.stride_tricks.sliding_window_view(samples, self.window)[:: self.hop]
            for start in range(0, count, _BLOCK):
                levels[start : start + _BLOCK] = self._levels(frames[start : start + _BLOCK])
        return levels

    def stream(self) -> MelStream:
        """The frames of a sound that comes bit by bit: those of the whole with silence, a window less a hop, before."""
        return MelStream(self)

    def _levels(self, frames: NDArray[np.float32]) -> Frames:
        from scipy.fft import rfft

        parts = rfft(frames * self._hann, axis=1).view(np.float32)[:, 2 * self._first : 2 * (self.window // 2)]
        squares = parts * parts
        power = squares[:, ::2] + squares[:, 1::2]  # real and imaginary parts lie side by side
        levels = self._filters @ power.T  # sparse: a bin belongs to two bands at most
        np.maximum(levels, np.float32(POWER_FLOOR), out=levels)
        found: Frames = np.log(levels, out=levels).T
        return found

    @cached_property
    def _first(self) -> int:
        """The first bin that a band touches."""
        return int(self.lowest_hz * self.window / self.sample_rate_hz) + 1

    @cached_property
    def _hann(self) -> NDArray[np.float32]:
        return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self.window) / self.window)).astype(np.float32)

    @cached_property
    def _filters(self) -> Any:
        """The triangles as a sparse matrix (bands, bins)."""
        from scipy.sparse import csr_array

        return csr_array(self._triangles.T)

    @cached_property
    def _triangles(self) -> NDArray[np.float32]:
        """(bins, bands), over the bins that they touch."""
        low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (self.lowest_hz, self.sample_rate_hz / 2))
        edges = 700 * (10 ** (np.linspace(low, high, self.bands + 2) / 2595) - 1)
        hertz = np.arange(self._first, self.window // 2)[:, np.newaxis] * (self.sample_rate_hz / self.window)
        rising, falling = (hertz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hertz) / np.diff(edges)[1:]
        return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


@dataclass(eq=False)
class MelStream:
    """The frames of a sound as it comes; a frame ends with every hop."""

    mel: Mel

    def __post_init__(self) -> None:
        self._past = np.zeros(self.mel.window - self.mel.hop, np.float32)

    def update(self, samples: NDArray[np.float32]) -> Frames:
        """(n,) float32, any n, to the frames (m, bands) that end in them."""
        _check(samples)
        heard = np.concatenate([self._past, samples])
        levels = self.mel(heard)
        self._past = heard[len(levels) * self.mel.hop :]
        return levels


def _check(samples: NDArray[np.float32]) -> None:
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise LinnetError(f"log-mel frames are made of samples (n,) float32; received {samples.shape} {samples.dtype}. "
                          "Divide 16-bit samples by 32768.")
