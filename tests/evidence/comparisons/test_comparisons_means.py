"""Differences of means: they cover, they say nothing where they cannot, and they refuse in words."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.comparisons import paired_mean_difference, two_sample_mean_difference, welch_difference
from linnet.evidence.comparisons.means import _dealt
from linnet.evidence.intervals import betting


def monte_carlo_error(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def missed(intervals: list[tuple[float, float]], truth: float) -> float:
    return float(np.mean([not low <= truth <= high for low, high in intervals]))


def test_paired_differences_are_bets_on_scores_from_minus_one_to_one() -> None:
    rng = np.random.default_rng(0)
    rows, labels = rng.uniform(-0.3, 0.5, 200), np.repeat(np.arange(20), 10)
    low, high = betting((rows + 1) / 2, 0.9)
    assert paired_mean_difference(rows, 0.9) == pytest.approx((2 * low - 1, 2 * high - 1))
    low, high = betting((rows + 1) / 2, clusters=labels)
    assert paired_mean_difference(rows, clusters=labels) == pytest.approx((2 * low - 1, 2 * high - 1))
    turned = paired_mean_difference(-rows, 0.9)
    assert (-turned[1], -turned[0]) == pytest.approx(paired_mean_difference(rows, 0.9))


def test_paired_differences_cover_where_a_t_interval_does_not() -> None:
    """300 runs of 60 pairs, one in 60 loses everything: at most 0.05 + 0.038 miss; of t intervals a third."""
    rng, runs = np.random.default_rng(1), 300
    drawn = [np.where(rng.random(60) < 1 / 60, -1.0, 0.01) for _ in range(runs)]
    truth = -1 / 60 + 0.01 * 59 / 60
    halves = [stats.t.ppf(0.975, 59) * rows.std(ddof=1) / math.sqrt(60) for rows in drawn]
    assert missed([paired_mean_difference(rows) for rows in drawn], truth) <= 0.05 + monte_carlo_error(0.05, runs)
    assert missed([(rows.mean() - half, rows.mean() + half) for rows, half in zip(drawn, halves, strict=True)],
                  truth) > 0.3


def test_few_clusters_cover_and_rows_taken_as_independent_do_not() -> None:
    """300 runs of 8 speakers: at most 0.05 + 0.038 miss."""
    rng, runs, labels = np.random.default_rng(2), 300, np.repeat(np.arange(8), 20)
    drawn = [np.repeat(rng.choice([-0.5, 0.5], 8), 20) for _ in range(runs)]
    assert missed([paired_mean_difference(rows, clusters=labels) for rows in drawn], 0.0) <= 0.05 + 0.038
    assert missed([paired_mean_difference(rows) for rows in drawn], 0.0) > 0.3


@pytest.mark.parametrize(("n", "m"), [(30, 30), (20, 200)])
def test_two_samples_cover(n: int, m: int) -> None:
    """300 runs of rare and skewed scores: at most 0.05 + 0.038 miss."""
    rng, runs = np.random.default_rng(3), 300
    found = [two_sample_mean_difference((rng.random(n) < 0.05).astype(float), rng.beta(0.1, 1.9, m))
             for _ in range(runs)]
    assert missed(found, 0.0) <= 0.05 + monte_carlo_error(0.05, runs)


def test_dealing_loses_no_row_and_the_larger_side_helps() -> None:
    rows = np.arange(10.0)
    assert _dealt(rows, 10).tolist() == rows.tolist()
    assert _dealt(rows, 4).tolist() == [0.5, 3.0, 6.0, 8.5]
    assert len(_dealt(rows, 3)) == 3
    rng = np.random.default_rng(4)
    first, second = rng.random(100), rng.random(1000)
    few, many = (np.diff(two_sample_mean_difference(first, second[:count])) for count in (100, 1000))
    assert many < 0.85 * few


def test_two_samples_are_narrower_than_two_intervals_and_clusters_are_those() -> None:
    rng = np.random.default_rng(5)
    first, second, labels = rng.random(300), rng.random(300) ** 2, np.repeat(np.arange(30), 10)
    one, other = betting(first, 0.975), betting(second, 0.975)
    assert np.diff(two_sample_mean_difference(first, second)) < 0.85 * (other[1] - one[0] - other[0] + one[1])
    one, other = betting(first, 0.975, clusters=labels), betting(second, 0.975, clusters=labels + 30)
    found = two_sample_mean_difference(first, second, clusters=(labels, labels + 30))
    assert found == pytest.approx((other[0] - one[1], other[1] - one[0]))


def test_welch_is_that_of_scipy() -> None:
    rng = np.random.default_rng(6)
    first, second = rng.normal(1, 2, 100), rng.normal(1.5, 1, 300)
    expected = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.9)
    assert welch_difference(first, second, level=0.9) == pytest.approx((expected.low, expected.high))


def test_welch_with_clusters_of_one_row_is_welch_and_of_many_wider() -> None:
    rng = np.random.default_rng(7)
    first, second = rng.normal(size=120), rng.normal(size=150)
    alone = welch_difference(first, second)
    assert welch_difference(first, second, clusters=(np.arange(120), np.arange(200, 350))) == pytest.approx(alone)
    blocks = np.repeat(rng.normal(size=12), 10), np.repeat(rng.normal(size=15), 10)
    labels = np.repeat(np.arange(12), 10), np.repeat(np.arange(20, 35), 10)
    low, high = welch_difference(*blocks, clusters=labels)
    shut = welch_difference(*blocks)
    assert high - low > 2 * (shut[1] - shut[0])


def test_welch_says_nothing_of_few_rows_few_clusters_no_spread_or_a_few_large_values() -> None:
    rng = np.random.default_rng(8)
    nothing = (-math.inf, math.inf)
    many = rng.normal(size=500)
    assert welch_difference(many[:49], many) == nothing
    assert welch_difference(many, np.ones(100)) == nothing
    assert welch_difference(many, np.append(np.zeros(499), 1000.0)) == nothing
    assert welch_difference(many, many, clusters=(np.arange(500), np.repeat(np.arange(500, 509), 56)[:500])) == nothing
    assert welch_difference(many, rng.normal(size=100)) != nothing


def test_welch_says_nothing_where_skew_does_not_cancel() -> None:
    rng = np.random.default_rng(10)
    few, many = rng.exponential(size=100), rng.exponential(size=3000)
    assert welch_difference(few, many) == (-math.inf, math.inf)
    assert welch_difference(few, many[:100]) != (-math.inf, math.inf)
    assert welch_difference(np.append(few, few.mean() * 2 - few), many) != (-math.inf, math.inf)


def test_welch_covers_skewed_values_where_it_says_anything() -> None:
    """400 runs: at most 0.05 + 0.033 miss, of all; without the minimum, more."""
    rng, runs = np.random.default_rng(9), 400
    drawn = [(rng.lognormal(0, 1.5, 60), rng.lognormal(0, 1.5, 600)) for _ in range(runs)]
    assert missed([welch_difference(*one) for one in drawn], 0.0) <= 0.05 + monte_carlo_error(0.05, runs)
    assert np.mean([stats.ttest_ind(*one, equal_var=False).pvalue <= 0.05 for one in drawn]) > 0.08


@pytest.mark.parametrize(("call", "message"), [
    (lambda: paired_mean_difference([0.5, 1.5]), "'differences' holds 1.5; expected numbers from -1 to 1"),
    (lambda: paired_mean_difference([]), "'differences' has shape"),
    (lambda: paired_mean_difference([0.1, math.nan]), "'differences' holds nan"),
    (lambda: paired_mean_difference([0.1, 0.2], clusters=["a"]), "every row needs one cluster"),
    (lambda: two_sample_mean_difference([], [0.5]), "'control' has shape"),
    (lambda: two_sample_mean_difference([0.5], [1.5]), "'treatment' holds 1.5"),
    (lambda: two_sample_mean_difference([0.5], [0.5], level=2), "level must lie above 0 and below 1"),
    (lambda: two_sample_mean_difference([0.5], [0.5], clusters=(["a"], ["a"])), "cluster 'a' is on both sides"),
    (lambda: welch_difference([1.0, math.inf], [1.0]), "'control' holds inf"),
    (lambda: welch_difference([1.0], []), "'treatment' has shape"),
    (lambda: welch_difference([1.0], [2.0], clusters=(["a"], ["a"])), "cluster 'a' is on both sides"),
])
def test_what_does_not_fit_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
