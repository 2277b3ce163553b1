"""The asymptotic sequence: the formula, the best n, where it holds, and that below it says nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.sequences import (
    MINIMUM_UNITS,
    MINIMUM_WORTH,
    AsymptoticMean,
    Estimate,
    asymptotic,
    relative,
    units_worth,
)

RUNS = 1000
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0207


def test_it_is_the_published_formula() -> None:
    n, error, best_at, alpha = 4000.0, 0.03, 9000.0, 0.05
    looks = asymptotic(0.2, error, n, best_at=best_at)
    rho_squared = min(np.linspace(1, 30, 100_001),
                      key=lambda x: (x + 1) / x * (math.log(x + 1) - 2 * math.log(alpha))) / best_at
    variance = error**2 * n
    inner = 2 * (n * rho_squared + 1) / (n**2 * rho_squared) * math.log(math.sqrt(n * rho_squared + 1) / alpha)
    assert looks.high - 0.2 == pytest.approx(math.sqrt(variance * inner), rel=1e-6)


def test_it_is_narrowest_in_units_of_the_error_at_the_best_n() -> None:
    n = np.arange(1000, 40_000, 10)
    width = asymptotic(0.0, 1.0, n, best_at=10_000).high
    assert n[width.argmin()] == 10_000


def test_interval_and_evidence_agree() -> None:
    looks = asymptotic(np.linspace(0, 5, 1001), 1.0, 5000, best_at=5000)
    assert (looks.excludes(0) == (looks.log_e >= math.log(20))).all()
    assert looks.excludes(0).any()


def test_below_the_minimum_and_without_spread_nothing_is_excluded() -> None:
    looks = asymptotic(9.0, [1e-9, 0.0, 1e-9], [MINIMUM_UNITS - 1, 10**6, MINIMUM_UNITS], best_at=1000)
    weighed = asymptotic(9.0, 1e-9, 10**6, best_at=1000, worth=[MINIMUM_WORTH - 1, MINIMUM_WORTH])
    assert weighed.excludes(0).tolist() == [False, True]
    assert asymptotic(9.0, 1e-9, [0, 1, 2], best_at=1000, minimum=0).excludes(0).tolist() == [False, True, True]
    assert looks.low[:2].tolist() == [-math.inf] * 2
    assert looks.high[:2].tolist() == [math.inf] * 2
    assert looks.log_e[:2].tolist() == [0, 0]
    assert looks.excludes(0).tolist() == [False, False, True]


def test_a_skewed_mean_is_covered_at_all_looks_once_it_is_worth_enough_and_not_before() -> None:
    values = np.random.default_rng(3).lognormal(0, 1, (RUNS, 50, 20))
    n = 20 * np.arange(1, 51)
    sums = [(values**power).sum(axis=2).cumsum(axis=1) for power in (1, 2, 3, 4)]
    mean, variance = sums[0] / n, (sums[1] - sums[0] ** 2 / n) / (n - 1)
    given = {"best_at": 100, "worth": units_worth(n, *sums)}
    early, late = (asymptotic(mean, np.sqrt(variance / n), n, minimum=least, **given)
                   .excludes(math.exp(0.5)).any(axis=1).mean() for least in (0, MINIMUM_WORTH))
    assert late <= 0.05 + THREE_ERRORS < early


def test_no_effect_on_revenue_is_excluded_in_at_most_5_of_100_runs_by_arms_of_equal_size() -> None:
    rng = np.random.default_rng(4)
    buyers = rng.binomial(20, 0.05, (2, RUNS, 100))
    spent = np.repeat(np.arange(buyers.size), buyers.ravel()), rng.lognormal(2, 1.5, buyers.sum())
    total, squares = (np.bincount(spent[0], spent[1] ** power, buyers.size).reshape(buyers.shape).cumsum(axis=2)
                      for power in (1, 2))
    n = 20 * np.arange(1, 101)
    error = np.sqrt((squares - total**2 / n) / (n - 1) / n)
    looks = asymptotic((total[1] - total[0]) / n, np.hypot(*error), 2 * n, best_at=4000)
    assert looks.excludes(0).any(axis=1).mean() <= 0.05 + THREE_ERRORS
    each = [Estimate(total[arm] / n, error[arm], n) for arm in (0, 1)]
    assert relative(*each, best_at=4000).excludes(0).any(axis=1).mean() <= 0.05 + THREE_ERRORS


def test_look_by_look_equals_all_looks_at_once() -> None:
    values = np.random.default_rng(2).lognormal(0, 1, (20, 100)) + 1000
    stream = AsymptoticMean(best_at=2000)
    assert stream.update([]).high == math.inf
    for _ in range(2):
        looks = [stream.update(batch) for batch in values]
        stacked = values.ravel()
        ends = np.arange(100, 2001, 100)
        sums = [[(stacked[:end] - 1000) ** power for power in (1, 2, 3, 4)] for end in ends]
        weight = [units_worth(end, *(np.sum(values) for values in each)) for end, each in zip(ends, sums, strict=True)]
        together = asymptotic([stacked[:end].mean() for end in ends],
                              [stacked[:end].std(ddof=1) / math.sqrt(end) for end in ends], ends, best_at=2000,
                              worth=weight)
        for field in ("estimate", "low", "high", "log_e"):
            assert [float(getattr(look, field)) for look in looks] == pytest.approx(getattr(together, field), rel=1e-9)
        stream.reset()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: asymptotic(math.nan, 1, 10, best_at=5), "finite"),
    (lambda: asymptotic(1, math.inf, 10, best_at=5), "finite"),
    (lambda: asymptotic(1, -1, 10, best_at=5), "must not be negative"),
    (lambda: asymptotic(1, 1, -10, best_at=5), "must not be negative"),
    (lambda: asymptotic(1, 1, 10, best_at=0), "best_at must be"),
    (lambda: asymptotic(1, 1, 10, best_at=5, level=1.0), "level is how sure"),
    (lambda: AsymptoticMean(best_at=5).update([1.0, math.nan]), "finite"),
])
def test_bad_input_is_refused_in_words(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
