"""linnet try --stream: answers as they come, from a microphone or from a recording that is played into one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli import recordings, screen

if TYPE_CHECKING:
    from linnet.runtime import Shipped, Stream
    from linnet.speech.sources import Chunk
    from linnet.tasks import Answer, Arrays, Task

MICROPHONE = "microphone"
Said = Callable[["Task", "Answer", Any], str]


def stream_answers(shipped: Shipped, given: str, said: Said) -> Iterator[str]:
    """A line whenever the answer changes: how much was heard, and the answer to it."""
    import numpy as np

    from linnet import data, runtime
    from linnet.tasks.answer import answered

    stream, task, before = runtime.Stream(shipped), shipped.task, None
    for outputs, samples in _heard(stream, _chunks(given, task, stream.sample_rate_hz)):
        silence = np.broadcast_to(np.float32(0), samples)  # answers ask how long a sound was, not how it was
        sound = data.Audio(silence, stream.sample_rate_hz)
        now = answered(task, outputs, sound)
        if now.label != before:
            yield f"{sound.seconds:.2f} s: {said(task, now, sound)}"
        before = now.label


def _heard(stream: Stream, chunks: Iterable[Chunk]) -> Iterator[tuple[Arrays, int]]:
    """After every chunk that was answered: all answers of frames so far, or the newest one; and how many samples."""
    import numpy as np

    known: dict[str, Any] = {}
    for chunk in chunks:
        heard = stream.heard + len(chunk)
        if _add(known, stream.update(chunk), is_pooled=stream.is_pooled):
            yield known, heard
    heard, late_ms = stream.heard, getattr(stream.shipped.task, "delay_ms", 0.0)
    silence = np.zeros(round(late_ms * stream.sample_rate_hz / 1000), np.float32)  # what it still has to say of the end
    is_due = _add(known, stream.update(silence), is_pooled=stream.is_pooled)
    if _add(known, stream.finish(), is_pooled=stream.is_pooled) or is_due:
        yield known, heard


def _add(known: dict[str, Any], outputs: Arrays | None, *, is_pooled: bool) -> bool:
    import numpy as np

    for name, values in (outputs or {}).items():
        known[name] = values[-1:] if is_pooled else np.concatenate([known.get(name, values[:, :0]), values], axis=1)
    return outputs is not None


def _chunks(given: str, task: Task, sample_rate_hz: int) -> Iterator[Chunk]:
    from linnet.speech import sources

    if given == MICROPHONE:
        screen.say("listening; stop with Ctrl-C.")
        return sources.microphone(sample_rate_hz)
    return sources.played(recordings.heard(Path(given), task, whole=True), sample_rate_hz)
