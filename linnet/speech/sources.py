"""Where a stream's samples come from: a microphone, or a recording that is played as if into one."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, read_audio, resample
from linnet.errors import LinnetError, missing_extra

CHUNK_MS = 100.0
Chunk = NDArray[np.float32]
_SECONDS_BEHIND = 10
"""A microphone waits so long for whoever listens before something is lost, which is an error."""


def played(recording: Path | str | Audio, sample_rate_hz: int, *, chunk_ms: float = CHUNK_MS,
           real_time: bool = False) -> Iterator[Chunk]:
    """The recording in chunks (n,) float32, the last as long as it comes; at its own pace with `real_time`.

    It is resampled as a whole, so that no chunk has an edge.

    >>> [len(chunk) for chunk in played(Audio(np.zeros(2000, np.float32), 8000), 8000)]
    [800, 800, 400]
    """
    sound = resample(recording if isinstance(recording, Audio) else read_audio(recording), sample_rate_hz)
    size = _size(chunk_ms, sample_rate_hz)
    for start in range(0, len(sound.samples), size):
        if real_time:
            time.sleep(size / sample_rate_hz)
        yield sound.samples[start : start + size]


def microphone(sample_rate_hz: int, *, chunk_ms: float = CHUNK_MS, seconds: float | None = None) -> Iterator[Chunk]:
    """What the machine's microphone hears, in chunks (n,) float32, until `seconds` are over or nobody asks any more.

    Raises LinnetError where there is none, and where the listener falls so far behind that samples would be lost.
    """
    devices = _sounddevice()
    size = _size(chunk_ms, sample_rate_hz)
    heard: queue.Queue[Chunk] = queue.Queue(maxsize=max(1, round(_SECONDS_BEHIND * sample_rate_hz / size)))

    def on_chunk(samples: NDArray[np.float32], _count: int, _time: object, _status: object) -> None:
        if not heard.full():
            heard.put_nowait(samples[:, 0].copy())

    rest = None if seconds is None else round(seconds * sample_rate_hz)
    try:
        stream = devices.InputStream(samplerate=sample_rate_hz, channels=1, dtype="float32", blocksize=size,
                                     callback=on_chunk)
        with stream:
            while rest is None or rest > 0:
                if heard.full():
                    raise LinnetError(f"the microphone is {_SECONDS_BEHIND} s ahead of what listens to it; use a "
                                      "smaller model, or a faster machine.")
                chunk = heard.get()[:rest]
                rest = None if rest is None else rest - len(chunk)
                yield chunk
    except devices.PortAudioError as error:
        raise LinnetError(f"no microphone can be opened at {sample_rate_hz} Hz: {error}. Give a recording instead, or "
                          "plug one in.") from error


def _sounddevice() -> Any:
    """The package that knows microphones; it needs the system's PortAudio."""
    try:
        import sounddevice
    except ModuleNotFoundError as error:
        raise missing_extra("sounddevice", "microphone") from error
    except OSError as error:
        raise LinnetError(f"the package sounddevice does not find PortAudio ({error}); on Debian: "
                          "apt-get install libportaudio2") from error
    return sounddevice


def _size(chunk_ms: float, sample_rate_hz: int) -> int:
    size = round(chunk_ms * sample_rate_hz / 1000)
    if size < 1:
        raise LinnetError(f"chunk_ms is how long a chunk lasts; {chunk_ms} ms are no sample at {sample_rate_hz} Hz.")
    return size
