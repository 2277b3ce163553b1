"""Recordings that a command was given: read, and what was done to them or is odd about them is said."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.cli import odd_sounds, screen
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.data import Audio
    from linnet.tasks import Task


def heard(path: Path, task: Task, *, whole: bool = False) -> Audio:
    """The recording; what is odd about it is said, and that only its middle is heard, unless the `whole` of it is."""
    from linnet import data

    refuse_folder(path)
    sound = data.read_audio(path)
    channels = data.probe_audio(path).channels
    if channels > 1:
        screen.say(f"note: {path} has {channels} channels, which were mixed to one.")
    rate = getattr(task, "sample_rate_hz", sound.sample_rate_hz)
    if rate != sound.sample_rate_hz:
        screen.say(f"note: {path} was resampled from {sound.sample_rate_hz} Hz to the {rate} Hz that the model takes.")
    window = None if whole else task.arrays["audio"][1][0]
    if window is not None and sound.seconds > (window + 1) / rate:
        middle = f"only the {window / rate:.3g} s in its middle were heard"
        screen.say(f"note: {path} lasts {sound.seconds:.3g} s: {middle}.")
    for note in odd_sounds.said_of(path, sound):
        screen.say(f"note: {note}")
    return sound


def refuse_folder(path: Path) -> None:
    """Raises LinnetError where a file was expected, with the files that may have been meant."""
    if path.is_dir():
        raise LinnetError(f"a folder; give the files in it, such as {_files_in(path)}.")


def _files_in(folder: Path) -> str:
    """The pattern of the first recording or image in it: birds/*/*.wav."""
    from linnet.data.media import AUDIO_SUFFIXES, IMAGE_SUFFIXES

    for where, _, names in os.walk(folder):
        for name in names:
            if Path(name).suffix.lower() in AUDIO_SUFFIXES + IMAGE_SUFFIXES:
                return str(Path(folder, *"*" * len(Path(where).relative_to(folder).parts), f"*{Path(name).suffix}"))
    return str(folder / "*")
