"""The stated number has the stated power, by the bound of the claim on fresh draws of another shape as well."""

import dataclasses

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.comparisons import matched_pairs
from linnet.evidence.intervals import betting
from linnet.evidence.power import Clustering, samples_for_mean, segments_for_word_error
from linnet.evidence.power.means import _cluster_means

RUNS = 300
ERROR = (0.16 / RUNS) ** 0.5


def test_graded_scores_beta_and_of_two_values() -> None:
    needed, rng = samples_for_mean(0.7, 0.78, deviation=0.2), np.random.default_rng(0)
    size = 0.78 * 0.22 / 0.04 - 1
    draws = {"beta": lambda: rng.beta(0.78 * size, 0.22 * size, needed.count),
             "two values": lambda: rng.choice([0.38, 0.88], needed.count, p=[0.2, 0.8])}  # of the same deviation
    for name, draw in draws.items():
        holds = np.mean([betting(draw(), 0.9)[0] >= 0.7 for _ in range(RUNS)])
        assert holds >= 0.8 - 2 * ERROR - (0.03 if name != "beta" else 0), name
        assert holds <= 0.9, name


def test_a_later_file_needs_more_and_what_is_beyond_reach_is_none() -> None:
    assert samples_for_mean(0.8, 0.85, deviation=0.15, look=1) == dataclasses.replace(
        samples_for_mean(0.8, 0.85, deviation=0.15, level=0.96), level=0.95,
        shows="that the mean score is at least 0.8, if it is 0.85, as file 1 held against them")
    assert samples_for_mean(0.8, 0.800001, deviation=0.15).count is None


def test_clusters_of_graded_scores() -> None:
    of = Clustering(10, 0.2)
    needed, rng = samples_for_mean(0.7, 0.8, deviation=0.2, clusters=of), np.random.default_rng(1)
    labels, holds = np.repeat(np.arange(needed.count), 10), []
    for means in _cluster_means((RUNS, needed.count), of, (0.8, 0.2), rng):
        holds.append(betting(np.repeat(means, 10), 0.9, clusters=labels)[0] >= 0.7)
    assert np.mean(holds) >= 0.8 - 2 * ERROR
    assert needed.count * 10 > samples_for_mean(0.7, 0.8, deviation=0.2).count


def test_simulated_clusters_have_the_stated_spread() -> None:
    means = _cluster_means((400, 200), Clustering(8, 0.3), (0.8, 0.15), np.random.default_rng(2))
    assert means.mean() == pytest.approx(0.8, abs=0.001)
    assert means.var() == pytest.approx(0.15**2 * (1 + 7 * 0.3) / 8, rel=0.02)


def test_word_errors_by_the_matched_pairs_test() -> None:
    rng, runs = np.random.default_rng(3), 400
    needed = segments_for_word_error(0.12, 0.10, words=15, deviation=(15 * (0.12 + 0.10)) ** 0.5)
    found = [matched_pairs(rng.poisson(1.5, needed.count), rng.poisson(1.8, needed.count), np.full(needed.count, 15),
                           level=0.9) for _ in range(runs)]
    holds = np.mean([result.interval[1] < 0 for result in found])
    assert holds == pytest.approx(needed.power, abs=3 * (0.16 / runs) ** 0.5)


def test_word_errors_of_clusters_by_the_matched_pairs_test() -> None:
    rng, of, runs = np.random.default_rng(4), Clustering(12, 0.2), 400
    needed = segments_for_word_error(0.2, 0.15, words=20, deviation=2.0, clusters=of)
    labels, holds = np.repeat(np.arange(needed.count), 12), []
    for _ in range(runs):
        own = rng.normal(-1.0, 2.0 * 0.2**0.5, needed.count)[labels]
        apart = np.rint(own + rng.normal(0, 2.0 * 0.8**0.5, len(labels)))
        words = np.full(len(labels), 20)
        found = matched_pairs(words + apart, words, words, level=0.9, clusters=labels)
        holds.append(found.interval[1] < 0)
    assert np.mean(holds) >= 0.8 - 3 * (0.16 / runs) ** 0.5
    assert needed.count >= 10


def test_what_is_not_so_is_never_shown() -> None:
    assert samples_for_mean(0.8, 0.75, deviation=0.1).count is None
    assert segments_for_word_error(0.1, 0.1, words=10, deviation=1).count is None
    assert segments_for_word_error(0.1, 0.12, words=10, deviation=1, clusters=Clustering(4, 0.1)).count is None


@pytest.mark.parametrize(("call", "message"), [
    (lambda: samples_for_mean(0.8, 0.9, deviation=0.4), "below 0.300"),
    (lambda: samples_for_mean(0.8, 0.9, deviation=0), "above 0"),
    (lambda: samples_for_mean(0.0, 0.9, deviation=0.1), "bound must lie"),
    (lambda: segments_for_word_error(0.1, -0.1, words=10, deviation=1), "after is a word error rate"),
    (lambda: segments_for_word_error(0.1, 0.05, words=0, deviation=1), "words must be a number above 0"),
    (lambda: segments_for_word_error(0.1, 0.05, words=9, deviation=float("nan")), "deviation must be a number"),
])
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
