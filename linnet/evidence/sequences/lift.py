"""Relative lift of one rate over another, from the counts of successes alone.

Given a success, it falls to the treatment with the chance theta = share * r / (share * r + 1 - share), where r is the
ratio of the two rates: how rare successes are drops out, and with it the trouble that ratios of rare events give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.beta_binomial import Betas, log_e_value, log_mixture, log_odds_interval
from linnet.evidence.sequences.looks import Floats, Looks, added
from linnet.evidence.settings import check_between, check_counts, check_level, check_numbers, check_together

_NARROW = 0.25  # spread of the two peaks, as a part of their distance from no effect
_WIDE = 2.0  # the same of the hump between them
_ANY = 2.0  # size of the beta that leaves everything possible
_WEIGHTS = (0.425, 0.425, 0.1, 0.05)
_LARGEST = 1e8  # of a beta: with more, log_e would be off by more than 1e-6, the difference of two huge logarithms

LEAST_LIFT, MOST_LIFT = 1e-4, 1e4
"""What `lift_prior` takes; whoever looks for less needs billions of successes."""


@dataclass(frozen=True)
class LiftPrior:
    """What the plan says beforehand: the smallest lift worth finding, up or down (0.2: by 20 %)."""

    minimum_lift: Floats

    def betas(self, share: float) -> Betas:
        """Two peaks, at a lift of the minimum and at its inverse, a low wide hump, and a little for anything at all."""
        up, down = (share * ratio / (share * ratio + 1 - share) for ratio in
                    (1 + self.minimum_lift, 1 / (1 + self.minimum_lift)))
        middle = np.full_like(up, share)
        centres = (up, down, middle, middle)
        spreads = (_NARROW * (up - share), _NARROW * (share - down), _WIDE * (up - down) / 2)
        sizes = [np.clip(centre * (1 - centre) / spread**2, _ANY, _LARGEST)
                 for centre, spread in zip(centres, spreads, strict=False)] + [np.full_like(up, _ANY)]
        return Betas(_WEIGHTS, [centre * size for centre, size in zip(centres, sizes, strict=True)],
                     [(1 - centre) * size for centre, size in zip(centres, sizes, strict=True)])


def lift_prior(minimum_lift: ArrayLike) -> LiftPrior:
    """What `lift` and `difference` bet on: a lift of the size that the plan calls the smallest worth finding.

    A plan that states an absolute effect divides it by the baseline: one point at 5 % is a lift of 0.2. It decides how
    soon an effect is found, never whether the interval holds. Seen in the simulation: effects of half, once and twice
    the minimum are all found sooner than with the usual Beta(100, 100), and an arm that is broken twice as soon.
    An array: one a metric.

    Assumes: that it is stated before the first look.
    Source: Robbins, Statistical methods related to the law of the iterated logarithm, Annals of Mathematical
        Statistics, 1970 (mixtures); the shape of this one was chosen by simulation (bench/evidence_sequences.py).
    Not for: a guess read off the data it is then used on; the error would no longer be held.

    >>> lift_prior(0.2).minimum_lift.item()
    0.2
    """
    least = check_numbers("minimum_lift", minimum_lift)
    if not ((least >= LEAST_LIFT) & (least <= MOST_LIFT)).all():
        raise LinnetError("minimum_lift is the smallest relative change worth finding, whether up or down (20 % is "
                          f"0.2), from {LEAST_LIFT:g} to {MOST_LIFT:g}; got {minimum_lift!r}.")
    return LiftPrior(least)


def lift(
    control: ArrayLike, treatment: ArrayLike, *, share: float = 0.5, level: float = 0.95, prior: LiftPrior | None = None
) -> Looks:
    """Relative lift (ratio of rates less one) from the successes so far in each arm, valid at every look.

    Counts are totals up to the look, arrays of any shapes that broadcast. `share` is the treatment's part of the
    units. `log_e` is against no effect and reaches log(1 / alpha) just where the interval excludes 0. Exact: holds
    for every rate and from the first success. Without a `prior`, `lift_prior(0.1)`.

    Assumes: units fall to the treatment independently with the chance `share`, or every batch between two looks is
        split in just that share; and the ratio of the two rates stays the same, while the rates may drift.
    Source: Robbins, Annals of Mathematical Statistics, 1970 (the mixture); Lindon and Malek, Anytime-valid inference
        for multinomial count data, NeurIPS, 2022 (section 4, conditional counts); with batches of fixed sizes each
        factor has a mean of at most one as (1 + p(x - 1))^n <= exp(np(x - 1)).
    Not for: frequent successes, where much of the evidence is wasted (half at a rate of 0.5): count the rarer
        outcome. A share that is not quite the planned one: with 0.493 of the units instead of 0.5 it decides falsely
        before `sample_ratio` sounds its alarm in 61 of 100 runs at a rate of 0.5, in 98 at 0.8 (2,000 units a look,
        alarm at 1 in 1,000); `difference` with a `difference_prior` of the right baseline in 4 and 10.
        For means of other numbers than counts: `asymptotic` or `bounded_mean`.

    >>> looks = lift([60, 500], [62, 620], prior=lift_prior(0.2))
    >>> looks.low.round(3).tolist(), looks.high.round(3).tolist(), looks.excludes(0).tolist()
    ([-0.364, 0.044], [0.682, 0.475], [False, True])
    """
    alpha = 1 - check_level(level)
    share = check_between("share", share)
    stated = _check_prior(prior)
    misses, hits, _ = check_together({
        "control": check_counts("control", control), "treatment": check_counts("treatment", treatment),
        "minimum_lift": np.asarray(stated.minimum_lift)})
    mixed = log_mixture(hits, misses, stated.betas(share))
    null = np.log(share / (1 - share))
    low, high = log_odds_interval(hits, misses, mixed, alpha)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        estimate = hits / misses * ((1 - share) / share) - 1
        return Looks(estimate + np.zeros_like(mixed), np.expm1(low - null), np.expm1(high - null),
                     log_e_value(hits, misses, mixed, null))


def _check_prior(prior: LiftPrior | None) -> LiftPrior:
    if prior is not None and not isinstance(prior, LiftPrior):
        raise LinnetError(f"prior is what lift_prior(minimum_lift) makes, or None; got {prior!r}.")
    return prior or lift_prior(0.1)


class Lift:
    """`lift` look by look: `update` takes the successes since the last look.

    Assumes: as `lift`.
    Source: as `lift`.
    Not for: totals so far, which `lift` takes; numbers that are corrected later: start again from the totals.

    >>> watched = Lift(prior=lift_prior(0.2))
    >>> for _ in range(3):
    ...     look = watched.update(200, 240)
    >>> round(float(look.low), 3), round(float(look.high), 3)
    (0.025, 0.406)
    """

    def __init__(self, *, share: float = 0.5, level: float = 0.95, prior: LiftPrior | None = None) -> None:
        self.share, self.level, self.prior = check_between("share", share), check_level(level), _check_prior(prior)
        self.reset()

    def reset(self) -> None:
        """Forget every look."""
        self.control, self.treatment = np.zeros(()), np.zeros(())

    def update(self, control: ArrayLike, treatment: ArrayLike) -> Looks:
        """New successes of each arm; the look at all of them so far."""
        new = check_counts("control", control), check_counts("treatment", treatment)
        self.control, self.treatment = added(self.control, new[0]), added(self.treatment, new[1])
        return lift(self.control, self.treatment, share=self.share, level=self.level, prior=self.prior)
