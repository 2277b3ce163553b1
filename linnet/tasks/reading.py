"""Reading a task's JSON: what is missing or off becomes one error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from linnet.errors import LinnetError


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise LinnetError for every way in which JSON can differ from what `to_json` writes."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LinnetError(f"this describes no {what} task: {error!r} is missing or off.") from error
