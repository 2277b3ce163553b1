"""Every interval covers at its level: by exact enumeration where that is possible, else by simulation."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.intervals import (
    MINIMUM_CLUSTERS,
    binomial,
    binomial_lower,
    binomial_upper,
    clustered_mean,
    quantile_lower,
    quantile_upper,
    runs_needed,
)

SIMULATIONS = 4000
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / SIMULATIONS)  # 0.0103: the Monte Carlo error of a miss rate of 0.05


@given(n=st.integers(1, 3000), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.999]))
def test_binomial_agrees_with_the_oracle(n: int, share: float, level: float) -> None:
    successes = round(share * n)
    expected = stats.binomtest(successes, n).proportion_ci(level, "exact")
    assert binomial(successes, n, level) == pytest.approx((expected.low, expected.high), abs=1e-9)
    one_sided = stats.binomtest(successes, n, alternative="greater").proportion_ci(level, "exact")
    assert binomial_lower(successes, n, level) == pytest.approx(one_sided.low, abs=1e-9)


@pytest.mark.parametrize("n", [1, 7, 50, 400])
def test_binomial_misses_at_most_as_often_as_it_says_exactly_enumerated(n: int) -> None:
    lower = np.array([binomial_lower(k, n, 0.95) for k in range(n + 1)])
    upper = np.array([binomial_upper(k, n, 0.95) for k in range(n + 1)])
    for share in np.linspace(0.001, 0.999, 97):
        chances = stats.binom.pmf(np.arange(n + 1), n, share)
        assert chances[lower > share].sum() <= 0.05 + 1e-9
        assert chances[upper < share].sum() <= 0.05 + 1e-9


@given(n=st.integers(1, 500), data=st.data())
def test_binomial_bounds_grow_with_successes_and_shrink_with_level(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n - 1))
    assert binomial_lower(successes, n, 0.95) < binomial_lower(successes + 1, n, 0.95)
    assert binomial_upper(successes, n, 0.95) < binomial_upper(successes + 1, n, 0.95)
    assert binomial_lower(successes, n, 0.99) <= binomial_lower(successes, n, 0.95) <= successes / n


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5)])
def test_counts_that_are_none_are_refused(successes: int, n: int) -> None:
    with pytest.raises(LinnetError, match="not counts"):
        binomial_lower(successes, n, 0.95)


@pytest.mark.parametrize("draw", [
    pytest.param(lambda rng, size: rng.lognormal(size=size), id="skewed"),
    pytest.param(lambda rng, size: np.ceil(rng.exponential(3, size=size)), id="ties"),
])
def test_the_quantile_bounds_cover_whatever_the_distribution(draw) -> None:
    rng = np.random.default_rng(0)
    truth = float(np.quantile(draw(rng, 2_000_000), 0.9, method="inverted_cdf"))
    samples = draw(rng, (SIMULATIONS, 80))
    too_low = np.mean([quantile_upper(row, 0.9, 0.95) < truth for row in samples])
    too_high = np.mean([quantile_lower(row, 0.9, 0.95) > truth for row in samples])
    assert too_low <= 0.05 + THREE_ERRORS
    assert too_high <= 0.05 + THREE_ERRORS


@given(quantile=st.sampled_from([0.5, 0.9, 0.95, 0.99]), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_runs_needed_is_the_first_number_that_gives_a_bound(quantile: float, level: float) -> None:
    needed = runs_needed(quantile, level)
    assert math.isfinite(quantile_upper(np.arange(needed, dtype=float), quantile, level))
    assert needed == 1 or quantile_upper(np.arange(needed - 1, dtype=float), quantile, level) == math.inf


def test_the_quantile_bounds_lie_around_the_quantile() -> None:
    values = np.random.default_rng(1).permutation(1000.0 + np.arange(1000))
    assert 1900 < quantile_lower(values, 0.95) < 1949 < quantile_upper(values, 0.95) < 1975
    assert quantile_lower(values[:2], 0.01) == -math.inf


@pytest.mark.parametrize("values", [[], [1.0, math.nan]])
def test_a_quantile_of_nothing_is_refused(values: list[float]) -> None:
    with pytest.raises(LinnetError, match="values that are numbers"):
        quantile_upper(np.array(values), 0.5)


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


def test_no_mistake_in_any_cluster_is_not_certainty() -> None:
    low, high = clustered_mean(np.ones(240), [str(i % 12) for i in range(240)], 0.9)
    assert 0.97 < low < 0.995
    assert high == 1


def test_clusters_without_rows_of_their_own_are_refused() -> None:
    with pytest.raises(LinnetError, match="every score needs a cluster"):
        clustered_mean(np.ones(3), ["a", "b"])
    with pytest.raises(LinnetError, match="from 0 to 1"):
        clustered_mean(np.full(3, 2.0), ["a", "b", "c"])
