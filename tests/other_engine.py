"""A second engine for tests that must run where only one is installed: the first one under another name."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from linnet.errors import LinnetError
from linnet.runtime.engines import ENGINES, start
from linnet.tasks import Arrays


@dataclass(frozen=True)
class Renamed:
    """A session that gives the first engine's answers times `factor`."""

    session: Any
    engine: str
    factor: float = 1.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def run(self, arrays: Arrays) -> Arrays:
        return {name: self.factor * values for name, values in self.session.run(arrays).items()}


def add_engine(monkeypatch: Any, name: str, *, factor: float = 1.0, reason: str | None = None) -> None:
    """Put the engine `name` into ENGINES until the test ends; with a reason, one that refuses every file with it."""
    def load(model: Path | bytes, *, threads: int = 1) -> Renamed:
        if reason is not None:
            raise LinnetError(reason)
        return Renamed(start(model, threads=threads), name, factor)

    monkeypatch.setitem(ENGINES, name, load)
    room = sys.modules["linnet.runtime.bench"]  # memory is measured in a process of its own, which lacks this engine
    monkeypatch.setattr(room, "_peak_memory_mb", lambda pair, threads: None)
