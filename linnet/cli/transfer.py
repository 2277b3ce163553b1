"""What is seen while a corpus comes: bytes, speed and the time that is left; and what is said when it is stopped."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from linnet.cli.screen import say
from linnet.progress import BytesProgress

if TYPE_CHECKING:
    from linnet.data import Source

def brought(source: Source, to: Path | None) -> Path:
    """The corpus's folder; downloaded where it is not there. Ctrl-C says what is kept."""
    there = source.find() if to is None else None
    if there is not None:
        return there
    try:
        with bytes_shown(source.card.name) as progress:
            return source.get(progress=progress, to=to)
    except KeyboardInterrupt:
        say(f"{source.card.name} is not whole yet; the same command goes on with what has come.")
        raise


@contextmanager
def bytes_shown(name: str) -> Iterator[BytesProgress]:
    """A progress callback in bytes: a bar on a terminal, else a line now and then."""
    if not sys.stderr.isatty():
        yield lines(name)
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), DownloadColumn(),
               TransferSpeedColumn(), TimeRemainingColumn(compact=True))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task(name, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def lines(name: str, seconds: float = 10.0) -> BytesProgress:
    """The callback for a log: one line every so many seconds, and one at the end."""
    last = time.monotonic()

    def report(done: int, total: int | None) -> None:
        nonlocal last
        if done == total or time.monotonic() - last >= seconds:
            last = time.monotonic()
            say(f"{name}: {done / 1e6:,.1f} MB" + (f" of {total / 1e6:,.1f}" if total else ""))

    return report
