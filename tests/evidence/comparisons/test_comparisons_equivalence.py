"""Equivalence: three verdicts from an interval, and the p-value of two one-sided tests."""

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.comparisons import equivalence_p_value, equivalent, paired_difference, welch_difference


@pytest.mark.parametrize(("interval", "expected"), [
    ((-0.03, 0.03), "holds"), ((0.01, 0.02), "holds"), ((-0.031, 0.0), "undecided"), ((0.0, 0.031), "undecided"),
    ((0.031, 0.1), "fails"), ((-0.1, -0.031), "fails"), ((0.03, 0.1), "undecided"),
    ((-math.inf, math.inf), "undecided"),
])
def test_verdicts(interval: tuple[float, float], expected: str) -> None:
    assert equivalent(interval, margin=0.03) == expected


def test_the_p_value_is_that_of_two_one_sided_t_tests() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=200), rng.normal(0.1, 1, 300)
    expected = max(stats.ttest_ind(second + 0.3, first, equal_var=False, alternative="greater").pvalue,
                   stats.ttest_ind(second - 0.3, first, equal_var=False, alternative="less").pvalue)
    found = equivalence_p_value(lambda level: welch_difference(first, second, level=level), margin=0.3)
    assert found == pytest.approx(expected, rel=1e-6)


def test_the_p_value_agrees_with_the_verdict_and_is_one_where_nothing_is_near() -> None:
    found = equivalence_p_value(lambda level: paired_difference(2, 3, 90, level), margin=0.1)
    assert equivalent(paired_difference(2, 3, 90, 1 - 2 * found - 1e-3), margin=0.1) == "holds"
    assert equivalent(paired_difference(2, 3, 90, 1 - 2 * found + 1e-3), margin=0.1) == "undecided"
    assert equivalence_p_value(lambda level: paired_difference(30, 3, 90, level), margin=0.1) == 1
    assert equivalence_p_value(lambda level: (-math.inf, math.inf), margin=0.1) == 1


@pytest.mark.parametrize("interval", [(0.2, 0.1), (math.nan, 1.0)])
def test_what_is_no_interval_is_refused(interval: tuple[float, float]) -> None:
    with pytest.raises(LinnetError, match="an interval is"):
        equivalent(interval, margin=0.1)


def test_a_margin_that_is_none_is_refused() -> None:
    with pytest.raises(LinnetError, match="margin must be a number above 0"):
        equivalent((0.0, 0.1), margin=0)
