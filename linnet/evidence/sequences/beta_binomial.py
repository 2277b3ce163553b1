"""The engine of every count here: a mixture of betas as the bet, the likelihood ratio as the evidence.

Of n trials, some are successes. Under a share theta the chance of the very sequence is theta^successes *
(1 - theta)^failures; the mixture is its mean over a prior. Their ratio starts at one and is a martingale under theta,
whatever the prior: by Ville's inequality it ever reaches 1 / alpha with a chance of at most alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from linnet.evidence.sequences.looks import Floats

_STEPS = 60
_CLOSE = 1e-13


@dataclass(frozen=True)
class Betas:
    """A mixture of beta distributions: a weight for each; `a` and `b` have the components on their first axis."""

    weights: tuple[float, ...]
    a: Sequence[Floats | float]
    b: Sequence[Floats | float]


def log_mixture(successes: Floats, failures: Floats, betas: Betas) -> Floats:
    """The logarithm of the mean, over the prior, of the chance of these counts in a given order."""
    from scipy.special import betaln

    total = np.full(np.broadcast_shapes(successes.shape, failures.shape), -np.inf)
    for weight, a, b in zip(betas.weights, betas.a, betas.b, strict=True):
        total = np.logaddexp(total, np.log(weight) + betaln(a + successes, b + failures) - betaln(a, b))
    return np.asarray(total)


def log_e_value(successes: Floats, failures: Floats, log_mixed: Floats, log_odds: float | Floats) -> Floats:
    """The evidence against a share, which is given by its log-odds."""
    return np.asarray(log_mixed + (successes + failures) * np.logaddexp(0, log_odds) - successes * log_odds)


def log_odds_interval(successes: Floats, failures: Floats, log_mixed: Floats, alpha: float) -> tuple[Floats, Floats]:
    """The log-odds of all shares against which the evidence stays below 1 / alpha: an interval, as it is convex."""
    budget = -np.log(alpha) - log_mixed
    return -_upper(failures, successes, budget), _upper(successes, failures, budget)


def _upper(successes: Floats, failures: Floats, budget: Floats) -> Floats:
    """The root of n log(1 + exp(u)) - successes u = budget above its least point; infinite without failures.

    The function is convex: from the second step on, Newton's method comes from outside and never crosses the root.
    """
    from scipy.special import expit

    shape = np.broadcast_shapes(successes.shape, failures.shape, budget.shape)
    is_bounded = np.broadcast_to(failures > 0, shape)
    hits, misses, level = (np.broadcast_to(values, shape)[is_bounded] for values in (successes, failures, budget))
    n = hits + misses
    u = np.log((hits + 0.5) / (misses + 0.5)) + 2 * np.sqrt(1 / (hits + 0.5) + 1 / (misses + 0.5))
    for _ in range(_STEPS):
        step = (n * np.logaddexp(0, u) - hits * u - level) / (n * expit(u) - hits)
        u = u - step
        if not (np.abs(step) > _CLOSE * (1 + np.abs(u))).any():
            break
    bounds = np.full(shape, np.inf)
    bounds[is_bounded] = u
    return bounds
