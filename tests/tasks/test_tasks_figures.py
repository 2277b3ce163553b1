from __future__ import annotations

import numpy as np
import pytest

from linnet.tasks.figures import edit_distance, error_rate, f1_scores, span_scores


def _slow(one: str, other: str) -> int:
    """By the definition."""
    if not one or not other:
        return len(one) + len(other)
    return min(_slow(one[1:], other) + 1, _slow(one, other[1:]) + 1, _slow(one[1:], other[1:]) + (one[0] != other[0]))


def test_edit_distance_by_its_definition() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        one, other = ("".join(rng.choice(list("abc"), rng.integers(0, 6))) for _ in range(2))
        assert edit_distance(one, other) == _slow(one, other) == edit_distance(list(other), list(one))


def test_error_rate_counts_over_all_and_may_exceed_one() -> None:
    assert error_rate(["ab", ""], ["ab", "cd"]) == 0.5
    assert error_rate(["abcd"], ["x"]) == 4
    assert error_rate([""], [""]) == 0
    assert error_rate(["a"], [""]) == 1


def test_a_label_that_is_answered_but_never_right_lowers_macro_f1() -> None:
    assert f1_scores([["a", "b"]], [["a"]], ["a", "b", "c"]) == pytest.approx((2 / 3, 1 / 2))


def test_spans_without_any() -> None:
    assert span_scores([[]], [[]]) == (1, 1, 1)
    assert span_scores([[]], [[["a", 0, 1]]]) == (0, 1, 0)
    assert span_scores([[["a", 0, 1]]], [[]]) == (0, 0, 1)
