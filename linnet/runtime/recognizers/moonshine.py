"""Moonshine: small models for English and some other languages, each with its own detector of speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.data import Audio
from linnet.errors import LinnetError, missing_extra, unknown
from linnet.runtime.recognizers.hearing import RATE_HZ, heard, model_folder, told, within
from linnet.speech.hypothesis import Hypothesis, Word


@dataclass(frozen=True)
class Moonshine:
    """Answers with one hypothesis; words where the model gives them."""

    transcriber: Any = field(repr=False)

    def __call__(self, audio: Audio) -> list[Hypothesis]:
        """None for silence."""
        samples = heard(audio)
        if not len(samples):
            return []
        lines = self.transcriber.transcribe_without_streaming(samples.tolist(), RATE_HZ).lines
        words = [Word(word.word.strip(), *within(word.start, word.end, audio), min(1.0, max(0.0, word.confidence)))
                 for line in lines for word in line.words or () if word.word.strip()]
        return told(words, " ".join(line.text.strip() for line in lines))


def load(model: str | Path, *, size: str = "base") -> Moonshine:
    """The model in a folder; `size` names its architecture: tiny, base, tiny_streaming and so on."""
    folder = model_folder(model, "moonshine")
    try:
        from moonshine_voice import ModelArch, MoonshineError, Transcriber
    except ModuleNotFoundError as error:
        raise missing_extra("moonshine-voice", "moonshine") from error
    known = {arch.name.lower(): arch for arch in ModelArch}
    if size not in known:
        raise unknown("size", size, known)
    try:
        return Moonshine(Transcriber(folder, known[size]))
    except MoonshineError as error:
        raise LinnetError(f"{folder} is no {size} model that moonshine can load ({error}).") from error
