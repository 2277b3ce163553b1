"""The command line: one file a verb. Knows every room, and imports each only when a verb needs it."""

from __future__ import annotations

from linnet.cli.app import main

__all__ = ["main"]
