"""What a claim may be asked with: a level, a share, an amount. Anything else is refused in words."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Verdict = Literal["holds", "fails", "undecided"]
"""What a question ends in: shown, refuted, or neither."""


def check_level(level: float) -> float:
    """The confidence of a claim: above one half and below one, else LinnetError."""
    if not is_number(level) or not 0.5 < level < 1:
        raise LinnetError(f"level is how sure a claim must be, above 0.5 and below 1 (usual: 0.95); got {level!r}.")
    return float(level)


def check_share(name: str, value: float, *, zero: bool = False) -> float:
    """A share of all samples: above 0 (or 0 itself with `zero`) and at most 1, else LinnetError."""
    if not is_number(value) or not (0 < value <= 1 or (zero and value == 0)):
        least = "from 0" if zero else "above 0"
        raise LinnetError(f"{name} is a share, {least} to 1 (80 in 100 is 0.8); got {value!r}.")
    return float(value)


def check_amount(name: str, value: float) -> float:
    """A positive, finite number, else LinnetError."""
    if not is_number(value) or not value > 0:
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


def is_number(value: object) -> bool:
    """Whether it is one finite number, of Python or of numpy; True and False are none."""
    plain = value.item() if isinstance(value, np.number) else value
    return isinstance(plain, int | float) and not isinstance(plain, bool) and abs(plain) <= sys.float_info.max


def check_between(name: str, value: float) -> float:
    """A share of which both parts are there: above 0 and below 1, else LinnetError."""
    if not is_number(value) or not 0 < value < 1:
        raise LinnetError(f"{name} must lie above 0 and below 1 (one half: 0.5); got {value!r}.")
    return float(value)


def check_counts(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Whole numbers from 0, of any shape, as floats; else LinnetError."""
    counts = check_finite(name, values)
    odd = counts[(counts < 0) | (counts != np.floor(counts)) | (counts > MOST)]
    if odd.size:
        raise LinnetError(f"'{name}' holds {odd[0]:g}, which is no count; expected whole numbers from 0 to 2 ** 53 "
                          "(totals that fall from one look to the next give negative ones).")
    return counts


def check_finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Finite numbers of any shape, as floats; else LinnetError."""
    numbers = check_numbers(name, values)
    others = numbers[~np.isfinite(numbers)]
    if others.size:
        raise LinnetError(f"'{name}' holds {others[0]} in {others.size} of {numbers.size} places; "
                          "expected finite numbers: leave such rows out, or say what they stand for.")
    return numbers


def check_run_length(value: float) -> float:
    """How many samples a false alarm takes on average: at least 2, else LinnetError."""
    if not is_number(value) or value < 2:
        raise LinnetError("run_length is how many samples a false alarm takes on average, at least 2 (usual: 10_000); "
                          f"got {value!r}.")
    return float(value)


def check_labels(labels: ArrayLike, rows: int) -> tuple[NDArray[np.int64], int]:
    """The number of each row's cluster, and how many clusters there are; one label a row, else LinnetError."""
    names = _label_names(labels)
    if names.ndim != 1 or len(names) != rows:
        raise LinnetError(f"every row needs one cluster; got {rows} rows and labels of shape {names.shape}.")
    try:
        known, index = np.unique(names, return_inverse=True)
    except TypeError:
        raise LinnetError(f"labels must be text or numbers; got {names.ravel()[0]!r:.40} among them.") from None
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


MOST = 2**53
"""The largest count: above it a float no longer tells one number from the next."""


def check_count(name: str, value: float, *, least: int = 0, most: int = MOST) -> int:
    """A whole number from `least` to `most`, of any numeric type; else LinnetError."""
    if not is_count(value) or not least <= value <= most:
        raise LinnetError(f"{name} is a whole number from {least:,} to {most:,}; got {value!r:.40}.")
    return int(value)


def check_trials(successes: float, n: float, *, of: str = "", most: int = MOST) -> tuple[int, int]:
    """So many successes of at least one trial, as whole numbers; else LinnetError."""
    if not (is_count(successes) and is_count(n) and successes <= n and n >= 1):
        raise LinnetError(f"{successes!r:.40} successes{of} of {n!r:.40} are not counts; expected at least 1 sample "
                          "and from 0 to all of them successes.")
    return int(successes), check_count(f"n{of}", n, most=most)


def is_count(value: object) -> bool:
    """Whether it is a whole number from 0."""
    return is_number(value) and value == int(value) and value >= 0  # type: ignore[call-overload, operator]


def check_seed(seed: int) -> int:
    """What random numbers start from: a whole number from 0, else LinnetError."""
    if not is_count(seed):
        raise LinnetError(f"seed is a whole number from 0, the same for the same result; got {seed!r:.40}.")
    return int(seed)


def check_numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Numbers of any shape, as floats, infinite and NaN among them; no words, even of digits; else LinnetError."""
    try:
        given = np.asarray(values)
        is_worded = given.dtype.kind not in "biufO" or (
            given.dtype.kind == "O" and any(isinstance(value, str | bytes) for value in given.ravel().tolist()))
        if not is_worded:
            return np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        pass
    raise LinnetError(f"'{name}' holds {values!r:.80}, which are no numbers; expected finite numbers.")


def check_together(arrays: Mapping[str, NDArray[np.float64]]) -> tuple[NDArray[np.float64], ...]:
    """The arrays, by name, broadcast to one shape; else LinnetError."""
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        given = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise LinnetError(f"these shapes do not go together: {given}. Give one number of each a look.") from None


def check_disjoint(clusters: tuple[ArrayLike, ArrayLike]) -> None:
    """Labels of two sides, of which no cluster lies on both; else LinnetError."""
    try:
        first, second = (set(_label_names(labels).ravel().tolist()) for labels in clusters)
    except (TypeError, ValueError):
        raise LinnetError("clusters are the labels of both sides, (of the control, of the treatment); "
                          f"got {clusters!r:.80}.") from None
    if shared := sorted(first & second):
        raise LinnetError(f"cluster {shared[0]!r} is on both sides ({len(shared)} of them are); "
                          "two samples share no cluster: give each side clusters of its own, or pair the samples.")


def _label_names(labels: ArrayLike) -> NDArray[Any]:
    """Labels as an array of one kind, none of them missing; else LinnetError."""
    names = np.asarray(labels, dtype=labels.dtype if isinstance(labels, np.ndarray) else object)
    flat = names.ravel().tolist() if names.dtype.kind in "OfM" else []
    kinds = {_family(kind) for kind in set(map(type, flat))}
    missing = sum(_is_missing(label) for label in flat) if kinds - {"text"} else 0
    if missing:
        raise LinnetError(f"{missing} of {names.size} labels are missing (None or NaN); expected one for every row: "
                          "leave such rows out, or give each a cluster of its own.")
    if len(kinds) > 1:
        raise LinnetError(f"labels are of several kinds ({', '.join(sorted(kinds))}); expected all text, or all "
                          "numbers: 1 and '1' might be meant as one cluster, or as two.")
    return np.asarray(flat).reshape(names.shape) if kinds <= {"text", "numbers"} and flat else names


def _family(kind: type) -> str:
    is_numeric = issubclass(kind, int | float | np.number | np.bool_)
    return "text" if issubclass(kind, str) else "numbers" if is_numeric else kind.__name__


def _is_missing(label: Any) -> bool:
    try:
        return label is None or not bool(label == label)  # noqa: PLR0124 - NaN is not itself
    except TypeError:  # a missing value of pandas is neither equal nor unequal
        return True
