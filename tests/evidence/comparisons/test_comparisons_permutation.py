"""Tests by changes of place: against every change counted, against scipy, and their errors under no difference."""

from __future__ import annotations

import math
import time
from itertools import product

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import comparisons
from linnet.evidence.comparisons.permutation import MOST_UNITS, _bundled


def monte_carlo_error(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def welch(first, second, axis):
    apart = second.mean(axis) - first.mean(axis)
    return np.abs(apart) / np.sqrt(first.var(axis, ddof=1) / first.shape[axis] + second.var(axis, ddof=1)
                                   / second.shape[axis])


@pytest.mark.parametrize(("worsened", "improved"), [(0, 0), (1, 0), (3, 12), (40, 41), (5, 5)])
def test_mcnemar_is_the_binomial_test_of_the_disagreements(worsened: int, improved: int) -> None:
    both = worsened + improved
    expected = stats.binomtest(improved, both).pvalue if both else 1.0
    assert comparisons.mcnemar(worsened, improved) == pytest.approx(expected)


def test_mcnemar_refuses_what_is_no_count() -> None:
    with pytest.raises(LinnetError, match="-1 worsened and 3 improved are not counts"):
        comparisons.mcnemar(-1, 3)


def test_the_sign_flip_test_counts_every_sign() -> None:
    rng = np.random.default_rng(3)
    after, before = rng.integers(0, 2, (2, 9)).astype(float), rng.integers(0, 2, (3, 9)).astype(float)
    steps = np.rint(6 * (after.mean(axis=0) - before.mean(axis=0))).astype(int)
    sums = np.array([abs(np.dot(signs, steps)) for signs in product((-1, 1), repeat=9)])
    assert abs(steps.sum()) > 0
    assert comparisons.sign_flip(after, before) == pytest.approx((sums >= abs(steps.sum())).mean())


def test_the_sign_flip_test_of_single_files_is_mcnemar() -> None:
    after, before = np.ones((1, 30)), np.ones((1, 30))
    after[0, :3], before[0, 3:15] = 0, 0
    assert comparisons.sign_flip(after, before) == comparisons.mcnemar(3, 12)
    assert comparisons.sign_flip(after[0], before[0]) == comparisons.mcnemar(3, 12)
    several = comparisons.sign_flip(np.tile(after, (2, 1)), np.tile(before, (4, 1)))
    assert several == pytest.approx(comparisons.mcnemar(3, 12))


@pytest.mark.parametrize("graded", [False, True])
def test_whole_clusters_change_their_sign_together(graded: bool) -> None:
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(8), [1, 4, 2, 7, 3, 3, 2, 5])
    after, before = rng.random((2, len(labels))) if graded else rng.integers(0, 2, (2, len(labels))).astype(float)
    totals = np.bincount(labels, after - before)
    sums = np.array([abs(np.dot(signs, totals)) for signs in product((-1, 1), repeat=8)])
    expected = (sums >= abs(totals.sum()) - 1e-9).mean()
    assert 0 < expected < 1
    found = comparisons.sign_flip(after, before, clusters=labels.astype(str).tolist())
    assert found == pytest.approx(expected)
    assert found != pytest.approx(comparisons.sign_flip(after, before))


def test_drawn_signs_agree_with_counted_ones_and_are_never_zero() -> None:
    rng = np.random.default_rng(1)
    steps = np.stack([rng.integers(0, 11, 40), rng.integers(0, 9, 40)]) / 10
    scaled = np.rint(10 * (steps[0] - steps[1])).astype(int)
    chances = np.ones(1)
    for step in scaled[scaled != 0]:
        both = np.zeros(2 * abs(step) + 1)
        both[[0, -1]] = 0.5
        chances = np.convolve(chances, both)
    centre, far = len(chances) // 2, abs(scaled.sum())
    exact = chances[: centre - far + 1].sum() + chances[centre + far:].sum()
    assert comparisons.sign_flip(*steps) == pytest.approx(exact, abs=monte_carlo_error(exact, 9999))
    assert comparisons.sign_flip(np.full(40, 0.75), np.full(40, 0.5), draws=199) == 1 / 200


def test_the_same_seed_draws_the_same() -> None:
    after, before = np.random.default_rng(2).random((2, 50))
    assert comparisons.sign_flip(after, before) == comparisons.sign_flip(after, before)
    assert comparisons.sign_flip(after, before, seed=1) != comparisons.sign_flip(after, before)
    assert comparisons.permutation(after, before) == comparisons.permutation(after, before)


def test_no_difference_at_all_shows_none() -> None:
    assert comparisons.sign_flip(np.full(5, 0.5), np.full(5, 0.5)) == 1
    assert comparisons.permutation(np.full(5, 0.5), np.full(7, 0.5)) == 1


@pytest.mark.parametrize("studentised", [False, True])
def test_permutation_counts_what_scipy_counts(studentised: bool) -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=7), rng.normal(0.8, 2, 6)
    statistic = welch if studentised else lambda x, y, axis: np.abs(x.mean(axis) - y.mean(axis))
    expected = stats.permutation_test((first, second), statistic, vectorized=True, n_resamples=np.inf,
                                      alternative="greater").pvalue
    assert comparisons.permutation(first, second, studentised=studentised) == pytest.approx(expected)


def test_permutation_of_right_and_wrong_is_fisher_for_sides_of_the_same_size() -> None:
    first, second = np.repeat([1.0, 0.0], [3, 57]), np.repeat([1.0, 0.0], [11, 49])
    expected = stats.fisher_exact([[3, 57], [11, 49]]).pvalue
    found = comparisons.permutation(first, second, studentised=False, draws=40_000)
    assert found == pytest.approx(expected, abs=monte_carlo_error(expected, 40_000))


def standardised(sums: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """The mean of rows of some clusters, and its variance."""
    mean = sums.sum() / sizes.sum()
    return mean, ((sums - mean * sizes) ** 2).sum() / sizes.sum() ** 2 * len(sums) / (len(sums) - 1)


def test_the_error_of_studentised_clusters_is_that_of_a_ratio() -> None:
    rng = np.random.default_rng(11)
    labels = np.repeat(np.arange(9), [2, 3, 1, 4, 2, 3, 4, 1, 9])
    names, first = labels.astype(str), labels < 4
    values = rng.normal(size=len(labels)) + 1.2 * first
    found = comparisons.permutation(values[first], values[~first],
                                    clusters=(names[first].tolist(), names[~first].tolist()))
    sums, sizes, far = np.bincount(labels, values), np.bincount(labels).astype(float), []
    sides = [np.array(side) for side in product((False, True), repeat=9) if sum(side) == 4]
    for side in sides:
        (one, error), (other, another) = standardised(sums[side], sizes[side]), standardised(sums[~side], sizes[~side])
        far.append(abs(one - other) / math.sqrt(error + another))
    observed = next(one for side, one in zip(sides, far, strict=True) if (side == (np.arange(9) < 4)).all())
    assert found == pytest.approx(np.mean([one >= observed - 1e-12 for one in far]))


def test_bundles_lose_no_unit() -> None:
    units = np.random.default_rng(12).random((103, 2))
    bundles, left = _bundled(units, 10, np.random.default_rng(0))
    assert bundles.shape == (10, 2)
    assert bundles.sum(axis=0) + left == pytest.approx(units.sum(axis=0))
    assert left.sum() > 0


def test_whole_clusters_change_sides_together() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(size=24)
    labels = np.repeat(np.arange(9), [2, 3, 1, 4, 2, 3, 4, 1, 4])
    names, first = labels.astype(str), labels < 4
    found = comparisons.permutation(values[first], values[~first], studentised=False,
                                    clusters=(names[first].tolist(), names[~first].tolist()))
    sums, sizes = np.bincount(labels, values), np.bincount(labels)
    sides = np.array([side for side in product((False, True), repeat=9) if sum(side) == 4])
    apart = np.abs(sides @ sums / (sides @ sizes) - ~sides @ sums / (~sides @ sizes))
    assert found == pytest.approx((apart >= apart[(sides == (np.arange(9) < 4)).all(axis=1)] - 1e-12).mean())


def test_many_units_change_places_in_bundles_and_say_what_welch_says() -> None:
    rng = np.random.default_rng(8)
    first, second = rng.exponential(1, 3 * MOST_UNITS + 17), rng.exponential(1.03, 2 * MOST_UNITS + 5)
    before = time.process_time()
    found = comparisons.permutation(first, second, draws=1999)
    assert time.process_time() - before < 3
    assert found == pytest.approx(stats.ttest_ind(first, second, equal_var=False).pvalue, abs=0.04)
    some = rng.random((2, 5 * MOST_UNITS))
    assert comparisons.sign_flip(*some, draws=1999) == pytest.approx(stats.ttest_rel(*some).pvalue, abs=0.04)


def clustered(rng: np.random.Generator, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in clusters of uneven sizes that share most of what they are; skewed."""
    sizes = rng.integers(1, 9, clusters)
    rows = np.repeat(rng.gamma(0.5, 1, clusters), sizes) + 0.2 * rng.normal(size=sizes.sum())
    return rows, np.repeat(np.arange(clusters), sizes)


def test_tests_of_clusters_err_as_often_as_they_say_and_tests_of_their_rows_do_not() -> None:
    """300 runs, no difference, 12 clusters a side: at most 0.05 + 0.038 of them err; tests of rows far more."""
    rng, runs = np.random.default_rng(9), 300
    signs, places, naive = 0, 0, 0
    for _ in range(runs):
        first, labels = clustered(rng, 12)
        second, others = clustered(rng, 12)
        names = labels.astype(str).tolist(), (others + 100).astype(str).tolist()
        places += comparisons.permutation(first, second, clusters=names, draws=199) <= 0.05
        naive += comparisons.permutation(first, second, draws=199) <= 0.05
        paired = np.repeat(rng.normal(size=12), 6) + rng.normal(size=72)
        signs += comparisons.sign_flip(paired, 0 * paired, clusters=np.repeat(np.arange(12), 6).tolist()) <= 0.05
    assert places / runs <= 0.05 + monte_carlo_error(0.05, runs)
    assert signs / runs <= 0.05 + monte_carlo_error(0.05, runs)
    assert naive / runs > 0.15


@pytest.mark.parametrize(("changes", "message"), [
    ({"control": np.array([])}, "'control' has shape"),
    ({"treatment": np.array([1.0, np.nan])}, "'treatment' holds nan"),
    ({"treatment": np.array([1.0, np.inf])}, "'treatment' holds inf"),
    ({"clusters": (["a", "b", "c"], ["d"])}, "every row needs one cluster; got 2 rows"),
    ({"clusters": (["a", "b", "c"], ["d", "b"])}, "cluster 'b' is on both sides"),
])
def test_permutation_refuses_in_words(changes: dict[str, object], message: str) -> None:
    given = {"control": np.array([1.0, 2.0, 3.0]), "treatment": np.array([4.0, 5.0]), **changes}
    with pytest.raises(LinnetError, match=message):
        comparisons.permutation(**given)


@pytest.mark.parametrize(("after", "before", "message"), [
    (np.ones(3), np.ones(4), "3 and 4 samples"), (np.array([1.0, np.nan]), np.ones(2), "'after' holds nan"),
    (np.ones(0), np.ones(0), "'after' has shape"),
])
def test_sign_flip_refuses_in_words(after: np.ndarray, before: np.ndarray, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        comparisons.sign_flip(after, before)


def test_sign_flip_refuses_labels_that_do_not_fit() -> None:
    with pytest.raises(LinnetError, match="every row needs one cluster; got 3 rows"):
        comparisons.sign_flip(np.ones(3), np.zeros(3), clusters=["a"])
