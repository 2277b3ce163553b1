"""faster-whisper: Whisper models in the form of CTranslate2, from a folder; Silero's detector goes before it.

Whisper answers what is no speech with sentences of its training ("Thanks for watching") and may repeat itself with
high confidence, so what the detector takes for no speech is never shown to it. Nothing is sampled: the same recording
gets the same answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.data import Audio
from linnet.errors import LinnetError, missing_extra
from linnet.runtime.recognizers.hearing import heard, model_folder, told, within
from linnet.speech.hypothesis import Hypothesis, Word


@dataclass(frozen=True)
class FasterWhisper:
    """Answers with one hypothesis, its words with times and probabilities."""

    model: Any = field(repr=False)
    language: str | None = None
    beam: int = 5
    detect: bool = True

    def __call__(self, audio: Audio) -> list[Hypothesis]:
        """None where no speech is."""
        samples = heard(audio)
        if not len(samples):
            return []
        segments, _ = self.model.transcribe(
            samples, language=self.language, beam_size=self.beam, word_timestamps=True, vad_filter=self.detect,
            condition_on_previous_text=False, temperature=0.0)
        found = list(segments)
        words = [Word(word.word.strip(), *within(word.start, word.end, audio), _probability(word.probability))
                 for segment in found for word in segment.words or () if word.word.strip()]
        return told(words, " ".join(segment.text.strip() for segment in found))


def load(model: str | Path, *, language: str | None = None, beam: int = 5, detect: bool = True,
         threads: int = 1) -> FasterWhisper:
    """The model in a folder (model.bin, config.json, tokenizer.json), in int8 on the CPU.

    `language` is a code such as "en", else the model guesses it; `detect` false shows it noise and silence too.
    """
    folder = model_folder(model, "faster-whisper")
    # without these the package would fetch them
    lacking = [name for name in ("model.bin", "tokenizer.json") if not (folder / name).is_file()]
    if lacking:
        raise LinnetError(f"{folder} has no {' and no '.join(lacking)}; give the folder of a Whisper model in the form "
                          "of CTranslate2.")
    try:
        from faster_whisper import WhisperModel
    except ModuleNotFoundError as error:
        raise missing_extra("faster-whisper", "whisper") from error
    try:
        made = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True)
    except (RuntimeError, ValueError) as error:
        raise LinnetError(f"{folder} is no model that faster-whisper can load ({error}).") from error
    return FasterWhisper(made, language, beam, detect)


def _probability(value: float) -> float | None:
    return min(1.0, max(0.0, float(value))) if math.isfinite(value) else None
