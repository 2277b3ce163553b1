"""Tests of two sides that need no distribution: what if the sides had changed places?

Where all changes of place can be counted they are, in full. Where they cannot, `draws` random ones are taken, and the
p-value is (1 + as far or farther) / (1 + draws): it errs at most as often as it says for any number of draws
(Phipson and Smyth, Statistical Applications in Genetics and Molecular Biology 9, 2010). More than MOST_UNITS units
change places in random bundles of the same size: these changes are a group too, so that the test stays exact
(Hemerik and Goeman, Exact testing with random permutations, TEST 27, 2018), and its time stays that of MOST_UNITS.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import cluster_sums
from linnet.evidence.settings import check_count, check_disjoint, check_finite, check_rows, check_seed, is_count

Floats = NDArray[np.float64]

DRAWS = 9999
MOST_UNITS = 4000
_TIE = 1e-9  # of the largest difference: rounding must not make a tie a miss
_CELLS = 4_000_000  # numbers held at once
_SIGNS_COUNTED_UP_TO = 13  # 2 ** 13 < DRAWS
_SUMS_COUNTED_UP_TO = 30_000_000  # sums that can come out, times different steps: about a second


def mcnemar(worsened: int, improved: int) -> float:
    """Two-sided p-value that one side is right as often as the other: McNemar's test, exact given the disagreements.

    `worsened` samples are right on the first side only, `improved` on the second side only.

    Assumes: the samples are independent of each other, and both sides answered the same ones.
    Source: McNemar, Note on the sampling error of the difference between correlated proportions, Psychometrika 12,
    1947; exact by the binomial distribution.
    Not for: rows in clusters (`sign_flip` with `clusters`); how large the difference is (`paired_difference`);
    looking again and again (`SequentialMcNemar`).

    >>> round(mcnemar(3, 12), 4)
    0.0352
    """
    from scipy.stats import binom

    if not (is_count(worsened) and is_count(improved)):
        raise LinnetError(f"{worsened!r:.40} worsened and {improved!r:.40} improved are not counts; give two numbers "
                          "from 0 on.")
    both = worsened + improved
    return min(1.0, 2 * float(binom.cdf(min(worsened, improved), both, 0.5))) if both else 1.0


def sign_flip(
    after: Floats, before: Floats, *, clusters: Sequence[str] | None = None, draws: int = DRAWS, seed: int = 0
) -> float:
    """Two-sided p-value that the two sides could have changed places, for each sample or for each whole cluster.

    Scores are (samples,) or (seeds, samples), averaged over seeds; `clusters` has a label a sample. Counted in full
    where differences are whole numbers of a common step (right and wrong answers always are) or the units few, else
    by `draws` random signs. With one file a side and right and wrong answers it is McNemar's exact test.

    Assumes: were there no difference, each sample's (with `clusters`, each cluster's) difference would be as likely
    with the other sign; samples (clusters) are independent of each other. The number of clusters may be small.
    Source: Fisher, The Design of Experiments, 1935 (section 21); Phipson and Smyth, Permutation p-values should never
    be zero, 2010.
    Not for: different samples on the two sides (`permutation`); how large the difference is
    (`paired_mean_difference`).

    >>> round(sign_flip(np.array([0.9, 0.8, 0.7, 0.9, 0.6]), np.array([0.5, 0.7, 0.4, 0.7, 0.5])), 4)
    0.0625
    >>> round(sign_flip(np.ones(6), np.zeros(6), clusters=["a", "a", "b", "b", "c", "c"]), 4)
    0.25
    """
    check_count("draws", draws, least=1), check_seed(seed)
    first, second = _seeds("after", after), _seeds("before", before)
    if first.shape[1] != second.shape[1]:
        raise LinnetError(f"the sides have {first.shape[1]} and {second.shape[1]} samples; a pair needs both.")
    differences = first.mean(axis=0) - second.mean(axis=0)
    steps = None
    if is_right_or_wrong(first) and is_right_or_wrong(second):
        steps = np.rint(differences * math.lcm(len(first), len(second)))
    totals = cluster_sums(differences if steps is None else steps, clusters)[0]
    if steps is None:
        largest = max(float(np.abs(first).max()), float(np.abs(second).max())) or 1.0
        return _random_signs(totals / largest, draws, seed)
    if clusters is None and len(first) == len(second) == 1:
        return mcnemar(int((totals < 0).sum()), int((totals > 0).sum()))
    return counted_signs(totals, draws=draws, seed=seed)


def permutation(
    control: Floats, treatment: Floats, *, clusters: tuple[Sequence[str], Sequence[str]] | None = None,
    studentised: bool = True, draws: int = DRAWS, seed: int = 0,
) -> float:
    """Two-sided p-value that the two sides are samples of the same: rows, or whole clusters, change sides at random.

    `clusters` has the labels of either side; a cluster lies on one side. The statistic is the difference of the means
    of rows, divided by its standard error where `studentised`: then it also holds, for many units, where only the
    means are equal and not the spreads. Counted in full where at most `draws` divisions into two sides exist.

    Assumes: units (rows, or clusters) are independent of each other, and were there no difference, any of them
    could as well have been on the other side.
    Source: Pitman, Significance tests which may be applied to samples from any populations, 1937; studentised: Chung
    and Romano, Exact and asymptotically robust permutation tests, Annals of Statistics 41, 2013.
    Not for: the same samples on both sides (`sign_flip`); how large the difference is (`two_sample_mean_difference`).

    >>> round(permutation(np.array([0.1, 0.2, 0.2, 0.3]), np.array([0.6, 0.9, 0.5, 0.8])), 4)
    0.0286
    """
    check_count("draws", draws, least=1), check_seed(seed)
    if clusters is not None:
        check_disjoint(clusters)
    labels = (None, None) if clusters is None else clusters
    rows = np.concatenate([check_rows("control", control), check_rows("treatment", treatment)])
    rows /= float(np.abs(rows).max()) or 1.0  # squares of 1e200 would overflow
    if (spread := float(rows.std())) == 0:
        return 1.0
    sides = np.split((rows - rows.mean()) / spread, [len(control)])
    first, second = _units(sides[0], labels[0]), _units(sides[1], labels[1])
    total, rng, far, count = first.sum(axis=0) + second.sum(axis=0), np.random.default_rng(seed), 0, 0
    observed = _distance(first.sum(axis=0)[None], total, len(first), len(second), studentised)[0]
    size = min(math.ceil((len(first) + len(second)) / MOST_UNITS), max(1, min(len(first), len(second)) // 100))
    (bundles, left), (others, _) = _bundled(first, size, rng), _bundled(second, size, rng)
    is_every = _are_few(len(bundles) + len(others), len(bundles), draws)
    for sums in _divisions(np.concatenate([bundles, others]), len(bundles), draws, rng):
        distances = _distance(sums + left, total, len(first), len(second), studentised)
        far, count = far + int((distances >= observed * (1 - _TIE) - 1e-15).sum()), count + len(sums)
    return far / count if is_every else (1 + far) / (1 + count)


def _bundled(units: Floats, size: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """The sums of random bundles of `size` units, and of those that are left over."""
    if size == 1:
        return units, np.zeros(units.shape[1])
    order = units[rng.permutation(len(units))]
    whole = len(units) // size * size
    return order[:whole].reshape(-1, size, units.shape[1]).sum(axis=1), order[whole:].sum(axis=0)


def _are_few(units: int, chosen: int, draws: int) -> bool:
    """Whether all divisions can be counted; their number is not asked of many units: it has thousands of digits."""
    return units <= draws and (min(chosen, units - chosen) == 1 or (units <= 64 and math.comb(units, chosen) <= draws))


def _divisions(units: Floats, chosen: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """The sums over the first side (divisions, moments), of all divisions or of random ones, a batch at a time."""
    batch = max(1, _CELLS // len(units))
    if _are_few(len(units), chosen, draws):
        every = combinations(range(len(units)), chosen)
        while rows := list(islice(every, batch)):
            yield units[np.array(rows)].sum(axis=1)
        return
    for start in range(0, draws, batch):
        order = rng.random((min(batch, draws - start), len(units)), dtype=np.float32).argpartition(chosen - 1, axis=1)
        is_first = np.zeros(order.shape)
        np.put_along_axis(is_first, order[:, :chosen], 1.0, axis=1)
        yield is_first @ units


def _distance(first: Floats, total: Floats, chosen: int, others: int, studentised: bool) -> Floats:
    """How far the two means lie apart, for each division; in standard errors where asked."""
    second = total - first
    means = first[:, 0] / first[:, 1], second[:, 0] / second[:, 1]
    apart = np.asarray(np.abs(means[1] - means[0]))
    if not studentised:
        return apart
    variance = _variance(first, means[0], chosen) + _variance(second, means[1], others)
    is_flat = variance <= 1e-20
    certain = np.where(apart > 1e-12, np.inf, 0.0)
    return np.where(is_flat, certain, apart / np.sqrt(np.where(is_flat, 1.0, variance)))


def _variance(sums: Floats, mean: Floats, units: int) -> Floats:
    """The variance of a mean of rows, a ratio of sums over units: values, rows, their squares and product."""
    residual = sums[:, 2] - 2 * mean * sums[:, 3] + mean**2 * sums[:, 4]
    return np.asarray(np.maximum(residual, 0) / sums[:, 1] ** 2 * units / max(units - 1, 1))


def _units(values: Floats, labels: Sequence[str] | None) -> Floats:
    """For each unit the sum of its values, its rows, and their squares and product: all that the statistic needs."""
    sums, sizes = cluster_sums(values, labels)
    return np.stack([sums, sizes, sums**2, sums * sizes, sizes**2], axis=1)


def _seeds(name: str, scores: Floats) -> Floats:
    rows = np.atleast_2d(check_finite(name, scores))
    if rows.ndim != 2 or not rows.size:
        raise LinnetError(f"'{name}' has shape {rows.shape}; expected (samples,) or (seeds, samples).")
    return rows


def is_right_or_wrong(scores: Floats) -> bool:
    """Whether every score is 0 or 1."""
    return bool(((scores == 0) | (scores == 1)).all())


def _random_signs(totals: Floats, draws: int, seed: int) -> float:
    """Signs of every unit, all of them where there are few, else drawn."""
    totals = totals[np.abs(totals) > 1e-15]  # of scores of at most 1; less is rounding
    if not len(totals):
        return 1.0
    least = abs(float(totals.sum())) - _TIE * float(np.abs(totals).max())
    if len(totals) <= _SIGNS_COUNTED_UP_TO:
        signs = 1 - 2 * ((np.arange(2 ** len(totals))[:, None] >> np.arange(len(totals))) & 1)
        return float((np.abs(signs @ totals) >= least).mean())
    rng, far = np.random.default_rng(seed), 0
    bundles, left = _bundled(totals[:, None], math.ceil(len(totals) / MOST_UNITS), rng)
    totals, batch = np.append(bundles, left), max(1, _CELLS // len(bundles))
    for start in range(0, draws, batch):
        is_flipped = rng.integers(0, 2, (min(batch, draws - start), len(totals)), dtype=np.int8)
        far += int((np.abs(totals.sum() - 2 * (is_flipped @ totals)) >= least).sum())
    return (1 + far) / (1 + draws)


def counted_signs(steps: Floats, *, draws: int = DRAWS, seed: int = 0) -> float:
    """The chance of a sum of whole numbers with random signs at least as far from 0.

    Counted in full; where too many sums can come out, by `draws` random signs, which is as valid.
    """
    if float(np.abs(steps).sum()) * len(np.unique(np.abs(steps))) > _SUMS_COUNTED_UP_TO:
        return _random_signs(steps, draws, seed)
    whole = np.rint(steps).astype(np.int64)
    chances = _sums_of_signs(np.bincount(np.abs(whole)))
    centre, far = len(chances) // 2, abs(int(whole.sum()))
    return 1.0 if far == 0 else min(1.0, 2 * float(chances[centre + far :].sum()))


def _sums_of_signs(counts: NDArray[np.int64]) -> Floats:
    """The chance of each sum from -S to S of `counts[v]` values v, each with a random sign; S is their total."""
    from scipy.signal import fftconvolve
    from scipy.special import gammaln

    chances = np.ones(1)
    for value, count in enumerate(counts.tolist()):
        if value and count:
            spread, up = np.zeros(2 * value * count + 1), np.arange(count + 1.0)
            spread[:: 2 * value] = np.exp(
                gammaln(count + 1) - gammaln(up + 1) - gammaln(count - up + 1) - count * math.log(2))
            chances = np.maximum(fftconvolve(chances, spread), 0.0)
    return np.asarray(chances)
