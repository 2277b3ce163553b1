"""sherpa-onnx: transducers, CTC models, Whisper and others as ONNX files, in a folder as they are published."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.data import Audio
from linnet.errors import LinnetError, missing_extra, unknown
from linnet.runtime.recognizers.hearing import RATE_HZ, heard, model_folder, told, within
from linnet.speech.hypothesis import Hypothesis, Word

KINDS: dict[str, tuple[str, ...]] = {
    "transducer": ("encoder", "decoder", "joiner"), "whisper": ("encoder", "decoder"), "nemo_ctc": ("model",),
    "wenet_ctc": ("model",), "zipformer_ctc": ("model",), "sense_voice": ("model",), "paraformer": ("paraformer",)}
"""What a model may be, and the parts that it needs; a part's file has its name in its own, a single one any."""
_PIECE = "\u2581"
"""How pieces say that a word begins."""


@dataclass(frozen=True)
class SherpaOnnx:
    """Answers with one hypothesis; a confidence where the model's decoder gives probabilities (transducers)."""

    recognizer: Any = field(repr=False)

    def __call__(self, audio: Audio) -> list[Hypothesis]:
        """None for silence."""
        samples = heard(audio)
        if not len(samples):
            return []
        stream = self.recognizer.create_stream()
        stream.accept_waveform(RATE_HZ, samples)
        self.recognizer.decode_stream(stream)
        found = stream.result
        return told(_words(found.tokens, found.timestamps, found.ys_log_probs, audio), found.text)


def load(model: str | Path, *, kind: str, threads: int = 1) -> SherpaOnnx:
    """The model in a folder: tokens.txt and the ONNX files of its `kind` (see KINDS)."""
    if kind not in KINDS:
        raise unknown("kind of model", kind, KINDS)
    folder = model_folder(model, "sherpa-onnx")
    files = {part: str(_file(folder, part, is_alone=len(KINDS[kind]) == 1)) for part in KINDS[kind]}
    tokens = sorted(folder.glob("*tokens.txt"))
    if not tokens:
        raise LinnetError(f"{folder} has no tokens.txt; give the folder of a model as it is published.")
    try:
        from sherpa_onnx import OfflineRecognizer
    except ModuleNotFoundError as error:
        raise missing_extra("sherpa-onnx", "sherpa") from error
    try:
        made = getattr(OfflineRecognizer, f"from_{kind}")(**files, tokens=str(tokens[0]), num_threads=threads)
    except RuntimeError as error:
        raise LinnetError(f"{folder} is no {kind} model that sherpa-onnx can load ({error}).") from error
    return SherpaOnnx(made)


def _file(folder: Path, part: str, *, is_alone: bool) -> Path:
    """The part's file; of several the one with the shortest name, which is the plain one beside its int8 twin."""
    found = sorted(folder.glob("*.onnx" if is_alone else f"*{part}*.onnx"), key=lambda path: (len(path.name), path))
    if not found:
        raise LinnetError(f"{folder} has no file *{'' if is_alone else part}*.onnx; it has "
                          f"{', '.join(sorted(path.name for path in folder.iterdir())[:10]) or 'nothing'}.")
    return found[0]


def _words(tokens: Sequence[str], starts: Sequence[float], logs: Sequence[float], audio: Audio) -> list[Word]:
    """Pieces joined to words; a word ends where the next one begins, since an engine of pieces says no ends."""
    if not tokens or len(starts) != len(tokens):
        return []
    joined: list[tuple[str, float, float | None]] = []
    for place, (token, start) in enumerate(zip(tokens, starts, strict=True)):
        text, log = token.lstrip(_PIECE + " "), logs[place] if len(logs) == len(tokens) else None
        if not joined or text != token:
            joined.append((text, start, log))
        else:
            before = joined[-1]
            joined[-1] = (before[0] + text, before[1], None if log is None else (before[2] or 0.0) + log)
    ends = [*(start for _, start, _ in joined[1:]), audio.seconds]
    return [Word(text.strip(), *within(start, end, audio), None if log is None else min(1.0, math.exp(log)))
            for (text, start, log), end in zip(joined, ends, strict=True) if text.strip()]
