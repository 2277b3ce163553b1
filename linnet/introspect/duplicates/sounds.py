"""Sounds: a descriptor that gain and shift leave as it is, and waveforms held against each other at every shift."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.data.media import Audio
from linnet.introspect.duplicates.gaps import Doubles, Rows

_RATES = (8000, 4000)
_LONGEST_S = 30
_WINDOW, _HOP, _BANDS, _LOWEST_HZ, _HIGHEST_HZ = 256, 80, 24, 80.0, 3000.0
_MODULATIONS_HZ = np.arange(0, 12.1, 0.75)
_FLOOR, _LOUDNESS = 1e-5, 0.3
_OVERLAP = 0.5  # of the energy of each, that must lie where both sound


class _Match(NamedTuple):
    correlation: float
    lag: int
    gain: float
    rate_hz: int


class Sounds:
    """The first 30 s of recordings, compared at 8 kHz and, because codecs and resampling take the top, at 4 kHz."""

    limit, learns = 0.2, True

    def __init__(self, sounds: Sequence[Audio]) -> None:
        self._rates = [sound.sample_rate_hz for sound in sounds]
        self._waves = [[_at(sound, rate) for sound in sounds] for rate in _RATES]
        self._energies = [[np.r_[0, np.cumsum(np.square(wave, dtype=np.float64))] for wave in waves]
                          for waves in self._waves]

    def views(self) -> tuple[NDArray[np.floating], Rows]:
        """Strengths of the slow changes (to 12 Hz) in each of 24 bands, without their phase: (n, 408)."""
        return np.stack([_descriptor(wave) for wave in self._waves[0]]), np.arange(len(self._rates))

    def residuals(self, pairs: Rows, step: Callable[[int], None] | None) -> Doubles:
        """sqrt(1 - c^2) for the largest correlation c at any shift: the share of amplitude that is left unexplained."""
        best = np.empty(len(pairs))
        for at, (one, other) in enumerate(pairs):
            best[at] = self._match(int(one), int(other)).correlation
            if step and not at % 1000:
                step(at)
        return np.asarray(np.sqrt(np.maximum(1 - np.square(np.clip(best, 0, 1)), 0)))

    def facts(self) -> dict[str, Any]:
        """Nothing beside the residuals."""
        return {}

    def explain(self, one: int, other: int) -> dict[str, Any]:
        """How much later and louder the second is, and what that makes likely."""
        match = self._match(one, other)
        shift_ms, gain_db = 1000 * match.lag / match.rate_hz, 20 * np.log10(max(match.gain, 1e-9))
        rates = [self._rates[one], self._rates[other]]
        signs = {"gain": abs(gain_db) > 0.5, "shift": abs(shift_ms) > 2, "resampled": rates[0] != rates[1],
                 "re-encoded": match.correlation < 0.998}
        return {"later_ms": round(shift_ms, 2), "louder_db": round(float(gain_db), 2), "sample_rates_hz": rates,
                "likely": [name for name, seen in signs.items() if seen] or ["rounding"]}

    def _match(self, one: int, other: int) -> _Match:
        return max(_correlate(waves[one], waves[other], energies[one], energies[other], rate)
                   for waves, energies, rate in zip(self._waves, self._energies, _RATES, strict=True))


def _at(sound: Audio, rate_hz: int) -> NDArray[np.float32]:
    import soxr

    samples = sound.samples[: _LONGEST_S * sound.sample_rate_hz]
    if sound.sample_rate_hz == rate_hz:
        return samples
    return np.asarray(soxr.resample(samples, sound.sample_rate_hz, rate_hz), np.float32)


def _correlate(one: NDArray[np.float32], other: NDArray[np.float32], one_energy: Doubles, other_energy: Doubles,
               rate_hz: int) -> _Match:
    """The best normalised correlation over shifts at which both keep half of their energy where they overlap."""
    from scipy.fft import irfft, next_fast_len, rfft

    if min(one_energy[-1], other_energy[-1]) <= 0:
        return _Match(0.0, 0, 1.0, rate_hz)
    size = next_fast_len(len(one) + len(other), real=True)
    products = irfft(rfft(other, size) * np.conj(rfft(one, size)), size)
    lags = np.arange(-(len(one) - 1), len(other))
    begin, end = np.maximum(lags, 0), np.minimum(len(other), len(one) + lags)
    theirs, ours = other_energy[end] - other_energy[begin], one_energy[end - lags] - one_energy[begin - lags]
    enough = (theirs > _OVERLAP * other_energy[-1]) & (ours > _OVERLAP * one_energy[-1])
    correlations = np.where(enough, products[lags] / np.sqrt(np.maximum(ours * theirs, 1e-30)), 0)
    best = int(correlations.argmax())
    gain = float(np.sqrt(theirs[best] / ours[best])) if ours[best] > 0 else 1.0
    return _Match(float(correlations[best]), int(lags[best]), gain, rate_hz)


def _descriptor(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    padded = np.pad(wave, _WINDOW)
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::_HOP] * np.hanning(_WINDOW).astype(np.float32)
    energy = np.square(np.abs(np.fft.rfft(frames, axis=1))) @ _BANK
    loudness = np.maximum(energy / max(float(energy.max()), 1e-30), _FLOOR) ** _LOUDNESS - _FLOOR**_LOUDNESS
    turns = np.exp(-2j * np.pi * np.outer(_MODULATIONS_HZ, np.arange(len(loudness)) * _HOP / _RATES[0]))
    strengths = np.abs(turns @ loudness)
    return np.asarray(strengths / max(float(np.linalg.norm(strengths)), 1e-30), np.float32).ravel()


def _bank() -> Doubles:
    """Triangles evenly spaced in mel (2595 log10(1 + f / 700)): (window / 2 + 1, bands)."""
    lowest, highest = _mel(np.array([_LOWEST_HZ, _HIGHEST_HZ]))
    edges = np.linspace(lowest, highest, _BANDS + 2)
    hertz = np.asarray(np.fft.rfftfreq(_WINDOW, 1 / _RATES[0]), np.float64)
    at, width = _mel(hertz)[:, None], edges[1] - edges[0]
    return np.asarray(np.maximum(0, np.minimum(at - edges[None, :-2], edges[None, 2:] - at) / width))


def _mel(hertz: Doubles) -> Doubles:
    return np.asarray(2595 * np.log10(1 + hertz / 700))


_BANK = _bank()
