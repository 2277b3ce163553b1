"""What every step draws: a number a clip from a range, and whether the step happens to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float32]


def check_range(step: object, low: float, high: float, *, above: float | None = None) -> None:
    """Raises LinnetError unless low <= high, and low is larger than `above` where that is given."""
    name = type(step).__name__
    if not low <= high:
        raise LinnetError(f"{name}: the range goes from {low} to {high}; give the smaller number first.")
    if above is not None and not low > above:
        raise LinnetError(f"{name}: {low} must be larger than {above}.")


def check_chance(step: object, chance: float) -> None:
    """Raises LinnetError unless the chance is from 0 to 1."""
    if not 0 <= chance <= 1:
        raise LinnetError(f"{type(step).__name__}: a chance is from 0 to 1; got {chance}.")


def uniform(rng: np.random.Generator, low: float, high: float, count: int, *, chance: float, else_: float) -> Floats:
    """(count,) numbers from the range, and `else_` for those to which the step does not happen."""
    drawn = rng.uniform(low, high, count)
    return np.where(rng.random(count) < chance, drawn, else_).astype(np.float32)


def factors(rng: np.random.Generator, low: float, high: float, count: int, *, chance: float) -> Floats:
    """(count,) factors, uniform on a logarithmic scale, and 1 for those to which the step does not happen."""
    return np.exp(uniform(rng, np.log(low), np.log(high), count, chance=chance, else_=0.0))


def extent(batch: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each recording in its window begins and ends (first and last sample above -100 dB of its peak).

    Both are 0 for a silent one.
    """
    loud = np.abs(batch)
    heard = loud > 1e-5 * loud.max(axis=1, keepdims=True)
    begin = heard.argmax(axis=1)
    end = np.where(heard.any(axis=1), batch.shape[1] - heard[:, ::-1].argmax(axis=1), 0)
    return begin, end
