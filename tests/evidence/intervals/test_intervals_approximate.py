"""Wilson: the oracle's interval, within one point of its level for every share, and nothing from small counts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS, MINIMUM_COUNT, wilson


@given(successes=st.integers(MINIMUM_COUNT, 3000), failures=st.integers(MINIMUM_COUNT, 3000),
       level=st.sampled_from([0.8, 0.95, 0.99]))
def test_wilson_agrees_with_the_oracle(successes: int, failures: int, level: float) -> None:
    expected = stats.binomtest(successes, successes + failures).proportion_ci(level, "wilson")
    assert wilson(successes, successes + failures, level) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("n", [60, 100, 400])
def test_wilson_misses_at_most_six_in_a_hundred_exactly_enumerated(n: int) -> None:
    ends = np.array([wilson(k, n) for k in range(n + 1)])
    edges = ends[(ends > 0) & (ends < 1)]
    worst = 0.0
    for share in np.concatenate([edges - 1e-9, edges + 1e-9]):
        missed = (ends[:, 0] > share) | (ends[:, 1] < share)
        worst = max(worst, float(stats.binom.pmf(np.arange(n + 1), n, share)[missed].sum()))
    assert worst <= 0.06


def test_wilson_excludes_nothing_with_few_successes_or_failures_or_clusters() -> None:
    assert wilson(MINIMUM_COUNT, 1000)[0] > 0
    assert wilson(MINIMUM_COUNT - 1, 1000) == (0.0, 1.0)
    assert wilson(1000 - MINIMUM_COUNT + 1, 1000) == (0.0, 1.0)
    few = np.arange(900) % (MINIMUM_CLUSTERS - 1)
    assert wilson(np.arange(900) % 2, 1, clusters=few) == (0.0, 1.0)


def test_clusters_widen_wilson_as_much_as_they_depend() -> None:
    rng = np.random.default_rng(0)
    shares = rng.beta(4, 4, 200)
    right = rng.binomial(10, shares)
    low, high = wilson(right, 10, clusters=np.arange(200))
    plain = wilson(int(right.sum()), 2000)
    error = np.std(right / 10, ddof=1) / math.sqrt(200)
    assert high - low == pytest.approx(2 * stats.t.ppf(0.975, 199) * error, rel=0.02)
    assert high - low > 1.3 * (plain[1] - plain[0])


def test_rows_and_groups_of_rows_say_the_same() -> None:
    rng = np.random.default_rng(0)
    right, labels = (rng.random(600) < 0.6).astype(int), np.arange(600) % 30
    grouped = wilson(np.bincount(labels, right), np.bincount(labels), clusters=np.arange(30))
    assert wilson(right, 1, clusters=labels) == pytest.approx(grouped, abs=1e-12)


@pytest.mark.parametrize(("successes", "n", "clusters", "message"), [
    (6, 5, None, "not counts"),
    (0, 0, None, "not counts"),
    (1.5, 5, None, "which is no count"),
    (math.nan, 5, None, "expected finite numbers"),
    ([1, 2], [5, 5], None, "expected one number of successes"),
    ([1, 2], [5, 5], ["a"], "one cluster"),
    ([1, 6], [5, 5], ["a", "b"], "at most n successes"),
    ([0, 0], [0, 0], ["a", "b"], "at most n successes"),
])
def test_counts_that_are_none_are_refused(successes, n, clusters, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        wilson(successes, n, clusters=clusters)
