"""What `asymptotic` is fed with: estimates and their errors, from moments of the metric and of a covariate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.looks import Floats
from linnet.evidence.settings import check_finite, check_together


class Estimate(NamedTuple):
    """An estimate, its standard error, the units behind it, and (where known) the units they are worth."""

    value: Floats
    error: Floats
    n: Floats
    worth: Floats | None = None


@dataclass(frozen=True)
class Moments:
    """One arm so far: units, mean and variance (n - 1) of the metric, and what a covariate adds; arrays of one shape.

    The covariate must have been known before the unit was assigned: only then is its mean the same in both arms.
    """

    n: Floats
    mean: Floats
    variance: Floats
    covariate_mean: Floats
    covariate_variance: Floats
    covariance: Floats


def moments(values: ArrayLike, covariate: ArrayLike | None = None) -> Moments:
    """The moments of an arm from its rows, units on the last axis; without a covariate those are zero.

    Assumes: a row is a unit: what was assigned to the arm, counted once.
    Source: the sample mean, variance and covariance, with n - 1.
    Not for: event tables too large to hold, whose sums a database adds up; make `Moments` of those.

    >>> float(moments([1.0, 2.0, 6.0]).variance)
    7.0
    """
    y = check_finite("values", values)
    x = np.zeros_like(y) if covariate is None else check_finite("covariate", covariate)
    if y.ndim == 0 or y.shape[-1] < 2 or x.shape != y.shape:
        raise LinnetError(f"values of shape {y.shape} and a covariate of shape {x.shape}; expected the same, with two "
                          "or more units on the last axis.")
    n = y.shape[-1]
    centred_y, centred_x = y - y.mean(axis=-1, keepdims=True), x - x.mean(axis=-1, keepdims=True)
    return Moments(np.full(y.shape[:-1], float(n)), y.mean(axis=-1), np.square(centred_y).sum(axis=-1) / (n - 1),
                   x.mean(axis=-1), np.square(centred_x).sum(axis=-1) / (n - 1),
                   (centred_x * centred_y).sum(axis=-1) / (n - 1))


def adjusted(control: Moments, treatment: Moments) -> Estimate:
    """Difference of two means, freed of what a covariate from before the experiment explains (CUPED).

    The slope is the one that leaves the difference the least error; it needs no model of the metric to be right.
    A covariate without spread changes nothing. The result goes to `asymptotic`; `n` is that of both arms together.

    Assumes: units fall to the arms at random and independently, and the covariate was known before.
    Source: Deng, Xu, Kohavi and Walker, Improving the sensitivity of online controlled experiments by utilizing
        pre-experiment data, WSDM, 2013; Lin, Agnostic notes on regression adjustments, Annals of Applied Statistics,
        2013 (why it is safe).
    Not for: a covariate that the treatment may have changed: it takes part of the effect away with it.

    >>> rng = np.random.default_rng(0)
    >>> before = rng.normal(size=(2, 1000))
    >>> after = before + rng.normal(size=(2, 1000)) / 2 + [[0.0], [0.1]]
    >>> arms = [moments(y, x) for y, x in zip(after, before)]
    >>> round(float(adjusted(*arms).error), 3), round(float(adjusted(*map(moments, after)).error), 3)
    (0.022, 0.05)
    """
    both = (control, treatment)
    _check(control, treatment)
    slope = adjustment(control, treatment)
    difference = (treatment.mean - control.mean) - slope * (treatment.covariate_mean - control.covariate_mean)
    explained = sum(((slope * arm.covariance) / arm.n for arm in both), np.zeros(()))
    variance = np.maximum(sum((arm.variance / arm.n for arm in both), np.zeros(())) - explained, 0.0)
    return Estimate(np.asarray(difference), np.asarray(np.sqrt(variance)), np.asarray(control.n + treatment.n))


def adjustment(control: Moments, treatment: Moments) -> Floats:
    """The slope on the covariate that leaves the difference of the arms the least error; 0 without spread."""
    shared, spread = (a / control.n + b / treatment.n for a, b in
                      ((control.covariance, treatment.covariance),
                       (control.covariate_variance, treatment.covariate_variance)))
    return np.where(spread > 0, shared / np.where(spread > 0, spread, 1.0), 0.0)


def _check(*arms: Moments) -> None:
    check_together({f"{name} of {arm}": np.asarray(values) for arm, side in enumerate(arms)
                    for name, values in vars(side).items()})
    for arm in arms:
        for name, values in vars(arm).items():
            check_finite(name, values)
        if (np.asarray(arm.n) < 2).any():
            raise LinnetError(f"an arm with {np.min(arm.n):g} units has no variance; expected two or more in each arm.")


def units_worth(n: ArrayLike, total: ArrayLike, squares: ArrayLike, cubes: ArrayLike, fourths: ArrayLike) -> Floats:
    """How many units of equal weight the spread of a metric is worth: n over its kurtosis.

    From n and the sums of the values, their squares, cubes and fourth powers. About the number of successes for rare
    ones, n for a fair coin, n / 3 for normal numbers; a handful where a few large values make up the sum.

    Assumes: nothing beyond finite values; it is a description.
    Source: Kish, Survey Sampling, 1965 (effective sample size), of the squared deviations; the least that is asked of
        it was found by simulation (bench/evidence_sequences.py).
    Not for: numbers far from zero with little spread (sums of powers cancel): subtract a constant first.

    >>> values = np.array([0.0] * 95 + [1.0] * 5)
    >>> units_worth(100, *(np.sum(values**power) for power in (1, 2, 3, 4))).round(2).item()
    5.54
    """
    names = ("n", "total", "squares", "cubes", "fourths")
    count, *sums = check_together({name: check_finite(name, values) for name, values in
                                   zip(names, (n, total, squares, cubes, fourths), strict=True)})
    units = np.maximum(count, 1.0)
    first, second, third, fourth = (powers / units for powers in sums)
    spread = np.maximum(second - first**2, 0.0)
    tail = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4
    is_spread = (spread > 1e-12 * second) & (tail > 0)
    return np.asarray(np.where(is_spread, units * spread**2 / np.where(is_spread, tail, 1.0), 0.0))
