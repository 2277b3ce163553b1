"""Whichever of n + 1 rows is the new one: its loss is at most the target on average over them. No simulation."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linnet.errors import LinnetError
from linnet.evidence.thresholds import conformal_risk


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 40), target=st.floats(0.02, 0.9), graded=st.booleans())
def test_the_average_over_which_row_is_new_is_at_most_the_target(
    seed: int, rows: int, target: float, graded: bool
) -> None:
    random = np.random.default_rng(seed)
    losses = (random.random(rows) * (1 if graded else 2) > np.linspace(0, 2, 15)[:, None]).astype(float)
    losses *= random.random(rows) if graded else 1.0
    losses[-1] = 0.0  # the most cautious choice is never wrong
    lost = []
    for new in range(rows):
        choice = conformal_risk(np.delete(losses, new, axis=1), target=target).choice
        lost.append(losses[-1 if choice is None else choice, new])
    assert np.mean(lost) <= target + 1e-9


def test_the_least_cautious_choice_that_keeps_the_target_is_taken() -> None:
    losses = np.arange(99) < np.array([[20], [9], [3]])
    assert conformal_risk(losses, target=0.1).choice == 1  # (9 + 1) / 100
    assert conformal_risk(losses, target=0.0999).choice == 2
    assert conformal_risk(losses, target=0.21).choice == 0
    assert conformal_risk(losses, target=0.1).bound == pytest.approx(0.1)


def test_undecided_says_how_many_rows_would_do_and_they_do() -> None:
    found = conformal_risk(np.zeros((2, 8)), target=0.1)
    assert (found.choice, found.decided, found.bound) == (None, False, pytest.approx(1 / 9))
    assert "9 rows would be needed" in found.wanting
    assert conformal_risk(np.zeros((2, 9)), target=0.1).choice == 0
    assert "more rows would not help" in conformal_risk(np.ones((2, 9)), target=0.1).wanting


def test_a_cluster_counts_once_whatever_its_size() -> None:
    losses = np.array([[1.0] * 50 + [0.0] * 20])
    labels = ["large"] * 50 + [str(number) for number in range(20)]
    assert conformal_risk(losses, target=0.1, clusters=labels).bound == pytest.approx((1 + 1) / 22)
    assert conformal_risk(losses, target=0.1, clusters=labels).units == 21


def test_losses_may_be_larger_than_one_where_that_is_said() -> None:
    losses = np.array([[3.0] + [0.0] * 99])
    assert conformal_risk(losses, target=0.1, largest=5.0).bound == pytest.approx((3 + 5) / 101)


@pytest.mark.parametrize(("losses", "more", "message"), [
    ([[0.0, 0.0], [0.0, 0.5]], {}, "the loss of row 1 rises from 0 to 0.5 between choices 0 and 1"),
    (np.zeros((0, 4)), {}, "at least one of each"),
    ([[0.0, 1.2]], {}, "from 0 to 1; got 0 to 1.2"),
    ([[0.0, float("inf")]], {}, "inf"),
    (np.zeros((1, 4)), {"target": 0.0}, "target"),
    (np.zeros((1, 4)), {"largest": -1.0}, "largest"),
    (np.zeros((1, 4)), {"clusters": ["a"] * 4}, "one cluster"),
])
def test_bad_input_is_said(losses: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        conformal_risk(losses, **{"target": 0.1, **more})
