"""Empirical Bernstein: the formula, and never missing more often than it says."""

import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.intervals import betting, empirical_bernstein

LOG_TERM = math.log(4 / 0.05)


@pytest.mark.parametrize("n", [50, 2000])
def test_empirical_bernstein_is_the_formula_of_its_source(n: int) -> None:
    values = np.random.default_rng(0).beta(20, 20, n)
    half = math.sqrt(2 * values.var(ddof=1) * LOG_TERM / n) + 7 * LOG_TERM / (3 * (n - 1))
    expected = max(0.0, values.mean() - half), min(1.0, values.mean() + half)
    assert empirical_bernstein(values) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("clusters", [False, True])
@pytest.mark.parametrize("mean", [0.5, 0.05])
def test_empirical_bernstein_misses_at_most_as_often_as_it_says(clusters: bool, mean: float) -> None:
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(300):
        shares = rng.beta(2 * mean, 2 * (1 - mean), 60)
        sizes = rng.integers(1, 9, 60) if clusters else np.ones(60, int)
        labels = np.repeat(np.arange(60), sizes)
        low, high = empirical_bernstein(shares[labels], clusters=labels if clusters else None)
        missed += low > mean or high < mean
    assert missed <= 0.05 * 300


def test_clusters_of_equal_size_count_by_their_means() -> None:
    means = np.random.default_rng(0).beta(20, 20, 300)
    labels = np.repeat(np.arange(300), 4)
    assert empirical_bernstein(np.repeat(means, 4), clusters=labels) == pytest.approx(empirical_bernstein(means))


def test_unequal_clusters_are_solved_for_the_mean_and_limits_scale() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 6, 500)
    labels = np.repeat(np.arange(500), sizes)
    values = rng.beta(5, 5, 500)[labels]
    low, high = empirical_bernstein(values, clusters=labels)
    for end, side in ((low, 1), (high, -1)):
        above = side * (np.bincount(labels, values) - end * sizes) / sizes.max()
        allowed = math.sqrt(2 * above.var(ddof=1) * LOG_TERM / 500) + 7 * LOG_TERM / (3 * 499)
        assert above.mean() == pytest.approx(allowed, abs=1e-9)
    scaled = empirical_bernstein(8 * values - 4, clusters=labels, lower=-4, upper=4)
    assert scaled == pytest.approx((8 * low - 4, 8 * high - 4))


def test_betting_is_narrower() -> None:
    values = np.random.default_rng(0).beta(2, 2, 100)
    wide, narrow = np.diff(empirical_bernstein(values)), np.diff(betting(values))
    assert narrow < 0.6 * wide


def test_one_row_excludes_nothing_and_no_number_is_refused() -> None:
    assert empirical_bernstein([0.4]) == (0.0, 1.0)
    with pytest.raises(LinnetError, match="expected finite numbers"):
        empirical_bernstein([0.4, math.nan])
    with pytest.raises(LinnetError, match="from 0 to 1"):
        empirical_bernstein([0.4, 2])
