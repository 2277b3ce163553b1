"""Adapters that run a shipped file, one a file; they know arrays and names, neither cards nor claims."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from linnet.errors import LinnetError, unknown
from linnet.runtime.engines import onnxruntime, openvino
from linnet.runtime.engines.session import Port, Session

ENGINES: dict[str, Callable[..., Session]] = {"onnxruntime": onnxruntime.load, "openvino": openvino.load}
"""By name: a function of (path or bytes, *, threads) that loads a file; it says itself how a missing engine is got."""


def start(model: Path | bytes, *, engine: str = "onnxruntime", threads: int = 1) -> Session:
    """Load a file into the engine of that name."""
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if threads < 1:
        raise LinnetError(f"threads must be at least 1; got {threads}.")
    return ENGINES[engine](model, threads=threads)


__all__ = ["ENGINES", "Port", "Session", "start"]
