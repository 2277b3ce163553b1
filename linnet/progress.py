"""How long work tells how far it is: one function type, from the ground floor to the terminal."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int, str], None]
"""`(done, total, text)`. Something new begins where `total` changes or `done` falls back; the text may change."""

BytesProgress = Callable[[int, int | None], None]
"""Called with the bytes that have come so far and, where it is known, with how many there will be."""
