"""linnet try: one answer a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from linnet.cli import screen
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.data import Media
    from linnet.runtime import Shipped
    from linnet.tasks import Task

UNREADABLE = 3


def try_(model: Annotated[Path, typer.Argument(help="The shipped file, an ONNX file that Linnet wrote.")],
         samples: Annotated[list[Path], typer.Argument(help="Recordings or images.", metavar="SAMPLE...")]) -> int:
    """Ask a shipped file about recordings or images.

    A line a sample gives the answer, its probability, and the runner-up. The probabilities are the model's own and
    not calibrated. A recording at another sample rate is resampled, and that is said. A file that cannot be read is
    named, and the others are answered; the exit code is then 3.

    \b
    Examples:
      linnet try digits.onnx clip.wav
      linnet try digits.onnx recordings/*.wav
    """
    from linnet import runtime

    shipped, failed = runtime.load(model), 0
    for path in samples:
        try:
            typer.echo(f"{path}: {_answer(shipped, path)}")
        except LinnetError as error:
            screen.say(f"{path}: {error}")
            failed += 1
    return UNREADABLE if failed else 0


def _answer(shipped: Shipped, path: Path) -> str:
    from linnet import tasks

    answer = tasks.answer(shipped, shipped.task, _decoded(path, shipped.task))
    (label, first), (second, other), *_ = answer.probabilities.items()
    return f"{label} ({first:.2f}), then {second} ({other:.2f})"


def _decoded(path: Path, task: Task) -> Media:
    from linnet import data

    if "audio" not in task.arrays:
        return data.read_image(path)
    sound = data.read_audio(path)
    channels = data.probe_audio(path).channels
    if channels > 1:
        screen.say(f"note: {path} has {channels} channels, which were mixed to one.")
    rate = getattr(task, "sample_rate_hz", sound.sample_rate_hz)
    if rate != sound.sample_rate_hz:
        screen.say(f"note: {path} was resampled from {sound.sample_rate_hz} Hz to the {rate} Hz that the model takes.")
    window = task.arrays["audio"][1][0]
    heard = sound.seconds if window is None else window / rate
    if sound.seconds > heard + 1 / rate:
        screen.say(f"note: {path} lasts {sound.seconds:.3g} s: only the {heard:.3g} s in its middle were heard.")
    if not sound.samples.any():
        screen.say(f"note: {path} is silent; the answer means nothing.")
    return sound
