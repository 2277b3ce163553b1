"""A p-value of at most alpha comes with a chance of at most alpha: by exact enumeration where that is possible."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from linnet.evidence.thresholds import betting_p_value, binomial_p_value, hoeffding_bentkus_p_value
from linnet.evidence.thresholds.p_values import divergence


@given(n=st.integers(1, 3000), share=st.floats(0, 1), target=st.floats(0.001, 0.999))
def test_binomial_agrees_with_the_oracle(n: int, share: float, target: float) -> None:
    wrong = round(share * n)
    expected = stats.binomtest(wrong, n, target, alternative="less").pvalue
    assert float(binomial_p_value(wrong, n, target)) == pytest.approx(expected, abs=1e-9)


def test_no_rows_say_nothing() -> None:
    assert float(binomial_p_value(0, 0, 0.1)) == 1.0


@pytest.mark.parametrize("n", [3, 30, 200])
@pytest.mark.parametrize("target", [0.01, 0.1, 0.5])
def test_every_p_value_is_small_as_seldom_as_it_says_exactly_enumerated(n: int, target: float) -> None:
    wrong = np.arange(n + 1)
    chances = stats.binom.pmf(wrong, n, target)
    losses = np.tril(np.ones((n + 1, n)), -1)  # row k has k losses of 1
    for p_values in (binomial_p_value(wrong, n, target), hoeffding_bentkus_p_value(wrong / n, n, target),
                     betting_p_value(losses, np.ones(n), target, 0.05)):
        for alpha in (0.001, 0.01, 0.05, 0.3, 0.9):
            assert chances[p_values <= alpha].sum() <= alpha + 1e-9


@given(mean=st.floats(0, 1), n=st.integers(1, 500), target=st.floats(0.01, 0.99))
def test_hoeffding_bentkus_is_never_below_the_binomial_one(mean: float, n: int, target: float) -> None:
    wrong = math.floor(mean * n)
    assert float(hoeffding_bentkus_p_value(wrong / n, n, target)) >= float(binomial_p_value(wrong, n, target)) - 1e-12


@settings(max_examples=30)
@given(losses=st.lists(st.floats(0, 1), min_size=2, max_size=40), target=st.floats(0.05, 0.95))
def test_the_betting_p_value_does_not_depend_on_the_order(losses: list[float], target: float) -> None:
    rows = np.array(losses)
    both = [float(betting_p_value(order, np.ones(len(rows)), target, 0.05)) for order in (rows, np.sort(rows))]
    assert both[0] == pytest.approx(both[1], rel=1e-9)


def test_the_betting_p_value_knows_of_little_variance_and_hoeffding_bentkus_does_not() -> None:
    losses = np.full(100, 0.05)
    assert float(betting_p_value(losses, np.ones(100), 0.1, 0.05)) < 0.02
    assert float(hoeffding_bentkus_p_value(0.05, 100, 0.1)) > 0.1


def test_betting_holds_for_clusters_of_many_sizes_at_their_true_risk() -> None:
    random, runs = np.random.default_rng(0), 2000
    sizes = np.resize([1.0, 3.0, 20.0], 30)
    share = random.beta(0.5, 2.0, size=(runs, 30))  # mean 0.2, whole clusters right or wrong alike
    sums = random.binomial(sizes.astype(int), share) / sizes.max()
    rejected = float((betting_p_value(sums, sizes / sizes.max(), 0.2, 0.05) <= 0.05).mean())
    assert rejected <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / runs)


def test_the_divergence_is_the_oracle_s() -> None:
    expected = stats.entropy([0.2, 0.8], [0.5, 0.5])
    assert float(divergence(0.2, 0.5)) == pytest.approx(expected)
    assert float(divergence(0.0, 0.5)) == pytest.approx(math.log(2))
