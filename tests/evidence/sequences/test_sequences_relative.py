"""One mean relative to another: Fieller's set, the sign of the difference, and silence where there is no interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.sequences import Estimate, asymptotic, relative


def test_at_its_ends_the_weighed_difference_is_just_not_told_from_zero() -> None:
    control, treatment = Estimate(10.0, 0.4, 3000), Estimate(13.0, 0.5, 3000)
    look = relative(control, treatment, best_at=6000)
    for end in (float(look.low), float(look.high)):
        error = math.hypot(0.5, (1 + end) * 0.4)
        against = asymptotic(13 - (1 + end) * 10, error, 6000, best_at=6000)
        assert min(abs(against.low), abs(against.high)) == pytest.approx(0, abs=1e-9)


@given(base=st.floats(0.5, 20), value=st.floats(-5, 40), error=st.floats(0.01, 2), base_error=st.floats(0.01, 2))
def test_the_sign_is_that_of_the_difference(base: float, value: float, error: float, base_error: float) -> None:
    look = relative(Estimate(base, base_error, 900), Estimate(value, error, 900), best_at=2000)
    against = asymptotic(value - base, math.hypot(error, base_error), 1800, best_at=2000)
    if np.isfinite(look.low) and abs(value - base) > 1e-6:
        assert look.low <= look.estimate <= look.high
        assert look.excludes(0) == against.excludes(0) or abs(against.log_e - math.log(20)) < 1e-6
    assert look.log_e == pytest.approx(against.log_e, rel=1e-9, abs=1e-12)


def test_a_control_that_is_not_told_from_zero_excludes_nothing() -> None:
    looks = relative(Estimate(np.array([1.0, -1.0, 1.0, 1.0]), np.array([0.5, 0.1, 0.01, 0.01]), np.array([2000] * 4),
                              np.array([50, 50, 5, 50])),
                     Estimate(2.0, 0.01, 2000, 50), best_at=2000)
    assert looks.low[:3].tolist() == [-math.inf] * 3
    assert looks.high[:3].tolist() == [math.inf] * 3
    assert math.isnan(looks.estimate[1])
    assert looks.low[3] > 0.9


@pytest.mark.parametrize(("control", "message"), [
    (Estimate(math.nan, 1.0, 10), "finite"),
    (Estimate(1.0, -1.0, 10), "must not be negative"),
])
def test_bad_input_is_refused_in_words(control: Estimate, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        relative(control, Estimate(1.0, 1.0, 10), best_at=100)
