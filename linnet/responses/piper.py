"""Piper voices: a file and its .json that the user has, spoken sentence by sentence by the package piper-tts.

Voices of Piper sound like people; the package is GPL-3.0, and each voice has a licence of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from linnet.errors import LinnetError, missing_extra
from linnet.responses.ssml import Piece
from linnet.responses.voice import Samples

_NO_NOISE = 0.0


@dataclass(frozen=True)
class Piper:
    """A voice from `path`, an ONNX file beside which its .onnx.json lies; `speaker` for voices that have several.

    The same text is said the same way each time: what Piper draws at random is left out unless `is_varied`.
    """

    path: Path
    speaker: int | None = None
    is_varied: bool = False
    _loaded: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        path = Path(self.path)
        missing = [str(one) for one in (path, Path(f"{path}.json")) if not one.is_file()]
        if missing:
            raise LinnetError(f"a Piper voice is two files, {path} and {path}.json; not there: {', '.join(missing)}. "
                              "Voices are listed on Piper's pages.")
        try:
            from piper import PiperVoice
        except ImportError as error:
            raise missing_extra("piper-tts", "piper") from error
        try:
            loaded = PiperVoice.load(path)
        except Exception as error:
            raise LinnetError(f"{path} is not a Piper voice, or its .json is not: {type(error).__name__}: {error}"
                              ) from error
        speakers = loaded.config.num_speakers
        if self.speaker is not None and not 0 <= self.speaker < speakers:
            raise LinnetError(f"speaker is 0 to {speakers - 1} in {path.name}; got {self.speaker}.")
        object.__setattr__(self, "path", path)
        object.__setattr__(self, "_loaded", loaded)

    @property
    def sample_rate_hz(self) -> int:
        """Of the voice."""
        return int(self._loaded.config.sample_rate)

    @property
    def identity(self) -> str:
        """Package, its version, the voice by its content, the speaker."""
        from importlib.metadata import version

        content = hashlib.sha256(self.path.read_bytes() + Path(f"{self.path}.json").read_bytes()).hexdigest()
        return f"piper-tts {version('piper-tts')} {content} {self.speaker} {self.is_varied}"

    def speak(self, said: Sequence[Piece]) -> Generator[Samples]:
        """A chunk a sentence. Raises LinnetError where another pitch is asked for: these voices have one."""
        if any(piece.pitch != 1 for piece in said):
            raise LinnetError("a Piper voice cannot change its pitch; leave pitch out of the SSML, or take Espeak.")
        return self._stream(said)

    def _stream(self, said: Sequence[Piece]) -> Generator[Samples]:
        from piper import SynthesisConfig

        config = self._loaded.config
        for piece in said:
            how = SynthesisConfig(
                speaker_id=self.speaker, length_scale=config.length_scale / piece.rate,
                noise_scale=None if self.is_varied else _NO_NOISE,
                noise_w_scale=None if self.is_varied else _NO_NOISE, volume=10 ** (piece.volume_db / 20))
            for chunk in self._loaded.synthesize(piece.text, how) if piece.text else ():
                yield np.asarray(chunk.audio_float_array, np.float32).reshape(-1)
            if piece.pause_s:
                yield np.zeros(round(piece.pause_s * self.sample_rate_hz), np.float32)
