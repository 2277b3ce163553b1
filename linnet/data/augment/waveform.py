"""Augmentation of recordings, sample by sample: batches (batch, samples) float32 in, the same shape out.

A recording may be shorter than its window: what counts is what lies between the silence before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from linnet.data.augment.draws import Floats, check_chance, check_range, extent, factors, uniform
from linnet.errors import LinnetError


@dataclass(frozen=True)
class Gain:
    """Louder or quieter by a number of decibels.

    >>> rng = np.random.default_rng(0)
    >>> print(Gain(-6, -6)(np.ones((1, 4), np.float32), 8000, rng).round(3))
    [[0.501 0.501 0.501 0.501]]
    """

    name: ClassVar[str] = "gain"
    low_db: float = -6.0
    high_db: float = 6.0
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_db, self.high_db)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        del sample_rate_hz
        decibels = uniform(rng, self.low_db, self.high_db, len(batch), chance=self.chance, else_=0.0)
        return np.asarray(batch * (10 ** (decibels / 20))[:, None], np.float32)


@dataclass(frozen=True)
class Noise:
    """Noise at a signal-to-noise ratio, the signal's power being that between its first and last sound.

    Its power falls with the frequency to the power of an exponent (0 is white, 1 pink, 2 brown), and goes up and down
    by `ripple_db` on top of that. With the chance `only_inside` it sounds during the recording and not around it.
    """

    name: ClassVar[str] = "noise"
    low_snr_db: float = 5.0
    high_snr_db: float = 40.0
    low_exponent: float = 0.0
    high_exponent: float = 1.0
    ripple_db: float = 0.0
    only_inside: float = 0.0
    chance: float = 0.8

    def __post_init__(self) -> None:
        check_range(self, self.low_snr_db, self.high_snr_db)
        check_range(self, self.low_exponent, self.high_exponent)
        check_chance(self, self.only_inside)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        snr_db = uniform(rng, self.low_snr_db, self.high_snr_db, len(batch), chance=self.chance, else_=np.inf)
        begin, end = extent(batch)
        length = np.maximum(end - begin, 1)
        power = np.square(batch).sum(axis=1) / length
        noise = self._noise(batch.shape, sample_rate_hz, rng)
        for row in np.flatnonzero(rng.random(len(batch)) < self.only_inside):
            noise[row, :begin[row]] = noise[row, end[row]:] = 0
        return np.asarray(batch + noise * np.sqrt(power * 10 ** (-snr_db / 10))[:, None], np.float32)

    def _noise(self, shape: tuple[int, ...], sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        """Noise of power 1, made where its spectrum is shaped: one Fourier transform instead of two."""
        from scipy import fft

        rows, samples = shape
        length = fft.next_fast_len(samples, real=True)
        bins = length // 2 + 1
        frequency = np.maximum(np.arange(bins), max(1.0, 50.0 * length / sample_rate_hz)).astype(np.float32)
        exponent = rng.uniform(self.low_exponent, self.high_exponent, (rows, 1)).astype(np.float32)
        shaping = np.exp(np.log(frequency / bins) * (-exponent / 2))
        if self.ripple_db:
            shaping *= smooth_gain(rng, rows, bins, deviation_db=self.ripple_db)
        drawn = rng.standard_normal((rows, bins, 2), np.float32).view(np.complex64)[..., 0]
        noise: Floats = fft.irfft(drawn * shaping, n=length, axis=1)[:, :samples]
        noise /= np.sqrt(np.square(noise).mean(axis=1, keepdims=True))
        return noise


@dataclass(frozen=True)
class Shift:
    """Earlier or later by a number of seconds, with silence in the place of what was there.

    Where `keep` is true it goes only so far as the whole recording stays in the window: Shift(-9, 9, keep=True) puts
    it anywhere.
    """

    name: ClassVar[str] = "shift"
    low_s: float = -0.1
    high_s: float = 0.1
    keep: bool = True
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_s, self.high_s)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        samples = batch.shape[1]
        low, high = (np.full(len(batch), round(end * sample_rate_hz)) for end in (self.low_s, self.high_s))
        if self.keep:
            begin, end = extent(batch)
            low, high = np.maximum(low, -begin), np.minimum(high, samples - end)
        span = np.maximum(high - low, 0)
        offset = np.where(high >= low, low + np.round(rng.random(len(batch)) * span), 0).astype(int)
        offset[rng.random(len(batch)) >= self.chance] = 0
        shifted = np.zeros_like(batch)
        for row, by in enumerate(np.clip(offset, -samples, samples).tolist()):
            shifted[row, max(by, 0):samples + min(by, 0)] = batch[row, max(-by, 0):samples - max(by, 0)]
        return shifted


@dataclass(frozen=True)
class Crop:
    """Begin later and end earlier, each by up to this share of the recording (which stays where it is)."""

    name: ClassVar[str] = "crop"
    share: float = 0.08
    chance: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.share < 0.5:
            raise LinnetError(f"Crop: the share at each end is from 0 to below 0.5; got {self.share}.")
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        del sample_rate_hz
        begin, end = extent(batch)
        shares = (uniform(rng, 0.0, self.share, len(batch), chance=self.chance, else_=0.0) for _ in range(2))
        first, last = ((share * (end - begin)).astype(int) for share in shares)
        cropped = batch.copy()
        for row in range(len(batch)):
            cropped[row, :begin[row] + first[row]] = cropped[row, end[row] - last[row]:] = 0
        return cropped


@dataclass(frozen=True)
class Speed:
    """Faster or slower as a whole: length, pitch and formants change together. What leaves the window is cut off."""

    name: ClassVar[str] = "speed"
    low: float = 0.86
    high: float = 1.16
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high, above=0)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        del sample_rate_hz
        return at_speed(batch, factors(rng, self.low, self.high, len(batch), chance=self.chance))


@dataclass(frozen=True)
class TimeMask:
    """Silence in `count` places, each up to `width_s` long, faded over 2 ms on both sides.

    After Park et al. 2019, SpecAugment, arXiv:1904.08779.
    """

    name: ClassVar[str] = "time_mask"
    width_s: float = 0.12
    count: int = 2
    chance: float = 0.8

    def __post_init__(self) -> None:
        check_range(self, 0, self.width_s)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        begin, end = extent(batch)
        fade = max(1, round(0.002 * sample_rate_hz))
        ramp = (np.arange(fade, 0, -1) / (fade + 1)).astype(np.float32)
        masked = batch.copy()
        for _ in range(self.count):
            width = uniform(rng, 0, self.width_s * sample_rate_hz, len(batch), chance=self.chance, else_=0.0)
            first = begin + rng.random(len(batch)) * np.maximum(end - begin - width, 0)
            for row, (start, length) in enumerate(zip(first.astype(int), width.astype(int), strict=True)):
                if length:
                    _silence(masked[row], start, start + length, ramp)
        return masked


def at_speed(batch: Floats, speed: Floats) -> Floats:
    """Each recording so many times as fast, around its middle.

    Exact for what the band holds: the spectrum is transformed back into another number of samples. That number is the
    nearest one with a fast transform, so the factor is met to about half a percent.
    """
    from scipy import fft

    rows, samples = batch.shape
    padded = fft.next_fast_len(samples + samples // 16, real=True)
    spectra = fft.rfft(batch, n=padded, axis=1)
    begin, end = extent(batch)
    result = np.zeros_like(batch)
    for row in range(rows):
        length = padded if speed[row] == 1 else _fast_length(padded / float(speed[row]))
        changed = fft.irfft(spectra[row, :length // 2 + 1], n=length) * (length / padded)
        scale = length / padded
        first, last = round(begin[row] * scale), round(end[row] * scale)
        _place(changed[first:last], result[row], middle=(begin[row] + end[row]) / 2)
    return result


def smooth_gain(rng: np.random.Generator, rows: int, bins: int, *, deviation_db: float, bends: int = 6) -> Floats:
    """(rows, bins) gains of a random smooth frequency response: cosines, the slower the stronger."""
    order = np.arange(1, bends + 1)
    waves = np.cos(np.pi * np.linspace(0, 1, bins)[None] * order[:, None]) * (1.5 * order**-0.75)[:, None]
    decibels = rng.normal(0, deviation_db, (rows, bends)).astype(np.float32) @ waves.astype(np.float32)
    return np.asarray(np.exp(decibels * (np.log(10) / 20)), np.float32)


def _fast_length(wanted: float) -> int:
    from scipy import fft

    above = fft.next_fast_len(round(wanted), real=True)
    below = fft.prev_fast_len(round(wanted), real=True)
    return int(above if above - wanted < wanted - below else below)


def _place(recording: Floats, window: Floats, *, middle: float) -> None:
    """Put a recording into a window around a position; moved inside where it would stick out, cut where it must."""
    samples = len(window)
    if len(recording) > samples:
        spare = (len(recording) - samples) // 2
        recording = recording[spare:spare + samples]
    first = int(np.clip(round(middle - len(recording) / 2), 0, samples - len(recording)))
    window[first:first + len(recording)] = recording


def _silence(samples: Floats, start: int, end: int, ramp: Floats) -> None:
    samples[start:end] = 0
    before, after = samples[max(start - len(ramp), 0):start], samples[end:end + len(ramp)]
    before *= ramp[len(ramp) - len(before):]
    after *= ramp[::-1][:len(after)]
