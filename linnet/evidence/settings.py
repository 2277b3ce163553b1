"""What a claim may be asked with: a level, a share, an amount. Anything else is refused in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError


def check_level(level: float) -> float:
    """The confidence of a claim: above one half and below one, else LinnetError."""
    if not _is_number(level) or not 0.5 < level < 1:
        raise LinnetError(f"level is how sure a claim must be, above 0.5 and below 1 (usual: 0.95); got {level!r}.")
    return float(level)


def check_share(name: str, value: float, *, zero: bool = False) -> float:
    """A share of all samples: above 0 (or 0 itself with `zero`) and at most 1, else LinnetError."""
    if not _is_number(value) or not (0 < value <= 1 or (zero and value == 0)):
        least = "from 0" if zero else "above 0"
        raise LinnetError(f"{name} is a share, {least} to 1 (80 in 100 is 0.8); got {value!r}.")
    return float(value)


def check_amount(name: str, value: float) -> float:
    """A positive, finite number, else LinnetError."""
    if not _is_number(value) or not value > 0:
        raise LinnetError(f"{name} must be a number above 0; got {value!r}.")
    return float(value)


def check_right_or_wrong(score: NDArray[np.float64], name: str) -> None:
    """The exact methods count right and wrong answers: at least one row, every score 0 or 1, else LinnetError."""
    if len(score) == 0:
        raise LinnetError(f"the scores of '{name}' have no rows; nothing can be said about no samples.")
    others = np.unique(score[(score != 0) & (score != 1)])
    if len(others):
        raise LinnetError(f"the exact method counts right (1) and wrong (0) answers; the scores of '{name}' also hold "
                          f"{others[0]:g}. Score each sample 1 or 0.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
