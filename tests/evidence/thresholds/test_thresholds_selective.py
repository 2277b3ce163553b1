"""Answers from a certified threshold on are wrong at most as often as stated, in 95 of 100 draws."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr

from linnet.errors import LinnetError
from linnet.evidence.thresholds import selective
from linnet.evidence.thresholds.cluster_answers import (
    Counts,
    approximate_p_value,
    counted,
    exact_p_value,
    least_likeness,
    likeness,
    unit_of,
)

ERROR = 0.05
RUNS = 400
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)
Floats = NDArray[np.float64]


def draw(random: np.random.Generator, clusters: int, rows: int, correlation: float) -> tuple[Floats, Floats]:
    """Of the answers with confidence from t on, a tenth of (1 - t) squared is wrong: 0.293 is the lowest for 5 %."""
    confidence = random.random(clusters * rows)
    shared = random.normal(size=(clusters, 1)) * math.sqrt(correlation)
    drawn = ndtr(shared + random.normal(size=(clusters, rows)) * math.sqrt(1 - correlation)).ravel()
    return confidence, (drawn >= 0.3 * (1 - confidence) ** 2).astype(np.float64)


def missed(count: int, rows: int, correlation: float, **more: Any) -> tuple[float, float]:
    """Share of draws with too low a threshold, and of draws with any."""
    random = np.random.default_rng(0)
    found = [selective(*draw(random, count, rows, correlation), error=ERROR, **more).threshold for _ in range(RUNS)]
    decided = np.array([threshold for threshold in found if threshold is not None])
    return float((0.1 * (1 - decided) ** 2 > ERROR).sum()) / RUNS, len(decided) / RUNS


def test_independent_rows_are_answered_wrongly_no_more_often_than_stated() -> None:
    misses, decided = missed(1000, 1, 0.0)
    assert misses <= 0.05 + THREE_ERRORS
    assert decided > 0.95


def test_so_are_rows_of_clusters_and_would_not_be_as_independent_ones() -> None:
    labels = np.repeat(np.arange(30), 50)
    misses, decided = missed(30, 50, 0.5, clusters=labels)
    assert misses <= 0.05 + THREE_ERRORS
    assert decided > 0.8
    assert missed(30, 50, 0.5)[0] > 0.15


@pytest.mark.slow
def test_exact_clusters_hold_and_decide_where_there_are_many() -> None:
    misses, decided = missed(800, 3, 0.5, clusters=np.repeat(np.arange(800), 3), exact=True)
    assert misses <= 0.05 + THREE_ERRORS
    assert decided > 0.8


@pytest.mark.parametrize("largest", [None, 10])
def test_exact_holds_for_clusters_of_random_size_where_the_largest_is_stated(largest: int | None) -> None:
    """Clusters of 1 row and right, or of 10 and wrong: 5 in 100. Without `largest`, sizes are taken as they are."""
    random, runs, misses = np.random.default_rng(5), 400, 0
    for _ in range(runs):
        is_bad = random.random(50) < 0.05
        labels = np.repeat(np.arange(50), np.where(is_bad, 10, 1))
        right = 1.0 - is_bad[labels]
        found = selective(np.ones(len(labels)), right, error=0.05 * 10 / (0.95 + 0.05 * 10) - 1e-9, clusters=labels,
                          thresholds=[0.5], exact=True, largest=largest)
        misses += found.decided
    assert (misses / runs <= 0.05) == (largest is not None)


def test_a_largest_size_that_is_none_is_refused() -> None:
    labels = np.arange(400) // 2
    cases: list[tuple[dict[str, Any], str]] = [
        ({"largest": 1, "exact": True, "clusters": labels}, "a cluster has 2 rows, but largest=1"),
        ({"largest": 2, "clusters": labels}, "belongs to exact=True and clusters"),
        ({"largest": 2, "exact": True}, "belongs to exact=True and clusters"),
        ({"largest": 2.5, "exact": True, "clusters": labels}, "largest is a whole number"),
    ]
    for more, message in cases:
        with pytest.raises(LinnetError, match=message):
            selective(np.ones(400), np.ones(400), error=0.1, **more)


def test_thresholds_stated_beforehand_hold_where_the_most_confident_are_often_wrong() -> None:
    random, runs, misses = np.random.default_rng(1), 400, 0
    for _ in range(runs):
        confidence = random.random(2000)
        chance = 0.3 * (1 - confidence) ** 2 + 0.5 * (confidence > 0.98)
        right = (random.random(2000) >= chance).astype(float)
        found = selective(confidence, right, error=ERROR, thresholds=[0.7, 0.5, 0.4, 0.3, 0.22, 0.2, 0.1]).threshold
        misses += found is not None and 0.1 * (1 - found) ** 3 + 0.01 > ERROR * (1 - found)
    assert misses / runs <= 0.05 + THREE_ERRORS


def test_the_threshold_is_the_last_before_the_first_failure_of_an_exact_test() -> None:
    confidence, right = draw(np.random.default_rng(2), 1000, 1, 0.0)
    found = selective(confidence, right, error=ERROR)
    order = np.argsort(-confidence)
    p_values = [stats.binomtest(int((1 - right[order][:n]).sum()), n, ERROR, alternative="less").pvalue
                for n in range(237, 1001)]  # 5 wrong of 210 and 6 of 237 pass: the first with half the errors allowed
    first_failure = int(np.argmax(np.array(p_values) > 0.05))
    assert found.threshold == confidence[order][237 + first_failure - 2]
    assert found.answered == int((confidence >= found.threshold).sum()) == round(found.coverage * 1000)
    assert found.wrong == int((1 - right)[confidence >= found.threshold].sum())
    low, high = found.coverage_interval
    assert low < found.coverage < high


def test_rows_of_equal_confidence_are_answered_together() -> None:
    confidence = np.repeat([0.9, 0.5], 500)
    right = np.ones(1000)
    right[500:] = 0
    found = selective(confidence, right, error=0.1)
    assert (found.threshold, found.answered) == (0.9, 500)


def test_undecided_says_what_would_be_needed() -> None:
    few = selective(np.linspace(0, 1, 50), np.ones(50), error=0.01)
    assert (few.threshold, few.decided, few.coverage, few.coverage_interval) == (None, False, 0.0, (0.0, 1.0))
    assert "about 300 independent rows" in few.wanting
    assert selective(np.linspace(0, 1, 300), np.ones(300), error=0.01, thresholds=[0.0]).decided
    assert "confidence does not tell" in selective(np.linspace(0, 1, 500), np.zeros(500), error=0.1).wanting
    labels = np.arange(1000) % 5
    assert "5 clusters say nothing" in selective(np.linspace(0, 1, 1000), np.ones(1000), error=0.1,
                                                 clusters=labels).wanting


def test_counts_by_cluster_are_those_of_counting_one_by_one() -> None:
    random = np.random.default_rng(3)
    wrong, index, answered = random.integers(0, 2, 900) * 1.0, random.integers(0, 7, 900), np.arange(3, 901, 2)
    blocks = list(counted(wrong, index, answered, 7))
    got = Counts(*(np.concatenate(side) for side in zip(*blocks, strict=True)))
    assert len(blocks) > 2
    for row in (0, 127, 128, 300, len(answered) - 1):
        rows = slice(0, int(answered[row]))
        assert got.answered[row].tolist() == np.bincount(index[rows], minlength=7).tolist()
        assert got.wrong[row].tolist() == np.bincount(index[rows], wrong[rows], minlength=7).tolist()


def test_likeness_is_that_of_all_couples_within_clusters() -> None:
    random = np.random.default_rng(4)
    index = random.integers(0, 6, 60)
    wrong = (random.random(60) < np.array([0.1, 0.9, 0.5, 0.1, 0.9, 0.5])[index]).astype(float)
    counts = Counts(np.bincount(index, wrong)[None], np.bincount(index)[None].astype(float))
    apart = wrong - wrong.mean()
    same = (index[:, None] == index) & ~np.eye(60, dtype=bool)
    expected = float(np.outer(apart, apart)[same].mean() / apart.var())
    assert float(likeness(counts)[0]) == pytest.approx(expected)
    assert float(likeness(Counts(np.zeros((1, 3)), np.full((1, 3), 4.0)))[0]) == 0.0


def test_alike_rows_are_worth_one_a_cluster() -> None:
    answered = np.full((1, 40), 25.0)
    wrong = np.where(np.arange(40) < 2, 25.0, 0.0)[None]
    alike = float(approximate_p_value(Counts(wrong, answered), 0.0, 0.2, 0.05)[0])
    ratio = float((stats.norm.ppf(0.95) / stats.t.ppf(0.95, 39)) ** 2)
    assert alike == pytest.approx(stats.beta.sf(0.2, 2 * ratio + 1, 38 * ratio), rel=0.02)
    exact = float(exact_p_value(Counts(wrong, answered), unit_of(np.full(40, 25.0), None, None), 0.2, 0.05)[0])
    assert 0.05 < exact <= 1.0


def test_where_too_few_are_wrong_to_see_how_alike_they_are_a_cluster_counts_as_one_row() -> None:
    confidence, labels = np.linspace(0, 1, 3000), np.arange(3000) % 100
    assert not selective(confidence, np.ones(3000), error=0.01, clusters=labels).decided  # 100 clusters, not 3,000 rows
    assert selective(confidence, np.ones(3000), error=0.05, clusters=labels).decided
    many = Counts(np.full((1, 30), 2.0), np.full((1, 30), 50.0))
    assert least_likeness(many) == float(likeness(many)[0]) < 0.1
    assert least_likeness(Counts(many.wrong * 0, many.answered)) == 1.0


def test_a_threshold_that_no_row_reaches_is_said() -> None:
    confidence = np.linspace(0, 1, 100)
    for more in ({}, {"clusters": np.arange(100) % 20}):
        found = selective(confidence, np.ones(100), error=0.1, thresholds=[2.0], **more)  # type: ignore[arg-type]
        assert (found.threshold, found.wanting) == (
            None, "no row has a confidence as high as the strictest threshold.")


@pytest.mark.parametrize(("confidence", "right", "more", "message"), [
    ([0.5, math.nan], [1, 0], {}, "nan"),
    ([0.5, 0.6], [1, 0.5], {}, "right"),
    ([0.5, 0.6], [1], {}, "2 confidences and 1 answers"),
    ([], [], {}, "at least one number"),
    ([0.5], [1], {}, "only one row"),
    ([0.5, 0.6], [1, 0], {"clusters": ["a", "a"]}, "one cluster"),
    ([0.5, 0.6], [1, 0], {"error": 0.0}, "error must lie above 0"),
    ([0.5, 0.6], [1, 0], {"level": 1.0}, "level"),
    ([0.5, 0.6], [1, 0], {"thresholds": []}, "thresholds"),
])
def test_bad_input_is_said(confidence: Any, right: Any, more: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        selective(confidence, right, **{"error": 0.1, **more})
