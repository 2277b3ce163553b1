"""A recording with what was to be said in it, for `linnet try`: read from JSON, answered in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli import recordings
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.runtime import Shipped
    from linnet.tasks import Assess, Assessed
    from linnet.tasks.assessing import Phone

_HOW = """this file takes what was to be said beside the recording: '{"audio": "clip.wav", "text": "we call it"}', \
or "words": ["W IY", ...] in place of "text"."""


def sample(given: str, task: Assess) -> dict[str, Any]:
    """What the argument stands for; raises LinnetError for anything but a recording with a text or phones."""
    try:
        row = json.loads(given)
    except json.JSONDecodeError as error:
        raise LinnetError(f"not JSON ({error}); {_HOW}") from error
    if not isinstance(row, dict) or set(row) not in ({"audio", "text"}, {"audio", "words"}):
        raise LinnetError(f"a recording and a text were expected; {_HOW}")
    if not isinstance(row["audio"], str):
        raise LinnetError(f'"audio" is the path of a recording; got {json.dumps(row["audio"])}; {_HOW}')
    return {**row, "audio": recordings.heard(Path(row["audio"]), task, whole=True)}


def said(shipped: Shipped, task: Assess, asked: dict[str, Any]) -> str:
    """The marks of the whole, of each word, and the phones that were said badly."""
    from linnet import tasks

    return _line(tasks.assessed(shipped, task, asked), task)


def _line(found: Assessed, task: Assess) -> str:
    bad = [f"{phone.phone} of word {number} ({phone.mark:.1f} of {task.best[0]:g} at {phone.at_s:.2f} s"
           f"{_instead(phone)})"
           for number, (_, phones) in enumerate(found.words, 1) for phone in phones if phone.is_bad]
    words = ", ".join(f"{mark:.1f}" for mark, _ in found.words)
    return f"{found.total:.1f} of {task.best[2]:g}; words {words}; badly said: {', '.join(bad) or 'nothing'}"


def _instead(phone: Phone) -> str:
    return "" if phone.instead is None else f", likely {phone.instead or 'left out'}"
