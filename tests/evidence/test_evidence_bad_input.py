"""Whatever a procedure is given, it answers with a number that holds or with one message: a row a call."""

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import comparisons, intervals, many, sequences
from linnet.evidence.intervals import bootstrap

Call = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]

HALF, ROWS, NAN = np.full(40, 0.5), np.linspace(0, 1, 40), math.nan
TWENTY = [str(row // 2) for row in range(40)]
MISSING, MIXED = [None, *TWENTY[1:]], [7, *TWENTY[1:]]
NO_LABEL = np.append(np.arange(39.0), NAN)
BOTH = (TWENTY, [f"t{label}" for label in TWENTY])
LEVEL, SHAPES, COUNTS, CLUSTER = "level", "do not go together", "are not counts", "every row needs one cluster"
PRIOR, LABELS, WORDS, SEED = "prior is", "labels", "are no numbers", "seed is a whole number"
ESTIMATE = sequences.Estimate(np.ones(3), np.ones(3), np.full(3, 9.0))
ARM = sequences.moments([1.0, 2.0, 4.0])


def update(make: Callable[[], Any], *batches: tuple[Any, ...]) -> None:
    watched = make()
    for batch in batches:
        watched.update(*batch)


SHARES: list[Call] = [
    (intervals.binomial, (9.5, 10), {}, COUNTS),
    (intervals.binomial, ("9", 10), {}, COUNTS),
    (intervals.binomial, (9, None), {}, COUNTS),
    (intervals.binomial, (True, 10), {}, COUNTS),
    (intervals.binomial, (10**300, 10**301), {}, "n is a whole number from 0 to"),
    (intervals.binomial, (1, 10**400), {}, COUNTS),
    (intervals.binomial_lower, (1, math.inf), {}, COUNTS),
    (intervals.binomial_upper, (np.nan, 3), {}, COUNTS),
    (intervals.beta_lower, (11, 10, 0.95), {}, "no part of a whole"),
    (intervals.beta_lower, (NAN, 10, 0.95), {}, "no part of a whole"),
    (intervals.beta_lower, (-1, 10, 0.95), {}, "no part of a whole"),
    (intervals.beta_lower, ("1", 10, 0.95), {}, "no part of a whole"),
    (intervals.wilson, (9.5, 10), {}, "no count"),
    (intervals.wilson, ("9", 10), {}, WORDS),
    (intervals.wilson, ([1, 2], [3, 4, 5]), {"clusters": ["a", "b"]}, SHAPES),
    (intervals.wilson, ([1, 2], [3, 4]), {"clusters": ["a"]}, CLUSTER),
    (intervals.wilson, (1, 2), {"clusters": ["a"]}, "one entry a row"),
    (comparisons.mcnemar, (NAN, 3), {}, COUNTS),
    (comparisons.mcnemar, (1.5, 3), {}, COUNTS),
    (comparisons.mcnemar, ("1", 3), {}, COUNTS),
    (comparisons.paired_difference, (1.5, 0, 5), {}, COUNTS),
    (comparisons.paired_difference, (NAN, 0, 5), {}, COUNTS),
    (comparisons.paired_difference, ("1", 0, 5), {}, COUNTS),
    (comparisons.paired_difference, (1, 0, 10**9), {}, "n is a whole number from 0 to 10,000,000"),
    (comparisons.two_sample_difference, (1, 5, 1, 5.5), {}, COUNTS),
    (comparisons.two_sample_difference, (1, "5", 1, 5), {}, COUNTS),
    (comparisons.two_sample_difference, (1, 5, NAN, 5), {}, COUNTS),
    (comparisons.two_sample_difference, (1, 10**9, 1, 5), {}, "n of control is a whole number"),
    (comparisons.score_lower, (1, 5, 3, 1.6), {}, "no parts of the same samples"),
    (comparisons.score_lower, (0, 0, 0, 1.6), {}, "no parts of the same samples"),
]
ROWS_AND_CLUSTERS: list[Call] = [
    (intervals.betting, (ROWS,), {"clusters": MISSING}, "1 of 40 labels are missing"),
    (intervals.betting, (ROWS,), {"clusters": MIXED}, "labels are of several kinds (numbers, text)"),
    (intervals.betting, (ROWS,), {"clusters": NO_LABEL}, "1 of 40 labels are missing"),
    (intervals.betting, (ROWS,), {"clusters": [{}] * 40}, "labels must be text or numbers"),
    (intervals.betting, (ROWS,), {"clusters": TWENTY[:3]}, CLUSTER),
    (intervals.betting, (ROWS,), {"clusters": TWENTY, "largest": "2"}, "largest must be a number"),
    (intervals.betting, (ROWS,), {"lower": "0"}, "finite limits"),
    (intervals.betting, (["0.5", "0.7"],), {}, WORDS),
    (intervals.betting, ([[0.5], [0.7, 0.1]],), {}, WORDS),
    (intervals.betting, ([0.5, 1 + 1j],), {}, WORDS),
    (intervals.empirical_bernstein, (ROWS,), {"clusters": MISSING}, "labels are missing"),
    (intervals.clustered_mean, (ROWS, [*TWENTY[:39], NAN]), {}, "labels are missing"),
    (intervals.cluster_spread, ([0.5, "a"], ["a", "b"]), {}, WORDS),
    (intervals.t_adjusted, (intervals.ClusterSpread(0.5, 40, 20, 30.0), 5), {}, LEVEL),
    (intervals.quantile_upper, (["1", "2"], 0.5), {}, WORDS),
    (intervals.quantile_upper, (3.0, 0.5), {"clusters": ["a", "b"]}, "a quantile needs values"),
    (intervals.quantile_lower, (ROWS, 0.5), {"clusters": NO_LABEL}, "labels are missing"),
    (intervals.quantile_lower, (ROWS, "0.5"), {}, "quantile must lie"),
    (bootstrap.bca, (ROWS,), {"resamples": 2000.5}, "resamples is a whole number"),
    (bootstrap.studentised, (ROWS,), {"resamples": "2000"}, "resamples is a whole number"),
    (bootstrap.bca, (ROWS,), {"seed": -1}, SEED),
    (bootstrap.studentised, (ROWS,), {"seed": None}, SEED),
    (comparisons.clustered_difference, (HALF, TWENTY), {}, "expected -1, 0 or 1"),
    (comparisons.clustered_difference, ([1, 0, 0], ["a", "b"]), {}, CLUSTER),
    (comparisons.paired_mean_difference, (ROWS,), {"clusters": MIXED}, "several kinds"),
    (comparisons.two_sample_mean_difference, (ROWS, ROWS), {"clusters": (*BOTH, TWENTY)}, "labels of both sides"),
    (comparisons.two_sample_mean_difference, (ROWS, ROWS), {"clusters": 3}, "labels of both sides"),
    (comparisons.two_sample_mean_difference, (ROWS, ROWS), {"seed": -1}, SEED),
    (comparisons.welch_difference, (ROWS, ROWS), {"clusters": (TWENTY,)}, "labels of both sides"),
    (comparisons.welch_difference, (ROWS, ROWS), {"clusters": (TWENTY, MISSING)}, "labels are missing"),
    (comparisons.permutation, (ROWS, ROWS), {"clusters": (*BOTH, TWENTY)}, "labels of both sides"),
    (comparisons.permutation, (ROWS, ROWS), {"clusters": (TWENTY, TWENTY)}, "is on both sides"),
    (comparisons.permutation, (ROWS, ROWS), {"draws": 0}, "draws is a whole number"),
    (comparisons.permutation, (ROWS, ROWS), {"seed": 0.5}, SEED),
    (comparisons.sign_flip, (ROWS, HALF), {"draws": -5}, "draws is a whole number from 1"),
    (comparisons.sign_flip, (ROWS, HALF), {"draws": 10.5}, "draws is a whole number from 1"),
    (comparisons.sign_flip, (ROWS, HALF), {"seed": -1}, SEED),
    (comparisons.sign_flip, (ROWS, HALF), {"clusters": MISSING}, "labels are missing"),
    (comparisons.matched_pairs, ([1, 2], [1, 2], [3, "4"]), {}, WORDS),
    (comparisons.matched_pairs, ([1e17], [1], [3]), {}, "no count"),
    (comparisons.segments, ([1, 0], [0, 1]), {"utterances": ["a", None]}, "labels are missing"),
    (comparisons.equivalent, (None,), {"margin": 0.1}, "an interval is (low, high)"),
    (comparisons.equivalent, (("a", 1),), {"margin": 0.1}, WORDS),
]
LOOKS: list[Call] = [
    (sequences.lift_prior, (1e-8,), {}, "minimum_lift is"),
    (sequences.lift_prior, (1e17,), {}, "minimum_lift is"),
    (sequences.lift_prior, ("0.2",), {}, WORDS),
    (sequences.difference_prior, ("0.1", 0.5), {}, "minimum_effect must be"),
    (sequences.lift, ([1, 2], [1, 2, 3]), {}, SHAPES),
    (sequences.lift, ([1, 2], 3), {"prior": sequences.lift_prior([0.1, 0.2, 0.3])}, SHAPES),
    (sequences.lift, (1, 2), {"prior": 0.2}, PRIOR),
    (sequences.lift, (1, 2), {"prior": sequences.difference_prior(0.1, 0.5)}, PRIOR),
    (sequences.Lift, (), {"prior": 0.2}, PRIOR),
    (update, (sequences.Lift, ([1, 2], [1, 2]), ([1, 2, 3], [1, 2, 3])), {}, SHAPES),
    (sequences.difference, ([1, 2], 9, [1, 2, 3], 9), {}, SHAPES),
    (sequences.difference, (1, [8, 9], 2, [7, 8, 9]), {}, SHAPES),
    (sequences.difference, (1, 9, 2, 9), {"prior": 0.2}, PRIOR),
    (sequences.Difference, (), {"prior": (0.1, 0.2)}, PRIOR),
    (sequences.proportion, ([1, 2], [7, 8, 9]), {}, SHAPES),
    (sequences.proportion, (1, 9), {"prior": (0.5,)}, PRIOR),
    (sequences.proportion, (1, 9), {"prior": None}, PRIOR),
    (sequences.proportion, (1, 9), {"null": "0.5"}, "null must lie"),
    (sequences.Proportion, (), {"prior": (0.5, 0.5, 0.5)}, PRIOR),
    (update, (sequences.Proportion, ([1, 2], 9), ([1, 2, 3], 9)), {}, SHAPES),
    (sequences.proportion, (1e300, 1e301), {}, "no count"),
    (sequences.bounded_mean, ([],), {}, "x is empty"),
    (sequences.bounded_mean, (np.zeros((3, 0)),), {}, "x is empty"),
    (sequences.bounded_mean, (np.zeros((0, 3)),), {}, "x is empty"),
    (sequences.bounded_mean, (["a"],), {}, WORDS),
    (sequences.bounded_mean, ([0.5],), {"points": 20.5}, "candidate means"),
    (sequences.bounded_mean, ([0.5],), {"method": None}, "unknown method"),
    (sequences.asymptotic, ([1, 2], [1, 2, 3], 9), {"best_at": 5}, SHAPES),
    (sequences.asymptotic, (1, 1, 9), {"best_at": 5, "worth": [[1, 2], [3, 4]], "minimum": NAN}, "minimum is"),
    (sequences.asymptotic, ([1, 2], 1, 9), {"best_at": 5, "worth": [1, 2, 3]}, SHAPES),
    (sequences.asymptotic, (1, 1, 9), {"best_at": 5, "minimum": -1}, "minimum is"),
    (sequences.asymptotic, (1, 1, 9), {"best_at": 5, "minimum": "9"}, "minimum is"),
    (sequences.AsymptoticMean, (), {"best_at": 5, "minimum": NAN}, "minimum is"),
    (sequences.relative, (ESTIMATE, sequences.Estimate(1.0, 1.0, [1, 2])), {"best_at": 5}, SHAPES),
    (sequences.adjusted, (ARM, sequences.Moments(*np.ones((6, 2, 3)))), {}, "has no variance"),
    (sequences.adjusted, (sequences.Moments(*np.full((6, 2), 9)), sequences.Moments(*np.full((6, 3), 9))), {}, SHAPES),
    (sequences.units_worth, ([1, 2], [1, 2, 3], 1, 1, 1), {}, SHAPES),
    (sequences.ratio_moments, (5, ["a"] * 4, np.eye(4)), {}, WORDS),
    (sequences.sample_ratio, (["1", "2"], [0.5, 0.5]), {}, WORDS),
    (update, (lambda: sequences.SampleRatio([0.5, 0.5]), (np.ones((2, 2)),), (np.ones((3, 2)),)), {}, SHAPES),
    (sequences.running, (sequences.proportion([1, 2], 9),), {"axis": 3}, "axis=3"),
    (comparisons.sequential_mcnemar, ([1, 2], [1, 2, 3]), {}, SHAPES),
    (comparisons.SequentialMcNemar, (), {"prior": 3}, PRIOR),
    (update, (comparisons.SequentialMcNemar, ([1, 2], 1), ([1, 2, 3], 1)), {}, SHAPES),
    (comparisons.sequential_pairs, ([],), {"question": "better"}, "differences are empty"),
    (comparisons.sequential_pairs, ([0.1],), {"question": None}, "unknown question"),
    (update, (lambda: comparisons.SequentialPairs("better"), ([],)), {}, "differences are empty"),
]
MANY: list[Call] = [
    (many.bonferroni, (0.95, 2.5), {}, "questions is a whole number from 1"),
    (many.bonferroni, (0.95, "2"), {}, "questions is a whole number from 1"),
    (many.false_coverage, (0.95, 5, 1.5), {}, "selected is a whole number from 1"),
    (many.holm, (["0.1", "0.2"],), {}, WORDS),
    (many.benjamini_yekutieli, (0.5,), {}, "one a question"),
    (many.e_bh, (["1", "2"],), {}, WORDS),
    (many.e_bh, ("abc",), {}, WORDS),
    (many.halves, (3,), {}, CLUSTER),
    (many.halves, (["a", None, "b"],), {}, "labels are missing"),
    (many.halves, (["a", "b"],), {"seed": -1}, SEED),
    (many.averaged_difference, (np.ones((2, 60)), np.zeros((2, 60))), {"level": 5}, LEVEL),
    (many.averaged_difference, (np.ones((2, 60)), np.zeros((2, 61))), {}, "60 and 61 samples"),
    (many.averaged_difference, (np.ones(60), np.zeros(60)), {}, "expected (seeds, samples)"),
    (many.averaged_difference, (np.full((2, 60), 0.5), np.zeros((2, 60))), {}, "1 (right) and 0 (wrong)"),
    (many.averaged_difference, (None, np.zeros((2, 60))), {}, "'after' holds"),
    (many.confirmed_slices, (np.tile([1.0, 0.0], 30), {"a": np.arange(60) < 30}), {"clusters": ["a", "b"]}, CLUSTER),
    (many.confirmed_slices, (np.tile([1.0, 0.0], 30), {"a": np.arange(60) < 30}), {"seed": -1}, SEED),
    (many.slices, (np.tile([1.0, 0.0], 30), {"a": np.arange(60) < 30}), {"clusters": [None] * 60}, "are missing"),
    (many.slices, (np.tile([1.0, 0.0], 30), {"a": np.arange(60) < 30}), {"seed": 1.5}, SEED),
    (many.slices, (np.tile([1.0, 0.0], 30), {"a": np.arange(60) < 30}), {"minimum_rows": "9"}, "minimum_rows is"),
    (many.slices, (np.tile([1.0, 0.0], 30), [[True], [True, False]]), {}, "rows of different lengths"),
]
CALLS = [*SHARES, *ROWS_AND_CLUSTERS, *LOOKS, *MANY]


@pytest.mark.parametrize("call", CALLS, ids=[f"{at}-{call[0].__name__}" for at, call in enumerate(CALLS)])
def test_one_message_says_what_was_expected(call: Call) -> None:
    procedure, given, named, message = call
    with pytest.raises(LinnetError, match=re.escape(message)) as raised:
        procedure(*given, **named)
    assert len(str(raised.value)) < 400


def test_numbers_of_numpy_are_numbers() -> None:
    sizes = np.array([4, 5])
    clusters = np.repeat(["a", "b", "c", "d"], 10)
    assert intervals.betting(ROWS, clusters=clusters, largest=np.int64(12)) == (
        intervals.betting(ROWS, clusters=clusters, largest=12))
    assert sequences.asymptotic(1, 0.1, 2000, best_at=np.int64(5)).low == (
        sequences.asymptotic(1, 0.1, 2000, best_at=5).low)
    assert intervals.binomial(sizes.min(), sizes.max(), np.float32(0.5)) == intervals.binomial(4, 5, 0.5)
    assert comparisons.mcnemar(np.uint8(3), 12.0) == comparisons.mcnemar(3, 12)
    assert many.bonferroni(0.95, sizes.max()) == many.bonferroni(0.95, 5)


def test_labels_of_one_kind_may_come_in_any_container() -> None:
    expected = intervals.betting(ROWS, clusters=TWENTY)
    for labels in (tuple(TWENTY), np.array(TWENTY), np.array(TWENTY, dtype=object), [int(label) for label in TWENTY],
                   np.array(TWENTY, dtype=np.float64), list(np.array(TWENTY))):
        assert intervals.betting(ROWS, clusters=labels) == pytest.approx(expected, abs=1e-12)


def test_numbers_near_the_largest_give_the_interval_of_small_ones() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (2, 200))
    low, high = comparisons.welch_difference(first, second)
    assert np.array(comparisons.welch_difference(1e200 * first, 1e200 * second)) == pytest.approx(
        np.array([low, high]) * 1e200, rel=1e-9)
    assert comparisons.permutation(1e200 * first, 1e200 * second, draws=99) == (
        comparisons.permutation(first, second, draws=99))
    assert comparisons.sign_flip(1e-30 * first, 1e-30 * second, draws=99) == (
        comparisons.sign_flip(first, second, draws=99))
    assert comparisons.welch_difference(np.full(60, 1.7e308), -np.full(60, 1.7e308)) == (-math.inf, math.inf)


def test_huge_estimates_make_no_evidence_where_too_little_was_seen_and_endless_evidence_elsewhere() -> None:
    looks = sequences.asymptotic([1e200, 1e200], [1e200, 1e-200], [9, 9000], best_at=5000)
    assert looks.log_e.tolist() == [0, math.inf]


def test_the_sign_flips_of_huge_counts_are_drawn() -> None:
    rng = np.random.default_rng(0)
    before = rng.integers(0, 10**9, 100)
    found = comparisons.matched_pairs(before + rng.integers(0, 10**6, 100), before, np.full(100, 10**9))
    assert found.sign_flip_p_value == 1 / 10_000


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
@pytest.mark.parametrize("least", [1e-4, 1e-3])
def test_the_smallest_lifts_make_no_evidence_of_rounding(share: float, least: float) -> None:
    """Without an effect the e-value is 1 on average, summed over all outcomes."""
    total, hits = 200, np.arange(201.0)
    looks = sequences.lift(total - hits, hits, share=share, prior=sequences.lift_prior(least))
    chances = np.exp(stats.binom.logpmf(hits, total, share) + looks.log_e)
    assert chances.sum() == pytest.approx(1, abs=1e-6)
    assert (looks.low < looks.high).all()
