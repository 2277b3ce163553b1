"""The bound of two independent shares covers: by exact enumeration of all tables, at shares on no grid of its own."""

import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import xlogy

from linnet.errors import LinnetError
from linnet.evidence.comparisons import two_sample_difference, two_sample_lower, two_sample_upper
from linnet.evidence.comparisons.two_sample import _restricted_share, _score, score_difference_lower

lower = cache(two_sample_lower)


def miss_rates(n_control: int, n_treatment: int, shares: list[tuple[float, float]]) -> list[float]:
    """For each pair of shares the exact chance that the lower bound is above the truth."""
    tables = [(a, b) for a in range(n_control + 1) for b in range(n_treatment + 1)]
    bounds = np.array([lower(a, n_control, b, n_treatment, level=0.95) for a, b in tables])
    controls, treatments = np.array(tables).T
    return [float((stats.binom.pmf(controls, n_control, p) * stats.binom.pmf(treatments, n_treatment, q))
                  [bounds > q - p].sum()) for p, q in shares]


@pytest.mark.parametrize(("n_control", "n_treatment"), [(1, 1), (2, 5), (7, 3), (9, 9)])
def test_it_covers_in_small_samples_whatever_the_shares(n_control: int, n_treatment: int) -> None:
    values = np.linspace(0.0, 1.0, 24).tolist()
    assert max(miss_rates(n_control, n_treatment, [(p, q) for p in values for q in values])) <= 0.05 + 1e-6


@pytest.mark.slow
def test_it_covers_and_is_not_wasteful_in_larger_samples() -> None:
    rates = miss_rates(30, 45, [(0.11, 0.11), (0.5, 0.5), (0.53, 0.71), (0.07, 0.3), (0.9, 0.6)])
    assert max(rates) <= 0.05 + 1e-6
    assert min(rates) > 0.02


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 80), st.integers(1, 80), st.floats(-0.95, 0.95), st.data())
def test_the_restricted_share_maximises_the_likelihood(n_control: int, n_treatment: int, delta: float, data) -> None:
    control, treatment = data.draw(st.integers(0, n_control)), data.draw(st.integers(0, n_treatment))

    def unlikely(share: float) -> float:
        other = min(max(share + delta, 0.0), 1.0)
        return -float(xlogy(control, share) + xlogy(n_control - control, 1 - share)
                      + xlogy(treatment, other) + xlogy(n_treatment - treatment, 1 - other))

    edges = max(0.0, -delta), min(1.0, 1 - delta)
    found = optimize.minimize_scalar(unlikely, bounds=edges, method="bounded", options={"xatol": 1e-10})
    ours = float(_restricted_share(control, n_control, treatment, n_treatment, delta))
    assert unlikely(min(max(ours, edges[0] + 1e-12), edges[1] - 1e-12)) <= found.fun + 1e-6


def test_the_score_limit_is_where_the_score_is_z() -> None:
    limit = score_difference_lower(20, 200, 35, 200, 1.645)
    assert _score(20, 200, 35, 200, limit) == pytest.approx(1.645, abs=1e-6)


def test_without_a_difference_the_score_is_the_pooled_z_test() -> None:
    pooled = 55 / 400
    z = (35 / 200 - 20 / 200) / np.sqrt(pooled * (1 - pooled) * (2 / 200) * 400 / 399)
    assert _score(20, 200, 35, 200, 0.0) == pytest.approx(z)


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 120), st.integers(2, 120), st.data())
def test_it_is_monotone_and_holds_the_estimate(n_control: int, n_treatment: int, data: st.DataObject) -> None:
    control, treatment = data.draw(st.integers(0, n_control - 1)), data.draw(st.integers(0, n_treatment - 1))
    here = two_sample_lower(control, n_control, treatment, n_treatment)
    estimate = treatment / n_treatment - control / n_control
    assert here <= estimate
    slack = 0.02 * (estimate - here)
    assert two_sample_lower(control, n_control, treatment + 1, n_treatment) >= here - slack
    assert two_sample_lower(control + 1, n_control, treatment, n_treatment) <= here + slack
    assert two_sample_lower(control, n_control, treatment, n_treatment, level=0.99) <= here + slack


def test_both_sides_mirror_each_other() -> None:
    low, high = two_sample_difference(3, 40, 7, 50, level=0.9)
    assert two_sample_difference(7, 50, 3, 40, level=0.9) == (-high, -low)
    assert two_sample_upper(3, 40, 7, 50, level=0.95) == high
    assert two_sample_lower(4, 4, 0, 9) == -1
    assert two_sample_difference(0, 4, 9, 9)[1] == 1


def test_it_agrees_with_the_score_limit_where_samples_are_many() -> None:
    exact = two_sample_lower(10_000, 100_000, 10_500, 100_000, level=0.975)
    assert exact == pytest.approx(score_difference_lower(10_000, 100_000, 10_500, 100_000, 1.96), abs=6e-5)
    assert exact < score_difference_lower(10_000, 100_000, 10_500, 100_000, 1.96)


def test_a_hundred_thousand_samples_a_side_take_less_than_two_seconds() -> None:
    before = time.process_time()
    two_sample_lower(10_000, 100_000, 10_500, 100_000)
    assert time.process_time() - before < 2


@pytest.mark.parametrize("counts", [(0, 0, 1, 5), (1, 5, 0, 0), (6, 5, 1, 5), (1, 5, 6, 5), (-1, 5, 1, 5)])
def test_counts_that_are_none_are_refused(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(LinnetError, match="are not counts"):
        two_sample_difference(*counts)
