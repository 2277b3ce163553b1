"""What a claim may be asked with: a level, a share, an amount. Anything else is refused in words."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Verdict = Literal["holds", "fails", "undecided"]
"""What a question ends in: shown, refuted, or neither."""


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


def check_between(name: str, value: float) -> float:
    """A share of which both parts are there: above 0 and below 1, else LinnetError."""
    if not _is_number(value) or not 0 < value < 1:
        raise LinnetError(f"{name} must lie above 0 and below 1 (one half: 0.5); got {value!r}.")
    return float(value)


def check_counts(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Whole numbers from 0, of any shape, as floats; else LinnetError."""
    counts = check_finite(name, values)
    odd = counts[(counts < 0) | (counts != np.floor(counts))]
    if odd.size:
        raise LinnetError(f"'{name}' holds {odd[0]:g}, which is no count; expected whole numbers from 0 "
                          "(totals that fall from one look to the next give negative ones).")
    return counts


def check_finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Finite numbers of any shape, as floats; else LinnetError."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise LinnetError(f"'{name}' holds {values!r}, which are no numbers; expected finite numbers.") from None
    others = numbers[~np.isfinite(numbers)]
    if others.size:
        raise LinnetError(f"'{name}' holds {others[0]} in {others.size} of {numbers.size} places; "
                          "expected finite numbers: leave such rows out, or say what they stand for.")
    return numbers


def check_run_length(value: float) -> float:
    """How many samples a false alarm takes on average: at least 2, else LinnetError."""
    if not _is_number(value) or value < 2:
        raise LinnetError("run_length is how many samples a false alarm takes on average, at least 2 (usual: 10_000); "
                          f"got {value!r}.")
    return float(value)


def check_labels(labels: ArrayLike, rows: int) -> tuple[NDArray[np.int64], int]:
    """The number of each row's cluster, and how many clusters there are; one label a row, else LinnetError."""
    names = np.asarray(labels)
    if names.ndim != 1 or len(names) != rows:
        raise LinnetError(f"every row needs one cluster; got {rows} rows and labels of shape {names.shape}.")
    known, index = np.unique(names, return_inverse=True)
    return np.asarray(index, dtype=np.int64), len(known)


def check_rows(name: str, values: ArrayLike, *, low: float = -math.inf, high: float = math.inf) -> NDArray[np.float64]:
    """One row of finite numbers from `low` to `high`, at least one of them; else LinnetError."""
    numbers = check_finite(name, values)
    if numbers.ndim != 1 or not len(numbers):
        raise LinnetError(f"'{name}' has shape {numbers.shape}; expected one row of at least one number.")
    others = numbers[(numbers < low) | (numbers > high)]
    if len(others):
        raise LinnetError(f"'{name}' holds {others[0]:g}; expected numbers from {low:g} to {high:g}.")
    return numbers
