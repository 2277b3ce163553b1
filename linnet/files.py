"""Files that are whole or not there: written beside, flushed, renamed; folders in which one works at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from linnet.errors import LinnetError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path beside `path` to write to; it takes the place of `path` when the block ends without an error.

    The content is on the disk before the name changes, so that neither a kill nor a power cut leaves half a file.
    After an error nothing of it is left. Raises LinnetError where `path` is a folder.
    """
    if path.is_dir():
        raise LinnetError(f"{path} is a folder; give the name of a file to write.")
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
    except BaseException:
        with suppress(OSError):  # the error that is under way is the one to be told of
            partial.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _flush(path.parent)


@contextmanager
def alone(folder: Path, what: str) -> Iterator[None]:
    """Keep a second one of `what` ("run") out of the folder; the system lets go of the lock however this one ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LinnetError(f"another {what} is at work in {folder}; wait for its end, or take another --folder."
                              ) from error
        except (ModuleNotFoundError, OSError):  # Windows and some network drives have no such lock
            pass
        yield


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
