"""When a sequence decides: how many samples on average, and how often by the time one must stop."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.sequences import asymptotic, lift, lift_prior
from linnet.evidence.settings import (
    check_amount,
    check_between,
    check_count,
    check_counts,
    check_level,
    check_seed,
    is_number,
)

Floats = NDArray[np.float64]

_RUNS = 2000
_MOST_LOOKS = 2000


@dataclass(frozen=True)
class StoppingTime:
    """When looks decide, over simulated runs; a run that never does counts with the cap, where it stops undecided.

    `mean` has the Monte Carlo error `error`; `quantiles` are the 10th, 50th and 90th of 100 runs; infinite where the
    run would have gone on beyond the cap. `decided` is the share that decided by then, `wrongly` that against the
    truth.
    """

    mean: float
    error: float
    quantiles: tuple[float, float, float]
    decided: float
    cap: float
    runs: int
    wrongly: float = 0.0

    def __str__(self) -> str:
        """In plain words.

        >>> print(StoppingTime(9545.2, 60.0, (3000.0, 9000.0, math.inf), 0.973, 25000.0, 2000))
        It decides after 9,545 samples on average, and in 97 of 100 cases by 25,000.
        """
        return (f"It decides after {round(self.mean):,} samples on average, and in {int(self.decided * 100)} of 100 "
                f"cases by {round(self.cap):,}.")


def stopping_time(decides: ArrayLike, sizes: ArrayLike) -> StoppingTime:
    """When runs of any sequence first decide: `decides` (runs, looks) true or false, `sizes` (looks,) samples by then.

    Assumes: runs are independent, simulated or replayed; the last look is where one stops anyway.
    Source: counted.
    Not for: real looks at one stream, which is one run.

    >>> stopping_time([[False, True, True], [False, False, False]], [100, 200, 300]).mean
    250.0
    """
    decided, by = np.asarray(decides, dtype=bool), check_counts("sizes", sizes)
    if decided.ndim != 2 or 0 in decided.shape or by.shape != decided.shape[1:] or (np.diff(by) <= 0).any():
        raise LinnetError("stopping_time needs one row a run and one column a look, with a size for each look that "
                          f"grows; got shapes {decided.shape} and {by.shape}.")
    ever = decided.any(axis=1)
    first = by[np.where(ever, decided.argmax(axis=1), -1)]
    low, middle, high = np.quantile(np.where(ever, first, np.inf), [0.1, 0.5, 0.9], method="inverted_cdf")
    error = float(first.std(ddof=1)) / math.sqrt(len(first)) if len(first) > 1 else math.inf
    return StoppingTime(float(first.mean()), error, (float(low), float(middle), float(high)), float(ever.mean()),
                        float(by[-1]), len(first))


def stopping_time_of_lift(baseline: float, effect: float, *, minimum_lift: float, look_every: int = 250,
                          cap: int = 25_000, level: float = 0.95, seed: int = 0) -> StoppingTime:
    """When `sequences.lift` excludes no effect, if the control has the rate `baseline` and the lift is `effect`.

    Counts are samples in each of two equal arms, looked at after every `look_every`, up to `cap`. `minimum_lift` is
    what the plan states; the true `effect` (0.2: 20 % more) may be another.

    Assumes: rates stay the same; equal arms.
    Source: simulated, 2,000 runs; `least_stopping_time` is the formula to compare with.
    Not for: means of other numbers (`stopping_time_of_mean`); a plan file (`linnet ab power`).

    >>> print(stopping_time_of_lift(0.05, 0.5, minimum_lift=0.5, cap=10_000))
    It decides after 1,827 samples on average, and in 100 of 100 cases by 10,000.
    """
    check_between("baseline", baseline)
    rates = np.array([baseline, baseline * (1 + _check_effect(effect))])
    if not 0 < rates[1] < 1:
        raise LinnetError(f"a rate of {baseline:g} cannot be lifted by {effect:g}: that makes {rates[1]:g}; expected a "
                          "rate above 0 and below 1.")
    sizes, rng = _sizes(look_every, cap), np.random.default_rng(check_seed(seed))
    control, treatment = (rng.binomial(look_every, rate, (_RUNS, len(sizes))).cumsum(axis=1) for rate in rates)
    looks = lift(control, treatment, level=level, prior=lift_prior(minimum_lift))
    found = stopping_time(looks.excludes(0), sizes)
    return _with_errors(found, looks.excludes(0), looks.estimate, effect)


def stopping_time_of_mean(effect: float, deviation: float, *, best_at: int, look_every: int = 250, cap: int = 25_000,
                          level: float = 0.95, seed: int = 0) -> StoppingTime:
    """When `sequences.asymptotic` excludes no difference of two means, if it is `effect` in truth.

    `deviation` is the standard deviation of the values in an arm (what is left of it after a covariate). Counts are
    samples in each of two equal arms; `best_at`, too.

    Assumes: means close to normal; equal arms, the deviation known well by the first look that excludes anything.
    Source: simulated, 2,000 runs; `least_stopping_time(effect ** 2 / (4 * deviation ** 2))` is the formula.
    Not for: rates (`stopping_time_of_lift`).

    >>> print(stopping_time_of_mean(0.2, 2.0, best_at=2000, cap=10_000))
    It decides after 2,043 samples on average, and in 100 of 100 cases by 10,000.
    """
    check_amount("deviation", deviation)
    _check_effect(effect)
    sizes, rng = _sizes(look_every, cap), np.random.default_rng(check_seed(seed))
    steps = rng.normal(effect * look_every, deviation * math.sqrt(2 * look_every), (_RUNS, len(sizes)))
    estimates = steps.cumsum(axis=1) / sizes
    narrowest = 2 * check_amount("best_at", best_at)
    looks = asymptotic(estimates, deviation * np.sqrt(2 / sizes), 2 * sizes, best_at=narrowest, level=level)
    return _with_errors(stopping_time(looks.excludes(0), sizes), looks.excludes(0), estimates, effect)


def least_stopping_time(divergence: float, *, level: float = 0.95) -> float:
    """log(1 / alpha) / divergence: about the fewest samples, on average, with which any sequence can decide.

    `divergence` is the Kullback-Leibler divergence, in nats a sample, of the truth from the null (`divergence`).
    Mixtures, which must also find out the size of the effect, take 1.5 to 3 times as many.

    Assumes: independent samples, and a truth that is known.
    Source: Wald, Sequential Analysis, 1947 (section 3); Breiman, Optimal gambling systems, 1961.
    Not for: planning the cap: simulate (`stopping_time_of_lift`).

    >>> round(least_stopping_time(divergence(0.83, 0.80)))
    1023
    """
    return -math.log1p(-check_level(level)) / check_amount("divergence", divergence)


def divergence(truth: float, null: float) -> float:
    """The Kullback-Leibler divergence of two shares, in nats: what one sample tells, on average.

    Assumes: right-or-wrong samples.
    Source: Kullback and Leibler, Annals of Mathematical Statistics 22, 1951.
    Not for: other distributions; two normal ones of one variance have (difference / deviation)^2 / 2.

    >>> round(divergence(0.6, 0.5), 4)
    0.0201
    """
    from scipy.special import rel_entr

    for name, share in (("truth", truth), ("null", null)):
        check_between(name, share)
    return float(rel_entr(truth, null) + rel_entr(1 - truth, 1 - null))


def _sizes(look_every: int, cap: int) -> Floats:
    look_every, cap = check_count("look_every", look_every), check_count("cap", cap)
    if not 1 <= look_every <= cap or cap // look_every > _MOST_LOOKS:
        raise LinnetError(f"looks come every {look_every} samples up to {cap}; expected at least one look and at most "
                          f"{_MOST_LOOKS:,}.")
    return np.arange(look_every, cap + 1, look_every, dtype=np.float64)


def _check_effect(effect: float) -> float:
    if not is_number(effect):
        raise LinnetError(f"effect is a finite number, the true change; got {effect!r}.")
    return float(effect)


def _with_errors(found: StoppingTime, decides: NDArray[np.bool_], estimates: Floats, effect: float) -> StoppingTime:
    """The same with the share of runs whose first decision has the wrong sign; any decision is wrong without effect."""
    ever, first = decides.any(axis=1), decides.argmax(axis=1)
    signs = np.sign(estimates[np.arange(len(first)), first])
    return StoppingTime(found.mean, found.error, found.quantiles, found.decided, found.cap, found.runs,
                        float((ever & (signs != np.sign(effect))).mean()))
