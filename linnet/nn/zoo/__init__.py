"""Networks by family, one file a kind, each with one dial; they know tasks (shapes, labels), not training."""

from __future__ import annotations

from collections.abc import Callable

from linnet.nn.model import Model
from linnet.nn.zoo.cnn import build, dscnn, smallcnn

FAMILIES: dict[str, Callable[..., Model]] = {"dscnn": dscnn, "smallcnn": smallcnn}
"""By name: a function of (task, *, width, seed) that makes a fresh model."""

__all__ = ["FAMILIES", "build", "dscnn", "smallcnn"]
