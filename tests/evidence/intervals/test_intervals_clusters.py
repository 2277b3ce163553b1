"""The mean of sampled clusters: by simulation within its documented tolerance, and nothing from few clusters."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS, binomial, cluster_spread, clustered_mean


def speakers(rng: np.random.Generator, clusters: int, rows: int, mean: float, concentration: float):
    """Right or wrong answers of speakers who differ: each one's own share is a beta draw."""
    shares = rng.beta(mean * concentration, (1 - mean) * concentration, clusters)
    return rng.binomial(1, np.repeat(shares, rows)).astype(float), np.repeat(np.arange(clusters), rows).astype(str)


@pytest.mark.parametrize(("clusters", "tolerance"), [(MINIMUM_CLUSTERS, 0.05), (30, 0.03)])
@pytest.mark.parametrize(("mean", "concentration"), [(0.9, 20), (0.8, 10), (0.95, 10)])
def test_clustered_mean_misses_by_no_more_than_its_documented_tolerance(
    clusters: int, tolerance: float, mean: float, concentration: float
) -> None:
    rng = np.random.default_rng(0)
    repeats = 1000
    bounds = np.array([clustered_mean(*speakers(rng, clusters, 40, mean, concentration), 0.90) for _ in range(repeats)])
    noise = 3 * math.sqrt(0.05 * 0.95 / repeats)
    assert np.mean(bounds[:, 0] > mean) <= 0.05 + tolerance + noise
    assert np.mean(bounds[:, 1] < mean) <= 0.05 + noise


def test_clustered_mean_excludes_nothing_under_ten_clusters() -> None:
    score, labels = speakers(np.random.default_rng(0), MINIMUM_CLUSTERS - 1, 40, 0.9, 20)
    assert clustered_mean(score, labels, 0.9) == (0.0, 1.0)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), mean=st.floats(0.05, 0.999))
def test_clusters_never_claim_more_than_independent_rows(seed: int, mean: float) -> None:
    score, labels = speakers(np.random.default_rng(seed), 12, 20, mean, 30)
    low, high = clustered_mean(score, labels, 0.9)
    exact_low, exact_high = binomial(int(score.sum()), len(score), 0.9)
    assert low <= exact_low + 1e-9
    assert high >= exact_high - 1e-9


def test_where_nobody_is_wrong_a_cluster_is_one_row() -> None:
    low, high = clustered_mean(np.ones(240), [str(i % 12) for i in range(240)], 0.9)
    assert (low, high) == (pytest.approx(binomial(12, 12, 0.9)[0]), 1.0)


@pytest.mark.parametrize(("share", "level", "most"), [(0.99, 0.90, 0.065), (0.95, 0.90, 0.065), (0.95, 0.99, 0.011)])
def test_few_wrong_answers_in_few_clusters_are_reckoned_with(share: float, level: float, most: float) -> None:
    """One speaker in ten has all the errors; the lower bound misses as often as one side may, at both levels."""
    rng = np.random.default_rng(0)
    runs = 1500
    lows = [clustered_mean(*speakers(rng, 20, 40, share, 10), level)[0] for _ in range(runs)]
    assert np.mean(np.array(lows) > share) <= most + 3 * math.sqrt(most * (1 - most) / runs)


def test_clusters_that_are_all_right_or_all_wrong_are_worth_one_row_each() -> None:
    score = np.repeat([1.0, 0.0] * 20, 5)
    assert cluster_spread(score, np.repeat(np.arange(40), 5)).effective_rows == pytest.approx(39)


@pytest.mark.parametrize(("score", "labels", "message"), [
    (np.ones(3), ["a", "b"], "every row needs one cluster"),
    (np.full(3, 2.0), ["a", "b", "c"], "from 0 to 1"),
    (np.array([1.0, math.nan, 0.0]), ["a", "b", "c"], "expected finite numbers"),
    (np.array([]), [], "at least one number"),
])
def test_scores_and_clusters_that_are_none_are_refused(score, labels, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        clustered_mean(score, labels)
