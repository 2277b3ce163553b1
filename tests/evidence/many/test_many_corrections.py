"""Corrections by hand, against scipy, and what they promise under simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import many

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=30)


def test_holm_by_hand() -> None:
    assert many.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert many.holm([0.6, 0.7]) == [1.0, 1.0]
    assert many.holm([]) == []


@settings(deadline=None)
@given(P_VALUES)
def test_the_false_discovery_rate_is_that_of_scipy(p_values: list[float]) -> None:
    for ours, method in ((many.benjamini_hochberg, "bh"), (many.benjamini_yekutieli, "by")):
        assert ours(p_values) == pytest.approx(stats.false_discovery_control(p_values, method=method).tolist())


@settings(deadline=None)
@given(P_VALUES, st.randoms())
def test_the_order_of_the_questions_changes_nothing(p_values: list[float], random) -> None:
    order = list(range(len(p_values)))
    random.shuffle(order)
    for correct in many.CORRECTIONS.values():
        adjusted = correct(p_values)
        assert correct([p_values[place] for place in order]) == pytest.approx([adjusted[place] for place in order])
        assert all(after >= before - 1e-12 for after, before in zip(adjusted, p_values, strict=True))


def test_e_bh_rejects_by_hand() -> None:
    e_values = [100.0, 30.0, 1.0, 45.0]  # of 4 at 0.05 the k-th must reach 80, 40, 26.7, 20
    assert many.e_bh(np.log(e_values).tolist()) == [True, True, False, True]
    assert many.e_bh(np.log([79.0, 39.0, 26.0, 19.0]).tolist()) == [False] * 4
    assert many.e_bh([-math.inf, math.inf]) == [False, True]
    assert many.e_bh([]) == []


def test_e_bh_keeps_its_share_of_false_discoveries_however_e_values_depend() -> None:
    """2,000 runs of 20 questions, 15 with no effect, all of one cloth: the false share is at most 0.1 + 0.013."""
    rng, runs, shift = np.random.default_rng(0), 2000, 3.0
    false = found = 0.0
    for _ in range(runs):
        z = 0.9 * rng.normal() + math.sqrt(1 - 0.81) * rng.normal(size=20) + np.repeat([0, shift], [15, 5])
        rejected = np.array(many.e_bh((shift * z - shift**2 / 2).tolist(), 0.9))
        false += rejected[:15].sum() / max(rejected.sum(), 1) / runs
        found += rejected[15:].mean() / runs
    assert false <= 0.1 + 0.013
    assert found > 0.2


def test_levels_of_many_intervals() -> None:
    assert many.bonferroni(0.95, 1) == pytest.approx(0.95)
    assert many.bonferroni(0.9, 20) == pytest.approx(0.995)
    assert many.false_coverage(0.9, 20, 20) == pytest.approx(0.9)


def test_intervals_of_what_was_found_miss_as_seldom_as_they_say() -> None:
    """500 runs of 50 questions: of the intervals told a share of at most 0.1 misses on average; unadjusted, more."""
    rng, runs, missed, naive = np.random.default_rng(1), 500, 0.0, 0.0
    truth = np.repeat([0.0, 3.0], [40, 10])
    for _ in range(runs):
        z = truth + rng.normal(size=50)
        adjusted = np.array(many.benjamini_hochberg((2 * stats.norm.sf(np.abs(z))).tolist()))
        told = adjusted <= 0.1
        if told.any():
            wide = stats.norm.ppf((1 + many.false_coverage(0.9, 50, int(told.sum()))) / 2)
            missed += (np.abs(z - truth)[told] > wide).mean() / runs
            naive += (np.abs(z - truth)[told] > stats.norm.ppf(0.95)).mean() / runs
    assert missed <= 0.1
    assert naive > 0.12


@pytest.mark.parametrize("p_values", [[0.1, 1.2], [-0.1], [0.5, math.nan]])
def test_what_is_no_p_value_is_refused(p_values: list[float]) -> None:
    for correct in many.CORRECTIONS.values():
        with pytest.raises(LinnetError, match=r"p-values lie from 0 to 1|'p_values' holds nan"):
            correct(p_values)


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(LinnetError, match="1 of them NaN"):
        many.e_bh([0.0, math.nan])
    with pytest.raises(LinnetError, match="level is how sure"):
        many.e_bh([1.0], 95)
    with pytest.raises(LinnetError, match="3 of 2 questions"):
        many.false_coverage(0.95, 2, 3)
    with pytest.raises(LinnetError, match="level is how sure"):
        many.bonferroni(1.0, 2)
