"""The least of a task that a family of networks looks at, and a batch of inputs for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

Shape = tuple[int | None, ...]
Output = tuple[str, Shape]
CLASSES: Output = ("logits", (3,))
RATE = 8000


@dataclass(frozen=True)
class StandIn:
    """What goes in and what comes out, without data."""

    arrays: Mapping[str, tuple[str, Shape]]
    output: Output = CLASSES
    tokenizer: Any = None
    sample_rate_hz: int | None = None
    kind: str = "stand-in"


def answers(*positions: int | None) -> list[Output]:
    """One of three classes, two values, and one of five tags at each of so many positions."""
    return [CLASSES, ("values", (2,)), *(("logits", (place, 5)) for place in positions)]


def texts(output: Output = CLASSES) -> StandIn:
    return StandIn({"tokens": ("int64", (20,))}, output, tokenizer=SimpleNamespace(size=50))


def recordings(output: Output = CLASSES) -> StandIn:
    return StandIn({"audio": ("float32", (None,)), "lengths": ("int64", ())}, output, sample_rate_hz=RATE)


def windows(output: Output = CLASSES) -> StandIn:
    return StandIn({"audio": ("float32", (RATE,))}, output, sample_rate_hz=RATE)


def rows(output: Output = CLASSES) -> StandIn:
    return StandIn({"features": ("float32", (3,))}, output)


def pictures(output: Output = CLASSES, *, size: int = 16) -> StandIn:
    return StandIn({"image": ("uint8", (size, size, 1))}, output)


def batch_of(task: StandIn) -> dict[str, np.ndarray]:
    """Three samples, the second and the third shorter where lengths may differ."""
    rng = np.random.default_rng(0)
    if "tokens" in task.arrays:
        tokens = rng.integers(1, task.tokenizer.size, (3, 20))
        tokens[1, 9:], tokens[2, 3:] = 0, 0
        return {"tokens": tokens}
    if "lengths" in task.arrays:
        lengths = np.array([8000, 5003, 2222])
        audio = rng.normal(0, 0.1, (3, 8000)).astype(np.float32) * (np.arange(8000) < lengths[:, None])
        return {"audio": audio, "lengths": lengths}
    ((name, (dtype, shape)),) = task.arrays.items()
    values = rng.integers(0, 256, (3, *shape)) if dtype == "uint8" else rng.normal(0, 0.1, (3, *shape))
    return {name: values.astype(dtype)}
