"""The paired bound covers: by exact enumeration of all tables, at shares that are on no grid of the method."""

import math
import time
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import gammaln, xlogy

from linnet.errors import LinnetError
from linnet.evidence.comparisons import clustered_difference, clustered_lower, paired_difference
from linnet.evidence.comparisons.paired import _needed_improved, _score, paired_lower, paired_upper, score_lower
from linnet.evidence.intervals import MINIMUM_CLUSTERS, ClusterSpread, binomial_lower, binomial_upper

cached_lower = cache(paired_lower)


def miss_rate(n: int, p10: float, p01: float, *, most: int, negligible: float = 1e-9) -> float:
    """The exact chance that the lower bound is above the truth; tables left out count as a miss."""
    worsened, improved = np.meshgrid(np.arange(most + 1), np.arange(most + 1), indexing="ij")
    rest = n - worsened - improved
    real = rest >= 0
    rest = np.where(real, rest, 0)
    chance = np.where(real, np.exp(gammaln(n + 1) - gammaln(worsened + 1) - gammaln(improved + 1) - gammaln(rest + 1)
                                   + xlogy(worsened, p10) + xlogy(improved, p01) + xlogy(rest, 1 - p10 - p01)), 0)
    likely = [(b, c) for b, c in np.argwhere(chance > negligible).tolist() if cached_lower(b, c, n, 0.95) <= p01 - p10]
    return 1 - sum(float(chance[b, c]) for b, c in likely)


@pytest.mark.parametrize("n", [1, 2, 5, 14])
def test_it_covers_in_small_samples_whatever_the_shares(n: int) -> None:
    shares = np.linspace(0.0, 0.99, 23)
    worst = max(miss_rate(n, p10, p01, most=n) for p10 in shares for p01 in shares if p10 + p01 < 1)
    assert worst <= 0.05 + 1e-6


@pytest.mark.slow
@pytest.mark.parametrize(("p10", "p01"), [(0.011, 0.0047), (0.02, 0.02), (0.004, 0.021)])
def test_it_covers_and_is_not_wasteful_at_the_size_of_a_test_split(p10: float, p01: float) -> None:
    rate = miss_rate(360, p10, p01, most=25, negligible=1e-6)
    assert 0.015 < rate <= 0.05


@pytest.mark.parametrize(("worsened", "improved", "n", "expected"), [
    (8, 5, 1000, -0.00978), (3, 2, 360, -0.0159), (0, 0, 360, -0.0083), (20, 30, 360, -0.00512), (0, 0, 1, -0.9513),
])
def test_known_bounds(worsened: int, improved: int, n: int, expected: float) -> None:
    assert paired_lower(worsened, improved, n, 0.95) == pytest.approx(expected, rel=0.01)


def test_without_disagreement_it_is_close_to_the_bound_of_no_event() -> None:
    assert paired_lower(0, 0, 360, 0.95) == pytest.approx(-binomial_upper(0, 360, 0.95), rel=0.02)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(2, 300), data=st.data())
def test_it_is_never_wider_than_two_exact_bounds_together(n: int, data: st.DataObject) -> None:
    worsened = data.draw(st.integers(0, n))
    improved = data.draw(st.integers(0, n - worsened))
    together = binomial_lower(improved, n, 0.975) - binomial_upper(worsened, n, 0.975)
    bound = paired_lower(worsened, improved, n, 0.95)
    assert together - 1e-9 <= bound <= (improved - worsened) / n


@settings(max_examples=10, deadline=None)
@given(n=st.integers(5, 300), data=st.data())
def test_it_is_monotone(n: int, data: st.DataObject) -> None:
    worsened = data.draw(st.integers(0, n // 2 - 1))
    improved = data.draw(st.integers(0, n // 2 - 1))
    here = paired_lower(worsened, improved, n, 0.95)
    slack = 0.01 * ((improved - worsened) / n - here)
    assert paired_lower(worsened + 1, improved, n, 0.95) <= here + slack
    assert paired_lower(worsened, improved + 1, n, 0.95) >= here - slack
    assert paired_lower(worsened, improved, n, 0.99) <= here + slack


@pytest.mark.parametrize("n", [1, 6, 25])
@pytest.mark.parametrize("delta", [-0.9, -0.3, -0.02, 0.0, 0.05, 0.6])
def test_the_score_orders_tables_so_that_the_region_is_an_upper_set(n: int, delta: float) -> None:
    counts = np.arange(n + 1.0)
    table = np.array([[_score(b, c, n, delta) if b + c <= n else np.nan for c in counts] for b in counts])
    assert (np.diff(table, axis=1)[np.isfinite(np.diff(table, axis=1))] >= -1e-9).all()
    assert (np.diff(table, axis=0)[np.isfinite(np.diff(table, axis=0))] <= 1e-9).all()
    needed = _needed_improved(n, delta, 1.0)
    reached = {(b, c) for b, c in np.argwhere(table >= 1.0).tolist()}
    assert reached == {(b, c) for b in range(n + 1) for c in range(n + 1 - b) if c >= needed[b]}


def test_both_sides_mirror_each_other() -> None:
    low, high = paired_difference(3, 7, 50, 0.9)
    assert paired_difference(7, 3, 50, 0.9) == (-high, -low)
    assert paired_upper(3, 7, 50, 0.95) == pytest.approx(high)
    assert paired_difference(5, 0, 5)[0] == -1
    assert paired_difference(0, 5, 5)[1] == 1


def test_the_score_limit_is_where_the_score_is_z() -> None:
    assert _score(12, 5, 200, score_lower(12, 5, 200, 1.645)) == pytest.approx(1.645, abs=1e-6)


def test_a_few_thousand_samples_take_less_than_half_a_second() -> None:
    paired_lower(1, 1, 10, 0.95)
    before = time.process_time()
    paired_lower(300, 250, 3000, 0.95)
    assert time.process_time() - before < 0.5


@pytest.mark.parametrize("counts", [(0, 0, 0), (-1, 0, 5), (3, 3, 5)])
def test_counts_that_are_none_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(LinnetError, match="not counts"):
        paired_lower(*counts)


def speakers(rng: np.random.Generator, clusters: int, rows: int, worse: float, better: float, concentration: float):
    """Differences of speakers who differ in how often each side is right."""
    lost = np.repeat(rng.beta(worse * concentration, (1 - worse) * concentration, clusters), rows)
    gained = np.repeat(rng.beta(better * concentration, (1 - better) * concentration, clusters), rows)
    draw = rng.random(clusters * rows)
    differences = np.where(draw < lost, -1.0, np.where(draw > 1 - gained, 1.0, 0.0))
    return differences, np.repeat(np.arange(clusters), rows).astype(str)


@pytest.mark.slow
@pytest.mark.parametrize(("clusters", "tolerance"), [(MINIMUM_CLUSTERS, 0.03), (30, 0.02)])
def test_clustered_difference_misses_by_no_more_than_its_documented_tolerance(clusters: int, tolerance: float) -> None:
    rng = np.random.default_rng(0)
    repeats = 200
    draws = [speakers(rng, clusters, 8, 0.06, 0.04, 5) for _ in range(repeats)]
    bounds = np.array([clustered_difference(*draw, 0.90) for draw in draws])
    noise = 3 * math.sqrt(0.05 * 0.95 / repeats)
    assert np.mean(bounds[:, 0] > -0.02) <= 0.05 + tolerance + noise
    assert np.mean(bounds[:, 1] < -0.02) <= 0.05 + tolerance + noise


def test_clusters_that_differ_widen_the_difference_and_few_say_nothing() -> None:
    rng = np.random.default_rng(3)
    differences, labels = speakers(rng, 20, 20, 0.1, 0.1, 2)
    low, high = clustered_difference(differences, labels, 0.9)
    alone = paired_difference(int((differences < 0).sum()), int((differences > 0).sum()), len(differences), 0.9)
    assert low < alone[0]
    assert high > alone[1]
    assert clustered_difference(differences, ["a", "b"] * 200, 0.9) == (-1.0, 1.0)


@pytest.mark.parametrize("clusters", [20, 40])
@pytest.mark.parametrize(("worse", "better"), [(0.02, 0.01), (0.1, 0.05)])
def test_clusters_that_are_all_alike_inside_mislead_no_oftener_than_stated(clusters: int, worse: float,
                                                                           better: float) -> None:
    """Speakers of very different quality: the score limit at the effective size missed in up to 16 of 100."""
    rng, runs, missed = np.random.default_rng(1), 1500, 0
    for _ in range(runs):
        lost = rng.binomial(40, rng.beta(10 * worse, 10 * (1 - worse), clusters))
        gained = rng.binomial(40 - lost, rng.beta(10 * better, 10 * (1 - better), clusters))
        spreads = []
        for counts in (lost, gained):
            mean, rows = counts.mean() / 40, 40 * clusters
            variance = np.square(counts - counts.mean()).sum() * clusters / (clusters - 1) / rows**2
            worth = min(1.0, mean * (1 - mean) / rows / variance) if variance else 1.0
            spreads.append(ClusterSpread(float(mean), rows, clusters, worth * rows))
        missed += clustered_lower(spreads[0], spreads[1], 0.95) > better * (1 - worse) - worse
    assert missed / runs <= 0.06 + 3 * math.sqrt(0.06 * 0.94 / runs)


def test_the_lower_bound_of_a_shared_sign_agrees_with_the_sign_test() -> None:
    """Far from chance both say so: the sign test is the oracle of the direction."""
    assert stats.binomtest(9, 10, alternative="greater").pvalue < 0.05
    assert paired_lower(1, 9, 200, 0.95) > 0
