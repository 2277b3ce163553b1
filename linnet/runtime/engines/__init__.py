"""Adapters that run a shipped file, one a file; they know arrays and names, neither cards nor claims."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from linnet.errors import LinnetError, unknown
from linnet.runtime.engines import coreml, executorch, onnxruntime, openvino, web
from linnet.runtime.engines.session import Port, Session

ENGINES: dict[str, Callable[..., Session]] = {
    "onnxruntime": onnxruntime.load, "openvino": openvino.load, "executorch": executorch.load, "coreml": coreml.load,
    "web": web.load}
"""By name: a function of (path or bytes, *, threads) that loads a file; it says itself how a missing engine is got."""

COMPANIONS: dict[str, str] = {"executorch": executorch.SUFFIX, "coreml": coreml.SUFFIX}
"""Engines that take no ONNX but a file of their own beside it, and how its name ends: they want the path."""

ELSEWHERE = frozenset({"web"})
"""Engines that run in processes of their own: what they take of memory is not this process's."""


def start(model: Path | bytes, *, engine: str = "onnxruntime", threads: int = 1) -> Session:
    """Load a file into the engine of that name."""
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if threads < 1:
        raise LinnetError(f"threads must be at least 1; got {threads}.")
    return ENGINES[engine](model, threads=threads)


__all__ = ["COMPANIONS", "ELSEWHERE", "ENGINES", "Port", "Session", "start"]
