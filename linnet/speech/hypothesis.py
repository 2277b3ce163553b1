"""Hypothesis: one reading of a recording, with how sure it is and when each word was said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from linnet.data import Audio


@dataclass(frozen=True)
class Word:
    """One word of a hypothesis; times in seconds from the start of the recording."""

    text: str
    start_s: float
    end_s: float
    confidence: float | None = None
    """Between 0 and 1; None where the engine does not say."""


@dataclass(frozen=True)
class Hypothesis:
    """What may have been said. A recognizer gives its hypotheses the best first; none where it heard no speech."""

    text: str
    confidence: float | None = None
    """The probability that the whole text is right; None where the engine does not say."""
    acoustic: float | None = None
    """Log likelihood of the sound, where known."""
    language: float | None = None
    """Log likelihood of the words, where known."""
    words: tuple[Word, ...] = ()


Recognizer = Callable[[Audio], list[Hypothesis]]
"""What hears: a shipped file with its decoder, and every engine that brings a model of its own, are all one."""
