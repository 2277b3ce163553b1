"""p-values are uniform and independent if nothing changed, with ties and after the memory is full as well."""

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.drift import conformal_p_values
from linnet.evidence.drift.conformal import Ranks


@pytest.mark.parametrize("draw", [
    pytest.param(lambda rng, n: rng.normal(size=n), id="continuous"),
    pytest.param(lambda rng, n: rng.integers(0, 3, n), id="ties"),
])
@pytest.mark.parametrize("capacity", [4096, 20], ids=["all kept", "counted"])
@pytest.mark.parametrize("reference", [0, 15, 60])
def test_p_values_are_uniform_and_independent(draw, capacity: int, reference: int) -> None:
    rng = np.random.default_rng(0)
    streams = []
    for seed in range(250):
        scores = draw(rng, reference + 40)
        streams.append(conformal_p_values(scores[reference:], scores[:reference], seed=seed, capacity=capacity))
    values = np.array(streams)
    assert stats.kstest(values.ravel(), "uniform").pvalue > 0.001
    assert stats.kstest(values[:, -1], "uniform").pvalue > 0.001
    # neighbours, and the first with the last: independent (sum of two uniforms; correlation)
    assert abs(np.corrcoef(values[:, :-1].ravel(), values[:, 1:].ravel())[0, 1]) < 4 / values[:, 1:].size**0.5
    assert abs(np.corrcoef(values[:, 0], values[:, -1])[0, 1]) < 4 / 250**0.5


def test_against_the_definition() -> None:
    scores = np.random.default_rng(1).normal(size=30)
    values = conformal_p_values(scores[10:], scores[:10])
    for index, value in enumerate(values):
        past = scores[: 10 + index]
        above = (past > scores[10 + index]).sum()
        assert above / (len(past) + 1) <= value <= (above + 1) / (len(past) + 1)


def test_counting_stays_close_to_ranks_of_all() -> None:
    scores = np.random.default_rng(2).normal(size=3000)
    exact = conformal_p_values(scores[2000:], scores[:2000], capacity=10_000)
    counted = conformal_p_values(scores[2000:], scores[:2000], capacity=500)
    assert np.abs(exact - counted).max() < 0.02


def test_a_large_score_has_a_small_p_value() -> None:
    assert conformal_p_values([9.0], range(9))[0] <= 0.1
    assert conformal_p_values([-9.0], range(9))[0] >= 0.9


def test_batch_and_stream_agree_and_reset_forgets() -> None:
    scores = np.random.default_rng(3).normal(size=50)
    ranks = Ranks(scores[:20], seed=4, capacity=30)
    first = [ranks.place(score) for score in scores[20:]]
    ranks.reset()
    assert [ranks.place(score) for score in scores[20:]] == first
    np.testing.assert_array_equal(conformal_p_values(scores[20:], scores[:20], seed=4, capacity=30), first)


@pytest.mark.parametrize(("scores", "reference", "message"), [
    ([1.0, float("nan")], [1.0], "'scores' holds nan"),
    ([1.0], [float("inf")], "'reference' holds inf"),
    ([[1.0, 2.0]], [1.0], "distance_to_nearest"),
])
def test_bad_scores_are_refused(scores, reference, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        conformal_p_values(scores, reference)


def test_no_capacity_is_refused() -> None:
    with pytest.raises(LinnetError, match="capacity is a whole number from 1"):
        conformal_p_values([1.0], capacity=0)
