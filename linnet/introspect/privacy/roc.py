"""How well a score tells members from others: the area under the curve, and what is caught at few false alarms."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.intervals import binomial, binomial_upper

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Told:
    """The area under the curve of members against others: 0.5 where nothing is told, 1 where everything is."""

    auc: float
    interval: tuple[float, float]
    p_value: float
    """One-sided, against 0.5."""


def area(members: Floats, others: Floats, clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None, level: float
         ) -> Told:
    """The area with its two-sided interval on the logit scale; larger scores mean "member".

    `clusters` numbers what each member and each other hangs together with (a speaker has both).

    Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44, 1988; by clusters Obuchowski, Biometrics 53, 1997; at
    0 and 1, where both know no variance, Newcombe, Statistics in Medicine 25, 2006, method 5. Asymptotic: from about
    20 samples a side.

    >>> told = area(np.array([3.0, 2.0, 1.5, 1.0]), np.array([2.5, 0.5, 0.4, 0.3]), None, 0.95)
    >>> told.auc, told.interval[0] < told.auc < told.interval[1]
    (0.8125, True)
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import mannwhitneyu

    first, second = _placements(members, others), 1 - _placements(others, members)
    auc, z = float(first.mean()), float(ndtri((1 + level) / 2))
    error = _error(first - auc, second - auc, clusters)
    if clusters is None:
        p_value = float(mannwhitneyu(members, others, alternative="greater").pvalue)
    else:
        p_value = float(ndtr(-(auc - 0.5) / error)) if error > 0 else 1.0
    if not (0 < auc < 1 and error > 0):
        return Told(auc, _newcombe(auc, len(members), len(others), z), p_value)
    centre, spread = math.log(auc / (1 - auc)), z * error / (auc * (1 - auc))
    return Told(auc, (1 / (1 + math.exp(spread - centre)), 1 / (1 + math.exp(-spread - centre))), p_value)


def caught(members: Floats, others: Floats, rate: float, level: float) -> dict[str, float | list[float] | None]:
    """The share of members above a threshold that at most `rate` of the others exceed; with its exact interval.

    `false_positive_rate_below` is what the others allow to be said of the rate itself, at the same level.
    """
    allowed = math.floor(rate * len(others) + 1e-9)
    threshold = float(np.sort(others)[len(others) - 1 - allowed])
    hits, false = int((members > threshold).sum()), int((others > threshold).sum())
    return {"true_positive_rate": hits / len(members), "interval": list(binomial(hits, len(members), level)),
            "false_positive_rate": false / len(others),
            "false_positive_rate_below": binomial_upper(false, len(others), level)}


def _placements(one: Floats, other: Floats) -> Floats:
    """For each of one side the share of the other side that lies below it, ties counting half."""
    ordered = np.sort(other)
    below, up_to = np.searchsorted(ordered, one, side="left"), np.searchsorted(ordered, one, side="right")
    return np.asarray((below + up_to) / (2 * len(other)))


def _error(first: Floats, second: Floats, clusters: tuple[NDArray[np.int64], NDArray[np.int64]] | None) -> float:
    if clusters is None:
        return math.sqrt(float(first.var(ddof=1)) / len(first) + float(second.var(ddof=1)) / len(second))
    index = np.unique(np.concatenate(clusters), return_inverse=True)[1]
    parts = np.bincount(index, np.concatenate([first / len(first), second / len(second)]))
    return math.sqrt(float(np.square(parts).sum()) * len(parts) / max(len(parts) - 1, 1))


def _newcombe(auc: float, members: int, others: int, z: float) -> tuple[float, float]:
    def away(area: float) -> float:
        half = (members + others) / 2 - 1
        variance = area * (1 - area) * (1 + half * ((1 - area) / (2 - area) + area / (1 + area))) / (members * others)
        return (auc - area) ** 2 - z * z * variance

    grid = np.linspace(0, 1, 10_001)
    inside = grid[np.array([away(float(one)) for one in grid]) <= 0]
    return float(min(inside.min(), auc)), float(max(inside.max(), auc))
