"""Pitch by autocorrelation: where a voice is heard and how high it is, as Praat finds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.prosody.sound import checked

Floats = NDArray[np.float32]

PERIODS, STEPS_PER_WINDOW = 3.0, 4
"""A frame holds three periods of the lowest pitch, and four frames overlap."""
SILENCE, VOICING, OCTAVE, JUMP, CHANGE = 0.03, 0.45, 0.01, 0.35, 0.14
"""Praat's standard settings: below which share of the loudest sample is silence, how periodic a voice is at least, and
what a low candidate, a leap of an octave and a change between voice and none cost."""
_CANDIDATES = 4
_BLOCK = 4096
"""Frames that are transformed at once, so that ten minutes need no more memory than one."""


@dataclass(frozen=True)
class Pitch:
    """A frame each `step_s`; `hz` is NaN where no voice is heard, `strength` the autocorrelation at the period."""

    times_s: NDArray[np.float64]
    hz: Floats
    strength: Floats
    step_s: float

    @property
    def is_voiced(self) -> NDArray[np.bool_]:
        """Where a voice is heard, (frames,)."""
        return np.asarray(~np.isnan(self.hz))

    @property
    def semitones(self) -> Floats:
        """Above the median of the recording, NaN where no voice is heard: how far up and down a voice goes."""
        voiced = self.hz[self.is_voiced]
        return np.asarray(12 * np.log2(self.hz / np.median(voiced)) if len(voiced) else self.hz, np.float32)


def pitch(samples: NDArray[np.floating], sample_rate_hz: int, *, floor_hz: float = 75.0,
          ceiling_hz: float = 600.0) -> Pitch:
    """The pitch of a recording (samples,), between `floor_hz` and `ceiling_hz`; no frames below three periods of it.

    The autocorrelation of each frame is divided by that of the window, its peaks are candidates, and the cheapest path
    through them is the answer.

    Source: Boersma, Accurate short-term analysis of the fundamental frequency and the harmonics-to-noise ratio of a
    sampled sound, Proceedings of the Institute of Phonetic Sciences 17, 1993.

    >>> tone = np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> found = pitch(tone, 16000)
    >>> len(found.hz), bool(np.allclose(found.hz, 200, atol=0.1))
    (47, True)
    """
    sound = checked(samples, sample_rate_hz)
    if not 0 < floor_hz < ceiling_hz <= sample_rate_hz / 4:
        raise LinnetError(f"floor_hz and ceiling_hz are 0 < floor < ceiling <= {sample_rate_hz / 4:g} (a quarter of "
                          f"the sample rate); got {floor_hz:g} and {ceiling_hz:g}.")
    step_s = PERIODS / floor_hz / STEPS_PER_WINDOW
    centres = frame_times(len(sound) * (1 / sample_rate_hz), PERIODS / floor_hz, step_s)
    if not len(centres):
        empty = np.zeros(0, np.float32)
        return Pitch(centres, empty, empty, step_s)
    shape = _Shape(sample_rate_hz, floor_hz, ceiling_hz)
    loudest = float(np.abs(sound - sound.mean()).max())
    blocks = [_candidates(frames, loudest, shape) for frames in _frames(sound, centres, shape)]
    hz, strength, silence = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    place = np.arange(len(hz)), _cheapest(hz, strength, silence, shape, step_s)
    is_voiced = place[1] < _CANDIDATES
    hz, strength = (np.hstack([array, np.full((len(array), 1), np.nan, np.float32)])[place]
                    for array in (hz, strength))
    return Pitch(centres, hz, np.where(is_voiced, strength, 0).astype(np.float32), step_s)


def frame_times(duration_s: float, window_s: float, step_s: float) -> NDArray[np.float64]:
    """Centres of as many whole windows as fit, laid around the middle of the recording, in seconds."""
    count = max(0, int(np.floor((duration_s - window_s) / step_s)) + 1)
    return np.asarray(duration_s / 2 + (np.arange(count) - (count - 1) / 2) * step_s)


@dataclass(frozen=True)
class _Shape:
    """What follows from the rate and the range of pitch."""

    rate_hz: int
    floor_hz: float
    ceiling_hz: float

    @property
    def window(self) -> int:
        return int(PERIODS / self.floor_hz * self.rate_hz) // 2 * 2

    @property
    def lags(self) -> int:
        """So many lags are looked at, the longest period and a neighbour among them."""
        return int(self.rate_hz / self.floor_hz) + 2

    @property
    def shortest(self) -> int:
        return max(2, int(np.ceil(self.rate_hz / self.ceiling_hz)))


@cache
def _window(shape: _Shape) -> tuple[Floats, Floats, int]:
    """The Hann window, its normalised autocorrelation at each lag, and the length of the transform."""
    from scipy.fft import next_fast_len

    hann = (0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(shape.window) + 0.5) / shape.window)).astype(np.float32)
    points = next_fast_len(shape.window + shape.lags, real=True)
    return hann, _autocorrelation(hann[None], shape.lags, points)[0], points


def _autocorrelation(frames: Floats, lags: int, points: int) -> Floats:
    """(frames, lags), 1 at lag 0; zeros for silence."""
    from scipy.fft import irfft, rfft

    spectrum = rfft(frames, points, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    found = irfft(power, points, axis=1)[:, :lags]
    return np.asarray(found / np.maximum(found[:, :1], 1e-20), np.float32)


def _frames(sound: Floats, centres: NDArray[np.float64], shape: _Shape) -> Iterator[Floats]:
    """Blocks of frames (frames, window)."""
    starts = np.clip(np.round(centres * shape.rate_hz).astype(int) - shape.window // 2, 0, len(sound) - shape.window)
    view = sliding_window_view(sound, shape.window)
    for first in range(0, len(starts), _BLOCK):
        yield view[starts[first : first + _BLOCK]]


def _candidates(frames: Floats, loudest: float, shape: _Shape) -> tuple[Floats, Floats, Floats]:
    """Pitch and strength of the best candidates (frames, candidates), NaN where there are fewer; loudness (frames,)."""
    hann, of_window, points = _window(shape)
    centred = frames - frames.mean(axis=1, keepdims=True)
    middle = slice(shape.window // 3, shape.window - shape.window // 3)
    loudness = np.abs(centred[:, middle]).max(axis=1) / max(loudest, 1e-20)
    r = _autocorrelation(centred * hann, shape.lags, points) / of_window
    inner = r[:, shape.shortest - 1 : -1]
    is_peak = (inner > r[:, shape.shortest - 2 : -2]) & (inner >= r[:, shape.shortest :]) & (inner > 0.5 * VOICING)
    lags = np.arange(shape.shortest - 1, shape.lags - 1)
    worth = np.where(is_peak, inner - OCTAVE * np.log2(shape.floor_hz * lags / shape.rate_hz), -np.inf)
    best = np.argpartition(-worth, _CANDIDATES - 1, axis=1)[:, :_CANDIDATES]
    rows = np.arange(len(r))[:, None]
    at = best + shape.shortest - 1
    before, peak, after = r[rows, at - 1], r[rows, at], r[rows, at + 1]
    curve = np.minimum(before - 2 * peak + after, -1e-12)
    offset = np.clip(0.5 * (before - after) / curve, -0.5, 0.5)
    strength = peak - 0.25 * (before - after) * offset
    strength = np.where(strength > 1, 1 / np.maximum(strength, 1), strength)
    hz = shape.rate_hz / (at + offset)
    is_one = np.isfinite(worth[rows, best]) & (hz >= shape.floor_hz) & (hz <= shape.ceiling_hz)
    return (np.where(is_one, hz, np.nan).astype(np.float32), np.where(is_one, strength, np.nan).astype(np.float32),
            loudness.astype(np.float32))


def _cheapest(hz: Floats, strength: Floats, loudness: Floats, shape: _Shape, step_s: float) -> NDArray[np.int64]:
    """The candidate of each frame on the cheapest path; `_CANDIDATES` where there is no voice."""
    unvoiced = VOICING + np.maximum(0, 2 - loudness / SILENCE * (1 + VOICING))
    height = np.log2(np.where(np.isnan(hz), 1, hz))
    voiced = np.where(np.isnan(hz), -np.inf, strength + OCTAVE * (height - np.log2(shape.ceiling_hz)))
    gain = np.hstack([voiced, unvoiced[:, None]])
    slowness = 0.01 / step_s
    cost = np.full((len(hz) - 1, _CANDIDATES + 1, _CANDIDATES + 1), CHANGE * slowness)
    cost[:, :-1, :-1] = JUMP * slowness * np.abs(height[:-1, :, None] - height[1:, None, :])
    cost[:, -1, -1] = 0
    came = np.zeros((len(hz), _CANDIDATES + 1), np.int64)
    total, columns = gain[0], np.arange(_CANDIDATES + 1)
    for frame in range(1, len(hz)):
        ways = total[:, None] - cost[frame - 1]
        came[frame] = ways.argmax(axis=0)
        total = ways[came[frame], columns] + gain[frame]
    path = np.zeros(len(hz), np.int64)
    path[-1] = total.argmax()
    for frame in range(len(hz) - 1, 0, -1):
        path[frame - 1] = came[frame, path[frame]]
    return path
