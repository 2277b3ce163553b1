"""One rate: so many successes among n trials."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.beta_binomial import Betas, log_e_value, log_mixture, log_odds_interval
from linnet.evidence.sequences.looks import Floats, Looks, added
from linnet.evidence.settings import (
    check_amount,
    check_between,
    check_counts,
    check_level,
    check_numbers,
    check_together,
)

UNIFORM_ARCSINE = Betas((1.0,), (0.5,), (0.5,))
"""Jeffreys' prior: about as good for rare successes as for frequent ones."""


def proportion(
    successes: ArrayLike, n: ArrayLike, *, level: float = 0.95, prior: tuple[float, float] = (0.5, 0.5),
    null: float | None = None,
) -> Looks:
    """A share, from the successes among the n trials so far, valid at every look.

    Totals up to the look, arrays that broadcast. `prior`: the two parameters of a beta distribution; the interval
    is narrowest where it puts its weight. `log_e` is against the share `null`, and 0 where none is given. Exact.

    Assumes: trials are independent, or each succeeds with the same chance whatever came before.
    Source: Robbins, Statistical methods related to the law of the iterated logarithm, Annals of Mathematical
        Statistics, 1970 (mixture of binomials).
    Not for: a single look at an n fixed beforehand, where `intervals.binomial` is narrower; scores between 0 and 1,
        for which there is `bounded_mean`; samples in clusters.

    >>> looks = proportion([9, 90, 900], [10, 100, 1000])
    >>> looks.low.round(3).tolist(), looks.high.round(3).tolist()
    ([0.456, 0.772, 0.862], [1.0, 0.971, 0.931])
    """
    alpha = 1 - check_level(level)
    hits, trials = check_successes(successes, n)
    a, b = check_prior(prior)
    mixed = log_mixture(hits, trials - hits, Betas((1.0,), (a,), (b,)))
    return _looks(hits, trials, mixed, alpha, null)


def check_prior(prior: tuple[float, float]) -> tuple[float, float]:
    """The two parameters of a beta distribution, else LinnetError."""
    given = check_numbers("prior", prior)
    if given.shape != (2,):
        raise LinnetError(f"prior is the two parameters of a beta distribution, as (0.5, 0.5); got {prior!r}.")
    a, b = (check_amount("a parameter of prior", value) for value in given)
    return a, b


def check_successes(successes: ArrayLike, n: ArrayLike, name: str = "") -> tuple[Floats, Floats]:
    """Counts of which the first is part of the second, else LinnetError."""
    kind = f" of {name}" if name else ""
    hits, trials = check_counts("successes" + kind, successes), check_counts("n" + kind, n)
    hits, trials = check_together({"successes" + kind: hits, "n" + kind: trials})
    if (hits > trials).any():
        first = np.argmax((hits > trials).ravel())
        raise LinnetError(f"{hits.ravel()[first]:g} successes{kind} among {trials.ravel()[first]:g} trials; expected "
                          "at most as many successes as trials: count units, not events.")
    return hits, trials


def _looks(hits: Floats, trials: Floats, mixed: Floats, alpha: float, null: float | None) -> Looks:
    from scipy.special import expit

    misses = trials - hits
    low, high = log_odds_interval(hits, misses, mixed, alpha)
    log_e = np.zeros_like(mixed)
    if null is not None:
        log_e = log_e_value(hits, misses, mixed, np.log(check_between("null", null) / (1 - null)))
    with np.errstate(invalid="ignore"):
        return Looks(np.asarray(hits / trials), expit(low), expit(high), log_e)


class Proportion:
    """`proportion` look by look: `update` takes the successes and trials since the last look.

    Assumes: as `proportion`.
    Source: as `proportion`.
    Not for: totals so far, which `proportion` takes.

    >>> watched = Proportion()
    >>> for _ in range(3):
    ...     look = watched.update(45, 50)
    >>> round(float(look.low), 3), round(float(look.high), 3)
    (0.798, 0.963)
    """

    def __init__(self, *, level: float = 0.95, prior: tuple[float, float] = (0.5, 0.5),
                 null: float | None = None) -> None:
        self.level, self.prior, self.null = check_level(level), check_prior(prior), null
        self.reset()

    def reset(self) -> None:
        """Forget every look."""
        self.successes, self.n = np.zeros(()), np.zeros(())

    def update(self, successes: ArrayLike, n: ArrayLike) -> Looks:
        """New successes and trials; the look at all of them so far."""
        hits, trials = check_successes(successes, n)
        self.successes, self.n = added(self.successes, hits), added(self.n, trials)
        return proportion(self.successes, self.n, level=self.level, prior=self.prior, null=self.null)
