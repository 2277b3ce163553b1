"""Corrections for many questions at once, each after its authors.

Adjusted p-values: reject those at most alpha. Which promise goes with which is told in each; `CORRECTIONS` has them
all by name. Levels: at which level to make each of many intervals, so that they hold together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_count, check_finite, check_level, check_numbers

Floats = NDArray[np.float64]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: rejecting those at most alpha errs anywhere with probability at most alpha.

    Assumes: each p-value by itself is valid; they may depend on each other in any way.
    Source: Holm, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6, 1979.
    Not for: hundreds of questions where a few errors among the discoveries do no harm (`benjamini_hochberg`).

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    ordered, order = _ordered(p_values)
    return _back(np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)), order)


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: of those at most alpha, a share of at most alpha is wrong on average.

    Assumes: the p-values are independent, or rise and fall together (positive regression dependence).
    Source: Benjamini and Hochberg, Controlling the false discovery rate, JRSS B 57, 1995.
    Not for: p-values that may depend on each other in any way (`benjamini_yekutieli`), or where a single error does
    harm (`holm`).

    >>> [round(p, 3) for p in benjamini_hochberg([0.01, 0.04, 0.03])]
    [0.03, 0.04, 0.04]
    """
    return _stepped_up(p_values, 1.0)


def benjamini_yekutieli(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values: of those at most alpha, a share of at most alpha is wrong on average, whatever the dependence.

    Assumes: each p-value by itself is valid; they may depend on each other in any way. It costs a factor of 1 + 1/2 +
    ... + 1/m over Benjamini and Hochberg.
    Source: Benjamini and Yekutieli, The control of the false discovery rate under dependency, Annals of Statistics 29,
    2001.
    Not for: few questions: `holm` promises more and often costs less.

    >>> [round(p, 3) for p in benjamini_yekutieli([0.01, 0.04, 0.03])]
    [0.055, 0.073, 0.073]
    """
    return _stepped_up(p_values, float((1 / np.arange(1, len(_checked(p_values)) + 1)).sum()))


def e_bh(log_e_values: Sequence[float], level: float = 0.95) -> list[bool]:
    """Which hypotheses to reject, from logarithms of e-values: of those a share of at most 1 - level is wrong.

    The k largest e-values are rejected where the k-th of m is at least m / (k * (1 - level)), for the largest such k.

    Assumes: each is an e-value: with no effect it is 1 on average at most, also at the moment when one stopped
    looking. They may depend on each other in any way.
    Source: Wang and Ramdas, False discovery rate control with e-values, JRSS B 84, 2022.
    Not for: p-values (`benjamini_hochberg`, `benjamini_yekutieli`): 1 / p is no e-value.

    >>> e_bh([6.0, 1.0, 5.0, 0.0])
    [True, False, True, False]
    """
    logs = check_numbers("log_e_values", log_e_values)
    if logs.ndim != 1 or np.isnan(logs).any():
        raise LinnetError("e_bh needs one logarithm of an e-value for each question; "
                          f"got shape {logs.shape}, {int(np.isnan(logs).sum())} of them NaN.")
    order = np.argsort(-logs, kind="stable")
    ranks = np.arange(1, len(logs) + 1)
    reached = np.flatnonzero(logs[order] >= np.log(len(logs) / (ranks * (1 - check_level(level)))))
    is_rejected = np.zeros(len(logs), dtype=bool)
    is_rejected[order[: reached[-1] + 1 if len(reached) else 0]] = True
    return [bool(one) for one in is_rejected]


def bonferroni(level: float, questions: int) -> float:
    """The level of each of so many intervals, for all of them to hold together at `level`.

    Assumes: each interval covers at its own level; they may depend on each other in any way.
    Source: Dunn, Multiple comparisons among means, JASA 56, 1961.
    Not for: intervals of only those questions that looked promising (`false_coverage`).

    >>> round(bonferroni(0.95, 5), 4)
    0.99
    """
    return false_coverage(level, questions, 1)


def false_coverage(level: float, questions: int, selected: int) -> float:
    """The level of each interval where only `selected` of the questions are told, those that were found.

    Made so, a share of at most 1 - level of the intervals that are told misses, on average.

    Assumes: the questions are selected by Benjamini and Hochberg, or as simply (a fixed threshold); the estimates are
    independent, or rise and fall together.
    Source: Benjamini and Yekutieli, False discovery rate-adjusted multiple confidence intervals, JASA 100, 2005.
    Not for: promises about all intervals at once (`bonferroni`).

    >>> round(false_coverage(0.95, 100, 4), 4)
    0.998
    """
    questions, selected = check_count("questions", questions, least=1), check_count("selected", selected, least=1)
    if selected > questions:
        raise LinnetError(f"{selected} of {questions} questions cannot be told; expected at most all of them.")
    return 1 - (1 - check_level(level)) * selected / questions


CORRECTIONS: Mapping[str, Callable[[Sequence[float]], list[float]]] = MappingProxyType({
    "holm": holm, "benjamini_hochberg": benjamini_hochberg, "benjamini_yekutieli": benjamini_yekutieli})
"""The corrections of p-values, by name."""


def _stepped_up(p_values: Sequence[float], factor: float) -> list[float]:
    ordered, order = _ordered(p_values)
    steps = factor * ordered * len(ordered) / np.arange(1, len(ordered) + 1)
    return _back(np.minimum.accumulate(steps[::-1])[::-1], order)


def _back(ordered: Floats, order: NDArray[np.intp]) -> list[float]:
    """In the order in which they were given."""
    adjusted = np.empty(len(ordered))
    adjusted[order] = np.minimum(1.0, ordered)
    return [float(value) for value in adjusted]


def _ordered(p_values: Sequence[float]) -> tuple[Floats, NDArray[np.intp]]:
    values = _checked(p_values)
    order = np.argsort(values, kind="stable")
    return values[order], order


def _checked(p_values: ArrayLike) -> Floats:
    values = check_finite("p_values", p_values)
    if values.ndim != 1 or (values.size and not (values.min() >= 0 and values.max() <= 1)):
        raise LinnetError(f"p-values lie from 0 to 1, one a question; got shape {values.shape}, "
                          f"{values.min():g} to {values.max():g}.")
    return values
