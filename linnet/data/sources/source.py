"""Source: a named corpus that Linnet knows how to find, get and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from linnet.data.dataset import Dataset

Progress = Callable[[int, int | None], None]
"""Called with the bytes that have come so far and, where it is known, with how many there will be."""


@dataclass(frozen=True)
class Source:
    """What `linnet data ls` shows about a corpus, and the functions that find, get and read it."""

    name: str
    summary: str
    licence: str
    citation: str
    homepage: str
    rows: int
    load: Callable[..., Dataset]
    find: Callable[[], Path | None]
    """The folder where the corpus lies on this machine, or None."""
    get: Callable[..., Path]
    """Bring the corpus to this machine: get(progress=None) gives its folder, at once where it is there already."""
    recognises: Callable[[Path], bool]
    """Whether a folder has the layout of this corpus."""
