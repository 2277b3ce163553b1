"""Adapters of foreign models: each turns its own kind into an ONNX graph that takes and gives a task's arrays.

Knows tasks and graphs; knows no file, no card and no claim. A framework is imported only where a model of it is given.
"""

from __future__ import annotations

from linnet.export.adapters.foreign import Foreign

__all__ = ["Foreign"]
