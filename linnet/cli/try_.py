"""linnet try: one answer a sample."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from linnet.cli import recordings, screen, spoken
from linnet.cli.saying import said
from linnet.cli.try_stream import stream_answers
from linnet.errors import LinnetError, unknown

if TYPE_CHECKING:
    from linnet.runtime import Shipped
    from linnet.tasks import Task

UNREADABLE = 3


def try_(model: Annotated[Path, typer.Argument(help="The shipped file, an ONNX file that Linnet wrote.")],
         samples: Annotated[list[str], typer.Argument(
             help="Recordings or images (files), texts, or rows of a table as JSON.", metavar="SAMPLE...")],
         stream: Annotated[bool, typer.Option(
             "--stream", help="Play recordings as into a microphone, and answer as they come.")] = False) -> int:
    """Ask a shipped file about recordings, images, texts or rows.

    A line a sample gives the answer; for labels also its probability and the runner-up. The probabilities are the
    model's own and not calibrated. A recording at another sample rate is resampled, and that is said. A sample that
    cannot be read is named, and the others are answered; the exit code is then 3.
    With --stream a recording is heard bit by bit, and a line is printed whenever the answer changes; the sample
    "microphone" is the machine's own.

    \b
    Examples:
      linnet try digits.onnx clip.wav
      linnet try digits.onnx recordings/*.wav
      linnet try keywords.onnx --stream call.wav
      linnet try keywords.onnx --stream microphone
      linnet try intents.onnx "what is the time"
      linnet try prices.onnx '{"rooms": 3, "district": "north"}'
      linnet try pronunciation.onnx '{"audio": "clip.wav", "text": "we call it bear"}'
    """
    from linnet import runtime

    shipped, failed = runtime.load(model), 0
    for sample in samples:
        try:
            for answer in stream_answers(shipped, sample, said) if stream else [_answer(shipped, sample)]:
                typer.echo(f"{sample}: {answer}")
        except LinnetError as error:
            screen.say(f"{sample}: {error}")
            failed += 1
    return UNREADABLE if failed else 0


def _answer(shipped: Shipped, given: str) -> str:
    from linnet import tasks

    if shipped.task.kind == "assess":
        task = cast("tasks.Assess", shipped.task)
        return spoken.said(shipped, task, spoken.sample(given, task))
    sample = _sample(given, shipped.task)
    return said(shipped.task, tasks.answer(shipped, shipped.task, sample), sample)


def _sample(given: str, task: Task) -> Any:
    """What the argument stands for, by what the task takes."""
    if "audio" in task.arrays:
        return recordings.heard(Path(given), task)
    if "image" in task.arrays:
        from linnet import data

        recordings.refuse_folder(Path(given))
        return data.read_image(Path(given))
    return _row(given, task) if "features" in task.arrays else _text(given, task)


def _row(given: str, task: Task) -> Any:
    try:
        row = json.loads(given)
    except json.JSONDecodeError as error:
        raise LinnetError(f"not JSON ({error}); this file takes rows such as "
                          """'{"rooms": 3, "district": "north"}'.""") from error
    for name in row if isinstance(row, dict) else ():
        if name not in task.inputs:
            raise unknown("column", name, task.inputs)
    return row


def _text(given: str, task: Task) -> str:
    if not given.isprintable() and any("\ud800" <= sign <= "\udfff" for sign in given):
        raise LinnetError("holds bytes that are no UTF-8; give a text in UTF-8.")
    if _is_file(given):
        screen.say(f"note: '{given}' is a file here: its name was taken as a text, not what it holds.")
    tokenizer = getattr(task, "tokenizer", None)
    if tokenizer is not None:
        count, room = int(tokenizer.counts([given])[0]), task.arrays["tokens"][1][0]
        if not given.strip() or not tokenizer.known([given])[0]:
            screen.say(f"note: '{given}' holds nothing that the model knows; the answer means nothing.")
        elif room is not None and count > room:
            screen.say(f"note: '{given}' has {count} tokens: only the first {room} were read.")
    return given


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # a text may be longer than any path, or hold what none can
        return False
