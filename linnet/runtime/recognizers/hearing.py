"""What adapters share: a recording at the engine's rate, the files of a model, and one hypothesis of timed words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, resample
from linnet.errors import LinnetError
from linnet.speech.hypothesis import Hypothesis, Word

RATE_HZ = 16_000


def heard(audio: Audio) -> NDArray[np.float32]:
    """The samples at 16 kHz; none of a recording in which nothing but zeros is.

    Engines with a language model answer digital silence with words that nobody said.
    """
    samples = resample(audio, RATE_HZ).samples
    return samples if samples.any() else samples[:0]


def model_folder(model: str | Path, engine: str) -> Path:
    """The folder of a model; raises LinnetError where it is not there, since no engine may fetch one by itself."""
    folder = Path(model)
    if not folder.is_dir():
        raise LinnetError(f"there is no folder {folder}; give that of a model for {engine}: none is fetched.")
    return folder


def within(start_s: float, end_s: float, audio: Audio) -> tuple[float, float]:
    """A stretch, no part of which lies outside of the recording."""
    start = min(max(start_s, 0.0), audio.seconds)
    return float(start), float(min(max(end_s, start), audio.seconds))


def told(words: Sequence[Word], text: str | None = None) -> list[Hypothesis]:
    """One hypothesis of these words, as sure as all of them together; none where there is no text.

    `text` is that of the engine where it differs from the words with spaces between them.
    """
    said = " ".join(word.text for word in words) if text is None else text.strip()
    if not said:
        return []
    sure = [word.confidence for word in words if word.confidence is not None]
    confidence = math.prod(sure) if words and len(sure) == len(words) else None
    return [Hypothesis(said, confidence, words=tuple(words))]
