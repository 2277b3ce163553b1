"""Intensity: how loud a recording is over time, as Praat measures it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.prosody.pitch import frame_times
from linnet.speech.prosody.sound import checked

REFERENCE = 2e-5
"""Sound pressure in pascals that counts as 0 dB, where a sample of 1 counts as one pascal."""
QUIETEST_DB = -100.0
_BLOCK = 4096


@dataclass(frozen=True)
class Intensity:
    """A frame each `step_s`, in decibels; what a microphone was not calibrated for has no absolute meaning."""

    times_s: NDArray[np.float64]
    decibels: NDArray[np.float32]
    step_s: float


def intensity(samples: NDArray[np.floating], sample_rate_hz: int, *, floor_hz: float = 75.0,
              step_s: float | None = None) -> Intensity:
    """Decibels of a recording (samples,), smoothed so that no period from `floor_hz` up shows; silence is -100 dB.

    Source: Praat's manual, Sound: To Intensity: mean square under a Kaiser window of 6.4 / floor_hz seconds, the mean
    of each window taken off.

    >>> tone = np.sqrt(2) * np.sin(2 * np.pi * 200 * np.arange(8000) / 16000)
    >>> [round(float(level), 1) for level in intensity(tone, 16000).decibels[[0, -1]]]
    [94.0, 94.0]
    """
    sound = checked(samples, sample_rate_hz)
    if not 0 < floor_hz <= sample_rate_hz / 4:
        raise LinnetError(f"floor_hz lies above 0 and up to a quarter of the sample rate; got {floor_hz:g}.")
    step_s = 0.8 / floor_hz if step_s is None else step_s
    window_s = 6.4 / floor_hz
    centres = frame_times(len(sound) * (1 / sample_rate_hz), window_s, step_s)
    kaiser = _kaiser(round(window_s * sample_rate_hz) // 2 * 2 + 1)
    if not len(centres) or len(sound) < len(kaiser):
        return Intensity(np.zeros(0), np.zeros(0, np.float32), step_s)
    starts = np.clip(np.round(centres * sample_rate_hz).astype(int) - len(kaiser) // 2, 0, len(sound) - len(kaiser))
    view = sliding_window_view(sound, len(kaiser))
    powers = []
    for first in range(0, len(starts), _BLOCK):
        frames = view[starts[first : first + _BLOCK]]
        frames -= frames.mean(axis=1, keepdims=True)
        powers.append(np.square(frames, out=frames) @ kaiser)
    decibels = 10 * np.log10(np.maximum(np.concatenate(powers), 1e-30) / REFERENCE**2)
    return Intensity(centres, np.maximum(decibels, QUIETEST_DB).astype(np.float32), step_s)


@cache
def _kaiser(length: int) -> NDArray[np.float32]:
    """Praat's window, with the sum 1."""
    window = np.kaiser(length, 2 * np.pi**2 + 0.5)
    return np.asarray(window / window.sum(), np.float32)
