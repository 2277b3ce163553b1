"""Augmentation of recordings in time and frequency: steps that follow each other share one short-time transform."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.draws import Floats, check_chance, check_range, factors, uniform
from linnet.data.augment.waveform import at_speed, smooth_gain
from linnet.errors import LinnetError

_WINDOW_S = 0.032
_OVERLAP = 4
_WINDOW_POWER = 1.5
"""The sum of the squares of Hann windows that overlap four times."""
_ENVELOPE_S = 0.003
"""Cepstrum below this is the vocal tract, above it the voice: a pitch of 333 Hz repeats after 3 ms."""
_LARGEST_GAIN = 4.0
_TINY = np.float32(1e-20)
Complexes = NDArray[np.complex64]


@dataclass(frozen=True, eq=False)
class Spectrum:
    """`values` (batch, frames, bins) complex64; a frame every quarter of a window of about 32 ms."""

    values: Complexes
    sample_rate_hz: int

    @property
    def bins(self) -> int:
        """Number of frequencies, from 0 to half the sample rate."""
        return int(self.values.shape[2])


class SpectralStep(Protocol):
    """A step that changes a spectrum in place of a waveform."""

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """The changed spectrum, of the same shape."""
        ...


@dataclass(frozen=True)
class Tempo:
    """Faster or slower around its middle, with the pitch and the formants as they were.

    A phase vocoder: Flanagan and Golden 1966, Bell System Technical Journal 45(9).
    """

    name: ClassVar[str] = "tempo"
    low: float = 0.82
    high: float = 1.22
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high, above=0)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        return through_spectrum([self], batch, sample_rate_hz, rng)

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """The frames read faster or slower."""
        return at_tempo(spectrum, factors(rng, self.low, self.high, len(spectrum.values), chance=self.chance))


@dataclass(frozen=True)
class Pitch:
    """Higher or lower by semitones, formants included, as long as before."""

    name: ClassVar[str] = "pitch"
    low_semitones: float = -3.0
    high_semitones: float = 3.0
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_semitones, self.high_semitones)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        low, high = (2.0 ** (semitones / 12) for semitones in (self.low_semitones, self.high_semitones))
        factor = factors(rng, low, high, len(batch), chance=self.chance)
        samples = batch.shape[1]
        room = int(np.ceil(samples * max(1 / float(factor.min()) - 1, 0) / 2)) + 1
        wide = at_speed(np.pad(batch, ((0, 0), (room, room))), factor)
        spectrum = at_tempo(spectrum_of(wide, sample_rate_hz), np.reciprocal(factor))
        return waveform_of(spectrum, wide.shape[1])[:, room:room + samples]


@dataclass(frozen=True)
class VocalTract:
    """A shorter (factor above 1) or longer throat: formants move by the factor, the voice's pitch stays.

    The spectral envelope, from the low part of the cepstrum, is stretched along the frequency axis. The idea is that of
    Jaitly and Hinton 2013, Vocal Tract Length Perturbation, ICML workshop on deep learning for audio.
    """

    name: ClassVar[str] = "vocal_tract"
    low: float = 0.82
    high: float = 1.22
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high, above=0)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        return through_spectrum([self], batch, sample_rate_hz, rng)

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """Every frame times the ratio of the stretched to the plain envelope."""
        factor = factors(rng, self.low, self.high, len(spectrum.values), chance=self.chance)
        power = np.square(spectrum.values.real) + np.square(spectrum.values.imag)
        floor = np.maximum(1e-8 * power.max(axis=(1, 2), keepdims=True), np.float32(1e-30))
        logarithm = np.log(np.maximum(power, floor, out=power), out=power)
        to_cepstrum, to_envelope = _cosines(spectrum.bins, round(_ENVELOPE_S * spectrum.sample_rate_hz))
        gain = (logarithm @ to_cepstrum) @ _stretched(to_envelope, factor)
        np.clip(gain, -_LARGEST_GAIN, _LARGEST_GAIN, out=gain)
        return replace(spectrum, values=spectrum.values * np.exp(gain, out=gain))


@dataclass(frozen=True)
class Equalize:
    """Another microphone and room: a smooth random frequency response with `bends` bends; 1 is a mere tilt."""

    name: ClassVar[str] = "equalize"
    deviation_db: float = 5.0
    bends: int = 6
    chance: float = 0.9

    def __post_init__(self) -> None:
        check_range(self, 0, self.deviation_db)
        check_range(self, 1, self.bends)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        return through_spectrum([self], batch, sample_rate_hz, rng)

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """Every frame times the response."""
        rows = len(spectrum.values)
        gain = smooth_gain(rng, rows, spectrum.bins, deviation_db=self.deviation_db, bends=self.bends)
        gain[rng.random(rows) >= self.chance] = 1
        return replace(spectrum, values=spectrum.values * gain[:, None])


@dataclass(frozen=True)
class FrequencyMask:
    """Nothing in `count` bands, each up to this share of the mel scale wide.

    After Park et al. 2019, SpecAugment, arXiv:1904.08779.
    """

    name: ClassVar[str] = "frequency_mask"
    share: float = 0.2
    count: int = 2
    chance: float = 0.8

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1:
            raise LinnetError(f"FrequencyMask: the share is from 0 to below 1; got {self.share}.")
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        return through_spectrum([self], batch, sample_rate_hz, rng)

    def edit(self, spectrum: Spectrum, rng: np.random.Generator) -> Spectrum:
        """Zero in the masked bands."""
        rows = len(spectrum.values)
        hertz = np.linspace(0, spectrum.sample_rate_hz / 2, spectrum.bins)
        mel = np.log1p(hertz / 700) / np.log1p(spectrum.sample_rate_hz / 1400)
        kept = np.ones((rows, spectrum.bins), np.float32)
        for _ in range(self.count):
            width = uniform(rng, 0.0, self.share, rows, chance=self.chance, else_=0.0)[:, None]
            first = rng.random((rows, 1)) * (1 - width)
            kept[(mel >= first) & (mel < first + width)] = 0
        return replace(spectrum, values=spectrum.values * kept[:, None])


def through_spectrum(steps: Sequence[SpectralStep], batch: Floats, sample_rate_hz: int,
                     rng: np.random.Generator) -> Floats:
    """Transform (batch, samples), let every step change the spectrum in turn, and transform back."""
    spectrum = spectrum_of(batch, sample_rate_hz)
    for step in steps:
        spectrum = step.edit(spectrum, rng)
    return waveform_of(spectrum, batch.shape[1])


def spectrum_of(batch: Floats, sample_rate_hz: int) -> Spectrum:
    """The short-time Fourier transform of (batch, samples), with a window of silence before and after."""
    from scipy import fft

    window, hop = _window(sample_rate_hz)
    padded = np.pad(batch, ((0, 0), (len(window), len(window) + hop)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=1)[:, ::hop]
    return Spectrum(fft.rfft(frames * window, axis=2, overwrite_x=True), sample_rate_hz)


def waveform_of(spectrum: Spectrum, samples: int) -> Floats:
    """(batch, samples) float32 from the short-time Fourier transform: windowed frames added where they overlap."""
    from scipy import fft

    window, hop = _window(spectrum.sample_rate_hz)
    frames = fft.irfft(spectrum.values, n=len(window), axis=2)
    frames *= window / _WINDOW_POWER
    rows, count, _ = frames.shape
    pieces = frames.reshape(rows, count, _OVERLAP, hop)
    added = np.zeros((rows, count + _OVERLAP - 1, hop), np.float32)
    for piece in range(_OVERLAP):
        added[:, piece:piece + count] += pieces[:, :, piece]
    return added.reshape(rows, -1)[:, len(window):len(window) + samples]


def at_tempo(spectrum: Spectrum, tempo: Floats) -> Spectrum:
    """Each recording's frames read so many times as fast around its middle, phases carried on from frame to frame."""
    changed = np.flatnonzero(tempo != 1)
    if not len(changed):
        return spectrum
    values = spectrum.values[changed]
    magnitude = np.abs(values)
    direction = values * (1 / np.maximum(magnitude, _TINY))
    direction[magnitude < _TINY] = 1
    position = _positions(magnitude, tempo[changed])
    rows = np.arange(len(changed))[:, None]
    frame = position.astype(int)
    weight = (position - frame).astype(np.float32)[..., None]
    turn = direction[:, 1:] * direction[:, :-1].conj()
    phase = _carried_on(direction[rows[:, 0], frame[:, 0]], turn[rows, frame[:, :-1]])
    mixed = magnitude[rows, frame] * (1 - weight) + magnitude[rows, frame + 1] * weight
    result = spectrum.values.copy()
    result[changed] = phase * mixed
    return replace(spectrum, values=result)


def _carried_on(first: Complexes, turns: Complexes) -> Complexes:
    """(batch, frames, bins): each frame's phase is that of the one before, turned."""
    frames = np.concatenate([first[None], turns.transpose(1, 0, 2)])
    for frame in range(1, len(frames)):  # ten times as fast as np.multiply.accumulate
        frames[frame] *= frames[frame - 1]
    return frames.transpose(1, 0, 2)


def _positions(magnitude: Floats, tempo: Floats) -> NDArray[np.float64]:
    """(batch, frames): the frame to read for each frame to write; silence lies at both ends, where reading stops."""
    count = magnitude.shape[1]
    loudness = magnitude.max(axis=2)
    heard = loudness > 1e-5 * loudness.max(axis=1, keepdims=True)
    middle = (heard.argmax(axis=1) + count - 1 - heard[:, ::-1].argmax(axis=1)) / 2
    position = middle[:, None] + (np.arange(count)[None] - middle[:, None]) * tempo[:, None]
    return np.asarray(np.clip(position, 0, count - 1 - 1e-6))


def _stretched(to_envelope: Floats, factor: Floats) -> Floats:
    """(batch, coefficients, bins): cosines of the stretched frequency axis, less the plain ones."""
    coefficients, bins = to_envelope.shape
    axis = np.minimum(np.linspace(0, 1, bins)[None] / factor[:, None], 1)
    order = np.arange(coefficients)[None, :, None]
    return np.asarray(np.cos(np.pi * order * axis[:, None]) - to_envelope, np.float32)


@lru_cache(maxsize=8)
def _window(sample_rate_hz: int) -> tuple[Floats, int]:
    """A periodic Hann window of a power of two nearest to 32 ms, and a quarter of its length."""
    length = max(_OVERLAP, 2 ** round(np.log2(_WINDOW_S * sample_rate_hz)))
    window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
    window.flags.writeable = False
    return window, length // _OVERLAP


@lru_cache(maxsize=8)
def _cosines(bins: int, coefficients: int) -> tuple[Floats, Floats]:
    """Log power (bins) to cepstrum (coefficients), and the cepstrum to the log magnitude of the envelope (bins)."""
    angle = np.pi * np.linspace(0, 1, bins)[:, None] * np.arange(coefficients)[None]
    weight = np.where(np.arange(coefficients) == 0, 1.0, 2.0) / (bins - 1) / 2
    to_cepstrum = np.cos(angle) * weight
    to_cepstrum[[0, -1]] *= 0.5
    return to_cepstrum.astype(np.float32), np.cos(angle).T.astype(np.float32)
