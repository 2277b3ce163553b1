"""Made-up inputs for files of which nothing but the graph is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.runtime.artifact import Artifact
from linnet.runtime.card import KEPT, KEY, read_card
from linnet.runtime.engines import Port, Session
from linnet.tasks import Arrays

LENGTHS = "lengths"
"""The input that says how many samples of a sound of any length are real."""
SAMPLES = 16_000
"""Of a sound of any length, where no card says its rate."""
_FASTEST = 1_000_000
_TEXT = "please tell me when the next train leaves for home"


def random_inputs(session: Session, *, batch: int = 1, seed: int = 0, samples: int = SAMPLES) -> Arrays:
    """Made-up inputs of the right names, dtypes and shapes; a batch without a size becomes `batch`, others 1.

    Floats are normal with deviation 0.1, bytes are uniform, other integers 0 or 1 (they may be indices), texts
    one sentence of ten words. Where `lengths` go in, or what a stream keeps, what has no size gets `samples`, all of
    them real, and nothing was heard before.
    """
    random = np.random.default_rng(seed)
    free = samples if any(name == LENGTHS or name.startswith(KEPT) for name in session.inputs) else 1
    return {name: np.full(_sizes(port, batch, 1), samples, port.dtype) if name == LENGTHS else
            _random_array(random, name, port, _sizes(port, batch, free)) for name, port in session.inputs.items()}


def beginning(ports: Mapping[str, Port], batch: int = 1) -> dict[str, NDArray[np.float32]]:
    """What a stream keeps before anything was heard: zeros for each of a file's inputs that is its state."""
    return {name: np.zeros(_sizes(port, batch, 1), np.float32) for name, port in ports.items()
            if name.startswith(KEPT)}


def varying_samples(artifact: Artifact) -> int:
    """How many samples of a sound of any length a file is given to be measured: one second, at its card's rate."""
    takes = read_card(artifact).task.get("takes") if KEY in artifact.metadata else None
    rate = takes.get("sample_rate_hz") if isinstance(takes, Mapping) else None
    return rate if isinstance(rate, int) and 0 < rate < _FASTEST else SAMPLES


def _sizes(port: Port, batch: int, free: int) -> list[int]:
    return [size or (batch if place == 0 else free) for place, size in enumerate(port.shape)]


def _random_array(random: np.random.Generator, name: str, port: Port, sizes: list[int]) -> NDArray[Any]:
    if name.startswith(KEPT):
        return np.zeros(sizes, port.dtype)
    if port.dtype.startswith("float"):
        return (0.1 * random.standard_normal(sizes)).astype(port.dtype)
    if port.dtype in ("uint8", "int8"):
        return random.integers(0, 256, sizes).astype(np.uint8).view(port.dtype)
    if port.dtype == "bool" or port.dtype.startswith(("int", "uint")):
        return random.integers(0, 2, sizes).astype(port.dtype)
    if port.dtype == "string":
        return np.full(sizes, _TEXT, dtype=object)
    raise LinnetError(f"bench cannot make up an input of type '{port.dtype}' (input '{name}').")
