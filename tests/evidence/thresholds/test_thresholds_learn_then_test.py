"""Choices that are certified keep their risks, all at once, in 95 of 100 draws."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.thresholds import binomial_p_value, hoeffding_bentkus_p_value, learn_then_test

RUNS = 600
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)
RISKS = 0.05 * np.linspace(0.2, 2.0, 10)
TOO_BOLD = RISKS >= 0.05 - 1e-12


def missed(draw: Any, **more: Any) -> float:
    """Share of draws in which a choice is certified whose risk is not below the target."""
    random, misses = np.random.default_rng(0), 0
    for _ in range(RUNS):
        certified = list(learn_then_test(draw(random), 0.05, **more).certified)
        misses += bool(TOO_BOLD[certified].any())
    return misses / RUNS


def right_or_wrong(random: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(random.random(300) < RISKS[:, None])


def graded(random: np.random.Generator) -> NDArray[np.float64]:
    return np.asarray((random.random(300) < 2 * RISKS[:, None]) * random.random(300))


def clustered(random: np.random.Generator) -> NDArray[np.bool_]:
    return np.asarray(np.repeat(random.random(100), 5) < RISKS[:, None])


@pytest.mark.parametrize("orders", [None, [range(10)], [range(5, 10), range(10)]])
@pytest.mark.parametrize(("draw", "more"), [
    (right_or_wrong, {}), (graded, {}), (graded, {"p_value": "hoeffding_bentkus"}),
    (clustered, {"clusters": np.repeat(np.arange(100), 5)}),
    (clustered, {"clusters": np.repeat(np.arange(100), 5), "p_value": "effective_binomial"}),
])
def test_no_choice_above_its_target_is_certified_more_often_than_it_says(draw: Any, more: Any, orders: Any) -> None:
    assert missed(draw, orders=orders, **more) <= 0.05 + THREE_ERRORS


def test_rows_of_clusters_taken_as_independent_would_miss() -> None:
    assert missed(clustered, orders=[range(10)]) > 0.1


@pytest.mark.parametrize("method", ["betting", "hoeffding_bentkus"])
def test_clusters_of_random_size_hold_where_the_largest_is_stated_and_may_miss_where_not(method: Any) -> None:
    """Clusters of 1 row and right, or of 10 and wrong: a draw of 50 has a bad one in 92 of 100 cases only."""
    random, runs, target = np.random.default_rng(6), 400, 0.05 * 10 / (0.95 + 0.05 * 10) - 1e-9
    misses = dict.fromkeys((None, 10), 0)
    for _ in range(runs):
        is_bad = random.random(50) < 0.05
        labels = np.repeat(np.arange(50), np.where(is_bad, 10, 1))
        for largest in misses:
            misses[largest] += learn_then_test(is_bad[labels][None], target, orders=[[0]], clusters=labels,
                                               largest=largest, p_value=method).decided
    assert misses[10] / runs <= 0.05 < 0.07 < misses[None] / runs


def test_a_fixed_sequence_stops_at_its_first_failure() -> None:
    losses = np.zeros((4, 100))
    losses[1] = 1
    assert learn_then_test(losses, 0.1, orders=[[0, 1, 2, 3]]).certified == (0,)
    assert learn_then_test(losses, 0.1, orders=[[0, 1, 2], [3]]).certified == (0, 3)
    assert learn_then_test(losses, 0.1, orders=[[1, 0, 2, 3]]).certified == ()
    assert learn_then_test(losses, 0.1).certified == (0, 2, 3)


def test_every_starting_point_and_every_choice_pays_its_share_of_the_error() -> None:
    losses = np.zeros((4, 59))  # p = 0.0485: enough for 0.05 and not for half of it
    assert learn_then_test(losses, 0.05, orders=[range(4)]).certified == (0, 1, 2, 3)
    assert learn_then_test(losses, 0.05, orders=[range(2), range(2, 4)]).certified == ()
    assert learn_then_test(losses, 0.05).certified == ()


def test_several_risks_must_all_be_kept() -> None:
    losses = np.zeros((3, 200, 2))
    losses[1, :100, 0] = 1
    losses[2, :100, 1] = 1
    found = learn_then_test(losses, [0.1, 0.2])
    assert found.certified == (0,)
    assert found.p_values[0] == pytest.approx(float(binomial_p_value(0, 200, 0.1)))  # the larger of the two
    assert found.risks.tolist() == [[0, 0], [0.5, 0], [0, 0.5]]


def test_the_best_is_the_certified_one_with_the_largest_objective() -> None:
    losses = np.zeros((3, 200))
    losses[2] = 1
    assert learn_then_test(losses, 0.1, objective=[0.9, 0.5, 1.0]).best == 0
    assert learn_then_test(losses, 0.1, orders=[[0, 1, 2]]).best == 1
    assert learn_then_test(np.ones((3, 200)), 0.1).best is None


def test_equal_clusters_of_one_are_rows() -> None:
    random = np.random.default_rng(1)
    losses = random.random((3, 50)) * 0.2
    for method in ("betting", "hoeffding_bentkus"):
        alone, labelled = (learn_then_test(losses, 0.3, p_value=method, clusters=clusters).p_values  # type: ignore[arg-type]
                           for clusters in (None, np.arange(50)))
        np.testing.assert_allclose(alone, labelled, rtol=1e-9)


def test_clusters_are_tested_by_the_sum_over_their_rows() -> None:
    labels = ["a", "b", "b", "c", "c", "c", "c"] * 20
    losses = np.zeros((1, 140))
    losses[0, :7] = 1
    found = learn_then_test(losses, 0.4, clusters=labels, p_value="hoeffding_bentkus")
    assert found.risks[0, 0] == pytest.approx(7 / 140)
    sizes = np.array([20, 40, 80]) / 80
    mean = float((np.array([1, 2, 4]) / 80 + 0.4 * (1 - sizes)).mean())
    assert found.p_values[0] == pytest.approx(float(hoeffding_bentkus_p_value(mean, 3, 0.4)))


def test_effective_rows_certify_where_bets_do_not_and_nothing_for_few_clusters() -> None:
    losses = np.zeros((1, 400))
    losses[0, ::40] = 1
    labels = np.arange(400) // 20
    assert not learn_then_test(losses, 0.1, clusters=labels).decided
    assert learn_then_test(losses, 0.1, clusters=labels, p_value="effective_binomial").decided
    assert not learn_then_test(losses, 0.1, clusters=labels // 3, p_value="effective_binomial").decided


def test_undecided_says_how_many_rows_would_do_and_they_do() -> None:
    losses = np.zeros((2, 100))
    losses[:, :2] = 1
    found = learn_then_test(losses, 0.05, orders=[[0, 1]])
    assert not found.decided
    assert "about 250 rows" in found.wanting
    assert learn_then_test(np.tile(losses, 3)[:, :250], 0.05, orders=[[0, 1]]).decided


def test_undecided_says_where_more_rows_would_not_help() -> None:
    assert "more would not help" in learn_then_test(np.ones((2, 50)), 0.05).wanting


@pytest.mark.parametrize(("losses", "more", "message"), [
    (np.zeros((0, 5)), {}, "at least one of each"),
    (np.zeros(5), {}, "shape"),
    (np.full((2, 5), 1.5), {}, "from 0 to 1; got 1.5"),
    (np.full((2, 5), -0.1), {}, "from 0 to 1"),
    ([[0.0, math.nan]], {}, "nan"),
    (np.zeros((2, 5)), {"targets": [0.1, 0.1]}, "one number a risk"),
    (np.zeros((2, 5)), {"targets": 1.0}, "a target must lie above 0 and below 1"),
    (np.zeros((2, 5)), {"level": 0.3}, "level"),
    (np.zeros((2, 5)), {"orders": [[0, 2]]}, "got choice 2"),
    (np.zeros((2, 5)), {"orders": [[]]}, "an empty one"),
    (np.zeros((2, 5)), {"clusters": ["a"] * 5}, "all rows are of one cluster"),
    (np.zeros((2, 5)), {"clusters": ["a", "b"]}, "one cluster; got 5 rows"),
    (np.full((2, 5), 0.5), {"p_value": "binomial"}, "lie between 0 and 1"),
    (np.zeros((2, 5)), {"p_value": "binomial", "clusters": list("abcde")}, "come in clusters"),
    (np.zeros((2, 5)), {"p_value": "effective_binomial"}, "have no clusters"),
    (np.full((2, 5), 0.5), {"p_value": "effective_binomial", "clusters": list("abcde")}, "lie between 0 and 1"),
    (np.zeros((2, 5)), {"p_value": "hoeffding"}, "p_value is one of"),
    (np.zeros((2, 5)), {"largest": 3}, "no clusters were named"),
    (np.zeros((2, 6)), {"largest": 1, "clusters": list("aabbcc")}, "a cluster has 2 rows, but largest=1"),
    (np.zeros((2, 6)), {"largest": 2, "clusters": list("aabbcc"), "p_value": "effective_binomial"}, "the exact p"),
    (np.zeros((2, 5)), {"orders": [[0.7, 1]]}, "orders are lists of choices"),
    (np.zeros((2, 5)), {"orders": [0, 1]}, "orders are lists of choices"),
    (np.zeros((2, 5)), {"orders": [["0", 1]]}, "orders are lists of choices"),
    (np.zeros((2, 5)), {"objective": [1.0]}, "one number a choice"),
])
def test_bad_input_is_said(losses: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        learn_then_test(losses, **{"targets": 0.1, **more})
