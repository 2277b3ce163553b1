"""What goes to standard error: messages, notices of the library, and progress."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from linnet.progress import Progress

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID



def say(message: str) -> None:
    """One message to standard error, as it is."""
    print(message, file=sys.stderr)


@contextmanager
def notices() -> Iterator[None]:
    """Show what the library has to say ("resampled 312 clips") while a verb runs."""
    logger, handler = logging.getLogger("linnet"), _Notices(logging.INFO)
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Notices(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(f"note: {record.getMessage()}")


@contextmanager
def progress() -> Iterator[Progress]:
    """A progress callback: bars on a terminal, else a line where a thing begins and ends, and now and then between."""
    if not sys.stderr.isatty():
        yield lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (BarColumn(bar_width=24), TaskProgressColumn(), TimeRemainingColumn(compact=True),
               TextColumn("{task.description}", markup=False))
    with Bars(*columns, console=Console(stderr=True)) as bars:
        yield _drawn(bars)


def _drawn(bars: Bars) -> Progress:
    current: list[TaskID] = []
    begins = _beginnings()

    def report(done: int, total: int, text: str) -> None:
        if begins(done, total):
            current[:] = [bars.add_task(text, total=total)]
        bars.update(current[0], completed=done, description=text)

    return report


def lines(seconds: float = 10.0) -> Progress:
    """The callback for a log: the first and the last step of each thing, and one line every so many seconds."""
    last = time.monotonic()
    begins = _beginnings()

    def report(done: int, total: int, text: str) -> None:
        nonlocal last
        if begins(done, total) or done >= total or time.monotonic() - last >= seconds:
            last = time.monotonic()
            say(f"{text} ({done:,} of {total:,})")

    return report


def _beginnings() -> Callable[[int, int], bool]:
    """A function that says whether a step is the first of something new."""
    before = (0, -1)

    def begins(done: int, total: int) -> bool:
        nonlocal before
        is_new = total != before[1] or done < before[0]
        before = (done, total)
        return is_new

    return begins
