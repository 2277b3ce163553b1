"""Rhythm: when somebody speaks and when they pause, and how many syllables a second they say."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.prosody.intensity import Intensity
from linnet.speech.prosody.pitch import Pitch

Floats = NDArray[np.float64]
BELOW_LOUDEST_DB = 25.0
DIP_DB = 2.0
"""Between two syllables the intensity falls by so much at least."""
LEAST_PAUSE_S = 0.2
_LEAST_DB = 30.0
"""What is quieter than this everywhere is no speech: the hiss of a microphone that hears nothing."""
_LOUD = 0.99


@dataclass(frozen=True)
class Rhythm:
    """Stretches in seconds from the start of the recording."""

    speech: tuple[tuple[float, float], ...]
    """When somebody speaks."""
    pauses: tuple[tuple[float, float], ...]
    """Silence between two stretches of speech; what comes before the first and after the last is none."""
    syllables_s: Floats
    """The middle of each syllable, (syllables,)."""

    @property
    def spoken_s(self) -> float:
        """Seconds of speech, pauses left out."""
        return sum(end - start for start, end in self.speech)

    @property
    def paused_s(self) -> float:
        """Seconds of pauses."""
        return sum(end - start for start, end in self.pauses)

    @property
    def speaking_rate(self) -> float:
        """Syllables a second from the first sound to the last, pauses included; 0 where nobody speaks."""
        whole = self.spoken_s + self.paused_s
        return len(self.syllables_s) / whole if whole else 0.0

    @property
    def articulation_rate(self) -> float:
        """Syllables a second of speech."""
        return len(self.syllables_s) / self.spoken_s if self.spoken_s else 0.0

    @property
    def pause_share(self) -> float:
        """Which share of the time from the first sound to the last is paused."""
        whole = self.spoken_s + self.paused_s
        return self.paused_s / whole if whole else 0.0


def rhythm(loudness: Intensity, heard: Pitch, *, below_loudest_db: float = BELOW_LOUDEST_DB,
           least_pause_s: float = LEAST_PAUSE_S) -> Rhythm:
    """Pauses and syllables, from the intensity and the pitch of a recording.

    Silence is what lies `below_loudest_db` under the loud parts (the 99th percentile) for `least_pause_s` or longer. A
    syllable is a peak of the intensity above that, where a voice is heard, 2 dB or more above the dip before it.

    Source: de Jong and Wempe, Praat script to detect syllable nuclei and measure speech rate automatically, Behavior
    Research Methods 41, 2009.
    """
    if below_loudest_db <= 0 or least_pause_s <= 0:
        raise LinnetError(f"below_loudest_db and least_pause_s are above 0; got {below_loudest_db:g} and "
                          f"{least_pause_s:g}.")
    levels = loudness.decibels.astype(np.float64)
    if not len(levels) or not heard.is_voiced.any() or levels.max() < _LEAST_DB:
        return Rhythm((), (), np.zeros(0))
    threshold = max(float(np.quantile(levels, _LOUD)) - below_loudest_db, _LEAST_DB / 2)
    speech = _stretches(levels >= threshold, loudness, least_pause_s)
    pauses = tuple((one[1], other[0]) for one, other in pairwise(speech))
    return Rhythm(tuple(speech), pauses, _nuclei(loudness, levels, threshold, heard))


def _stretches(is_loud: NDArray[np.bool_], loudness: Intensity, least_pause_s: float) -> list[tuple[float, float]]:
    """Loud stretches; gaps shorter than a pause are part of them."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], is_loud.astype(np.int8), [0]])))
    half = loudness.step_s / 2
    found: list[tuple[float, float]] = []
    for first, end in edges.reshape(-1, 2):
        start_s, end_s = float(loudness.times_s[first]) - half, float(loudness.times_s[end - 1]) + half
        if found and start_s - found[-1][1] < least_pause_s:
            found[-1] = found[-1][0], end_s
        else:
            found.append((start_s, end_s))
    return found


def _nuclei(loudness: Intensity, levels: Floats, threshold: float, heard: Pitch) -> Floats:
    """Times of voiced peaks that a dip parts from the peak before."""
    inner = levels[1:-1]
    peaks = np.flatnonzero((inner > levels[:-2]) & (inner >= levels[2:]) & (inner > threshold)) + 1
    kept: list[int] = []
    for peak in peaks.tolist():
        if kept:
            dip = float(levels[kept[-1] : peak].min())
            if min(levels[kept[-1]], levels[peak]) - dip < DIP_DB:  # one syllable: its louder half stands for it
                kept[-1] = max(kept[-1], peak, key=lambda place: float(levels[place]))
                continue
        kept.append(peak)
    times = loudness.times_s[kept]
    nearest = np.clip(np.searchsorted(heard.times_s, times - heard.step_s / 2), 0, len(heard.times_s) - 1)
    return np.asarray(times[heard.is_voiced[nearest]])
