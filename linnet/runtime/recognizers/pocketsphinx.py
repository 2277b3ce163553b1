"""pocketsphinx: its English model comes with the package, so it runs everywhere; best held to a grammar.

Its n-gram model answers read speech of learners with four words in five wrong, and what is no speech with short words;
held to a grammar of sentences it is fast and useful (docs/speech/recognition.md).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from linnet.data import Audio
from linnet.errors import LinnetError, missing_extra
from linnet.runtime.recognizers.hearing import RATE_HZ, heard, within
from linnet.speech.hypothesis import Hypothesis, Word

FRAME_S = 0.01
MOST = 5
_NO_WORD = re.compile(r"^(<.*>|\[.*\]|\(null\))$")
_VARIANT = re.compile(r"\(\d+\)$")
_GRAMMAR = "grammar"


@dataclass(frozen=True)
class PocketSphinx:
    """Answers with up to `most` hypotheses. Only the best one has words with times, and a confidence."""

    decoder: Any = field(repr=False)
    most: int = MOST

    def __call__(self, audio: Audio) -> list[Hypothesis]:
        """None for a recording without a stretch that the engine's own detector takes for speech."""
        sound = (heard(audio) * 32767).astype(np.int16)
        if not _is_speech(sound.tobytes()):
            return []
        self.decoder.start_utt()
        self.decoder.process_raw(sound.tobytes(), False, True)
        self.decoder.end_utt()
        found = self.decoder.hyp()
        if found is None or not found.hypstr:
            return []
        segments = [segment for segment in self.decoder.seg() if not _NO_WORD.match(segment.word)]
        words = tuple(_word(segment, audio) for segment in segments)
        acoustic = math.fsum(_log(segment.ascore) for segment in segments)
        best = Hypothesis(found.hypstr, min(1.0, float(found.prob)), acoustic if acoustic > -math.inf else None,
                          words=words)
        return [best, *self._others(best.text)][: self.most]

    def _others(self, best: str) -> Iterator[Hypothesis]:
        """Other texts; the engine names one again for each other place of a pause."""
        seen = {best, ""}
        for found, _ in zip(self.decoder.nbest(), range(20 * self.most), strict=False):
            if found is not None and found.hypstr not in seen:
                seen.add(found.hypstr)
                yield Hypothesis(found.hypstr)


def load(*, grammar: str | None = None, words: Mapping[str, str] | None = None, most: int = MOST) -> PocketSphinx:
    """English from the package's own model: any words, or the sentences of a `grammar` in JSGF.

    `words` gives pronunciations of what the lexicon lacks, in its phones: {"linnet": "L IH N AH T"}. Raises
    LinnetError for a grammar that cannot be compiled, and for words without a pronunciation.
    """
    try:
        from pocketsphinx import Decoder
    except ModuleNotFoundError as error:
        raise missing_extra("pocketsphinx", "pocketsphinx") from error
    decoder = Decoder(samprate=RATE_HZ, loglevel="FATAL", **({} if grammar is None else {"lm": None}))
    for word, phones in (words or {}).items():
        try:
            decoder.add_word(word, phones, False)
        except RuntimeError as error:
            raise LinnetError(f"'{phones}' is no pronunciation of '{word}': give phones of the CMU dictionary with "
                              "spaces between them, such as 'L IH N AH T'.") from error
    if grammar is not None:
        _hold_to(decoder, grammar)
    return PocketSphinx(decoder, most)


def _hold_to(decoder: Any, grammar: str) -> None:
    # compiled from a text: the engine crashes where a grammar's file is missing or has unknown words
    lacking = sorted({word for word in _words(grammar) if decoder.lookup_word(word) is None})
    if lacking:
        raise LinnetError(f"the lexicon has no pronunciation of {', '.join(lacking[:10])}; give them as "
                          "words={'" + lacking[0] + "': '<phones>'}.")
    try:
        decoder.add_jsgf_string(_GRAMMAR, grammar)
    except ValueError as error:
        raise LinnetError("the grammar cannot be compiled; it is JSGF, such as '#JSGF V1.0; grammar g; "
                          "public <s> = (turn | switch) on the light;'.") from error
    decoder.activate_search(_GRAMMAR)


def _words(grammar: str) -> list[str]:
    """The words in the rules' bodies: no names, tags, weights or comments."""
    plain = re.sub(r"/\*.*?\*/|//[^\n]*|\{[^}]*\}|<[^>]*>|/[\d.eE+-]+/|\"", " ", grammar, flags=re.DOTALL)
    bodies = [rule.partition("=")[2] for rule in plain.split(";") if "=" in rule]
    return [word for body in bodies for word in re.split(r"[\s()\[\]|*+]+", body) if word]


def _is_speech(sound: bytes) -> bool:
    from pocketsphinx import Vad

    detector = Vad()
    size = detector.frame_bytes
    return any(detector.is_speech(sound[start : start + size]) for start in range(0, len(sound) - size + 1, size))


def _word(segment: Any, audio: Audio) -> Word:
    start, end = within(segment.start_frame * FRAME_S, (segment.end_frame + 1) * FRAME_S, audio)
    return Word(_VARIANT.sub("", segment.word), start, end, min(1.0, float(segment.prob)))


def _log(score: float) -> float:
    return math.log(score) if score > 0 else -math.inf
