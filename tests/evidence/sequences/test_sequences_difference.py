"""The absolute difference: exact at every look, agreeing with the lift about the sign."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.sequences import Difference, difference, lift, lift_prior, proportion

RUNS, LOOKS = 1000, 100
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0207


@pytest.mark.parametrize(("control", "treatment", "share", "batch"), [
    (0.05, 0.05, 0.5, 100), (0.001, 0.001, 0.5, 1000), (0.1, 0.2, 0.5, 100), (0.6, 0.5, 0.2, 100)])
def test_the_true_difference_is_covered_at_all_looks(
    control: float, treatment: float, share: float, batch: int
) -> None:
    rng = np.random.default_rng(5)
    sizes = np.arange(1, LOOKS + 1) * np.array([[round(batch * (1 - share))], [round(batch * share)]])
    arms = [rng.binomial(size[0], rate, (RUNS, LOOKS)).cumsum(axis=1)
            for size, rate in zip(sizes, (control, treatment), strict=True)]
    looks = difference(arms[0], sizes[0], arms[1], sizes[1], share=share)
    assert looks.excludes(treatment - control).any(axis=1).mean() <= 0.05 + THREE_ERRORS


@given(control=st.integers(0, 2000), treatment=st.integers(0, 2000), extra=st.integers(0, 10**5))
def test_the_sign_is_that_of_the_lift(control: int, treatment: int, extra: int) -> None:
    n = 2000 + extra
    looks = difference(control, n, treatment, n, prior=lift_prior(0.2))
    ratio = lift(control, treatment, level=1 - 0.05 * 0.95, prior=lift_prior(0.2))
    assert (looks.low > 0, looks.high < 0) == (ratio.low > 0, ratio.high < 0)
    assert looks.log_e == ratio.log_e
    assert -1 <= looks.low <= looks.estimate <= looks.high <= 1


def test_the_ratio_gets_95_in_100_parts_of_alpha_and_the_rate_the_rest() -> None:
    treatment = np.arange(1000, 1300)
    looks = difference(1000, 10**5, treatment, 10**5, prior=lift_prior(0.2))
    fewest = [treatment[each.low > 0].min() for each in
              (lift(1000, treatment, prior=lift_prior(0.2)), looks,
               lift(1000, treatment, level=1 - 0.05 * 0.95, prior=lift_prior(0.2)))]
    assert fewest[0] < fewest[1] == fewest[2]
    theta = (1 + lift(1000, 1200, level=1 - 0.05 * 0.95).high) / (2 + lift(1000, 1200, level=1 - 0.05 * 0.95).high)
    rate = proportion(2200, 2 * 10**5, level=1 - 0.05 * 0.05).high
    assert difference(1000, 10**5, 1200, 10**5).high == pytest.approx(rate * (theta - 0.5) / 0.25, rel=1e-9)


def test_it_narrows_to_the_truth() -> None:
    looks = difference([50, 5 * 10**4, 5 * 10**6], [10**3, 10**6, 10**8], [60, 6 * 10**4, 6 * 10**6],
                       [10**3, 10**6, 10**8])
    width = looks.high - looks.low
    assert (np.diff(width) < 0).all()
    assert width[-1] < 5e-4
    assert looks.low[-1] < 0.01 < looks.high[-1]


def test_where_nothing_was_seen_nothing_is_excluded() -> None:
    nothing = difference(0, 0, 0, 0)
    assert (nothing.low, nothing.high) == (-1, 1)
    assert math.isnan(nothing.estimate)


def test_look_by_look_equals_all_looks_at_once() -> None:
    rng = np.random.default_rng(6)
    n = rng.integers(100, 200, 20)
    new = rng.binomial(n, 0.1), n, rng.binomial(n, 0.15), n
    stream = Difference()
    for _ in range(2):
        looks = [stream.update(*batch) for batch in zip(*new, strict=True)]
        together = difference(*(values.cumsum() for values in new))
        for field in ("estimate", "low", "high", "log_e"):
            assert [float(getattr(look, field)) for look in looks] == pytest.approx(getattr(together, field), abs=1e-9)
        stream.reset()


@pytest.mark.parametrize(("counts", "message"), [
    ((5, 4, 1, 4), "5 successes of control among 4 trials"),
    ((1, 4, [0, 5], 4), "5 successes of treatment among 4 trials"),
    ((-1, 4, 1, 4), "no count"),
    ((1, math.nan, 1, 4), "expected finite numbers"),
])
def test_bad_input_is_refused_in_words(counts, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        difference(*counts)
    with pytest.raises(LinnetError, match=message):
        Difference().update(*counts)
