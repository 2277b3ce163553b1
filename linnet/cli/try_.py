"""linnet try: one answer a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from linnet.data import Media
    from linnet.tasks import Task


def try_(model: Annotated[Path, typer.Argument(help="The shipped file, an ONNX file that Linnet wrote.")],
         samples: Annotated[list[Path], typer.Argument(help="Recordings or images.", metavar="SAMPLE...")]) -> int:
    """Ask a shipped file about recordings or images: the answer, how sure it is, and the runner-up.

    The probabilities are the model's own and not calibrated. A recording at another sample rate is resampled, and
    that is said.

    \b
    Examples:
      linnet try digits.onnx clip.wav
      linnet try digits.onnx recordings/*.wav
    """
    from linnet import runtime, tasks

    shipped = runtime.load(model)
    for path in samples:
        answer = tasks.answer(shipped, shipped.task, _decoded(path, shipped.task))
        (_, first), *others = answer.probabilities.items()
        runner_up = f", then {others[0][0]} ({others[0][1]:.2f})" if others else ""
        typer.echo(f"{path}: {answer.label} ({first:.2f}){runner_up}")
    return 0


def _decoded(path: Path, task: Task) -> Media:
    from linnet import data
    from linnet.cli import screen
    from linnet.errors import DamagedFileError

    try:
        if "audio" not in task.arrays:
            return data.read_image(path)
        sound = data.read_audio(path)
    except DamagedFileError as error:
        raise DamagedFileError(f"{path} {error}.") from error
    rate = getattr(task, "sample_rate_hz", sound.sample_rate_hz)
    if rate != sound.sample_rate_hz:
        screen.say(f"note: {path} was resampled from {sound.sample_rate_hz} Hz to the {rate} Hz that the model takes.")
    if not sound.samples.any():
        screen.say(f"note: {path} is silent; the answer means nothing.")
    return sound
