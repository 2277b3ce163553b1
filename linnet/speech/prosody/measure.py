"""Everything that can be told of how something was said, in one call."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.speech.prosody.hesitation import filled_pauses
from linnet.speech.prosody.intensity import intensity
from linnet.speech.prosody.pitch import pitch
from linnet.speech.prosody.quality import quality
from linnet.speech.prosody.rhythm import rhythm


@dataclass(frozen=True)
class Prosody:
    """How something was said. What needs a voice is NaN where none is heard; counts and rates are 0 there."""

    duration_s: float
    voiced_share: float
    pitch_hz: float
    """The median."""
    pitch_range_semitones: float
    """From the 5th to the 95th percentile."""
    pitch_slope: float
    """Semitones a second over the last half second of voice: a question rises, a statement falls."""
    intensity_db: float
    """The mean energy of the recording; see `Intensity` for what it is measured against."""
    intensity_range_db: float
    """From the 5th to the 95th percentile, where a voice is heard."""
    syllables: int
    speaking_rate: float
    """Syllables a second, pauses included."""
    articulation_rate: float
    """Syllables a second of speech."""
    pauses: int
    pause_share: float
    longest_pause_s: float
    hesitations: int
    hesitation_s: float
    jitter: float
    shimmer: float
    harmonicity_db: float

    def to_json(self) -> dict[str, float | None]:
        """By name; None for what is not a number."""
        return {name: None if isinstance(value, float) and np.isnan(value) else value
                for name, value in asdict(self).items()}


def measure(samples: NDArray[np.floating], sample_rate_hz: int, *, floor_hz: float = 75.0,
            ceiling_hz: float = 600.0) -> Prosody:
    """How a recording (samples,) was said: pitch, loudness, rate, pauses, hesitation and voice quality.

    >>> silence = measure(np.zeros(16000), 16000)
    >>> silence.voiced_share, silence.syllables, silence.to_json()["pitch_hz"]
    (0.0, 0, None)
    """
    heard = pitch(samples, sample_rate_hz, floor_hz=floor_hz, ceiling_hz=ceiling_hz)
    loudness = intensity(samples, sample_rate_hz, floor_hz=floor_hz)
    when, voice = rhythm(loudness, heard), quality(samples, sample_rate_hz, heard)
    held = filled_pauses(samples, sample_rate_hz, heard)
    voiced, levels = heard.hz[heard.is_voiced], loudness.decibels
    spoken = levels[np.isin(np.arange(len(levels)), _voiced_frames(loudness.times_s, heard.times_s[heard.is_voiced],
                                                                   loudness.step_s))]
    return Prosody(
        duration_s=len(samples) / sample_rate_hz,
        voiced_share=float(heard.is_voiced.mean()) if len(heard.hz) else 0.0,
        pitch_hz=float(np.median(voiced)) if len(voiced) else float("nan"),
        pitch_range_semitones=_spread(heard.semitones[heard.is_voiced]),
        pitch_slope=_slope(heard.times_s[heard.is_voiced], heard.semitones[heard.is_voiced]),
        intensity_db=float(10 * np.log10(np.mean(10 ** (levels.astype(np.float64) / 10)))) if len(levels)
        else float("nan"),
        intensity_range_db=_spread(spoken), syllables=len(when.syllables_s), speaking_rate=when.speaking_rate,
        articulation_rate=when.articulation_rate, pauses=len(when.pauses), pause_share=when.pause_share,
        longest_pause_s=max((end - start for start, end in when.pauses), default=0.0), hesitations=len(held),
        hesitation_s=sum(end - start for start, end in held), jitter=voice.jitter, shimmer=voice.shimmer,
        harmonicity_db=voice.harmonicity_db)


_END_S, _LEAST_FRAMES = 0.5, 10


def _voiced_frames(times_s: NDArray[np.float64], voiced_s: NDArray[np.float64], step_s: float) -> NDArray[np.int64]:
    """Which frames of the intensity lie at a voiced frame of the pitch."""
    if not len(times_s) or not len(voiced_s):
        return np.zeros(0, np.int64)
    return np.unique(np.clip(np.round((voiced_s - times_s[0]) / step_s).astype(int), 0, len(times_s) - 1))


def _spread(values: NDArray[np.float32]) -> float:
    return float(np.subtract(*np.quantile(values, (0.95, 0.05)))) if len(values) else float("nan")


def _slope(times_s: NDArray[np.float64], semitones: NDArray[np.float32]) -> float:
    """Of the line through the last half second of voice; NaN below a tenth of a second."""
    if not len(times_s):
        return float("nan")
    is_end = times_s > times_s[-1] - _END_S
    if is_end.sum() < _LEAST_FRAMES:
        return float("nan")
    return float(np.polyfit(times_s[is_end], semitones[is_end], 1)[0])
