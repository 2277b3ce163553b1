"""Samples for graded scores against a bound, and segments for a difference of word error rates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.comparisons.matched_pairs import MINIMUM_DIFFERING
from linnet.evidence.intervals.bets import log_wealth
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS
from linnet.evidence.power.needed import Goal, Needed, smallest
from linnet.evidence.power.simulated import Clustering, clustering_of, runs_at, smallest_simulated
from linnet.evidence.rounding import plain, shift
from linnet.evidence.settings import check_amount, check_between, check_seed, is_number

Floats = NDArray[np.float64]

_ALL_AT_ONCE = 200_000
_T_UP_TO = 3000  # degrees of freedom; above, the normal distribution is as good and its tails are steadier


def samples_for_mean(bound: float, expected: float, *, deviation: float, level: float = 0.95, power: float = 0.8,
                     clusters: Clustering | None = None, seed: int = 0, look: int | None = None) -> Needed:
    """How many samples `mean_score_at_least` needs, if graded scores have this mean and standard deviation in truth.

    `look` as in `samples_for_accuracy`: 1 where the file is proven as the first held against this test part.

    By simulation of the betting bound on beta distributed scores between 0 and 1; with `clusters` on clusters whose
    means are beta distributed, never under ten. A second or two.

    Assumes: mean and deviation are the true ones. The shape matters little.
    Source: the bound as in `mean_score_at_least` (Waudby-Smith and Ramdas 2024).
    Not for: right and wrong answers (`samples_for_accuracy`); differences of two files: pass (difference + 1) / 2 as
        mean and half the deviation.

    >>> needed = samples_for_mean(0.80, 0.85, deviation=0.15)
    >>> 90 < needed.count < 180, needed.power >= 0.8
    (True, True)
    """
    goal, of = Goal(level, power, look).check(), clustering_of(clusters)
    for name, share in (("bound", bound), ("expected", expected)):
        check_between(name, share)
    if not 0 < check_amount("deviation", deviation) < math.sqrt(expected * (1 - expected)):
        raise LinnetError(f"scores from 0 to 1 with the mean {expected:g} have a standard deviation above 0 and below "
                          f"{math.sqrt(expected * (1 - expected)):.3f}; got {deviation!r}.")
    unit = "samples" if clusters is None else "clusters"
    shows = f"that the mean score is at least {bound:g}, if it is {expected:g}{goal.words}"
    if expected <= bound:
        return Needed(None, unit, 0.0, level, shows)
    rough = 8 * (deviation / (expected - bound)) ** 2 * of.design_effect / of.rows
    count, reached = smallest_simulated(
        lambda size: (_share_holding(size, of, bound, (expected, deviation), goal.tested, check_seed(seed)),
                      runs_at(size)),
        rough, power, least=2 if clusters is None else MINIMUM_CLUSTERS)
    rows = None if clusters is None or count is None else count * of.rows
    return Needed(count, unit, reached, level, shows, rows)


def segments_for_word_error(before: float, after: float, *, words: float, deviation: float, level: float = 0.95,
                            power: float = 0.8, clusters: Clustering | None = None) -> Needed:
    """How many segments `matched_pairs` needs to show that the word error rate fell from `before` to `after`.

    `words` are spoken words a segment on average, `deviation` is the standard deviation of the difference of errors a
    segment (from a pilot; two unlike recognisers: about sqrt(words * (before + after))). At a one-sided `level`, which
    is `matched_pairs(level=2 * level - 1)`. With `clusters` (segments of a speaker) the answer is in clusters, never
    under ten.

    Assumes: mean differences are normal, as the test does; segments of about one length.
    Source: Gillick and Cox, ICASSP 1989; the power of a t test by the noncentral t distribution.
    Not for: recognisers that seldom differ: at least 20 segments must differ before there is a test.

    >>> print(segments_for_word_error(0.10, 0.09, words=20, deviation=1.5))
    350 segments suffice in 80 of 100 tries to be 95 % sure that word errors fall, if from 10 to 9 in 100.
    """
    Goal(level, power).check()
    for name, amount in (("before", before), ("words", words), ("deviation", deviation)):
        check_amount(name, amount)
    if not (is_number(after) and after >= 0):
        raise LinnetError(f"after is a word error rate from 0; got {after!r}.")
    shows = f"that word errors fall, if from {plain(shift(before, 2))} to {plain(shift(after, 2))} in 100"
    of = clustering_of(clusters)
    unit, least = ("segments", MINIMUM_DIFFERING) if clusters is None else ("clusters", MINIMUM_CLUSTERS)
    gain, spread = (before - after) * words * of.rows, deviation * math.sqrt(of.design_effect * of.rows)
    differing = _share_differing(gain, spread)

    def chance(units: int) -> float:
        from scipy.stats import binom

        return _chance_of_t(units, gain / spread, level) * float(binom.sf(least - 1, units, differing))

    count = smallest(lambda units: chance(units) >= power, least) if gain > 0 else None
    if count is None:
        return Needed(None, unit, 0.0, level, shows)
    return Needed(count, unit, chance(count), level, shows, None if clusters is None else count * of.rows)


def _share_differing(mean: float, deviation: float) -> float:
    """About how many units differ at all, where errors are whole numbers; the test asks for a few that do."""
    if mean**2 + deviation**2 < 1:
        return mean**2 + deviation**2
    return 1 - min(0.5, math.exp(-((mean / deviation) ** 2) / 2) / (math.sqrt(2 * math.pi) * deviation))


def _chance_of_t(units: int, errors_away: float, level: float) -> float:
    """The power of a one-sided t test where one unit's mean lies so many of its standard deviations away."""
    from scipy.special import nctdtr, ndtr, stdtrit

    needed, centre = float(stdtrit(units - 1, level)), errors_away * math.sqrt(units)
    if units > _T_UP_TO:
        return float(ndtr(centre - needed))
    return float(1 - nctdtr(units - 1, min(centre, 30.0), needed))


def _share_holding(units: int, of: Clustering, bound: float, scores: tuple[float, float], level: float,
                   seed: int) -> float:
    """How often the betting bound on simulated scores exceeds `bound`."""
    rng, runs, holds = np.random.default_rng(seed), runs_at(units), 0
    step = max(1, _ALL_AT_ONCE // units)
    for start in range(0, runs, step):
        sums = _cluster_means((min(step, runs - start), units), of, scores, rng)
        wealth = log_wealth(sums, np.ones(units), bound, 1 - level, float(units))
        holds += int(((wealth >= -math.log1p(-level)) & (sums.mean(axis=1) > bound)).sum())
    return holds / runs


def _cluster_means(shape: tuple[int, int], of: Clustering, scores: tuple[float, float], rng: np.random.Generator
                   ) -> Floats:
    """The mean score of each cluster: beta distributed scores around beta distributed means."""
    mean, deviation = scores
    most = mean * (1 - mean)
    means = np.full(shape, mean)
    between = of.correlation * deviation**2 / most
    if between:
        size = 1 / between - 1
        means = np.clip(rng.beta(mean * size, (1 - mean) * size, shape), 1e-9, 1 - 1e-9)
    within = (1 - of.correlation) * deviation**2 / (most * (1 - between))
    size = 1 / within - 1
    total = np.zeros(shape)
    for _ in range(of.rows):
        total += rng.beta(means * size, (1 - means) * size)
    return total / of.rows
