"""The bounds of a quantile cover whatever the distribution, and where whole clusters were sampled."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.intervals import quantile_lower, quantile_upper, runs_needed

SIMULATIONS = 4000
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / SIMULATIONS)  # 0.0103: the Monte Carlo error of a miss rate of 0.05


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


def test_the_clustered_quantile_bounds_cover_where_rows_as_independent_do_not() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(30), 10)
    speakers = rng.normal(size=(600, 30))
    samples = np.repeat(speakers, 10, axis=1) + 0.1 * rng.normal(size=(600, 300))
    misses = {
        "clusters": np.mean([quantile_upper(row, 0.5, 0.95, clusters=labels) < 0 for row in samples]),
        "clusters, low": np.mean([quantile_lower(row, 0.5, 0.95, clusters=labels) > 0 for row in samples]),
        "rows": np.mean([quantile_upper(row, 0.5, 0.95) < 0 for row in samples]),
    }
    assert misses["clusters"] <= 0.05
    assert misses["clusters, low"] <= 0.05
    assert misses["rows"] > 0.2


def test_the_clustered_quantile_bounds_are_finite_and_near_with_many_clusters_and_infinite_with_few() -> None:
    values = np.random.default_rng(0).normal(size=(200, 5))
    labels = np.repeat(np.arange(200), 5)
    low, high = (bound(values.ravel(), 0.5, 0.95, clusters=labels) for bound in (quantile_lower, quantile_upper))
    assert -0.35 < low < float(np.median(values)) < high < 0.35
    assert quantile_upper(values[:3].ravel(), 0.5, 0.95, clusters=labels[:15]) == math.inf
    assert quantile_lower(values[:3].ravel(), 0.5, 0.95, clusters=labels[:15]) == -math.inf


def test_the_clustered_quantile_bounds_tell_low_quantiles_from_high_ones_and_allow_ties() -> None:
    values = np.random.default_rng(0).permutation(np.arange(2000.0))
    labels = np.arange(2000) // 4
    for quantile in (0.2, 0.8):
        low, high = (bound(values, quantile, 0.95, clusters=labels) for bound in (quantile_lower, quantile_upper))
        assert 2000 * quantile - 200 < low < 2000 * quantile < high < 2000 * quantile + 200
    assert quantile_lower(np.ones(200), 0.8, clusters=labels[:200]) == 1
    assert quantile_upper(np.ones(200), 0.8, clusters=labels[:200]) == 1


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [[1.0], [2.0]]])
def test_a_quantile_of_nothing_is_refused(values: list[float]) -> None:
    with pytest.raises(LinnetError, match="values that are numbers"):
        quantile_upper(np.array(values), 0.5)


def test_quantiles_and_labels_that_are_none_are_refused() -> None:
    with pytest.raises(LinnetError, match="quantile must lie above 0 and below 1"):
        quantile_upper(np.ones(3), 95)
    with pytest.raises(LinnetError, match="one cluster"):
        quantile_lower(np.ones(3), 0.5, clusters=["a", "b"])
