"""The stated number has the stated power: with the very bound of the claim, enumerated or simulated."""

import time

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores, accuracy_at_least
from linnet.evidence.claims.spending import level_at
from linnet.evidence.intervals import binomial_lower, clustered_mean, quantile_upper
from linnet.evidence.intervals.clusters import known_rows
from linnet.evidence.power import Clustering, runs_for_latency, samples_for_accuracy
from linnet.evidence.power.shares import _right_answers, _share_holding, effective_share, worth_of

DATA = DataRef(population="recordings", fingerprint="f" * 64, rows=1, part="test")


def chance(n: int, bound: float, expected: float, level: float) -> float:
    """The power, by the claim's own bound for every count."""
    holds = np.array([binomial_lower(k, n, level) >= bound for k in range(n + 1)])
    return float(stats.binom.pmf(np.arange(n + 1), n, expected) @ holds)


@pytest.mark.parametrize(("bound", "expected", "level", "power"), [
    (0.8, 0.9, 0.95, 0.8), (0.5, 0.7, 0.9, 0.9), (0.9, 0.97, 0.95, 0.8), (0.95, 0.999, 0.99, 0.5),
    (0.1, 0.3, 0.95, 0.8),
])
def test_from_the_stated_number_on_every_one_has_the_power_and_the_one_before_has_not(bound, expected, level, power):
    needed = samples_for_accuracy(bound, expected, level=level, power=power)
    assert needed.power == pytest.approx(chance(needed.count, bound, expected, level), abs=1e-9)
    assert all(chance(n, bound, expected, level) >= power for n in range(needed.count, needed.count + 60))
    assert chance(needed.count - 1, bound, expected, level) < power


def test_large_numbers_are_right_as_well() -> None:
    needed = samples_for_accuracy(0.97, 0.972)
    assert needed.count > 30_000
    assert needed.power >= 0.8
    approximate = ((1.645 * (0.97 * 0.03) ** 0.5 + 0.842 * (0.972 * 0.028) ** 0.5) / 0.002) ** 2
    assert needed.count == pytest.approx(approximate, rel=0.05)


@pytest.mark.parametrize("expected", [0.80001, 0.8 + 1e-9])
def test_a_number_beyond_reach_is_none_and_found_fast(expected: float) -> None:
    start = time.process_time()
    needed, runs = samples_for_accuracy(0.8, expected), runs_for_latency(0.8, expected)
    clustered = samples_for_accuracy(0.8, expected, clusters=Clustering(20, 0.1))
    assert time.process_time() - start < 3
    for one in (needed, runs, clustered):
        assert (one.count, one.power, one.rows) == (None, 0.0, None)
    assert str(needed).startswith("No number of samples within reach suffices")


@pytest.mark.parametrize("look", [1, 2, 5])
def test_a_file_that_is_held_against_the_data_has_the_power_at_the_level_it_is_tested_at(look: int) -> None:
    needed = samples_for_accuracy(0.80, 0.90, look=look)
    assert chance(needed.count, 0.80, 0.90, level_at(look, 0.95)) >= 0.8
    assert chance(needed.count - 1, 0.80, 0.90, level_at(look, 0.95)) < 0.8
    assert needed.count > samples_for_accuracy(0.80, 0.90).count
    assert needed.level == 0.95
    assert str(needed).endswith(f"are, as file {look} held against them.")


def test_proving_the_first_file_holds_as_often_as_was_planned() -> None:
    needed, rng, holds = samples_for_accuracy(0.80, 0.90, look=1), np.random.default_rng(1), 0
    ids = [str(row) for row in range(needed.count)]
    for right in rng.binomial(needed.count, 0.90, 400).tolist():
        scores = Scores(ids, ids, ids, (np.arange(needed.count) < right).astype(float), DATA, "a" * 64)
        holds += accuracy_at_least(scores, bound=0.80, look=1).verdict == "holds"
    assert abs(holds / 400 - needed.power) < 3 * (0.16 / 400) ** 0.5
    assert needed.power >= 0.8


def test_latency_by_its_own_bound() -> None:
    needed = runs_for_latency(0.9, 0.97)
    rng = np.random.default_rng(0)
    bound = stats.expon.ppf(0.97)
    holds = [quantile_upper(rng.exponential(size=needed.count), 0.9) <= bound for _ in range(1500)]
    assert np.mean(holds) == pytest.approx(needed.power, abs=3 * (0.16 / 1500) ** 0.5)
    assert needed.power >= 0.8


def test_clusters_have_the_power_by_the_claims_own_interval_on_fresh_draws() -> None:
    of = Clustering(rows=15, correlation=0.15)
    needed = samples_for_accuracy(0.75, 0.87, clusters=of)
    rng, labels = np.random.default_rng(99), np.repeat(np.arange(needed.count), 15)
    size, holds = 1 / 0.15 - 1, []
    for _ in range(600):
        shares = rng.beta(0.87 * size, 0.13 * size, needed.count)
        score = (rng.random((needed.count, 15)) < shares[:, None]).ravel().astype(float)
        holds.append(clustered_mean(score, labels, 0.9)[0] >= 0.75)
    assert np.mean(holds) >= 0.8 - 2 * (0.16 / 600) ** 0.5
    assert np.mean(holds) <= 0.9
    assert needed.rows == needed.count * 15


def test_the_vectorised_interval_is_that_of_the_claim() -> None:
    of, rows, clusters = Clustering(8, 0.2), 8 * 14, 14
    right = _right_answers(clusters, of, 0.8, np.random.default_rng(5))[:200]
    mean = right.sum(axis=1) / rows
    worth = worth_of(np.square(right - mean[:, None] * 8).sum(axis=1), mean * (1 - mean), rows, clusters)
    effective = known_rows(worth * rows * effective_share(0.95, rows, clusters), mean, clusters, 0.95)
    labels = np.repeat(np.arange(clusters), 8)
    for one, m, e in zip(right, mean, effective, strict=True):
        score = (np.arange(8) < one[:, None]).ravel().astype(float)
        ours = stats.beta.ppf(0.05, m * e, e - m * e + 1)
        assert clustered_mean(score, labels, 0.9)[0] == pytest.approx(ours, abs=1e-9)


def test_more_correlation_needs_more_clusters_and_never_fewer_than_ten() -> None:
    counts = [samples_for_accuracy(0.8, 0.88, clusters=Clustering(20, c)).count for c in (0.0, 0.05, 0.3)]
    assert counts[0] < counts[1] < counts[2]
    assert samples_for_accuracy(0.5, 0.99, clusters=Clustering(200, 0.0)).count == 10
    assert _share_holding(10, Clustering(200, 0.0), 0.5, 0.99, 0.95, 0) == 1


def test_what_is_not_so_is_never_shown() -> None:
    for needed in (samples_for_accuracy(0.8, 0.8), samples_for_accuracy(0.8, 0.7, clusters=Clustering(5, 0.1)),
                   runs_for_latency(0.95, 0.9)):
        assert needed.count is None
        assert str(needed).startswith("No number of")


@pytest.mark.parametrize(("call", "message"), [
    (lambda: samples_for_accuracy(1.2, 0.9), "bound must lie"),
    (lambda: samples_for_accuracy(0.8, float("nan")), "expected must lie"),
    (lambda: samples_for_accuracy(0.8, 0.9, power=1.0), "power must lie"),
    (lambda: samples_for_accuracy(0.8, 0.9, level=95), "level is how sure"),
    (lambda: samples_for_accuracy(0.8, 0.9, clusters=Clustering(0, 0.1)), "at least 1 row"),
    (lambda: samples_for_accuracy(0.8, 0.9, clusters=Clustering(5, 1.0)), "correlation from 0 to below 1"),
    (lambda: samples_for_accuracy(0.8, 0.9, look=0), "looks are counted"),
    (lambda: samples_for_accuracy(0.8, 0.9, clusters=(20, 0.1)), "a Clustering"),
    (lambda: samples_for_accuracy(0.8, 0.9, clusters=Clustering("20", 0.1)), "at least 1 row"),
    (lambda: runs_for_latency(1.0, 0.9), "quantile must lie"),
])
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
