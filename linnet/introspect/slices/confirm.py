"""What the other half confirms: a few slices that were suggested, each tested, corrected and given its intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.intervals import binomial, clustered_mean
from linnet.evidence.many import bonferroni
from linnet.evidence.many.slice_tests import by_cluster, by_row
from linnet.introspect.slices.candidates import Mask

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Confirmed:
    """A slice on the confirmation rows. Rates are shares of wrong answers; both intervals hold together with those
    of all slices that were tested."""

    place: int
    rows: int
    errors: int
    rest_rows: int
    rest_errors: int
    interval: tuple[float, float]
    gap_interval: tuple[float, float]
    p_value: float
    adjusted_p_value: float

    @property
    def rate(self) -> float:
        """The share of wrong answers in the slice."""
        return self.errors / self.rows

    @property
    def rest_rate(self) -> float:
        """The share of wrong answers outside of it."""
        return self.rest_errors / self.rest_rows


def confirm(masks: Sequence[Mask], wrong: Floats, clusters: NDArray[np.int64] | None, *, level: float, seed: int
            ) -> list[Confirmed]:
    """Those of the suggested slices (masks over the confirmation rows) that are worse than the rest, the surest first.

    The earlier a slice was suggested, the more of alpha it is given: 1, 1/2, 1/3, ... of the first one's part.
    """
    testable = [place for place, mask in enumerate(masks) if 0 < mask.sum() < len(wrong)]
    if not testable:
        return []
    table = np.stack([masks[place] for place in testable])
    p_values = by_row(wrong, table)
    if clusters is not None:
        # numbered anew: clusters of the other half are no clusters without rows
        index = np.unique(clusters, return_inverse=True)[1]
        p_values = by_cluster(wrong, table, index, alpha=1 - level, seed=seed)
    adjusted = weighted_holm(p_values, 1 / (1.0 + np.arange(len(testable))))
    each = bonferroni(level, len(testable))
    found = [_confirmed(place, masks[place], wrong, clusters, each, (float(p), float(q)))
             for place, p, q in zip(testable, p_values, adjusted, strict=True) if q <= 1 - level + 1e-12]
    return sorted(found, key=lambda one: (one.adjusted_p_value, one.p_value))


def weighted_holm(p_values: Floats, weights: Floats) -> Floats:
    """Adjusted p-values: what was expected most is given the largest part of alpha, and what it does not need goes on.

    Rejecting those at most alpha errs anywhere with probability at most alpha, if the weights were fixed beforehand.

    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979,
    section 4.

    >>> weighted_holm(np.array([0.02, 0.02]), np.array([2.0, 1.0])).round(3).tolist()
    [0.03, 0.03]
    """
    order = np.argsort(p_values / weights, kind="stable")
    left = np.cumsum(weights[order][::-1])[::-1]
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p_values[order] * left / weights[order]))
    return adjusted


def _confirmed(place: int, mask: Mask, wrong: Floats, clusters: NDArray[np.int64] | None, level: float,
               p_values: tuple[float, float]) -> Confirmed:
    inside, outside = (_interval(wrong[part], None if clusters is None else clusters[part], level)
                       for part in (mask, ~mask))
    rows, errors = int(mask.sum()), int(wrong[mask].sum())
    rest_rows, rest_errors = len(wrong) - rows, int(wrong.sum()) - errors
    gap = _gap(errors / rows, inside, rest_errors / rest_rows, outside)
    return Confirmed(place, rows, errors, rest_rows, rest_errors, inside, gap, *p_values)


def _interval(wrong: Floats, clusters: NDArray[np.int64] | None, level: float) -> tuple[float, float]:
    if clusters is not None:
        return clustered_mean(wrong, clusters, level)
    return binomial(int(wrong.sum()), len(wrong), level)


def _gap(rate: float, interval: tuple[float, float], rest: float, rest_interval: tuple[float, float]
         ) -> tuple[float, float]:
    """The limits of both sides, squared and added (Newcombe, Statistics in Medicine 17, 1998, method 10)."""
    low = rate - rest - math.hypot(rate - interval[0], rest_interval[1] - rest)
    return low, rate - rest + math.hypot(interval[1] - rate, rest - rest_interval[0])
