"""Anything that has an estimate and a standard error: means, ratios, adjusted differences. Holds as n grows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.sequences.estimates import units_worth
from linnet.evidence.sequences.looks import Floats, Looks
from linnet.evidence.settings import check_amount, check_finite, check_level, check_together, is_number

MINIMUM_WORTH = 50.0
"""Where the data are worth less than so many units of equal weight, `asymptotic` excludes nothing."""

MINIMUM_UNITS = 1000.0
"""The same in plain units, for who does not give the worth: enough only against no effect, in arms of equal size."""


def asymptotic(
    estimate: ArrayLike, error: ArrayLike, n: ArrayLike, *, best_at: float, level: float = 0.95,
    minimum: float | None = None, worth: ArrayLike | None = None,
) -> Looks:
    """An interval around an estimate, valid at every look from a minimum on; below, it excludes nothing.

    `error` is the standard error of the estimate from all n units so far (for a difference: of both arms together);
    arrays that broadcast. `best_at` is the n at which the interval is to be narrowest, as the plan expects to decide
    there. `log_e` is against 0. `worth` is how many units of equal weight the data are worth (`units_worth`; for a
    difference that of the arm worth less): `minimum` of it are asked for, MINIMUM_WORTH unless stated. Without it
    MINIMUM_UNITS of n are. Without spread (an error of 0) nothing is excluded either.

    Assumes: the estimate is close to a mean over independent units, with enough of them for a normal approximation.
        From a worth of 50 on it held in every cell of bench/evidence_sequences.py. Without `worth`: arms of equal size
        that do not differ at all, whose skew cancels; where a treatment changes the spread, up to 17 in 100 miss.
    Source: Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, Time-uniform central limit theory and asymptotic
        confidence sequences, Annals of Statistics, 2024 (theorem 2.2); the best n by Howard et al., 2021 (section 3.5).
    Not for: rare successes (`lift`, `difference`, which are exact); numbers with known bounds (`bounded_mean`); a mean
        relative to another, for which the delta method fails early (`relative`).

    >>> looks = asymptotic([0.2, 0.1], [0.1, 0.02], [100, 10_000], best_at=10_000)
    >>> looks.low.round(4).tolist(), looks.high.round(4).tolist()
    ([-inf, 0.0393], [inf, 0.1607])
    """
    alpha = 1 - check_level(level)
    values, errors, units = checked_estimate(estimate, error, n)
    values, errors, units, is_open = np.broadcast_arrays(values, errors, units, is_undecided(units, worth, minimum))
    is_open = is_open | (errors == 0)
    reach = np.where(is_open, np.inf, half_width(units, best_at, alpha))
    x = np.where(is_open, 0.0, units * (_best_product(alpha) / best_at))
    scale = np.where(is_open, 1.0, errors)
    with np.errstate(over="ignore"):  # evidence beyond all numbers is infinite
        log_e = np.where(is_open, 0.0, values / scale) ** 2 * x / (2 * (1 + x)) - np.log1p(x) / 2
    return Looks(values, values - scale * reach, values + scale * reach, log_e)


def checked_estimate(estimate: ArrayLike, error: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """The three as finite arrays, the last two not negative; else LinnetError."""
    values, errors, units = (check_finite(name, given) for name, given in
                             (("estimate", estimate), ("error", error), ("n", n)))
    if (errors < 0).any() or (units < 0).any():
        raise LinnetError("the standard error and n must not be negative; "
                          f"got {errors.min():g} and {units.min():g} at the least.")
    values, errors, units = check_together({"estimate": values, "error": errors, "n": units})
    return values, errors, units


def is_undecided(units: Floats, worth: ArrayLike | None, minimum: float | None) -> NDArray[np.bool_]:
    """Where too little was seen for a normal approximation."""
    usual = MINIMUM_UNITS if worth is None else MINIMUM_WORTH
    stated = check_minimum(minimum)
    given, units = check_together({"worth": units if worth is None else check_finite("worth", worth), "n": units})
    return np.asarray((given < (usual if stated is None else stated)) | (units == 0))


def check_minimum(minimum: float | None) -> float | None:
    """From how many units on something is excluded: from 0, or None for the usual; else LinnetError."""
    if minimum is not None and not (is_number(minimum) and minimum >= 0):
        raise LinnetError("minimum is how many units the data must be worth before anything is excluded, a number from "
                          f"0, or None for {MINIMUM_WORTH:g}; got {minimum!r}.")
    return minimum


def half_width(units: Floats, best_at: float, alpha: float) -> Floats:
    """Half the width, in standard errors."""
    x = np.maximum(units, 1e-300) * (_best_product(alpha) / check_amount("best_at", best_at))
    return np.asarray(np.sqrt((1 + 1 / x) * (np.log1p(x) - 2 * np.log(alpha))))


def _best_product(alpha: float) -> float:
    """The variance of the mixture, times n, at which the interval is narrowest."""
    from scipy.special import lambertw

    return float(-lambertw(-(alpha**2) / np.e, -1).real - 1)


class AsymptoticMean:
    """`asymptotic` for the mean of a stream, with its `worth`: `update` takes the values since the last look.

    Assumes: as `asymptotic`: independent values of one mean; it waits until they are worth MINIMUM_WORTH.
    Source: as `asymptotic`.
    Not for: values with known bounds (`BoundedMean`, exact from the first one on).

    >>> watched = AsymptoticMean(best_at=5000)
    >>> for seed in range(3):
    ...     look = watched.update(np.random.default_rng(seed).exponential(2.0, 1000))
    >>> round(float(look.low), 2), round(float(look.high), 2)
    (1.86, 2.08)
    """

    def __init__(self, *, best_at: float, level: float = 0.95, minimum: float | None = None) -> None:
        self.best_at, self.level = check_amount("best_at", best_at), check_level(level)
        self.minimum = check_minimum(minimum)
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self.n, self.shift, self.powers = 0, 0.0, np.zeros(4)

    def update(self, x: ArrayLike) -> Looks:
        """New values; the look at all of them so far."""
        values = np.atleast_1d(check_finite("x", x)).ravel()
        if len(values) and self.n == 0:
            self.shift = float(values.mean())  # sums of powers cancel least around a value near the mean
        self.n += len(values)
        self.powers += [float(np.sum((values - self.shift) ** power)) for power in (1, 2, 3, 4)]
        mean = self.powers[0] / max(self.n, 1)
        variance = max(self.powers[1] - self.n * mean**2, 0.0) / max(self.n - 1, 1)
        return asymptotic(self.shift + mean, (variance / max(self.n, 1)) ** 0.5, self.n, best_at=self.best_at,
                          level=self.level, minimum=self.minimum, worth=units_worth(self.n, *self.powers))
