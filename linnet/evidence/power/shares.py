"""Samples for a share against a bound: right answers, runs within a time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.intervals.clusters import known_rows
from linnet.evidence.power.needed import Goal, Needed, in_100, smallest
from linnet.evidence.power.simulated import Clustering, clustering_of, runs_at, smallest_simulated
from linnet.evidence.settings import check_between, check_seed

Floats = NDArray[np.float64]


def samples_for_accuracy(bound: float, expected: float, *, level: float = 0.95, power: float = 0.8,
                         clusters: Clustering | None = None, seed: int = 0, look: int | None = None) -> Needed:
    """How many samples `accuracy_at_least` needs to hold at `bound`, if a share of `expected` is right in truth.

    Give `look=1` where the file will be proven (`export.prove`) as the first one that is held against this test part,
    2 for the second: it is tested at a higher level than is promised (`claims.spending`), and needs more.

    Exact: from this number on, every number has at least this power. With `clusters` the answer is in clusters, by
    simulation (beta-binomial) of the bound for clusters, never under ten.

    Assumes: the expected share is the true one. Take a cautious guess: the answer grows as 1 / (expected - bound)^2.
        With `clusters`: of one size, their shares beta distributed.
    Source: Chernick and Liu, The saw-toothed behavior of power versus sample size, American Statistician 56, 2002;
        the bounds as in `accuracy_at_least`.
    Not for: comparing two files (`samples_for_no_worse`, `samples_for_better`); graded scores (`samples_for_mean`).
        For "wrong at most", turn it round: bound and expected of right answers.

    >>> print(samples_for_accuracy(0.80, 0.90))
    94 samples suffice in 85 of 100 tries to be 95 % sure that at least 80 in 100 are right, if 90 in 100 are.
    >>> samples_for_accuracy(0.80, 0.90, clusters=Clustering(rows=20, correlation=0.1)).count
    23
    """
    goal, of = Goal(level, power, look).check(), clustering_of(clusters)
    _check_shares(bound=bound, expected=expected)
    shows = f"that at least {in_100(bound)} are right, if {in_100(expected)} are{goal.words}"
    unit, tested = "samples" if clusters is None else "clusters", goal.tested
    count, reached = fewest_binomial(bound, expected, tested, power)
    if clusters is None or count is None:
        return Needed(count, unit, reached, level, shows)
    units, reached = smallest_simulated(
        lambda size: (_share_holding(size, of, bound, expected, tested, check_seed(seed)), runs_at(size)),
        count * of.design_effect / of.rows, power)
    return Needed(units, unit, reached, level, shows, None if units is None else units * of.rows)


def runs_for_latency(quantile: float, within: float, *, level: float = 0.95, power: float = 0.8) -> Needed:
    """How many runs `latency_below` needs to hold for a quantile, if a share `within` of runs is within the bound.

    Assumes: runs are independent, and a share `within`, above the quantile, of them meets the bound in truth.
    Source: as `samples_for_accuracy`: the order statistic bound holds where enough runs are within the bound.
    Not for: the fewest runs for any answer at all: `intervals.runs_needed`.

    >>> print(runs_for_latency(0.95, 0.99))
    124 runs suffice in 87 of 100 tries to be 95 % sure that 95 in 100 runs meet the bound, if 99 in 100 do.
    """
    Goal(level, power).check()
    _check_shares(quantile=quantile, within=within)
    shows = f"that {in_100(quantile)} runs meet the bound, if {in_100(within)} do"
    count, reached = fewest_binomial(quantile, within, level, power)
    return Needed(count, "runs", reached, level, shows)


def fewest_binomial(bound: float, expected: float, level: float, power: float) -> tuple[int | None, float]:
    """From this number of samples on, the exact lower bound reaches `bound` with at least this power."""
    if expected <= bound:
        return None, 0.0
    rough = smallest(lambda n: float(_chance(np.array([n]), bound, expected, level)[0]) >= power, 1)
    if rough is None:
        return None, 0.0
    reach = math.ceil(10 / (expected - bound)) + 50  # a tooth of the saw is about 2 / (expected - bound) long
    sizes = np.arange(max(1, rough - reach), rough + 2 * reach)
    fails = sizes[_chance(sizes, bound, expected, level) < power]
    count = int(fails[-1]) + 1 if len(fails) else int(sizes[0])
    return count, float(_chance(np.array([count]), bound, expected, level)[0])


def effective_share(level: float, rows: Floats | float, clusters: int) -> float:
    """What `t_adjusted` multiplies the effective rows with."""
    from scipy.special import stdtrit

    return float((stdtrit(rows - 1, level) / stdtrit(clusters - 1, level)) ** 2)


def worth_of(residuals: Floats, row_variance: Floats, rows: int, clusters: int) -> Floats:
    """Independent rows a row is worth, as in `cluster_spread`: from the summed squares of cluster sums, (...,)."""
    variance = clusters / (clusters - 1) * residuals / rows**2
    is_spread = (variance > 0) & (row_variance > 0)
    return np.where(is_spread, np.minimum(1.0, row_variance / rows / np.where(is_spread, variance, 1.0)), 1.0)


def _chance(sizes: NDArray[np.int64], bound: float, expected: float, level: float) -> Floats:
    """The probability that so many right answers are drawn that the exact lower bound reaches `bound`."""
    from scipy.stats import binom

    return np.asarray(binom.sf(binom.ppf(level, sizes, bound), sizes, expected))


def _share_holding(clusters: int, of: Clustering, bound: float, expected: float, level: float, seed: int) -> float:
    """How often the clustered bound holds in simulation."""
    from scipy.special import betainc

    right = _right_answers(clusters, of, expected, np.random.default_rng(seed))
    rows = clusters * of.rows
    mean = right.sum(axis=1) / rows
    worth = worth_of(np.square(right - mean[:, None] * of.rows).sum(axis=1), mean * (1 - mean), rows, clusters)
    effective = known_rows(worth * rows * effective_share(level, rows, clusters), mean, clusters, level)
    successes = np.maximum(mean * effective, 1e-12)
    return float((betainc(successes, effective - successes + 1, bound) <= 1 - level).mean())


def _right_answers(clusters: int, of: Clustering, expected: float, rng: np.random.Generator) -> Floats:
    """Right answers in each cluster: (runs, clusters)."""
    shape = (runs_at(clusters), clusters)
    shares = np.full(shape, expected)
    if of.correlation:
        size = 1 / of.correlation - 1
        shares = rng.beta(expected * size, (1 - expected) * size, shape)
    return rng.binomial(of.rows, shares).astype(np.float64)


def _check_shares(**shares: float) -> None:
    for name, share in shares.items():
        check_between(name, share)
