"""Estimates from moments: against numpy, scipy and least squares."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.sequences import Moments, adjusted, moments, units_worth


def arms(seed: int, runs: tuple[int, ...] = (), effect: float = 0.0) -> tuple[np.ndarray, ...]:
    """Metric and covariate of a control of 300 and a treatment of 100."""
    rng = np.random.default_rng(seed)
    before = rng.exponential(1, (*runs, 300)), rng.exponential(1, (*runs, 100))
    return tuple(part for x, shift in zip(before, (0, effect), strict=True)
                 for part in (2 * x + rng.normal(0, 0.5, x.shape) + shift, x))


def test_without_a_covariate_it_is_welchs_difference_and_error() -> None:
    control, _, treatment, _ = arms(0)
    given = adjusted(moments(control), moments(treatment))
    oracle = stats.ttest_ind(treatment, control, equal_var=False)
    assert given.value == pytest.approx(treatment.mean() - control.mean(), abs=1e-12)
    assert given.value / given.error == pytest.approx(oracle.statistic, abs=1e-9)
    assert given.n == 400


def test_the_slope_leaves_the_least_error_and_the_error_is_true() -> None:
    control, x, treatment, z = arms(1, (2000,), effect=0.3)
    given = adjusted(moments(control, x), moments(treatment, z))
    assert given.value.std() == pytest.approx(given.error.mean(), rel=0.05)
    assert given.value.mean() == pytest.approx(0.3, abs=3 * float(given.error.mean()) / math.sqrt(2000))
    for slope in (1.5, 1.9, 2.1, 2.5):
        plain = adjusted(moments(control - slope * x), moments(treatment - slope * z))
        assert (given.error <= plain.error + 1e-12).all()


def test_a_covariate_without_spread_changes_nothing() -> None:
    control, _, treatment, _ = arms(2)
    same = adjusted(moments(control, np.ones(300)), moments(treatment, np.ones(100)))
    assert same == adjusted(moments(control), moments(treatment))


def test_the_worth_is_n_over_kurtosis() -> None:
    values = np.random.default_rng(3).lognormal(0, 1, (4, 500))
    sums = [(values**power).sum(axis=1) for power in (1, 2, 3, 4)]
    assert units_worth(500, *sums) == pytest.approx(500 / stats.kurtosis(values, axis=1, fisher=False), rel=1e-9)
    assert units_worth([0, 10], *([0, 10],) * 4).tolist() == [0, 0]


@pytest.mark.parametrize(("make", "message"), [
    (lambda: moments([1.0]), "two or more units"),
    (lambda: moments([1.0, 2.0], [1.0]), "expected the same"),
    (lambda: moments([1.0, math.nan]), "finite"),
    (lambda: adjusted(Moments(*map(np.asarray, (1, 1, 0, 0, 0, 0))), moments([1.0, 2.0])), "has no variance"),
    (lambda: adjusted(Moments(*map(np.asarray, (5, math.nan, 0, 0, 0, 0))), moments([1.0, 2.0])), "finite"),
    (lambda: units_worth(1, math.inf, 1, 1, 1), "finite"),
])
def test_bad_input_is_refused_in_words(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
