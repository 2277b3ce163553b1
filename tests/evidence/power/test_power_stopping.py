"""Stopping times: counted right, near the formula where there is one, and with the power that is known elsewhere."""

import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.power import (
    divergence,
    least_stopping_time,
    stopping_time,
    stopping_time_of_lift,
    stopping_time_of_mean,
)
from linnet.evidence.sequences import asymptotic


def test_counted_by_hand() -> None:
    found = stopping_time([[0, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1]], [10, 20, 40])
    assert (found.mean, found.decided, found.cap, found.runs) == ((20 + 10 + 40 + 40) / 4, 0.75, 40, 4)
    assert found.quantiles == (10, 20, math.inf)
    assert found.error == pytest.approx(np.std([20, 10, 40, 40], ddof=1) / 2)


def test_the_mean_of_a_bet_that_knows_the_truth_is_that_of_the_formula() -> None:
    rng = np.random.default_rng(0)
    draws = rng.random((1000, 4000)) < 0.6
    log_e = np.where(draws, math.log(0.6 / 0.5), math.log(0.4 / 0.5)).cumsum(axis=1)
    found = stopping_time(log_e >= math.log(20), np.arange(1, 4001))
    formula = least_stopping_time(divergence(0.6, 0.5))
    # the walk passes the threshold by part of a step
    assert formula - 3 * found.error <= found.mean <= formula + math.log(1.2) / divergence(0.6, 0.5) + 3 * found.error


def test_lift_takes_longer_than_the_formula_but_not_much() -> None:
    found = stopping_time_of_lift(0.05, 0.4, minimum_lift=0.4, look_every=50, cap=20_000)
    theta = 1.4 / 2.4
    formula = least_stopping_time(divergence(theta, 0.5)) / (0.05 * 2.4)  # successes, to samples an arm
    assert formula < found.mean < 3 * formula
    assert found.decided > 0.99
    assert found.wrongly <= 0.01


def test_one_point_at_five_percent() -> None:
    found = stopping_time_of_lift(0.05, 0.2, minimum_lift=0.2)
    assert found.decided >= 0.96
    assert found.mean <= 10_200


def test_without_effect_decisions_are_rare_and_wrong() -> None:
    for found in (stopping_time_of_lift(0.05, 0.0, minimum_lift=0.2), stopping_time_of_mean(0.0, 1.0, best_at=5000)):
        assert found.decided <= 0.05
        assert found.wrongly == found.decided
        assert found.quantiles[1] == math.inf
        assert found.mean > 0.9 * found.cap


def test_means_agree_with_the_formula() -> None:
    found = stopping_time_of_mean(0.1, 1.0, best_at=2500, look_every=50)
    formula = least_stopping_time(0.1**2 / 4)
    assert formula < found.mean < 3 * formula
    assert found.decided > 0.99
    assert stopping_time_of_mean(-0.1, 1.0, best_at=2500, look_every=50).wrongly <= 0.01


def test_means_agree_with_looks_at_single_values() -> None:
    rng, sizes = np.random.default_rng(1), np.arange(500, 10_001, 500)
    apart = rng.normal(0.15, 2**0.5, (300, 10_000))  # of pairs, one of each arm
    values = apart.cumsum(axis=1)[:, sizes - 1]
    looks = asymptotic(values / sizes, (2 / sizes) ** 0.5, 2 * sizes, best_at=4000)
    single = stopping_time(looks.excludes(0), sizes)
    found = stopping_time_of_mean(0.15, 1.0, best_at=2000, look_every=500, cap=10_000)
    assert found.mean == pytest.approx(single.mean, abs=4 * single.error)
    assert found.error * 2000**0.5 == pytest.approx(single.error * 300**0.5, rel=0.15)


def test_the_seed_repeats() -> None:
    assert stopping_time_of_lift(0.1, 0.3, minimum_lift=0.3, seed=3) == stopping_time_of_lift(
        0.1, 0.3, minimum_lift=0.3, seed=3)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: stopping_time([[True]], [1, 2]), "one row a run"),
    (lambda: stopping_time([[True, False]], [2, 2]), "size for each look that grows"),
    (lambda: stopping_time([[True, False]], [1, float("nan")]), "sizes"),
    (lambda: stopping_time_of_lift(0.6, 1.0, minimum_lift=0.2), "cannot be lifted by 1"),
    (lambda: stopping_time_of_lift(0.0, 1.0, minimum_lift=0.2), "baseline must lie"),
    (lambda: stopping_time_of_lift(0.1, 0.1, minimum_lift=0), "minimum_lift is the smallest"),
    (lambda: stopping_time_of_lift(0.1, 0.1, minimum_lift=0.1, look_every=10, cap=5), "looks come every 10"),
    (lambda: stopping_time_of_mean(0.1, 0.0, best_at=100), "deviation must be a number"),
    (lambda: least_stopping_time(0.0), "divergence must be a number above 0"),
    (lambda: divergence(0.5, 1.0), "null must lie"),
])
def test_bad_input_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
