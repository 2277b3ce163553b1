"""The mixture of betas: its mean under the null, by exact enumeration, and its inversion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit

from linnet.evidence.sequences.beta_binomial import Betas, log_e_value, log_mixture, log_odds_interval

MIXED = Betas((0.3, 0.7), (2.0, 30.0), (1.0, 40.0))


def test_the_mixture_is_the_integral_over_the_prior() -> None:
    grid = (np.arange(200_000) + 0.5) / 200_000
    density = 0.3 * stats.beta.pdf(grid, 2, 1) + 0.7 * stats.beta.pdf(grid, 30, 40)
    expected = np.log((grid**7 * (1 - grid) ** 12 * density).mean())
    assert log_mixture(np.array(7.0), np.array(12.0), MIXED) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.9])
def test_under_the_null_the_mean_of_the_e_value_is_one(share: float) -> None:
    hits = np.arange(41.0)
    log_e = log_e_value(hits, 40 - hits, log_mixture(hits, 40 - hits, MIXED), float(logit(share)))
    assert (np.exp(log_e) * stats.binom.pmf(hits, 40, share)).sum() == pytest.approx(1, abs=1e-9)


@given(hits=st.integers(0, 10**6), misses=st.integers(0, 10**6), alpha=st.sampled_from([0.2, 0.05, 1e-4]))
def test_at_the_ends_of_the_interval_the_evidence_is_one_over_alpha(hits: int, misses: int, alpha: float) -> None:
    a, b = np.array(float(hits)), np.array(float(misses))
    mixed = log_mixture(a, b, MIXED)
    low, high = log_odds_interval(a, b, mixed, alpha)
    assert np.isneginf(low) == (hits == 0)
    assert np.isposinf(high) == (misses == 0)
    for end in (low, high):
        if np.isfinite(end):
            assert log_e_value(a, b, mixed, end) == pytest.approx(-np.log(alpha), abs=1e-6)
    assert expit(low) <= (hits / (hits + misses) if hits + misses else 0.5) <= expit(high)
