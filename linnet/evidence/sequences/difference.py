"""The difference of two rates, absolute: from `lift` and the pooled rate, or by bets on both arms at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.balanced_bets import (
    Capital,
    DifferencePrior,
    balanced_interval,
    balanced_log_e,
    stakes,
)
from linnet.evidence.sequences.beta_binomial import log_e_value, log_mixture, log_odds_interval
from linnet.evidence.sequences.lift import LiftPrior, lift_prior
from linnet.evidence.sequences.looks import Floats, Looks, added
from linnet.evidence.sequences.proportion import UNIFORM_ARCSINE, check_successes
from linnet.evidence.settings import check_between, check_level, check_together

_ALPHA_FOR_RATE = 0.05  # of alpha; the sign rests on the ratio alone, so most goes there


def difference(
    control: ArrayLike, n_control: ArrayLike, treatment: ArrayLike, n_treatment: ArrayLike, *,
    share: float = 0.5, level: float = 0.95, prior: LiftPrior | DifferencePrior | None = None,
) -> Looks:
    """Treatment's rate less the control's, from successes and trials so far in each arm, valid at every look.

    All are totals up to the look, arrays that broadcast. `share` is the treatment's part of the units as planned.
    `log_e` is against no effect. Exact, from the first success. With a `lift_prior` (0.1 unless given) it is that of
    `lift`, which gets 95 in 100 parts of alpha, so that the two never disagree about the sign; the pooled rate gets
    the rest. With a `difference_prior` it bets on both arms at once and is the narrower where a plan decides: by an
    eighth at rates of 0.05, by more than half at 0.8.

    Assumes: units fall to the treatment independently with the chance `share`, or every batch between two looks is
        split in just that share; and both rates stay the same over all looks (with a `difference_prior`: their
        difference does).
    Source: `lift` for the ratio; Robbins, Annals of Mathematical Statistics, 1970, for the pooled rate (batches of
        fixed sizes by the inequality of the means); joined by the union bound. Otherwise see `difference_prior`.
    Not for: means of other numbers than counts: `asymptotic`, `bounded_mean`; arms whose shares change on the way. Nor
        a `lift_prior` with frequent successes, which takes the planned share at its word: with 0.493 of the units
        instead of 0.5 it decides falsely before `sample_ratio` sounds its alarm in 61 of 100 runs at a rate of 0.5. A
        `difference_prior` does in 4, of a baseline a fifth off in 6, of half the baseline in 21.

    >>> look = difference(500, 10_000, 620, 10_000, prior=lift_prior(0.2))
    >>> round(float(look.estimate), 4), round(float(look.low), 4), round(float(look.high), 4)
    (0.012, 0.002, 0.0246)
    """
    alpha = 1 - check_level(level)
    share = check_between("share", share)
    stated = _check_prior(prior)
    misses, in_control, hits, in_treatment, _ = check_together(dict(zip(
        ("control", "n_control", "treatment", "n_treatment", "minimum"),
        (*check_successes(control, n_control, "control"), *check_successes(treatment, n_treatment, "treatment"),
         np.asarray(stated.minimum_lift if isinstance(stated, LiftPrior) else stated.minimum_effect)), strict=True)))
    with np.errstate(invalid="ignore", divide="ignore"):
        estimate = hits / in_treatment - misses / in_control
    if isinstance(stated, DifferencePrior):
        capital = Capital.of((misses, in_control - misses, hits, in_treatment - hits), stakes(stated, share))
        return Looks(np.asarray(estimate), *balanced_interval(capital, alpha), balanced_log_e(capital))
    mixed = log_mixture(hits, misses, stated.betas(share))
    theta = log_odds_interval(hits, misses, mixed, alpha * (1 - _ALPHA_FOR_RATE))
    rate = _pooled_rate(hits + misses, in_control + in_treatment, alpha * _ALPHA_FOR_RATE)
    low, high = (_difference(log_odds, share, rate, is_low)
                 for log_odds, is_low in zip(theta, (True, False), strict=True))
    return Looks(estimate + np.zeros_like(low), low, high,
                 log_e_value(hits, misses, mixed, np.log(share / (1 - share))))


def _check_prior(prior: LiftPrior | DifferencePrior | None) -> LiftPrior | DifferencePrior:
    if prior is not None and not isinstance(prior, LiftPrior | DifferencePrior):
        raise LinnetError("prior is what lift_prior(minimum_lift) or difference_prior(minimum_effect, baseline) makes, "
                          f"or None; got {prior!r}.")
    return prior or lift_prior(0.1)


def _pooled_rate(successes: Floats, n: Floats, alpha: float) -> tuple[Floats, Floats]:
    from scipy.special import expit

    failures = n - successes
    mixed = log_mixture(successes, failures, UNIFORM_ARCSINE)
    low, high = log_odds_interval(successes, failures, mixed, alpha)
    return expit(low), expit(high)


def _difference(log_odds: Floats, share: float, rate: tuple[Floats, Floats], is_low: bool) -> Floats:
    """The outermost difference over the box: it grows with theta, and away from 0 with the rate."""
    from scipy.special import expit

    slope = (expit(log_odds) - share) / (share * (1 - share))
    outer, inner = (rate[0], rate[1]) if is_low else (rate[1], rate[0])
    return np.asarray(np.clip(slope * np.where(slope >= 0, outer, inner), -1, 1))


class Difference:
    """`difference` look by look: `update` takes the successes and trials since the last look.

    Assumes: as `difference`.
    Source: as `difference`.
    Not for: totals so far, which `difference` takes; a unit's success is counted in the batch that counts the unit.

    >>> watched = Difference(prior=lift_prior(0.2))
    >>> for _ in range(3):
    ...     look = watched.update(200, 4000, 260, 4000)
    >>> round(float(look.low), 4), round(float(look.high), 4)
    (0.0048, 0.0275)
    """

    def __init__(self, *, share: float = 0.5, level: float = 0.95,
                 prior: LiftPrior | DifferencePrior | None = None) -> None:
        self.share, self.level, self.prior = check_between("share", share), check_level(level), _check_prior(prior)
        self.reset()

    def reset(self) -> None:
        """Forget every look."""
        self.totals: tuple[Floats, ...] = (np.zeros(()),) * 4

    def update(self, control: ArrayLike, n_control: ArrayLike, treatment: ArrayLike, n_treatment: ArrayLike) -> Looks:
        """New successes and trials of each arm; the look at all of them so far."""
        new = (*check_successes(control, n_control, "control"), *check_successes(treatment, n_treatment, "treatment"))
        self.totals = tuple(added(total, more) for total, more in zip(self.totals, new, strict=True))
        return difference(*self.totals, share=self.share, level=self.level, prior=self.prior)
