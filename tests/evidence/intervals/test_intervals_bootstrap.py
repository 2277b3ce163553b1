"""Both bootstraps: scipy's on the same draws, near their level by simulation, nothing from few or skewed values."""

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS, bootstrap
from linnet.evidence.intervals.bootstrap import MINIMUM_ROWS, bca, expanded_tail, studentised

NOTHING_EXCLUDED = (-math.inf, math.inf)
METHODS = [bca, studentised]


@pytest.mark.parametrize("offset", [0, 1e6])
def test_bca_agrees_with_scipy_on_the_same_draws(offset: float) -> None:
    values = offset + np.random.default_rng(1).gamma(2, 50, 200)
    level = 1 - 2 * expanded_tail(0.025, 200)
    theirs = stats.bootstrap((values,), np.mean, confidence_level=level, n_resamples=2000, method="BCa",
                             rng=np.random.default_rng(7)).confidence_interval
    assert bca(values, seed=7) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_bca_with_ties_agrees_with_scipy() -> None:
    """Resamples whose mean is the observed one count half to either side, whatever rounding makes of them."""
    values = np.random.default_rng(3).integers(0, 10, 40) / 10
    level = 1 - 2 * expanded_tail(0.025, 40)
    theirs = stats.bootstrap((np.rint(10 * values),), np.mean, confidence_level=level, n_resamples=2000, method="BCa",
                             rng=np.random.default_rng(7)).confidence_interval
    assert bca(values, seed=7) == pytest.approx((theirs.low / 10, theirs.high / 10), rel=1e-9)


def test_bca_of_a_ratio_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    words = rng.integers(5, 40, 120)
    wrong = rng.binomial(words, 0.2)
    level = 1 - 2 * expanded_tail(0.025, 120)
    theirs = stats.bootstrap((wrong, words), lambda above, below, axis: above.sum(axis) / below.sum(axis),
                             paired=True, confidence_level=level, n_resamples=2000, method="BCa",
                             rng=np.random.default_rng(7)).confidence_interval
    assert bca(wrong, denominator=words, seed=7) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


def test_studentised_agrees_with_percentiles_of_scipys_pivots() -> None:
    values = np.random.default_rng(1).gamma(2, 50, 80)
    mean, error = values.mean(), stats.sem(values)
    pivots = stats.bootstrap(
        (values,), lambda drawn, axis: (drawn.mean(axis) - mean) / stats.sem(drawn, axis), vectorized=True,
        n_resamples=2000, method="percentile", rng=np.random.default_rng(7)).bootstrap_distribution
    most, least = np.quantile(pivots, 0.975, method="higher"), np.quantile(pivots, 0.025, method="lower")
    assert studentised(values, seed=7) == pytest.approx((mean - most * error, mean - least * error), rel=1e-9)


def test_the_expanded_tail_is_that_of_a_wider_normal() -> None:
    assert stats.norm.ppf(expanded_tail(0.025, 10)) == pytest.approx(math.sqrt(10 / 9) * stats.t.ppf(0.025, 9))
    assert expanded_tail(0.025, 10**7) == pytest.approx(0.025, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_equal_rows_are_drawn_as_kinds_and_give_the_same(method) -> None:
    right = np.repeat([1.0, 0.0], [300, 100])
    almost = right + np.linspace(0, 1e-9, 400)  # no two rows are equal
    assert method(right, resamples=20_000) == pytest.approx(method(almost, resamples=20_000), abs=0.004)


@pytest.mark.parametrize("method", METHODS)
def test_whole_clusters_are_drawn(method) -> None:
    rng = np.random.default_rng(0)
    own, labels = rng.normal(size=40), np.repeat(np.arange(40), 25)
    low, high = method(own[labels], clusters=labels)
    assert (low, high) == pytest.approx(method(own), rel=1e-6)
    rows = method(own[labels])
    assert high - low > 4 * (rows[1] - rows[0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [False, True])
def test_the_bootstraps_miss_near_their_level(method, clusters: bool) -> None:
    rng = np.random.default_rng(0)
    missed, runs = 0, 400
    for seed in range(runs):
        if clusters:
            sizes = rng.integers(5, 80, MINIMUM_CLUSTERS)
            right = rng.binomial(sizes, rng.beta(8, 2, MINIMUM_CLUSTERS))
            low, high = method(right, denominator=sizes, resamples=500, seed=seed)
            missed += low > 0.8 or high < 0.8
        else:
            low, high = method(rng.beta(2, 2, MINIMUM_ROWS), resamples=500, seed=seed)
            missed += low > 0.5 or high < 0.5
    assert missed / runs <= 0.06 + 3 * math.sqrt(0.05 * 0.95 / runs)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("values", [
    pytest.param(np.linspace(0, 1, MINIMUM_ROWS - 1), id="few rows"),
    pytest.param(np.full(500, 0.1), id="constant"),
    pytest.param(1e9 + np.zeros(500), id="constant and large"),
    pytest.param(np.repeat([1.0, 0.0], [24, 9976]), id="rare"),
    pytest.param(np.r_[np.linspace(0, 1, 99), 1e6], id="one row is all"),
])
def test_too_little_excludes_nothing(method, values: np.ndarray) -> None:
    assert method(values) == NOTHING_EXCLUDED


@pytest.mark.parametrize("method", METHODS)
def test_a_ratio_that_is_the_same_in_every_row_excludes_nothing(method) -> None:
    words = np.random.default_rng(0).integers(5, 40, 500)
    assert method(0.001 * words, denominator=words) == NOTHING_EXCLUDED


@pytest.mark.parametrize("method", METHODS)
def test_few_clusters_exclude_nothing_however_many_rows(method) -> None:
    values = np.random.default_rng(0).normal(size=2000)
    assert method(values, clusters=np.arange(2000) % (MINIMUM_CLUSTERS - 1)) == NOTHING_EXCLUDED
    assert math.isfinite(method(values, clusters=np.arange(2000) % MINIMUM_CLUSTERS)[0])


@pytest.mark.parametrize(("rare", "is_enough"), [(24, False), (26, True)])
def test_twenty_five_rare_answers_are_where_the_limit_lies(rare: int, is_enough: bool) -> None:
    right = np.repeat([1.0, 0.0], [rare, 10**6])
    assert (bootstrap.skewness_of_mean(right - right.mean()) <= bootstrap.MAXIMUM_SKEWNESS) == is_enough


@pytest.mark.parametrize("method", METHODS)
def test_the_seed_decides(method) -> None:
    values = np.random.default_rng(0).normal(size=50)
    assert method(values, seed=1) == method(values, seed=1) != method(values, seed=2)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("values", "given", "message"), [
    ([], {}, "at least one number"),
    ([1.0, math.nan], {}, "expected finite numbers"),
    ([1.0, 2.0], {"denominator": [1.0]}, "one denominator a value"),
    ([1.0, 2.0], {"denominator": [0.0, 0.0]}, "some above 0"),
    ([1.0, 2.0], {"denominator": [1.0, -1.0]}, "from 0"),
    ([1.0, 2.0], {"clusters": ["a"]}, "one cluster"),
    ([1.0, 2.0], {"resamples": 100}, "expected resamples=400 or more"),
    ([1.0, 2.0], {"level": 2.0}, "level must lie above 0 and below 1"),
])
def test_what_cannot_be_resampled_is_refused(method, values, given, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        method(values, **given)
