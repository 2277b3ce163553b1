"""Anything that has an estimate and a standard error: means, ratios, adjusted differences. Holds as n grows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.looks import Looks
from linnet.evidence.settings import check_amount, check_finite, check_level

MINIMUM_UNITS = 1000
"""Below so many units `asymptotic` excludes nothing."""


def asymptotic(
    estimate: ArrayLike, error: ArrayLike, n: ArrayLike, *, best_at: float, level: float = 0.95,
    minimum: float = MINIMUM_UNITS,
) -> Looks:
    """An interval around an estimate, valid at every look as n grows; excludes nothing below `minimum` units.

    `error` is the standard error of the estimate from all n units so far (for a difference: of both arms together);
    arrays that broadcast. `best_at` is the n at which the interval is to be narrowest, as the plan expects to decide
    there; it is nearly as narrow from a third of it to four times it. `log_e` is against 0. Without spread (an error of
    0) nothing is excluded either.

    Assumes: the estimate is close to a mean over independent units, with enough of them for a normal approximation;
        the fewer units make up the sum, the more it takes (see MINIMUM_UNITS).
    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic
        confidence sequences, Annals of Statistics, 2024 (theorem 2.2); the best n by Howard et al., 2021 (section 3.5).
    Not for: rare successes (`lift`, `difference`, which are exact); numbers with known bounds (`bounded_mean`).

    >>> looks = asymptotic([0.2, 0.1], [0.1, 0.02], [100, 10_000], best_at=10_000)
    >>> looks.low.round(4).tolist(), looks.high.round(4).tolist()
    ([-inf, 0.0393], [inf, 0.1607])
    """
    alpha = 1 - check_level(level)
    values, errors, units = np.broadcast_arrays(*map(check_finite, ("estimate", "error", "n"), (estimate, error, n)))
    if (errors < 0).any() or (units < 0).any():
        raise LinnetError("the standard error and n must not be negative; "
                          f"got {errors.min():g} and {units.min():g} at the least.")
    x = units * (_best_product(alpha) / check_amount("best_at", best_at))
    is_open = (units < minimum) | (errors == 0) | (x == 0)
    x, scale = np.where(is_open, 1.0, x), np.where(is_open, 1.0, errors)
    width = np.where(is_open, np.inf, scale * np.sqrt((1 + 1 / x) * (np.log1p(x) - 2 * np.log(alpha))))
    log_e = np.where(is_open, 0.0, (values / scale) ** 2 * x / (2 * (1 + x)) - np.log1p(x) / 2)
    return Looks(values, values - width, values + width, log_e)


def _best_product(alpha: float) -> float:
    """The variance of the mixture, times n, at which the interval is narrowest."""
    from scipy.special import lambertw

    return float(-lambertw(-(alpha**2) / np.e, -1).real - 1)


class AsymptoticMean:
    """`asymptotic` for the mean of a stream: `update` takes the values since the last look.

    >>> watched = AsymptoticMean(best_at=5000)
    >>> for seed in range(3):
    ...     look = watched.update(np.random.default_rng(seed).exponential(2.0, 1000))
    >>> round(float(look.low), 2), round(float(look.high), 2)
    (1.86, 2.08)
    """

    def __init__(self, *, best_at: float, level: float = 0.95, minimum: float = MINIMUM_UNITS) -> None:
        self.best_at, self.level, self.minimum = check_amount("best_at", best_at), check_level(level), minimum
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.n, self.mean, self.squares = 0, 0.0, 0.0

    def update(self, x: ArrayLike) -> Looks:
        """New values; the look at all of them so far."""
        values = np.atleast_1d(check_finite("x", x)).ravel()
        if len(values):
            n, shift = self.n + len(values), float(values.mean()) - self.mean
            self.squares += float(np.square(values - values.mean()).sum()) + shift**2 * self.n * len(values) / n
            self.mean, self.n = self.mean + shift * len(values) / n, n
        error = (self.squares / (self.n - 1) / self.n) ** 0.5 if self.n > 1 else 0.0
        return asymptotic(self.mean, error, self.n, best_at=self.best_at, level=self.level, minimum=self.minimum)
