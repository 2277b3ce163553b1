"""When a classifier answers at all: a temperature that makes it honest, a threshold from stated costs."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.thresholds import selective

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
_COLDEST, _HOTTEST = 0.02, 50.0


@dataclass(frozen=True)
class Costs:
    """What each mistake costs, in any unit; what is right costs nothing.

    `share` is how much of what will be asked is out of scope; None takes that of the data. Raises LinnetError for
    costs below 0, a share outside of (0, 1), and where no mistake costs anything.
    """

    wrong: float = 1.0
    """Acting on the wrong label."""
    missed: float = 1.0
    """Acting on what is out of scope."""
    rejected: float = 0.5
    """Turning down what is in scope, right or wrong."""
    share: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name == "share":
                continue
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise LinnetError(f"{field.name} is a number of 0 or more; got {value!r}.")
        if self.share is not None and not 0 < self.share < 1:
            raise LinnetError(f"share is that of what is out of scope, between 0 and 1; got {self.share!r}.")
        if not self.wrong + self.missed > 0 or not self.rejected > 0:
            raise LinnetError("a threshold weighs mistakes against each other: rejected, and one of wrong and missed, "
                              "must cost more than 0.")


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Floats:
    """(rows, labels) logits to probabilities; a temperature above 1 makes them less sure."""
    scaled = np.asarray(logits, np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def best_temperature(logits: NDArray[np.floating], targets: NDArray[np.integer]) -> float:
    """The one that makes the targets likeliest (Guo et al. 2017, On calibration of modern neural networks, ICML).

    `targets` (rows,) are indices of labels. Between 0.02 and 50: where every answer is right none would be cold enough.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    values, rows = np.asarray(logits, np.float64), np.arange(len(targets))

    def surprise(exponent: float) -> float:
        return -float(log_softmax(values / math.exp(exponent), axis=1)[rows, targets].mean())

    found = minimize_scalar(surprise, bounds=(math.log(_COLDEST), math.log(_HOTTEST)), method="bounded")
    return round(math.exp(float(found.x)), 4)


def cheapest(confidence: Floats, right: Flags, in_scope: Flags, costs: Costs, *, lowest: float = 0.0) -> float:
    """The threshold with the lowest mean cost on these rows; among equals the one that answers most.

    A row is answered where its confidence is at least the threshold. Between two confidences seen it lies halfway;
    `lowest` answers all.
    """
    weights = _weights(in_scope, costs.share)
    answered = np.where(in_scope, np.where(right, 0.0, costs.wrong), costs.missed) * weights
    turned_down = np.where(in_scope, costs.rejected, 0.0) * weights
    order = np.argsort(confidence, kind="stable")
    ordered = confidence[order]
    total = answered.sum() + np.append(0.0, np.cumsum((turned_down - answered)[order]))
    can_cut = np.append(np.append(True, ordered[1:] > ordered[:-1]), True)
    cut = int(np.argmin(np.where(can_cut, total, np.inf)))
    if cut == 0:
        return lowest
    return float((ordered[cut - 1] + ordered[cut]) / 2) if cut < len(ordered) else float((ordered[-1] + 1) / 2)


def _weights(in_scope: Flags, share: float | None) -> Floats:
    if share is None:
        return np.full(len(in_scope), 1 / len(in_scope))
    if in_scope.all() or not in_scope.any():
        raise LinnetError("share says how much is out of scope; the data has only rows "
                          f"{'in' if in_scope.all() else 'out of'} scope, which cannot be weighed. Give rows of both.")
    return np.asarray(np.where(in_scope, (1 - share) / in_scope.sum(), share / (~in_scope).sum()))


def certified(confidence: Floats, right: Flags, *, error: float, level: float) -> float:
    """The lowest threshold at which at most a share of `error` of what is answered is wrong, sure at `level`.

    What is out of scope and answered is wrong. Raises LinnetError where these rows certify none; it says what would.
    """
    found = selective(confidence, right.astype(np.float64), error=error, level=level)
    if found.threshold is None:
        raise LinnetError(f"no threshold keeps wrong answers at {error:g}, sure at {level:g}: {found.wanting}")
    return found.threshold
