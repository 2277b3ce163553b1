"""Cache: what was said before is read from a folder instead of being said again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from linnet import files
from linnet.errors import LinnetError
from linnet.responses.ssml import Piece
from linnet.responses.voice import Samples, Voice

log = logging.getLogger("linnet")
_CHUNK_S = 0.1


@dataclass(frozen=True)
class Cache:
    """Files of 16 bit in a folder, by what was said and by whom; beyond `most_bytes` what lay longest unused goes."""

    folder: Path
    most_bytes: int = 100_000_000

    def __post_init__(self) -> None:
        if self.most_bytes < 0:
            raise LinnetError(f"most_bytes is how much the cache may hold, 0 or more; got {self.most_bytes}.")

    def path(self, voice: Voice, said: Sequence[Piece]) -> Path:
        """Where these pieces by this voice lie, or would."""
        key = json.dumps([voice.identity, voice.sample_rate_hz, [astuple(piece) for piece in said]])
        return Path(self.folder) / f"{hashlib.sha256(key.encode()).hexdigest()}.flac"

    def speak(self, voice: Voice, said: Sequence[Piece]) -> Generator[Samples]:
        """As the voice does; what was said to its end is kept. A file that cannot be read is said anew."""
        path = self.path(voice, said)
        sound = _read(path)
        if sound is None:
            yield from self._keeping(voice, said, path)
            return
        os.utime(path)
        step = round(_CHUNK_S * voice.sample_rate_hz)
        for start in range(0, len(sound), step):
            yield sound[start : start + step]

    def _keeping(self, voice: Voice, said: Sequence[Piece], path: Path) -> Generator[Samples]:
        import soundfile

        chunks: list[Samples] = []
        with closing(voice.speak(said)) as stream:
            for chunk in stream:
                chunks.append(chunk)
                yield chunk
        if not chunks:
            return
        try:
            with files.replacing(path) as partial:
                soundfile.write(partial, np.concatenate(chunks), voice.sample_rate_hz, format="FLAC")
            self._forget()
        except OSError as error:  # full, read-only, or another process keeps the same just now
            log.warning("what was said could not be kept in %s: %s", self.folder, error)

    def _forget(self) -> None:
        """The longest unused go until the rest fits."""
        seen = sorted(((status := path.stat()).st_mtime_ns, status.st_size, path)
                      for path in Path(self.folder).glob("*.flac"))
        whole = sum(size for _, size, _ in seen)
        for _, size, path in seen:
            if whole <= self.most_bytes:
                return
            path.unlink(missing_ok=True)
            whole -= size


def _read(path: Path) -> Samples | None:
    import soundfile

    try:
        return np.asarray(soundfile.read(path, dtype="float32")[0])
    except (OSError, soundfile.LibsndfileError):
        return None
