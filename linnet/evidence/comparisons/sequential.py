"""Comparisons of the same samples on two sides, valid at every look: stop whenever it is clear, or whenever you like.

An e-value is the factor that a gambler has won who bets against the null hypothesis; under it a factor of 1 / alpha is
ever reached with a probability of at most alpha (Ville, Etude critique de la notion de collectif, 1939).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.sequences.looks import Looks, added
from linnet.evidence.sequences.proportion import check_prior, proportion
from linnet.evidence.settings import Verdict, check_counts, check_finite, check_level, check_share, check_together

Floats = NDArray[np.float64]
Question = Literal["better", "no_worse", "equivalent"]

QUESTIONS = ("better", "no_worse", "equivalent")
PRIOR = (4.0, 4.0)
"""Of the share of improved among the samples that changed: two thirds of its weight lie between 0.33 and 0.67."""
# Shares of the largest bet that is allowed, from bold to one in five hundred, and how the capital is spread over them.
_BETS = 0.95 * 0.5 ** np.arange(10)
_LOG_SHARES = np.log(0.8 ** np.arange(10) / np.sum(0.8 ** np.arange(10)))


def sequential_mcnemar(
    worsened: ArrayLike, improved: ArrayLike, *, level: float = 0.95, prior: tuple[float, float] = PRIOR
) -> Looks:
    """McNemar's test at every look: evidence that, of the samples that changed, not as many improved as worsened.

    Estimate and interval are of the share of improved ones.
    Totals up to each look, of any shape: right before and wrong after, and the other way round. `log_e` is the
    logarithm of the e-value: over all looks it reaches log(1 / alpha) with a chance of at most alpha where both sides
    are right equally often. `prior` is a beta distribution of the share, stated beforehand.

    Assumes: samples are independent and come in an order that does not depend on the answers to come.
    Source: Robbins, Statistical methods related to the law of the iterated logarithm, Annals of Mathematical
    Statistics 41, 1970 (mixture of binomials), given the samples that changed, as McNemar 1947.
    Not for: a single look at a number of samples fixed beforehand (`mcnemar`); the difference in points
    (`SequentialPairs`, or `sequences.bounded_mean`).

    >>> looks = sequential_mcnemar([2, 10, 20], [4, 20, 60])
    >>> (looks.log_e > np.log(1 / 0.05)).tolist(), round(float(looks.low[-1]), 2)
    ([False, False, True], 0.58)
    """
    lost, gained = check_together({"worsened": check_counts("worsened", worsened),
                                   "improved": check_counts("improved", improved)})
    return proportion(gained, lost + gained, level=level, prior=prior, null=0.5)


class SequentialMcNemar:
    """`sequential_mcnemar` look by look: `update` takes the samples that changed since the last look.

    Assumes: as `sequential_mcnemar`: independent samples, in an order that knows nothing of the answers to come.
    Source: Robbins, Annals of Mathematical Statistics 41, 1970.
    Not for: a single look (`mcnemar`).

    >>> watched = SequentialMcNemar()
    >>> for _ in range(4):
    ...     look = watched.update(5, 15)
    >>> bool(look.log_e > np.log(1 / 0.05))
    True
    """

    def __init__(self, *, level: float = 0.95, prior: tuple[float, float] = PRIOR) -> None:
        self.level, self.prior = check_level(level), check_prior(prior)
        self.reset()

    def reset(self) -> None:
        """Forget every look."""
        self.worsened, self.improved = np.zeros(()), np.zeros(())

    def update(self, worsened: ArrayLike, improved: ArrayLike) -> Looks:
        """New samples that got worse and better; the look at all of them so far."""
        lost, gained = check_counts("worsened", worsened), check_counts("improved", improved)
        self.worsened, self.improved = added(self.worsened, lost), added(self.improved, gained)
        return sequential_mcnemar(self.worsened, self.improved, level=self.level, prior=self.prior)


@dataclass(frozen=True)
class PairLooks:
    """What each pair has added, arrays of one shape; `log_for` and `log_against` are logarithms of e-values."""

    estimate: Floats
    """The mean difference so far."""
    log_for: Floats
    """Evidence that what was asked holds."""
    log_against: Floats
    """Evidence that it fails."""
    holds: NDArray[np.bool_]
    """Whether it was ever shown to hold, at this look or before."""
    fails: NDArray[np.bool_]

    @property
    def verdict(self) -> Verdict:
        """At the last look."""
        return "holds" if self.holds[..., -1].all() else "fails" if self.fails[..., -1].all() else "undecided"


def sequential_pairs(
    differences: ArrayLike, *, question: Question, margin: float = 0.0, level: float = 0.95
) -> PairLooks:
    """Whether the mean of paired differences is above 0 (better), above -margin (no_worse), or within (equivalent).

    `differences` of scores in [0, 1], after minus before, (..., pairs), a look after each. Wrongly shown to hold, or
    to fail, with a probability of at most 1 - level each, over all looks together. For pairs in clusters give the mean
    difference of each cluster: its clusters count alike.

    Assumes: each difference has the same mean, given those before it; question and margin were stated beforehand.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
    Statistical Society B 86, 2024 (section 4), one-sided, a mixture of constant bets; Schuirmann 1987 for equivalence.
    Not for: a single look (`paired_mean_difference`, `paired_difference`); an interval at every look
    (`sequences.bounded_mean` of (differences + 1) / 2).

    >>> differences = np.tile([0.3, 0.1, -0.1, 0.2, 0.1], 40)
    >>> looks = sequential_pairs(differences, question="better")
    >>> int(looks.holds.argmax()), looks.verdict
    (41, 'holds')
    """
    rows = _checked(differences)
    if rows.ndim == 0:
        raise LinnetError("differences is a single number; expected a stream of them, pairs on the last axis.")
    watched = _Wealth(question, margin, level, rows.shape[:-1])
    return watched.update(rows)


class SequentialPairs:
    """`sequential_pairs` as pairs come: `update` gives a look after each of the new ones.

    Assumes: as `sequential_pairs`: one mean, given the pairs before; question and margin stated beforehand.
    Source: Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86, 2024 (section 4).
    Not for: a single look (`paired_mean_difference`).

    >>> watched = SequentialPairs("no_worse", margin=0.1)
    >>> while watched.update([0.0, 0.1, -0.1, 0.0]).verdict == "undecided":
    ...     pass
    >>> watched.n
    48
    """

    def __init__(self, question: Question, *, margin: float = 0.0, level: float = 0.95) -> None:
        self.question, self.margin, self.level = question, margin, level
        self.reset()

    def reset(self) -> None:
        """Forget every pair."""
        self._wealth = _Wealth(self.question, self.margin, self.level, ())

    @property
    def n(self) -> int:
        """Pairs so far."""
        return self._wealth.n

    def update(self, differences: ArrayLike) -> PairLooks:
        """New differences, one or several; a look after each."""
        return self._wealth.update(np.atleast_1d(_checked(differences)))


class _Wealth:
    """What the bets have won so far: a row of bets for each null hypothesis, the same mixture throughout."""

    def __init__(self, question: str, margin: float, level: float, shape: tuple[int, ...]) -> None:
        if question not in QUESTIONS:
            raise unknown("question", str(question), QUESTIONS)
        self.question, self.margin = question, check_share("margin", margin, zero=question != "equivalent")
        if self.margin >= 1 or (question == "better" and margin):
            raise LinnetError(f"margin={margin} does not go with '{question}': scores in [0, 1] differ by at most 1, "
                              "and 'better' is asked against 0.")
        self.needed = -np.log(1 - check_level(level))
        self.n, self.total = 0, np.zeros((*shape, 1))
        self.won = np.zeros((4, *shape, 1, len(_BETS)))
        self.most = np.full((2, *shape, 1), -np.inf)

    def update(self, rows: Floats) -> PairLooks:
        """New differences (..., pairs)."""
        logs = [self._log_e(place, rows, bound, sign) for place, (bound, sign) in enumerate(self._nulls())]
        log_for = np.minimum(logs[0], logs[2]) if self.question == "equivalent" else logs[0]
        log_against = np.logaddexp(logs[1], logs[3]) - np.log(2) if self.question == "equivalent" else logs[1]
        totals = self.total + np.cumsum(rows, axis=-1)
        counts = self.n + np.arange(1, rows.shape[-1] + 1)
        most = np.maximum.accumulate(np.concatenate([self.most, np.stack([log_for, log_against])], axis=-1), axis=-1)
        self.n, self.total, self.most = int(counts[-1]), totals[..., -1:], most[..., -1:]
        shown = most[..., 1:] >= self.needed
        return PairLooks(totals / counts, log_for, log_against, shown[0], shown[1])

    def _nulls(self) -> list[tuple[float, int]]:
        """Bounds, and on which side of them the bets are that the mean lies: above (1) or below (-1)."""
        lowest = 0.0 if self.question == "better" else -self.margin
        nulls = [(lowest, 1), (lowest, -1)]
        return [*nulls, (self.margin, -1), (self.margin, 1)] if self.question == "equivalent" else nulls

    def _log_e(self, place: int, rows: Floats, bound: float, sign: int) -> Floats:
        """Of the mixture of bets against a mean on the other side of `bound`."""
        gains = sign * (rows - bound)
        won = np.log1p(_BETS / (1 + sign * bound) * gains[..., None])
        np.cumsum(won, axis=-2, out=won)
        won += self.won[place]
        self.won[place] = won[..., -1:, :]
        return np.asarray(np.logaddexp.reduce(won + _LOG_SHARES, axis=-1))


def _checked(differences: ArrayLike) -> Floats:
    rows = check_finite("differences", differences)
    if not rows.size:
        raise LinnetError(f"differences are empty, of shape {rows.shape}; expected at least one pair.")
    if not (rows.min() >= -1 and rows.max() <= 1):
        raise LinnetError(f"differences hold numbers from {rows.min():g} to {rows.max():g}; expected from -1 to 1, "
                          "as scores from 0 to 1 give them.")
    return rows
