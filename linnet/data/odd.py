"""What is odd about samples, said at once, or in one sentence where many small reads belong together."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from linnet.data.leaks import listed

_log = logging.getLogger("linnet")


@dataclass
class _Kind:
    names: list[str] = field(default_factory=list)
    count: int = 0
    of: int = 0


_gathered: ContextVar[dict[str, _Kind] | None] = ContextVar("gathered", default=None)


def say(words: str, odd: Sequence[str] | int, *, of: int) -> None:
    """Warn "<odd> of <of> <words>", with the names of the odd ones where they are given; nothing of none."""
    kinds = _gathered.get()
    kind = _Kind() if kinds is None else kinds.setdefault(words, _Kind())
    kind.count += odd if isinstance(odd, int) else len(odd)
    kind.names += [] if isinstance(odd, int) else odd
    kind.of += of
    if kinds is None:
        _warn(words, kind)


def note(words: str, odd: int, *, of: int) -> None:
    """Like `say` where reads are gathered, else nothing: for what was said when the task was made from its data."""
    if _gathered.get() is not None:
        say(words, odd, of=of)


@contextmanager
def gathered() -> Iterator[None]:
    """What is said inside of it is said once, at its end, of all samples together."""
    kinds: dict[str, _Kind] = {}
    before = _gathered.set(kinds)
    try:
        yield
    finally:
        _gathered.reset(before)
        for words, kind in kinds.items():
            _warn(words, kind)


def _warn(words: str, kind: _Kind) -> None:
    if kind.count:
        _log.warning("%d of %d %s%s", kind.count, kind.of, words, f": {listed(kind.names)}" if kind.names else "")
