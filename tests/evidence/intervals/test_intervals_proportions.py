"""The exact interval of a share: the oracle's, and never missing more often than it says."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.intervals import binomial, binomial_lower, binomial_upper


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


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 5), (6, 5), (math.nan, 5)])
def test_counts_that_are_none_are_refused(successes: int, n: int) -> None:
    with pytest.raises(LinnetError, match="not counts"):
        binomial_lower(successes, n, 0.95)


@pytest.mark.parametrize("level", [0, 1, 95, math.nan])
def test_levels_that_are_none_are_refused(level: float) -> None:
    for interval in (binomial, binomial_lower, binomial_upper):
        with pytest.raises(LinnetError, match="level must lie above 0 and below 1"):
            interval(5, 10, level)
