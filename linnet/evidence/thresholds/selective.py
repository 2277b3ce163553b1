"""When to answer: the lowest confidence from which on the answers given are wrong at most so often."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS, binomial, clustered_mean
from linnet.evidence.rounding import about
from linnet.evidence.settings import (
    check_between,
    check_labels,
    check_level,
    check_right_or_wrong,
    check_rows,
)
from linnet.evidence.thresholds.cluster_answers import (
    Counts,
    Unit,
    approximate_p_value,
    counted,
    exact_p_value,
    least_likeness,
    unit_of,
)
from linnet.evidence.thresholds.p_values import binomial_p_value, divergence

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Selective:
    """Answer where the confidence is at least `threshold`; undecided (None) where no threshold could be certified."""

    threshold: float | None
    error: float
    level: float
    coverage: float
    """The share of rows that are answered; 0 where undecided."""
    coverage_interval: tuple[float, float]
    """Two-sided, at `level`, of this very threshold."""
    answered: int
    wrong: int
    wanting: str
    """What would be needed; empty where a threshold was found."""

    @property
    def decided(self) -> bool:
        """A threshold was certified."""
        return self.threshold is not None


def selective(
    confidence: ArrayLike, right: ArrayLike, *, error: float, level: float = 0.95,
    clusters: ArrayLike | None = None, thresholds: ArrayLike | None = None, exact: bool = False,
    largest: int | None = None,
) -> Selective:
    """The lowest confidence from which on at most a share of `error` of the answers given is wrong, sure at `level`.

    `right` holds 1 for a right and 0 for a wrong answer of each row. Thresholds are tested from the strictest to the
    loosest until the first failure, which needs no correction: those given, else every confidence seen, beginning
    where enough rows are answered for half the allowed errors to pass. Exact for independent rows.

    With `clusters` (a label a row) whole clusters were sampled, and the error is that over all answered rows of their
    population. By default asymptotic in clusters: undecided under MINIMUM_CLUSTERS, simulated from 15. `exact` holds
    for any number of clusters, but certifies nothing without many hundreds of them; `largest` belongs to it: a size
    that no cluster of the population exceeds, stated beforehand.

    Assumes: rows (or clusters) are independent draws of what will come. Without `thresholds`: if answering more once
        makes too many wrong, answering still more does not mend it; thresholds stated beforehand need no such thing.
        By clusters, not `exact`: rare errors are not more alike within a cluster than errors are over all rows (where
        fewer than ten rows are wrong, a cluster counts as one). `exact` without `largest`: sizes of clusters are fixed,
        or do not go with how often their rows are wrong; where they may, give `largest`.
    Source: Geifman and El-Yaniv, Selective classification for deep neural networks, NeurIPS 2017; fixed-sequence
        testing as in Angelopoulos, Bates, Candes, Jordan and Lei, Learn then test, 2021. Clusters: effective rows as
        in Korn and Graubard, Survey Methodology 24, 1998, or bets as in `learn_then_test`.
    Not for: confidences that were calibrated on these very rows; an error that should hold for each kind of row
        (ask for each kind); several dials (`learn_then_test`).

    >>> confidence = np.linspace(0, 1, 2000, endpoint=False)
    >>> right = np.where(confidence < 0.3, np.arange(2000) % 3 > 0, np.arange(2000) % 100 > 0)   # 33 and 1 in 100
    >>> found = selective(confidence, right, error=0.05)
    >>> found.threshold, found.coverage, found.wrong
    (0.2255, 0.7745, 63)
    """
    check_between("error", error)
    alpha = 1 - check_level(level)
    scores, answers = _checked_rows(confidence, right)
    index, count = (None, len(scores)) if clusters is None else check_labels(clusters, len(scores))
    if count < 2:
        raise LinnetError("there is only one row, or one cluster; an error over new ones needs at least two, and many "
                          "more to be certified.")
    if largest is not None and (clusters is None or not exact):
        raise LinnetError("largest belongs to exact=True and clusters, whose sizes it limits; leave it out otherwise.")
    order = np.argsort(-scores, kind="stable")
    wrong, ordered = 1 - answers[order], scores[order]
    ladder = _seen(ordered, _start(len(wrong), error, alpha, exact and index is not None)) if thresholds is None \
        else _given(ordered, check_rows("thresholds", thresholds))
    if index is None:
        passed = _passed(wrong, ladder.answered, error, alpha)
    elif count < MINIMUM_CLUSTERS and not exact:
        return _undecided(error, level, f"{count} clusters say nothing about new ones; at least {MINIMUM_CLUSTERS} are "
                                        "needed.")
    else:
        sizes = np.bincount(index).astype(np.float64)
        passed = _passed_by_cluster(wrong, index[order], ladder.answered, error, alpha,
                                    unit_of(sizes, clusters, largest) if exact else None)
    if not passed:
        return _undecided(error, level, _wanting(wrong, ladder.answered, error, alpha))
    threshold, rows = float(ladder.thresholds[passed - 1]), int(ladder.answered[passed - 1])
    interval = _coverage_interval(scores >= threshold, clusters, level)
    return Selective(threshold, error, level, rows / len(wrong), interval, rows, int(wrong[:rows].sum()), "")


class _Ladder(NamedTuple):
    """Thresholds from the strictest to the loosest, and how many rows each answers."""

    thresholds: Floats
    answered: Whole


def _seen(ordered: Floats, start: int) -> _Ladder:
    """Every confidence seen, from where at least `start` rows are answered."""
    ends = np.flatnonzero(np.append(np.diff(ordered) != 0, True)) + 1
    ends = ends[ends >= start]
    return _Ladder(ordered[ends - 1], ends)


def _given(ordered: Floats, thresholds: Floats) -> _Ladder:
    strict_first = np.unique(thresholds)[::-1]
    return _Ladder(strict_first, np.searchsorted(-ordered, -strict_first, side="right"))


def _start(rows: int, error: float, alpha: float, late: bool) -> int:
    """How many answered rows the first test needs: from numbers only, never from what was right or wrong."""
    from scipy.special import gammaincinv

    allowed = np.arange(1, 100)
    needed = gammaincinv(allowed + 1, 1 - alpha)  # errors expected at `error` for so few to pass
    enough = float(needed[np.argmax(allowed >= needed / 2)]) / error
    return max(min(math.ceil(enough), rows // 2), rows // 2 if late else 0, 1)


def _passed(wrong: Floats, answered: Whole, error: float, alpha: float) -> int:
    """How many thresholds pass before the first failure."""
    errors = np.append(0.0, np.cumsum(wrong))[answered]
    return _before_failure(binomial_p_value(errors, answered, error) <= alpha)


def _passed_by_cluster(wrong: Floats, index: Whole, answered: Whole, error: float, alpha: float, unit: Unit | None
                       ) -> int:
    """The same where clusters were sampled; exact where a unit is given."""
    sizes = np.bincount(index).astype(np.float64)
    least = least_likeness(Counts(np.bincount(index, wrong).astype(np.float64)[None], sizes[None]))
    passed = 0
    for counts in counted(wrong, index, answered, len(sizes)):
        p_values = exact_p_value(counts, unit, error, alpha) if unit \
            else approximate_p_value(counts, least, error, alpha)
        passed += _before_failure(p_values <= alpha)
        if (p_values > alpha).any():
            break
    return passed


def _before_failure(tests: NDArray[np.bool_]) -> int:
    return len(tests) if tests.all() else int(np.argmin(tests))


def _undecided(error: float, level: float, wanting: str) -> Selective:
    return Selective(None, error, level, 0.0, (0.0, 1.0), 0, 0, wanting)


def _coverage_interval(is_answered: NDArray[np.bool_], clusters: ArrayLike | None, level: float) -> tuple[float, float]:
    if clusters is None:
        return binomial(int(is_answered.sum()), len(is_answered), level)
    return clustered_mean(is_answered.astype(np.float64), clusters, level)


def _wanting(wrong: Floats, answered: Whole, error: float, alpha: float) -> str:
    """How many answered rows it would take at the first threshold, if its share of wrong answers stayed."""
    rows = int(answered[0]) if len(answered) else 0
    if not rows:
        return "no row has a confidence as high as the strictest threshold."
    seen = float(wrong[:rows].mean())
    if seen >= error:
        return (f"of the {rows:,} rows with the highest confidence {seen:.3g} are wrong, not below {error:g}; "
                "confidence does not tell right from wrong well enough.")
    needed = round(float(-np.log(alpha) / divergence(seen, error)))
    return (f"{rows:,} rows with the highest confidence, of which {seen:.3g} are wrong, do not certify {error:g}; "
            f"about {about(max(needed, rows + 1))} independent rows of such confidence would.")


def _checked_rows(confidence: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    scores, answers = check_rows("confidence", confidence), check_rows("right", right)
    if len(scores) != len(answers):
        raise LinnetError(f"every row needs a confidence and whether it was right; got {len(scores)} confidences and "
                          f"{len(answers)} answers.")
    check_right_or_wrong(answers, "right")
    return scores, answers
