"""Betting covers whatever the distribution, also for clusters, and does not depend on the order of the rows."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.intervals import betting, binomial
from linnet.evidence.intervals.bets import bounded_sums, log_wealth

RUNS = 600
ALPHA = 0.05
scores = st.lists(st.floats(0, 1), min_size=1, max_size=40)


def misses(sums: np.ndarray, sizes: np.ndarray, mean: float, scale) -> float:
    """Share of runs (runs, clusters) in which the true mean itself is excluded, on either side."""
    bar = -math.log(ALPHA / 2)
    low = log_wealth(sums, sizes, mean, ALPHA / 2, scale) >= bar
    high = log_wealth(sizes - sums, sizes, 1 - mean, ALPHA / 2, scale) >= bar
    return float((low | high).mean())


@pytest.mark.parametrize(("draw", "mean"), [
    pytest.param(lambda rng, shape: rng.random(shape) < 0.5, 0.5, id="half"),
    pytest.param(lambda rng, shape: rng.random(shape) < 0.01, 0.01, id="rare"),
    pytest.param(lambda rng, shape: rng.beta(0.1, 1, shape), 1 / 11, id="skewed"),
    pytest.param(lambda rng, shape: (rng.random(shape) < 0.1) * rng.beta(2, 2, shape), 0.05, id="mostly zero"),
    pytest.param(lambda rng, shape: rng.random(shape) < np.where(np.arange(shape[1]) % 2, 0.1, 0.9), 0.5, id="mixed"),
])
@pytest.mark.parametrize("n", [10, 200])
def test_betting_misses_at_most_as_often_as_it_says(draw, mean: float, n: int) -> None:
    drawn = draw(np.random.default_rng(0), (RUNS, n)).astype(float)
    assert misses(drawn, np.ones(n), mean, float(n)) <= ALPHA


def test_the_expected_wealth_is_at_most_one_by_enumeration() -> None:
    """Markov's inequality needs no more; and it is not much less than 1, so that nothing is given away."""
    n, share = 12, 0.3
    rows = np.array([[bit >> place & 1 for place in range(n)] for bit in range(2**n)], dtype=float)
    chances = share ** rows.sum(1) * (1 - share) ** (n - rows.sum(1))
    for part, mean in ((rows, share), (1 - rows, 1 - share)):
        wealth = np.exp(log_wealth(part, np.ones(n), mean, ALPHA / 2, float(n)))
        assert float(chances @ wealth) == pytest.approx(1, abs=1e-9)


def clustered(rng: np.random.Generator, runs: int, clusters: int, informative: float):
    """Right answers and sizes (runs, clusters): larger clusters have lower shares where size is informative."""
    sizes = rng.integers(2, 50, (runs, clusters))
    shares = rng.beta(8, 2, (runs, clusters)) * np.where(sizes > 25, 1 - informative, 1.0)
    possible = np.arange(2, 50)
    mean = float((possible * 0.8 * np.where(possible > 25, 1 - informative, 1.0)).sum() / possible.sum())
    return rng.binomial(sizes, shares).astype(float), sizes.astype(float), mean


@pytest.mark.parametrize("clusters", [5, 30])
def test_betting_on_clusters_misses_at_most_as_often_as_it_says_where_rows_do_not(clusters: int) -> None:
    sums, sizes, mean = clustered(np.random.default_rng(0), RUNS, clusters, 0.0)
    unit = sizes.max(axis=1, keepdims=True)
    assert misses(sums / unit, sizes / unit, mean, np.square(sizes / unit).sum(1)) <= ALPHA
    rows = [binomial(int(right), int(n)) for right, n in zip(sums.sum(1), sizes.sum(1), strict=True)]
    assert np.mean([low > mean or high < mean for low, high in rows]) > 0.15


def test_betting_holds_where_size_and_score_go_together_if_the_largest_size_is_stated() -> None:
    sums, sizes, mean = clustered(np.random.default_rng(0), RUNS, 30, 0.5)
    assert misses(sums / 49, sizes / 49, mean, np.full(RUNS, 30.0)) <= ALPHA


def test_sizes_that_were_drawn_say_nothing_of_a_size_that_was_not_and_largest_knows() -> None:
    """One cluster in a hundred is huge and all wrong: without `largest`, forty small ones would be sure of 0.9."""
    score, labels = np.ones(40), np.arange(40)
    truth = 0.99 / (0.99 + 0.01 * 500)
    assert betting(score, clusters=labels)[0] > 0.85 > truth
    low, high = betting(score, clusters=labels, largest=500)
    assert low < truth < high


@settings(max_examples=40, deadline=None)
@given(values=scores, truth=st.floats(0.001, 0.999))
def test_the_interval_holds_exactly_the_means_that_were_not_won_against(values: list[float], truth: float) -> None:
    sums, sizes, scale = bounded_sums(np.array(values), None, None)
    low, high = betting(values)
    bar = -math.log(ALPHA / 2)
    if abs(truth - low) > 1e-9 and truth < sums.mean():
        assert (log_wealth(sums, sizes, truth, ALPHA / 2, scale) >= bar) == (truth < low)
    if abs(truth - high) > 1e-9 and truth > sums.mean():
        assert (log_wealth(sizes - sums, sizes, 1 - truth, ALPHA / 2, scale) >= bar) == (truth > high)


@settings(max_examples=40, deadline=None)
@given(values=scores, seed=st.integers(0, 99), level=st.sampled_from([0.5, 0.9, 0.999]))
def test_betting_holds_the_mean_mirrors_and_forgets_the_order(values: list[float], seed: int, level: float) -> None:
    low, high = betting(values, level)
    assert 0 <= low <= np.mean(values) + 1e-9
    assert np.mean(values) - 1e-9 <= high <= 1
    assert betting(np.random.default_rng(seed).permutation(values), level) == pytest.approx((low, high), abs=1e-9)
    mirrored = betting(1 - np.array(values), level)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


def test_on_unequal_clusters_exactly_the_factor_of_one_side_was_won_at_the_ends() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(1, 9, 80)
    labels = np.repeat(np.arange(80), sizes)
    values = rng.beta(2, 2, 80)[labels]
    low, high = betting(values, clusters=labels)
    for part, end in ((values, low), (1 - values, 1 - high)):
        shares, won = 0.0, 0.0
        for ratio in 2 ** (np.arange(12) / 2):
            deviation = math.sqrt(end * (1 - end) * np.square(sizes / 8).sum()) / ratio
            bet = min(math.sqrt(2 * math.log(40)) / deviation, 0.98 / end)
            won += np.prod(1 + bet * (np.bincount(labels, part) - end * sizes) / 8) / ratio
            shares += 1 / ratio
        assert won / shares == pytest.approx(40, rel=1e-6)


def test_a_cluster_a_row_is_no_cluster_and_limits_scale() -> None:
    values = np.random.default_rng(0).beta(2, 5, 60)
    assert betting(values, clusters=np.arange(60)) == betting(values)
    low, high = betting(values)
    assert betting(20 * values - 5, lower=-5, upper=15) == pytest.approx((20 * low - 5, 20 * high - 5))


def test_betting_is_narrow_where_scores_hardly_differ_and_close_to_the_exact_one_where_they_are_counts() -> None:
    low, high = betting(np.random.default_rng(0).beta(200, 200, 1000))
    assert high - low < 0.01
    counted = np.repeat([1.0, 0.0], [900, 100])
    exact, betted = binomial(900, 1000), betting(counted)
    assert exact[1] - exact[0] < betted[1] - betted[0] < 1.6 * (exact[1] - exact[0])


@pytest.mark.parametrize(("values", "given", "message"), [
    ([], {}, "at least one number"),
    ([0.5, math.nan], {}, "expected finite numbers"),
    ([0.5, math.inf], {}, "expected finite numbers"),
    ([0.5, 1.5], {}, "from 0 to 1"),
    ([[0.5], [0.5]], {}, "expected one row"),
    ([0.5], {"level": 1.0}, "level must lie above 0 and below 1"),
    ([0.5], {"lower": 1.0, "upper": 1.0}, "lower below upper"),
    ([0.5], {"upper": math.inf}, "finite limits"),
    ([0.5, 0.6], {"clusters": ["a"]}, "one cluster"),
    ([0.5, 0.6], {"clusters": ["a", "a"], "largest": 1}, "none has more than"),
])
def test_what_cannot_be_bet_on_is_refused(values, given, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        betting(values, **given)
