"""Voice: what says a text, and how one is asked to: all at once, chunk by chunk, or into a file."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from linnet import files
from linnet.errors import LinnetError
from linnet.responses.ssml import Piece, pieces

if TYPE_CHECKING:
    from linnet.responses.cache import Cache

Samples = NDArray[np.float32]


class Voice(Protocol):
    """An engine that speaks, with its settings; adapters are one file each."""

    @property
    def sample_rate_hz(self) -> int:
        """Of what it says."""
        ...

    @property
    def identity(self) -> str:
        """What the sound depends on: engine, version, voice, settings. The same text and identity sound the same."""
        ...

    def speak(self, said: Sequence[Piece]) -> Generator[Samples]:
        """Chunks of samples between -1 and 1, as they are made; who stops asking stops the engine."""
        ...


def say(voice: Voice, text: str, *, cache: Cache | None = None) -> Iterator[Samples]:
    """Chunks of sound (samples,) float32 for a text or SSML; from the cache where it was said before.

    The text is checked at once, not when the first chunk is asked for. Raises LinnetError for SSML that cannot be read.
    """
    said = pieces(text)
    return voice.speak(said) if cache is None else cache.speak(voice, said)


def sound_of(voice: Voice, text: str, *, cache: Cache | None = None) -> Samples:
    """The whole sound (samples,) float32; empty for an empty text."""
    chunks = list(say(voice, text, cache=cache))
    return np.concatenate(chunks) if chunks else np.zeros(0, np.float32)


def write(voice: Voice, text: str, path: str | Path, *, cache: Cache | None = None) -> Path:
    """The sound as a file of 16 bit; the name's end says the format: .wav, .flac, .ogg."""
    import soundfile

    target = Path(path)
    kind = target.suffix[1:].upper() or "WAV"
    if kind not in soundfile.available_formats():
        known = ", ".join(f".{name.lower()}" for name in sorted(soundfile.available_formats()))
        raise LinnetError(f"{target}: no sound can be written as '{target.suffix}'; known: {known}.")
    sound = sound_of(voice, text, cache=cache)
    with files.replacing(target) as partial:
        soundfile.write(partial, sound, voice.sample_rate_hz, format=kind)
    return target
