"""Samples for an export: made-up ones where none were given, and any of them one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.runtime.card import KEPT
from linnet.tasks import Arrays

LENGTHS = "lengths"
"""The input that says how much of each sample is real in the array that varies; the rest is padding."""
LONGEST = 16_000
"""Of made-up samples where the length varies."""
_ROWS = 16


def made_up(spec: Mapping[str, Any]) -> Arrays:
    """Sixteen samples for a network of this spec: noise from silence to full scale, pixels, tokens of any length.

    Where lengths go in they run from half of the longest to all of it, and what lies beyond them is zero.
    """
    rng = np.random.default_rng(0)
    arrays = {entry["name"]: _array(rng, entry, spec) for entry in spec["inputs"]}
    for values in arrays.values():
        if LENGTHS in arrays and values.ndim > 1:
            for row, length in zip(values, arrays[LENGTHS], strict=True):
                row[length:] = 0
    return arrays


def _array(rng: np.random.Generator, entry: Mapping[str, Any], spec: Mapping[str, Any]) -> NDArray[Any]:
    shape = [LONGEST if size is None else size for size in entry["shape"]]
    if entry["name"] == LENGTHS:
        return np.linspace(LONGEST / 2, LONGEST, _ROWS).astype(entry["dtype"])
    if entry["dtype"] == "uint8":
        return rng.integers(0, 256, (_ROWS, *shape), dtype=np.uint8)
    if entry["dtype"].startswith("int"):
        ids = rng.integers(1, max(2, spec.get("vocabulary", 2)), (_ROWS, *shape))
        ids[np.arange(shape[0]) > np.linspace(0, shape[0], _ROWS)[:, None]] = 0
        return ids.astype(entry["dtype"])
    loudness = np.linspace(0, 1, _ROWS).reshape(-1, *[1] * len(shape))
    return (loudness * rng.uniform(-1, 1, (_ROWS, *shape))).astype(entry["dtype"])


def beginning(session: Any) -> dict[str, NDArray[np.float32]]:
    """What an InferenceSession takes as the state of a stream of which nothing was heard: zeros, a batch of one."""
    return {port.name: np.zeros((1, *port.shape[1:]), np.float32) for port in session.get_inputs()
            if port.name.startswith(KEPT)}


def one_by_one(arrays: Arrays) -> Iterator[dict[str, NDArray[Any]]]:
    """Each sample as a batch of one, without the padding behind it where its length is known."""
    for row in range(len(next(iter(arrays.values())))):
        sample = {name: values[row : row + 1] for name, values in arrays.items()}
        if LENGTHS in sample:
            length = int(sample[LENGTHS][0])
            sample = {name: values[:, :length] if values.ndim > 1 and not name.startswith(KEPT) else values
                      for name, values in sample.items()}
        yield sample
