"""What a file needs beside it: a scorer's acoustic model, found by its name in its folder and known by its hash."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from linnet.tasks import Assess, Task


def with_acoustic(task: Task, path: Path, load: Callable[[Path], Any]) -> Task:
    """An assessment with the acoustic model that lies beside the file at `path`; any other task as it is.

    Where none lies there the task is given back without one, and says so when it is asked to hear. Raises LinnetError
    where another model lies there under that name.
    """
    if not isinstance(task, Assess) or not task.acoustic.file:
        return task
    beside = path.resolve().parent / task.acoustic.file
    return task.hearing_with(load(beside)) if beside.is_file() else task
