"""Responses as they come: all at once, or a chunk of samples at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.introspect.representations.moments import Moments

Chunk: TypeAlias = Mapping[str, NDArray[Any]]
"""Layer to (samples, units), the same samples in each layer."""
Responses: TypeAlias = Chunk | Iterable[Chunk]
"""All samples at once, or chunks of them (a list, a generator, `nn.Captured`); chunks are read once."""


def chunks_of(responses: Responses) -> Iterator[Chunk]:
    """The chunks, one where all samples are given at once.

    Raises LinnetError for no chunk, no layer, other layers than in the first chunk, and layers with other samples.
    """
    first: set[str] | None = None
    if isinstance(responses, np.ndarray) or not isinstance(responses, Iterable):
        raise LinnetError("responses are a mapping of a layer's name to (samples, units), or chunks of such; got "
                          f"{type(responses).__name__}. Name it: {{'layer': responses}}.")
    for chunk in [responses] if isinstance(responses, Mapping) else responses:
        if not isinstance(chunk, Mapping):
            raise LinnetError(f"a chunk maps a layer's name to (samples, units); got {type(chunk).__name__}.")
        if first is None:
            first = set(chunk)
        if not first:
            break
        if set(chunk) != first:
            raise LinnetError(f"every chunk must hold the same layers; the first one had {', '.join(sorted(first))}, "
                              f"a later one {', '.join(sorted(chunk))}.")
        rows = {len(values) for values in chunk.values() if np.ndim(values)}
        if len(rows) > 1:
            raise LinnetError(f"all layers of a chunk must hold the same samples; got {sorted(rows)} of them.")
        yield chunk
    if not first:
        raise LinnetError("this look needs the responses of at least one layer; got none. Use model.responses(...) or "
                          "nn.capture(...).")


def moments_of(responses: Responses) -> dict[str, Moments]:
    """The moments of each layer. LinnetError for what is no (samples, units), NaN, and fewer than two samples."""
    found: dict[str, Moments] = {}
    for chunk in chunks_of(responses):
        for layer, values in chunk.items():
            checked_shape(layer, values)
            found.setdefault(layer, Moments()).update(values)
    for layer, moments in found.items():
        checked(layer, moments.count, moments.mean)
    return found


def checked_shape(layer: str, values: NDArray[Any]) -> None:
    """LinnetError for what is no (samples, units)."""
    if np.ndim(values) != 2 or not np.shape(values)[1]:
        raise LinnetError(f"the responses of layer '{layer}' must be (samples, units), at least two samples and "
                          f"one unit; got shape {np.shape(values)}.")


def checked(layer: str, count: int, mean: NDArray[np.float64]) -> None:
    """LinnetError for fewer than two samples, and for units whose mean is not finite."""
    if count < 2:
        raise LinnetError(f"the responses of layer '{layer}' must be (samples, units), at least two samples and "
                          f"one unit; got shape {(count, len(mean))}.")
    broken = np.flatnonzero(~np.isfinite(mean))
    if len(broken):
        raise LinnetError(f"the responses of layer '{layer}' hold NaN or infinity in {len(broken)} units, the first "
                          f"is unit {broken[0]}; the model or its input is broken, look there first.")
