"""The statistics are what they are called, and the tests reject a true hypothesis as often as they say."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from linnet.errors import LinnetError
from linnet.evidence.drift import distances, energy_distance, maximum_mean_discrepancy

TESTS = [maximum_mean_discrepancy, energy_distance]


def test_mmd_is_the_unbiased_estimate_by_its_definition() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(13, 3)), rng.normal(0.5, 1, size=(9, 3))

    def kernel(a, b):
        return np.exp(-cdist(a, b) ** 2 / (2 * 1.7**2))

    within = [(kernel(s, s).sum() - len(s)) / (len(s) * (len(s) - 1)) for s in (x, y)]
    expected = sum(within) - 2 * kernel(x, y).mean()
    assert maximum_mean_discrepancy(x, y, bandwidth=1.7).statistic == pytest.approx(expected, rel=1e-10)


def test_energy_distance_is_that_of_scipy_up_to_its_bias() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=40), rng.normal(0.5, 1, size=30)
    within = [cdist(s[:, None], s[:, None]).sum() / (len(s) ** 2 * (len(s) - 1)) for s in (x, y)]
    biased = energy_distance(x[:, None], y[:, None]).statistic + sum(within)
    assert biased == pytest.approx(stats.energy_distance(x, y) ** 2, rel=1e-9)


def test_the_bandwidth_is_the_median_distance() -> None:
    x = np.random.default_rng(2).normal(size=(20, 4))
    pairs = cdist(x, x)[np.triu_indices(20, 1)]
    assert maximum_mean_discrepancy(x[:8], x[8:]).bandwidth == pytest.approx(np.median(pairs))


@pytest.mark.parametrize("test", TESTS)
def test_the_p_value_is_that_of_all_deals(test) -> None:
    from itertools import combinations

    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(4, 2)), rng.normal(1, 1, size=(5, 2))
    rows = np.concatenate([x, y])
    options = {"bandwidth": 1.0} if test is maximum_mean_discrepancy else {}
    observed = test(x, y, **options).statistic
    deals = [(rows[list(chosen)], np.delete(rows, chosen, axis=0)) for chosen in combinations(range(9), 4)]
    far = [test(*deal, permutations=19, **options).statistic >= observed - 1e-12 for deal in deals]
    assert test(x, y, permutations=9999, **options).p_value == pytest.approx(np.mean(far), abs=0.02)


@pytest.mark.parametrize("test", TESTS)
def test_level_with_rows_and_with_clusters(test) -> None:
    rng = np.random.default_rng(4)
    rejected = np.zeros(3)
    runs = 200
    for run in range(runs):
        x, y = rng.normal(size=(2, 30, 3))
        rejected[0] += test(x, y, permutations=59, seed=run).p_value <= 0.05
        speakers, sizes = rng.normal(size=(16, 3)), rng.integers(1, 6, 16)
        of = np.repeat(np.arange(16), sizes)
        rows, is_first = speakers[of] + rng.normal(0, 0.3, (len(of), 3)), of < 8
        groups = of[is_first].tolist(), of[~is_first].tolist()
        rejected[1] += test(rows[is_first], rows[~is_first], clusters=groups, permutations=59, seed=run).p_value <= 0.05
        rejected[2] += test(rows[is_first], rows[~is_first], permutations=59, seed=run).p_value <= 0.05
    error = (0.05 * 0.95 / runs) ** 0.5
    assert (rejected[:2] / runs <= 0.05 + 3 * error).all()
    assert (rejected[:2] / runs >= 0.05 - 3 * error).all()
    assert rejected[2] / runs > 0.3  # rows taken as independent: what clusters are there for


@pytest.mark.parametrize("test", TESTS)
def test_a_change_is_found(test) -> None:
    rng = np.random.default_rng(5)
    found = [test(rng.normal(size=(80, 8)), rng.normal(0.5, 1, size=(80, 8)), permutations=99).p_value <= 0.05
             for _ in range(20)]
    assert np.mean(found) >= 0.9


def test_a_change_of_shape_alone_is_found() -> None:
    rng = np.random.default_rng(6)
    assert maximum_mean_discrepancy(rng.normal(size=(200, 4)), rng.normal(0, 1.6, size=(200, 4))).p_value <= 0.01


@pytest.mark.parametrize("test", TESTS)
def test_blocks_change_nothing_and_the_seed_repeats(test, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(40, 3)), rng.normal(0.3, 1, size=(50, 3))
    whole = test(x, y, permutations=199, seed=1)
    assert test(x, y, permutations=199, seed=1) == whole
    monkeypatch.setattr(distances, "_BLOCK_NUMBERS", 700)
    blocks = test(x, y, permutations=199, seed=1)
    assert blocks.statistic == pytest.approx(whole.statistic, rel=1e-9)
    assert blocks.p_value == whole.p_value


def test_equal_rows_are_no_evidence() -> None:
    x = np.array([[0.0, 0.0], [1.0, 1.0]] * 10)
    assert maximum_mean_discrepancy(x, x).p_value == 1
    assert energy_distance(x, x).p_value == 1


@pytest.mark.parametrize(("x", "y", "options", "message"), [
    (np.ones((9, 2)), np.ones((9, 2)), {}, "same row"),
    (np.eye(9), np.eye(8), {}, "8 dimensions and the reference 9"),
    (np.eye(9), np.eye(9) * np.nan, {}, "'embeddings' holds nan"),
    (np.eye(9), np.eye(9), {"permutations": 10}, "at least 19"),
    (np.eye(9)[:3], np.eye(9)[3:6], {"permutations": 19}, "3 and 3 units .* too few|ways"),
    (np.eye(9)[:1], np.eye(9)[1:], {}, "1 and 8 units"),
    (np.eye(31)[:1], np.eye(31)[1:], {}, "1 and 30 units"),
    (np.eye(9)[:4], np.eye(9)[4:], {"clusters": ("aabb", "ccccc")}, "2 and 1 units"),
    (np.eye(9)[:4], np.eye(9)[4:], {"clusters": ("abcd", "defgh")}, "cluster 'd' is on both sides"),
    (np.eye(9)[:4], np.eye(9)[4:], {"clusters": ("abc", "defgh")}, "every row needs a cluster"),
])
def test_bad_input_is_refused(x, y, options: dict, message: str) -> None:
    for test in TESTS:
        if message.startswith("3 and 3"):
            assert test(x, y, **options).p_value >= 0.05
        else:
            with pytest.raises(LinnetError, match=message):
                test(x, y, **options)


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, float("nan")])
def test_no_bandwidth_is_refused(bandwidth: float) -> None:
    with pytest.raises(LinnetError, match="bandwidth is a distance above 0"):
        maximum_mean_discrepancy(np.eye(9), np.eye(9), bandwidth=bandwidth)
