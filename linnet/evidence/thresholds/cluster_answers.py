"""Wrong answers among those given, where whole clusters (speakers, writers) were sampled, threshold by threshold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.bets import log_wealth
from linnet.evidence.settings import check_count
from linnet.evidence.thresholds.p_values import binomial_p_value

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]
_BLOCK = 128  # thresholds counted at a time
MINIMUM_WRONG = 10
"""Under so many wrong answers nothing is known of how alike a cluster's are; a cluster then counts as a single row."""


class Counts(NamedTuple):
    """Wrong and answered rows of each cluster, (thresholds, clusters)."""

    wrong: Floats
    answered: Floats


def counted(wrong: Floats, index: Whole, answered: Whole, clusters: int) -> Iterator[Counts]:
    """Counts at each threshold, a block at a time; rows are ordered, and threshold i answers the first answered[i]."""
    totals, row = np.zeros((2, 1, clusters)), 0
    for block in np.split(answered, range(_BLOCK, len(answered), _BLOCK)):
        steps = np.zeros((2, len(block), clusters))
        rows = slice(row, int(block[-1]))
        where = np.searchsorted(block, np.arange(row, block[-1]), side="right"), index[rows]
        np.add.at(steps[0], where, wrong[rows])
        np.add.at(steps[1], where, 1.0)
        sums = totals + steps.cumsum(axis=1)
        yield Counts(sums[0], sums[1])
        totals, row = sums[:, -1:], int(block[-1])


class Unit(NamedTuple):
    """What sizes of clusters are counted in, and the sum of their squares that is to be expected."""

    rows: float
    scale: float


def unit_of(sizes: Floats, clusters: ArrayLike | None, largest: int | None) -> Unit:
    """That of these sizes; with `largest` one that does not rest on them, and holds where sizes are random."""
    if largest is None:
        most = float(sizes.max())
        return Unit(most, float(np.square(sizes / most).sum()))
    if clusters is None:
        raise LinnetError("largest is the size that no cluster exceeds, but no clusters were named; give their labels, "
                          "or leave it out.")
    most = check_count("largest", largest, least=1)
    if most < sizes.max():
        raise LinnetError(f"a cluster has {sizes.max():,g} rows, but largest={most:,} says that none has more; "
                          "state the size that no cluster of the population exceeds.")
    return Unit(float(most), float(len(sizes)))


def exact_p_value(counts: Counts, unit: Unit, error: float, alpha: float) -> Floats:
    """By bets on each cluster's right answers; exact for any number of clusters, and in need of many.

    A bet may rest on the sizes of clusters, all their rows counted, not on how many of these are answered.
    """
    right = (counts.answered - counts.wrong) / unit.rows
    won = log_wealth(right, counts.answered / unit.rows, 1 - error, alpha, unit.scale)
    return np.asarray(np.exp(-np.maximum(won, 0.0)))


def approximate_p_value(counts: Counts, least: float, error: float, alpha: float) -> Floats:
    """Binomial, at the number of independent rows that the answered ones are worth, made smaller by the t quantile.

    `least` is how alike the rows of a cluster are at least taken to be: at a strict threshold so few are wrong that
    they seem independent.
    """
    from scipy.special import ndtri, stdtrit

    answered, clusters = counts.answered.sum(-1), counts.answered.shape[-1]
    shared = np.square(counts.answered).sum(-1) / np.maximum(answered, 1) - 1
    worth = 1 / (1 + np.maximum(shared, 0.0) * np.maximum(likeness(counts), least))
    worth *= (ndtri(1 - alpha) / stdtrit(clusters - 1, 1 - alpha)) ** 2
    return binomial_p_value(counts.wrong.sum(-1) * worth, answered * worth, error)


def least_likeness(counts: Counts) -> float:
    """The largest likeness where at least MINIMUM_WRONG are wrong, and as many right; 1 where that is so nowhere."""
    wrong, right = counts.wrong.sum(-1), (counts.answered - counts.wrong).sum(-1)
    is_known = np.minimum(wrong, right) >= MINIMUM_WRONG
    return float(likeness(counts)[is_known].max()) if is_known.any() else 1.0


def likeness(counts: Counts) -> Floats:
    """The correlation within clusters of being wrong, from 0 to 1; 0 where all or none are wrong.

    >>> float(likeness(Counts(np.array([[2.0, 0.0, 0.0]]), np.array([[2.0, 2.0, 2.0]])))[0])
    1.0
    """
    answered, wrong = counts.answered, counts.wrong
    share = wrong.sum(-1, keepdims=True) / np.maximum(answered.sum(-1, keepdims=True), 1)
    alone = wrong * (1 - share) ** 2 + (answered - wrong) * share**2
    products = (np.square(wrong - share * answered) - alone).sum(-1)
    couples, variance = (answered * (answered - 1)).sum(-1), (share * (1 - share))[..., 0]
    is_known = (couples > 0) & (variance > 0)
    seen = np.divide(products, couples * variance, out=np.zeros_like(products), where=is_known)
    return np.asarray(np.clip(seen, 0.0, 1.0))
