"""From the sums of two arms to what a metric shows at every look; the statistics are those of `evidence.sequences`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence import sequences
from linnet.evidence.sequences import DifferencePrior, Estimate, LiftPrior, Looks, Moments
from linnet.evidence.sequences.ratios import adjusted_means, ratio_moments
from linnet.watch.experiments.layout import ONE, Layout, Ratio
from linnet.watch.experiments.moments import Aggregate, Sums
from linnet.watch.experiments.plan import Experiment, Metric
from linnet.watch.experiments.sizes import expected, lacks

Floats = NDArray[np.float64]

USUAL_UNITS = 10_000
"""Where the sequences of means are narrowest if the plan says too little to know better."""
_USUAL_LIFT = 0.1
"""Of the rarer outcome: what a plan that states only a baseline is taken to look for, as `sequences.lift` does."""


@dataclass(frozen=True)
class Effect:
    """Both arms, their difference and their ratio (less 1), over the looks."""

    control: Floats
    treatment: Floats
    absolute: Looks
    relative: Looks
    method: str


@dataclass(frozen=True)
class Pair:
    """Two arms of a plan, the part of their units that the treatment gets, and the level of the intervals."""

    control: int
    treatment: int
    share: float
    level: float
    best_at: float


def pair_of(plan: Experiment, arm: str, metric: str) -> Pair:
    """The control and one treatment, at the level of a metric."""
    names, both = list(plan.arms), plan.arms[plan.reference] + plan.arms[arm]
    return Pair(names.index(plan.reference), names.index(arm), plan.arms[arm] / both, plan.level_of(metric),
                _best_at(plan, arm, metric) * both)


def _best_at(plan: Experiment, arm: str, metric: str) -> float:
    """Units of all arms: as many as the plan expects, or as one look would need by what it says; else the usual."""
    if plan.units is not None:
        return float(plan.units)
    if lacks(plan, metric):
        return float(USUAL_UNITS)
    return expected(plan, metric, arm).fixed_units / (plan.arms[plan.reference] + plan.arms[arm])


def effect_of(sums: Sums, layout: Layout, name: str, metric: Metric, pair: Pair, grid: Sequence[float] = ()) -> Effect:
    """What one metric shows, by its kind; `sums` have the arms on the last axis."""
    if metric.kind == "quantile":
        return _quantile(sums, layout.metrics[name].numerator, float(metric.quantile or 0), pair, grid)
    if name in layout.counted:
        return _proportion(sums, layout.metrics[name].numerator, metric, pair)
    return _ratio(sums, layout.metrics[name], (name, str(metric.denominator)), pair)


def priors_of(metric: Metric) -> tuple[LiftPrior | None, LiftPrior | DifferencePrior | None]:
    """What the plan says beforehand about a proportion, for its lift and for its difference."""
    lift = None if metric.lift is None else sequences.lift_prior(metric.lift)
    if metric.baseline is None:
        return lift, lift
    size = metric.effect or metric.tolerated or _USUAL_LIFT * min(metric.baseline, 1 - metric.baseline)
    return lift, sequences.difference_prior(size, metric.baseline)


def _proportion(sums: Sums, variable: str, metric: Metric, pair: Pair) -> Effect:
    counts, units = sums.of(variable), sums.observations
    hits, n = ([total[..., arm] for arm in (pair.control, pair.treatment)] for total in (counts, units))
    for_lift, for_difference = priors_of(metric)
    lift = sequences.lift(hits[0], hits[1], share=pair.share, level=pair.level, prior=for_lift)
    difference = sequences.difference(hits[0], n[0], hits[1], n[1], share=pair.share, level=pair.level,
                                      prior=for_difference)
    rates = [_divided(successes, trials) for successes, trials in zip(hits, n, strict=True)]
    by_means = _without_planned_shares(hits, n, pair)
    difference, lift = _outermost(difference, by_means[0], (-1.0, 1.0)), _outermost(lift, by_means[1], (-1.0, np.inf))
    bets = "bets on both arms at once" if metric.baseline is not None else "the same and one of the pooled rate"
    return Effect(rates[0], rates[1], difference, _by_rates(lift, rates),
                  f"exact for any rate: the lift by a conditional beta-binomial sequence, the difference by {bets}; at "
                  "looks where the split is in doubt also by the time-uniform central limit theorem, the wider of both")


def _without_planned_shares(hits: Sequence[Floats], n: Sequence[Floats], pair: Pair) -> tuple[Looks, Looks]:
    """Difference and lift from the rates as they came, at looks where the units speak against the planned shares.

    The exact sequences take the planned share for given. If the true one is a little off, they take the shortage of
    units for one of successes, long before the alarm of the split is sure of it. At all other looks: the empty set.
    """
    counts = np.stack(n, axis=-1)
    doubtful = sequences.sample_ratio(counts, [1 - pair.share, pair.share]) > 0
    first, second = (_as_mean(successes[doubtful], units[doubtful]) for successes, units in zip(hits, n, strict=True))
    found = []
    for looks in compared(first, second, pair):
        estimate, low, high, log_e = (np.full(doubtful.shape, value) for value in (np.nan, np.inf, -np.inf, np.inf))
        for whole, part in ((estimate, looks.estimate), (low, looks.low), (high, looks.high), (log_e, looks.log_e)):
            whole[doubtful] = part
        found.append(Looks(estimate, low, high, log_e))
    return found[0], found[1]


def _as_mean(successes: Floats, units: Floats) -> Estimate:
    """A rate as the mean of noughts and ones, whose powers are themselves."""
    n = np.maximum(units, 1.0)
    rate = successes / n
    worth = sequences.units_worth(units, successes, successes, successes, successes)
    return Estimate(rate, np.sqrt(rate * (1 - rate) / n), units, np.where(units > 1, worth, 0.0))


def _outermost(looks: Looks, other: Looks, ends: tuple[float, float]) -> Looks:
    """What one of them does not exclude, between the ends of what can be; and what both say against no effect."""
    return Looks(looks.estimate, np.maximum(np.minimum(looks.low, other.low), ends[0]),
                 np.minimum(np.maximum(looks.high, other.high), ends[1]), np.minimum(looks.log_e, other.log_e))


def _by_rates(lift: Looks, rates: Sequence[Floats]) -> Looks:
    """The lift of the rates as seen, where `lift` has that of the planned shares; never outside its interval."""
    with np.errstate(invalid="ignore", divide="ignore"):
        seen = rates[1] / rates[0] - 1
    return Looks(np.clip(seen, lift.low, lift.high), lift.low, lift.high, lift.log_e)


def _ratio(sums: Sums, ratio: Ratio, names: tuple[str, str], pair: Pair) -> Effect:
    first, second, is_known = estimates_of(sums, ratio, pair)
    if not is_known.any():
        if sums.observations[..., [pair.control, pair.treatment]].min(axis=-1).max() < 2:
            raise LinnetError(f"'{names[0]}' has fewer than two units in an arm, and so no spread; expected many more.")
        raise LinnetError(f"'{names[1]}', the denominator of '{names[0]}', adds up to nothing in an arm, and a ratio "
                          "to nothing is no number; expected counts above 0. Name another column in the plan, or "
                          "wait until there are some in both arms.")
    absolute, relative = compared(first, second, pair)
    unknown = np.where(is_known, 0.0, np.nan)
    return Effect(first.value + unknown, second.value + unknown, _with(absolute, unknown), _with(relative, unknown),
                  _method(ratio))


def estimates_of(sums: Sums, ratio: Ratio, pair: Pair) -> tuple[Estimate, Estimate, NDArray[np.bool_]]:
    """The metric in both arms, after CUPED where there is a covariate; and where there are units enough to say so."""
    arms, under = (pair.control, pair.treatment), sums.mean(ratio.denominator)
    is_known = np.logical_and(*((sums.observations[..., arm] >= 2) & (under[..., arm] > 0) for arm in arms))
    every, worth = _moments(sums, ratio), worth_of(sums, ratio)
    both = [_masked(every, arm, is_known) for arm in arms]
    plain = adjusted_means(*both) if ratio.covariate else [
        Estimate(moments.mean, np.sqrt(np.maximum(moments.variance, 0.0) / moments.n), moments.n) for moments in both]
    first, second = (Estimate(found.value, np.where(is_known, found.error, 0.0), found.n,
                              np.where(is_known, worth[..., arm], 0.0))
                     for found, arm in zip(plain, arms, strict=True))
    return first, second, is_known


def compared(first: Estimate, second: Estimate, pair: Pair) -> tuple[Looks, Looks]:
    """The difference of two estimates and their ratio less 1, as sequences."""
    worth = None if first.worth is None or second.worth is None else np.minimum(first.worth, second.worth)
    absolute = sequences.asymptotic(second.value - first.value, np.hypot(first.error, second.error),
                                    first.n + second.n, best_at=pair.best_at, level=pair.level, worth=worth)
    return absolute, sequences.relative(first, second, best_at=pair.best_at, level=pair.level)


def _method(ratio: Ratio) -> str:
    parts = ["time-uniform central limit theorem"]
    parts += ["delta method"] if ratio.denominator != ONE else []
    parts += ["CUPED"] if ratio.covariate else []
    return "for many units: " + ", ".join(parts)


def _moments(sums: Sums, ratio: Ratio) -> Moments:
    """Of every arm and look; NaN where there are too few units."""
    names = (ratio.numerator, ratio.denominator, *((ratio.covariate, ratio.covariate_denominator)
                                                   if ratio.covariate else ()))
    means = [sums.mean(name) for name in names]
    zero, one = np.zeros_like(sums.observations), np.ones_like(sums.observations)
    means += [] if ratio.covariate else [zero, one]
    spread = np.zeros((*zero.shape, 4, 4))
    for i, left in enumerate(names):
        for j, right in enumerate(names):
            spread[..., i, j] = sums.covariance(left, right)
    return ratio_moments(sums.observations, np.stack(means, axis=-1), spread)


def _masked(moments: Moments, arm: int, is_known: NDArray[np.bool_]) -> Moments:
    """One arm; where nothing is known yet, numbers that do no harm."""
    n, *others = (value[..., arm] for value in (moments.n, moments.mean, moments.variance, moments.covariate_mean,
                                                moments.covariate_variance, moments.covariance))
    return Moments(np.where(is_known, n, 2.0), *(np.where(is_known, value, 0.0) for value in others))


def worth_of(sums: Sums, ratio: Ratio) -> Floats:
    """How many units of equal weight the data of each arm are worth: the lesser of numerator and denominator."""
    found = []
    for name in (ratio.numerator, ratio.denominator):
        powers = [Aggregate("sum", (name,) * power) for power in (1, 2, 3, 4)]
        if powers[-1] in sums.totals:
            found.append(sequences.units_worth(sums.observations, *(sums.totals[power] for power in powers)))
    is_varying = [np.where(worth > 0, worth, np.inf) if n else worth for n, worth in enumerate(found)]
    return np.asarray(np.minimum.reduce(is_varying))


def _quantile(sums: Sums, variable: str, quantile: float, pair: Pair, grid: Sequence[float]) -> Effect:
    level = 1 - (1 - pair.level) / 2
    arms = [_quantile_of(sums, variable, quantile, level, grid, arm) for arm in (pair.control, pair.treatment)]
    (value, low, high), (other, other_low, other_high) = arms
    absolute = Looks(other - value, other_low - high, other_high - low, np.zeros_like(value))
    with np.errstate(invalid="ignore", divide="ignore"):
        is_above = low > 0
        relative = Looks(np.where(value > 0, other / value - 1, np.nan),
                         np.where(is_above & (other_low > -np.inf), other_low / high - 1, -np.inf),
                         np.where(is_above & (other_high < np.inf), other_high / low - 1, np.inf), np.zeros_like(value))
    return Effect(value, other, absolute, relative, "exact: counts below a grid of values, each arm at half the error")


def _quantile_of(sums: Sums, variable: str, quantile: float, level: float, grid: Sequence[float], arm: int
                 ) -> tuple[Floats, Floats, Floats]:
    """Value and interval of an arm's quantile: the values whose share of units below is not told from the quantile.

    It holds for any grid, even one chosen from the data: that a bound is passed wrongly needs the count below the true
    quantile itself to leave its interval.
    """
    below = np.stack([sums.totals[Aggregate("at_most", (variable,), bound)][..., arm] for bound in grid], axis=-1)
    n = sums.observations[..., arm][..., None]
    shares = sequences.proportion(below, np.broadcast_to(n, below.shape), level=level)
    values = np.asarray(grid, dtype=np.float64)
    low = np.where(shares.high <= quantile, values, -np.inf).max(axis=-1)
    high = np.where(shares.low >= quantile, values, np.inf).min(axis=-1)
    value = np.where((below >= quantile * n) & (n > 0), values, np.inf).min(axis=-1)
    return np.where(np.isfinite(value), value, np.nan), low, high


def _divided(successes: Floats, trials: Floats) -> Floats:
    return np.asarray(np.where(trials > 0, successes / np.maximum(trials, 1), np.nan))


def _with(looks: Looks, unknown: Floats) -> Looks:
    return Looks(looks.estimate + unknown, looks.low, looks.high, looks.log_e)
