"""What a sequence says at each look."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_together

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Looks:
    """Estimate, interval and evidence, one of each a look (or metric, or slice): arrays of one shape.

    The interval is open; where a look says nothing yet it excludes nothing, and the estimate of nothing is NaN.
    `log_e` is the logarithm of the e-value against the null that the procedure names: over all looks together it
    reaches log(1 / alpha) with a chance of at most alpha where the null holds. Zero, an e-value of one, says nothing.
    """

    estimate: Floats
    low: Floats
    high: Floats
    log_e: Floats

    def excludes(self, value: float | Floats) -> NDArray[np.bool_]:
        """Where `value` lies outside the interval."""
        return np.asarray((self.low >= value) | (self.high <= value))


def added(total: Floats, more: Floats) -> Floats:
    """What there is after one more look, of shapes that go together; else LinnetError."""
    before, new = check_together({"so far": total, "new": more})
    return np.asarray(before + new)


def running(looks: Looks, *, axis: int = -1) -> Looks:
    """Each look's interval cut down to what no look before it excluded either, along the axis of time.

    Assumes: that what is estimated stays the same from look to look, which the single looks of `lift`, `proportion`
        and the like need not assume of the past once it is over.
    Source: Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, nonparametric, nonasymptotic confidence sequences,
        Annals of Statistics, 2021 (section 1.1).
    Not for: a rate that drifts, where the intersection runs empty; use the looks as they are.

    >>> looks = running(Looks(*np.array([[0.1, 0.2], [-0.5, -0.6], [0.7, 0.9], [0.0, 0.3]])))
    >>> looks.low.tolist(), looks.high.tolist()
    ([-0.5, -0.5], [0.7, 0.7])
    """
    if np.ndim(looks.low) == 0:
        raise LinnetError("these looks have no axis of time; expected an array of looks, not a single one.")
    if not -np.ndim(looks.low) <= axis < np.ndim(looks.low):
        raise LinnetError(f"axis={axis} is none of the {np.ndim(looks.low)} axes of these looks.")
    low, high = np.maximum.accumulate(looks.low, axis=axis), np.minimum.accumulate(looks.high, axis=axis)
    return Looks(looks.estimate, low, high, looks.log_e)
