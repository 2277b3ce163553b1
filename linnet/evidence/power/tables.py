"""Samples for a difference of two shares, on the same samples or on different ones, from the exact bounds.

The bound orders tables of two counts by a score. The tables for which it decides are those whose score reaches z, but
for a count or two here and there: how many, the exact bound itself says at each first count that is usual (at forty of
them where there are more).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.comparisons.paired import _score as paired_score
from linnet.evidence.comparisons.paired import lower_of_shares, paired_lower
from linnet.evidence.comparisons.two_sample import _score as two_sample_score
from linnet.evidence.comparisons.two_sample import two_sample_lower
from linnet.evidence.intervals.clusters import known_rows
from linnet.evidence.power.needed import Goal, Needed, in_100, smallest
from linnet.evidence.power.shares import effective_share, worth_of
from linnet.evidence.power.simulated import Clustering, clustering_of, runs_at, smallest_simulated
from linnet.evidence.settings import check_between, check_seed, check_share, is_number

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Chance = Callable[[int, "int | Counts"], float]
"""The power at a size if the bound asks for so many more of the second count than the score does."""

_WINDOW = 8.0  # standard deviations of the first count that are summed over
_PROBES, _USUAL = 40, 3.0
_MOST_SHIFT = 40
_ROUNDS = 4


def samples_for_no_worse(margin: float, disagreement: float, *, expected: float = 0.0, level: float = 0.95,
                         power: float = 0.8, clusters: Clustering | None = None, seed: int = 0,
                         look: int | None = None) -> Needed:
    """How many samples `no_worse` needs to hold at `margin`, if the two files disagree on a share of `disagreement`.

    Disagreement is where one is right and the other wrong, of all samples; `expected` is the true difference, after
    minus before. From the exact bound. With `clusters` the answer is in clusters, by simulation (Dirichlet) of the
    bound for clusters, never under ten. `look` as in `samples_for_accuracy`: 1 where the file is proven as the first
    held against this test part.

    Assumes: disagreement and difference are the true ones; both are small for two files of one recipe (0.02 to 0.1).
        With `clusters`: of one size; the correlation is that of where the two disagree.
    Source: the bounds as in `no_worse`; Connor, Sample size for testing differences in proportions for the
        paired-sample design, Biometrics 43, 1987, is the approximation.
    Not for: two files on different samples (`samples_for_two_shares`).

    >>> print(samples_for_no_worse(0.05, 0.06))
    193 samples suffice in 81 of 100 tries to be 95 % sure that it is right at most 5 in 100 less often.
    """
    margin = check_share("margin", margin)
    shows = f"that it is right at most {in_100(margin)} less often"
    return _paired(-margin, disagreement, expected, Goal(level, power, look), clusters, seed, shows)


def samples_for_better(expected: float, disagreement: float, *, by: float = 0.0, level: float = 0.95,
                       power: float = 0.8, clusters: Clustering | None = None, seed: int = 0,
                       look: int | None = None) -> Needed:
    """How many samples `better` needs to hold, if the true difference is `expected`; else as `samples_for_no_worse`.

    Assumes: as `samples_for_no_worse`.
    Source: as `samples_for_no_worse`.
    Not for: as `samples_for_no_worse`.

    >>> samples_for_better(0.10, 0.12).count
    68
    """
    check_share("by", by, zero=True)
    shows = "that it is right more often" + (f" by more than {in_100(by)}" if by else "")
    return _paired(by, disagreement, expected, Goal(level, power, look), clusters, seed, shows)


def samples_for_two_shares(control: float, treatment: float, *, by: float = 0.0, level: float = 0.95,
                           power: float = 0.8) -> Needed:
    """How many samples each side needs to show that the treatment's share is larger by more than `by`; one look.

    From the exact bound `comparisons.two_sample_lower`. A negative `by` is a margin: not smaller by more than that.

    Assumes: the two shares are the true ones; independent samples, as many on either side.
    Source: the bound as in `comparisons.two_sample_difference`.
    Not for: the same samples on both sides (`samples_for_better`, which needs far fewer); looking more than once
        (`stopping_time_of_lift`).

    >>> print(samples_for_two_shares(0.60, 0.90))
    26 samples on each side suffice in 80 of 100 tries to be 95 % sure that the share is larger.
    """
    if not is_number(by):
        raise LinnetError(f"by is a difference of two shares, below 0 for a margin; got {by!r}.")
    for name, share in (("control", control), ("treatment", treatment)):
        check_between(name, share)
    Goal(level, power).check()
    shows = "that the share is larger" + (f" by more than {in_100(by)}" if by > 0 else "") if by >= 0 else (
        f"that the share is smaller by at most {in_100(-by)}")
    unit = "samples on each side"
    if treatment - control <= by:
        return Needed(None, unit, 0.0, level, shows)

    def chance(n: int, more: int | Counts) -> float:
        from scipy.stats import binom

        controls = _likely(n, control)
        fewest = _fewest(lambda c, t: two_sample_score(c, n, t, n, by), controls, np.full(len(controls), n), level)
        return float(binom.pmf(controls, n, control) @ binom.sf(fewest + more - 1, n, treatment))

    def more_at(n: int) -> Counts:
        controls = _probes(n, control)
        fewest = _fewest(lambda c, t: two_sample_score(c, n, t, n, by), controls, np.full(len(controls), n), level)
        more = _more(lambda c, t: two_sample_lower(c, n, t, n, level=level) > by, controls, fewest, n)
        return _nearest(more, controls, _likely(n, control))

    count, reached = _smallest_exact(chance, more_at, power)
    return Needed(count, unit, reached, level, shows)


def _paired(by: float, disagreement: float, expected: float, goal: Goal, clusters: Clustering | None, seed: int,
            shows: str) -> Needed:
    level, power, shows, of = goal.check().tested, goal.power, shows + goal.words, clustering_of(clusters)
    if not (is_number(expected) and is_number(disagreement)
            and abs(expected) <= disagreement and 0 < disagreement <= 1):
        raise LinnetError("disagreement is a share above 0, and the difference cannot be larger than it; "
                          f"got disagreement={disagreement!r} and expected={expected!r}.")
    unit = "samples" if clusters is None else "clusters"
    if expected <= by:
        return Needed(None, unit, 0.0, goal.level, shows)
    p10, p01 = (disagreement - expected) / 2, (disagreement + expected) / 2

    def chance(n: int, more: int | Counts) -> float:
        from scipy.stats import binom

        worsened = _likely(n, p10)
        fewest = _fewest(lambda w, i: paired_score(w, i, n, by), worsened, n - worsened, level)
        improved = binom.sf(fewest + more - 1, n - worsened, min(1.0, p01 / (1 - p10)) if p10 < 1 else 0.0)
        return float(binom.pmf(worsened, n, p10) @ improved)

    def more_at(n: int) -> Counts:
        worsened = _probes(n, p10)
        fewest = _fewest(lambda w, i: paired_score(w, i, n, by), worsened, n - worsened, level)
        more = _more(lambda w, i: w + i <= n and paired_lower(w, i, n, level) > by - 1e-12, worsened, fewest, n)
        return _nearest(more, worsened, _likely(n, p10))

    count, reached = _smallest_exact(chance, more_at, power)
    if clusters is None or count is None:
        return Needed(count, unit, reached, goal.level, shows)
    units, reached = smallest_simulated(
        lambda size: (_share_holding(size, of, (p10, p01), by, level, check_seed(seed)), runs_at(size)),
        count * of.design_effect / of.rows, power)
    return Needed(units, unit, reached, goal.level, shows, None if units is None else units * of.rows)


def _smallest_exact(chance: Chance, more_at: Callable[[int], Counts], power: float) -> tuple[int | None, float]:
    """The smallest n by the score, then with what the exact bound asks for more there, until the two agree."""
    count, reached, mean = 1, 0.0, 0.0
    for _ in range(_ROUNDS):
        found = smallest(lambda n, mean=mean: _between(chance, n, mean) >= power, count + 1)  # type: ignore[misc]
        if found is None:
            return None, 0.0
        count, reached = found, chance(found, more_at(found))
        if reached >= power:
            return count, reached
        none, one = chance(count, 0), chance(count, 1)
        mean = (none - reached) / max(none - one, 1e-9)
    while reached < power:
        count += 1 + count // 200
        reached = chance(count, more_at(count))
    return count, reached


def _between(chance: Chance, n: int, mean: float) -> float:
    """The power if the bound asks for `mean` more on average."""
    whole = math.floor(mean)
    return (1 + whole - mean) * chance(n, whole) + (mean - whole) * chance(n, whole + 1)


def _likely(n: int, share: float) -> Counts:
    """All counts that are not negligible."""
    reach = _WINDOW * (n * share * (1 - share)) ** 0.5 + 15
    return np.arange(max(0, int(n * share - reach)), min(n, int(n * share + reach)) + 1)


def _probes(n: int, share: float) -> Counts:
    """The usual counts, or some of them."""
    reach = _USUAL * (n * share * (1 - share)) ** 0.5 + 1
    low, high = max(0, int(n * share - reach)), min(n, int(n * share + reach))
    return np.unique(np.rint(np.linspace(low, high, min(_PROBES, high - low + 1))).astype(np.int64))


def _fewest(score: Callable[[Floats, Floats], Floats], first: Counts, most: Counts, level: float) -> Counts:
    """For each first count the fewest of the second one whose score reaches z; one more than `most` if none does."""
    from scipy.special import ndtri

    z = float(ndtri(level))
    below, reached = np.full(len(first), -1), most + 1
    while (is_open := reached - below > 1).any():
        middle = (below + reached) // 2
        is_enough = score(first.astype(np.float64), middle.astype(np.float64)) >= z
        reached = np.where(is_open & is_enough, middle, reached)
        below = np.where(is_open & ~is_enough, middle, below)
    return reached


def _more(decides: Callable[[int, int], bool], first: Counts, fewest: Counts, n: int) -> list[int]:
    """How many more of the second count the exact bound asks for than the score does, at each first count."""
    return [next((more for more in range(min(_MOST_SHIFT, n - other) + 1) if decides(one, other + more)), 0)
            for one, other in zip(first.tolist(), fewest.tolist(), strict=True)]


def _nearest(more: list[int], probes: Counts, first: Counts) -> Counts:
    """For each first count what was found at the nearest probe."""
    place = np.rint(np.interp(first, probes, np.arange(len(probes)))).astype(np.int64)
    return np.asarray(more)[place]


def _share_holding(clusters: int, of: Clustering, shares: tuple[float, float], by: float, level: float,
                   seed: int) -> float:
    """How often the clustered bound of the paired difference exceeds `by` in simulation."""
    worsened, improved = _disagreements(clusters, of, shares, np.random.default_rng(seed))
    return float(_decides(worsened, improved, of.rows, by, level).mean())


def _decides(worsened: Floats, improved: Floats, rows_each: int, by: float, level: float) -> NDArray[np.bool_]:
    """Whether `clustered_difference` exceeds `by`, for counts in each cluster: (runs, clusters)."""
    from scipy.special import ndtri

    clusters = worsened.shape[1]
    rows = clusters * rows_each
    shares, known = [], []
    for counts in (worsened, improved):
        share = counts.sum(axis=1) / rows
        residuals = np.square(counts - share[:, None] * rows_each).sum(axis=1)
        worth = worth_of(residuals, share * (1 - share), rows, clusters) * effective_share(level, rows, clusters)
        shares.append(share)
        known.append(known_rows(worth * rows, share, clusters, level))
    by_cluster = lower_of_shares(shares[0], shares[1], known[0], known[1], level)
    # The bound is never tighter than that for rows, which may ask for one count more than its score does.
    by_row = paired_score(worsened.sum(axis=1), np.maximum(improved.sum(axis=1) - 1, 0), rows, by)
    return np.asarray((by_cluster >= by) & (by_row >= ndtri(level)))


def _disagreements(clusters: int, of: Clustering, shares: tuple[float, float], rng: np.random.Generator
                   ) -> tuple[Floats, Floats]:
    """Worsened and improved samples in each cluster: (runs, clusters)."""
    shape = (runs_at(clusters), clusters)
    parts = np.multiply.outer([*shares, 1 - sum(shares)], np.ones(shape))
    if of.correlation:
        parts = rng.gamma(np.maximum(parts, 1e-12) * (1 / of.correlation - 1))
    worsened = rng.binomial(of.rows, parts[0] / parts.sum(axis=0))
    improved = rng.binomial(of.rows - worsened, parts[1] / np.maximum(parts[1] + parts[2], 1e-300))
    return worsened.astype(np.float64), improved.astype(np.float64)
