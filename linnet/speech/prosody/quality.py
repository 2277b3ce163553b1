"""Voice quality: how regular the periods of a voice are, and how much of it is noise."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from linnet.speech.prosody.pitch import Pitch
from linnet.speech.prosody.sound import checked

Floats = NDArray[np.float64]
_STEP_FACTORS = 0.8, 1.25
"""The next period is between so much of the one that the pitch says."""
_LEAST_CORRELATION = 0.3
_MOST_FACTOR, _MOST_AMPLITUDE_FACTOR = 1.3, 1.6
"""Neighbours that differ by more are no neighbours: a leap of the voice, not its roughness."""
_HALF_WIDTH = 0.2
"""Of a period, to both sides of a pulse: what its loudness is taken from."""


@dataclass(frozen=True)
class Quality:
    """Shares of the mean period and loudness, and decibels; NaN where too little voice was heard to tell."""

    jitter: float
    """How much a period differs from the one before, as a share of the mean period (healthy voices: below 0.01)."""
    shimmer: float
    """How much the loudness of a period differs from the one before, as a share of the mean (below 0.04)."""
    harmonicity_db: float
    """Harmonics to noise (a sustained vowel of a healthy voice: about 20)."""


def quality(samples: NDArray[np.floating], sample_rate_hz: int, heard: Pitch) -> Quality:
    """Jitter, shimmer and harmonicity of the voiced parts that `pitch` heard.

    Source: Boersma 1993 (harmonicity); Praat's manual, Voice 2: Jitter, Voice 3: Shimmer (local).
    """
    sound = checked(samples, sample_rate_hz)
    stretches = [pulses(sound, sample_rate_hz, heard, first, last) for first, last in voiced_runs(heard)]
    jitters, shimmers = zip(*(_differences(sound, sample_rate_hz, found) for found in stretches), strict=True) \
        if stretches else ((), ())
    strength = np.clip(heard.strength[heard.is_voiced].astype(np.float64), 1e-6, 1 - 1e-6)
    return Quality(_share(jitters), _share(shimmers),
                   float(np.mean(10 * np.log10(strength / (1 - strength)))) if len(strength) else float("nan"))


def voiced_runs(heard: Pitch) -> list[tuple[int, int]]:
    """First and last frame of every stretch in which a voice is heard."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], heard.is_voiced.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def pulses(sound: NDArray[np.float32], rate_hz: int, heard: Pitch, first: int, last: int) -> Floats:
    """Where each period of one voiced stretch lies, in samples: from the loudest in its middle, step by step.

    The next pulse is where the sound is most like what lay around this one.
    """
    start, end = ((heard.times_s[frame] + side * heard.step_s / 2) * rate_hz
                  for frame, side in ((first, -1), (last, 1)))
    middle = (first + last) // 2
    centre, half = heard.times_s[middle] * rate_hz, rate_hz / float(heard.hz[middle]) / 2
    near = slice(max(0, int(centre - half)), min(len(sound), int(centre + half) + 1))
    top = near.start + int(np.abs(sound[near]).argmax())
    frames = slice(first, last + 1)
    places, periods = heard.times_s[frames] * rate_hz, rate_hz / heard.hz[frames].astype(np.float64)
    found = [float(top)]
    for sign in (1, -1):
        at = float(top)
        while True:
            period = float(np.interp(at, places, periods))
            step = _next_step(sound, at, period, sign)
            if step is None or not start <= at + step <= end:
                break
            at += step
            found.append(at)
    return np.sort(np.array(found))


def _next_step(sound: NDArray[np.float32], at: float, period: float, sign: int) -> float | None:
    """How far the neighbouring pulse is; None where the sound ends, or nothing like this period follows."""
    width, least, most = int(period) | 1, int(_STEP_FACTORS[0] * period), int(np.ceil(_STEP_FACTORS[1] * period))
    whole = round(at)
    here = whole - width // 2
    there = here + (least if sign > 0 else -most)
    if min(here, there) < 0 or max(here, there + most - least) + width > len(sound):
        return None
    template = sound[here : here + width]
    windows = sliding_window_view(sound[there : there + most - least + width], width)
    norms = np.sqrt(np.einsum("ij,ij->i", windows, windows) * (template @ template))
    r = (windows @ template) / np.maximum(norms, 1e-12)
    best = int(r.argmax())
    if r[best] < _LEAST_CORRELATION:
        return None
    return float(there + best + _vertex(r, best) - here) + (whole - at)


def _vertex(r: NDArray[np.float32], best: int) -> float:
    """Where between its neighbours a peak lies, by the parabola through the three."""
    if not 0 < best < len(r) - 1:
        return 0.0
    before, peak, after = (float(r[best + side]) for side in (-1, 0, 1))
    curve = before - 2 * peak + after
    return 0.5 * (before - after) / curve if curve < 0 else 0.0


Sums = tuple[float, int, float, int]
"""Of the differences, how many they are; of the values, how many they are."""


def _differences(sound: NDArray[np.float32], rate_hz: int, found: Floats) -> tuple[Sums, Sums]:
    periods = np.diff(found) / rate_hz
    loudness = np.array([_loudness(sound, at, before * rate_hz, after * rate_hz)
                         for at, (before, after) in zip(found[1:-1], pairwise(periods), strict=True)])
    return _sums(periods, _MOST_FACTOR), _sums(loudness, _MOST_AMPLITUDE_FACTOR)


def _sums(values: Floats, most: float) -> Sums:
    """Sums over neighbours that are alike enough to be neighbours."""
    if len(values) < 2:
        return 0.0, 0, 0.0, 0
    low, high = np.minimum(values[:-1], values[1:]), np.maximum(values[:-1], values[1:])
    is_near = high <= most * low
    return (float(np.abs(np.diff(values))[is_near].sum()), int(is_near.sum()), float(values.sum()), len(values))


def _loudness(sound: NDArray[np.float32], at: float, before: float, after: float) -> float:
    """Root mean square under a Hann window around a pulse."""
    first = max(0, int(at - _HALF_WIDTH * before))
    part = sound[first : int(at + _HALF_WIDTH * after) + 2].astype(np.float64)
    where = np.arange(first, first + len(part)) - at
    width = np.where(where < 0, _HALF_WIDTH * before, _HALF_WIDTH * after)
    window = np.where(np.abs(where) < width, 0.5 + 0.5 * np.cos(np.pi * where / width), 0)
    return float(np.sqrt((part**2 * window).sum() / max(window.sum(), 1e-12)))


def _share(sums: tuple[Sums, ...]) -> float:
    """The mean difference as a share of the mean value."""
    if not sums:
        return float("nan")
    differences, pairs, values, count = np.sum(np.array(sums), axis=0)
    return float((differences / pairs) / (values / count)) if pairs and values else float("nan")
