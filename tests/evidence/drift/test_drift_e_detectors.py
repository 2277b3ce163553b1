"""A false alarm takes at least as long as it says: by the exact mean of the statistic, and by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.drift import EDetector, e_detector

RUNS = 400


@pytest.mark.parametrize("bounds", [{"at_most": 0.05}, {"at_least": 0.9}, {"at_most": 0.3, "at_least": 0.3}])
def test_at_the_bound_the_statistic_is_on_average_the_number_of_samples_exactly_enumerated(bounds: dict) -> None:
    streams = np.array(list(product([0.0, 1.0], repeat=10)))
    share = next(iter(bounds.values()))
    chances = np.prod(np.where(streams == 1, share, 1 - share), axis=1)
    path = e_detector(streams, run_length=100, **bounds)
    np.testing.assert_allclose(chances @ path, np.arange(1, 11), rtol=1e-9)


@given(st.floats(0.0, 0.3), st.floats(0.001, 0.05))
def test_within_the_bounds_the_statistic_grows_more_slowly(share: float, spread: float) -> None:
    streams = np.array(list(product([share - min(share, spread), share + spread], repeat=6)))
    mean = e_detector(streams, at_most=0.36, run_length=1000).mean(axis=0)
    assert (mean <= np.arange(1, 7) + 1e-9).all()


@pytest.mark.parametrize("share", [0.05, 0.01])
def test_a_false_alarm_takes_the_stated_run_length(share: float) -> None:
    rng = np.random.default_rng(0)
    path = e_detector((rng.random((RUNS, 3000)) < share) * 1.0, at_most=share, run_length=200)
    first = np.where((path >= 200).any(axis=1), (path >= 200).argmax(axis=1) + 1, 3000)
    error = first.std() / RUNS**0.5
    assert error < 35
    assert 200 - 2 * error <= first.mean() <= 1500  # and the alarm is not simply never raised


def test_a_false_alarm_takes_the_stated_run_length_with_skewed_scores() -> None:
    rng = np.random.default_rng(1)
    path = e_detector(rng.beta(0.1, 1.9, (RUNS, 3000)), at_most=0.05, run_length=200)
    first = np.where((path >= 200).any(axis=1), (path >= 200).argmax(axis=1) + 1, 3000)
    assert first.mean() >= 200 - 2 * first.std() / RUNS**0.5


def test_a_doubled_error_rate_is_found_long_before_a_false_alarm() -> None:
    rng = np.random.default_rng(2)
    path = e_detector((rng.random((RUNS, 4000)) < 0.1) * 1.0, at_most=0.05, run_length=10_000)
    first = np.where((path >= 10_000).any(axis=1), (path >= 10_000).argmax(axis=1) + 1, 4000)
    assert first.mean() < 400


def test_a_fall_of_accuracy_is_found_where_it_is_asked_for_only() -> None:
    scores = np.zeros(60)
    assert EDetector(at_least=0.9).update(scores)
    assert not EDetector(at_least=0.9).update(np.ones(1000))
    assert not EDetector(at_most=0.9).update(scores)
    assert EDetector(at_least=0.8, at_most=0.95).update(scores)
    assert EDetector(at_least=0.8, at_most=0.95).update(np.ones(1000))


@pytest.mark.parametrize("statistic", ["shiryaev_roberts", "cusum"])
def test_stream_and_batch_agree(statistic: str) -> None:
    scores = np.random.default_rng(3).beta(1, 6, 300)
    path = e_detector(scores, at_most=0.1, at_least=0.05, run_length=500, statistic=statistic)
    detector = EDetector(at_most=0.1, at_least=0.05, run_length=500, statistic=statistic)
    one_by_one = []
    for score in scores:
        detector.update(score)
        one_by_one.append(detector.evidence)
    np.testing.assert_allclose(one_by_one, path, rtol=1e-9)
    assert detector.alarm_at == int((path >= 500).argmax()) + 1
    at_once = EDetector(at_most=0.1, at_least=0.05, run_length=500, statistic=statistic)
    at_once.update(scores)
    assert (at_once.evidence, at_once.alarm_at, at_once.n) == (detector.evidence, detector.alarm_at, 300)


def test_cusum_is_never_above_the_sum() -> None:
    scores = np.random.default_rng(4).random((5, 200))
    assert (e_detector(scores, at_most=0.4, statistic="cusum") <= e_detector(scores, at_most=0.4)).all()


def test_reset_forgets() -> None:
    detector = EDetector(at_most=0.05)
    detector.update([1] * 30)
    assert detector.alarm_at is not None
    detector.reset()
    assert (detector.n, detector.alarm_at, detector.evidence, detector.began) == (0, None, 0.0, 1)
    detector.update([0, 1])
    fresh = EDetector(at_most=0.05)
    fresh.update([0, 1])
    assert detector.evidence == fresh.evidence


def test_it_says_where_the_change_began() -> None:
    rng = np.random.default_rng(5)
    off = []
    for _ in range(40):
        detector = EDetector(at_most=0.05, run_length=1000)
        detector.update((rng.random(500) < 0.05) * 1.0)
        detector.reset() if detector.alarm_at else None
        before = detector.n
        while not detector.update(float(rng.random() < 0.3)):
            pass
        off.append(detector.began - before - 1)
    assert abs(np.median(off)) <= 5


def test_a_stream_that_nobody_resets_stays_finite() -> None:
    detector = EDetector(at_most=0.05)
    detector.update(np.ones(2000))
    assert np.isfinite(detector.evidence)
    assert detector.alarm_at < 10


@pytest.mark.parametrize(("arguments", "message"), [
    ({}, "at_most .error rate., at_least"),
    ({"at_most": 0.0}, "at_most must lie above 0 and below 1"),
    ({"at_least": 1.0}, "at_least must lie above 0 and below 1"),
    ({"at_most": 0.2, "at_least": 0.4}, "expected at_least <= at_most"),
    ({"at_most": 0.2, "run_length": 1}, "at least 2"),
    ({"at_most": 0.2, "run_length": float("nan")}, "at least 2"),
    ({"at_most": 0.2, "statistic": "cusun"}, "did you mean 'cusum'"),
])
def test_wrong_settings_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        EDetector(**arguments)


@pytest.mark.parametrize("score", [1.2, -0.1, float("nan"), float("inf")])
def test_scores_outside_0_to_1_are_refused(score: float) -> None:
    with pytest.raises(LinnetError, match="from 0 to 1"):
        EDetector(at_most=0.2).update([0.0, score])
