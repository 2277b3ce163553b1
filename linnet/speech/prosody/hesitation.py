"""Hesitation: the drawn-out "er" and "um", in which neither the pitch nor the sound of a voice moves."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.prosody.pitch import Pitch
from linnet.speech.prosody.quality import voiced_runs
from linnet.speech.prosody.sound import checked

Floats = NDArray[np.float32]
LEAST_S = 0.25
MOST_SEMITONES = 1.0
MOST_CHANGE_DB = 3.0
_BANDS, _LOWEST_HZ, _HIGHEST_HZ = 12, 150.0, 4000.0
_WINDOW_S = 0.04


def filled_pauses(samples: NDArray[np.floating], sample_rate_hz: int, heard: Pitch, *, least_s: float = LEAST_S,
                  most_semitones: float = MOST_SEMITONES,
                  most_change_db: float = MOST_CHANGE_DB) -> list[tuple[float, float]]:
    """Stretches (start, end) in seconds in which a voice holds one sound for `least_s` or longer.

    Over `least_s` the pitch stays within `most_semitones`, and the spectrum, its loudness taken off, within
    `most_change_db` of its mean over twelve bands (root mean square). A long vowel that is held on purpose, as in
    singing, is one too: only the words tell them apart.

    Source: Goto, Itou and Hayamizu, A real-time filled pause detection system for spontaneous speech recognition,
    Eurospeech 1999 (small change of pitch and of the spectral envelope).
    """
    sound = checked(samples, sample_rate_hz)
    if min(least_s, most_semitones, most_change_db) <= 0:
        raise LinnetError("least_s, most_semitones and most_change_db are above 0; "
                          f"got {least_s:g}, {most_semitones:g} and {most_change_db:g}.")
    count = max(2, int(np.ceil(least_s / heard.step_s)))
    spectrum, semitones = _spectrum(sound, sample_rate_hz, heard), heard.semitones
    is_held = np.zeros(len(heard.hz), bool)
    for first, last in voiced_runs(heard):
        if last - first + 1 < count:
            continue
        pitches = sliding_window_view(semitones[first : last + 1], count)
        frames = sliding_window_view(spectrum[first : last + 1], count, axis=0)
        change = np.sqrt(frames.var(axis=2).mean(axis=1))
        for start in np.flatnonzero((np.ptp(pitches, axis=1) <= most_semitones) & (change <= most_change_db)):
            is_held[first + start : first + start + count] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_held.astype(np.int8), [0]])))
    half = heard.step_s / 2
    return [(float(heard.times_s[first]) - half, float(heard.times_s[end - 1]) + half)
            for first, end in edges.reshape(-1, 2)]


def _spectrum(sound: Floats, rate_hz: int, heard: Pitch) -> Floats:
    """Decibels of twelve bands around each frame of the pitch, the mean of each frame taken off: (frames, bands)."""
    from scipy.fft import rfft

    window = int(_WINDOW_S * rate_hz)
    if len(sound) < window or not len(heard.hz):
        return np.zeros((len(heard.hz), _BANDS), np.float32)
    starts = np.clip(np.round(heard.times_s * rate_hz).astype(int) - window // 2, 0, len(sound) - window)
    hann = np.hanning(window).astype(np.float32)
    power = np.square(np.abs(rfft(sliding_window_view(sound, window)[starts] * hann, axis=1)))
    top = min(_HIGHEST_HZ, 0.45 * rate_hz)
    edges = np.round(np.geomspace(_LOWEST_HZ, top, _BANDS + 1) * window / rate_hz).astype(int)
    edges = np.maximum.accumulate(np.maximum(edges, np.arange(edges[0], edges[0] + _BANDS + 1)))
    decibels = 10 * np.log10(np.add.reduceat(power, edges, axis=1)[:, :_BANDS] + 1e-10)
    return np.asarray(decibels - decibels.mean(axis=1, keepdims=True), np.float32)
