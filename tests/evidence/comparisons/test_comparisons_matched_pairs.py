"""The matched-pairs test by hand, its errors under no difference, and the segments it is made of."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.comparisons import matched_pairs, segments


def recognised(rng: np.random.Generator, units: int, *, speakers: int | None = None) -> tuple[np.ndarray, ...]:
    """Two systems of one error rate that stumble over the same sentences, or speakers."""
    groups = units if speakers is None else speakers
    owner = np.arange(units) if speakers is None else rng.integers(0, speakers, units)
    hard, taste = rng.gamma(0.5, 0.2, groups)[owner], rng.beta(4, 4, groups)[owner]
    words = rng.integers(3, 25, units)
    return rng.poisson(words * 2 * hard * taste), rng.poisson(words * 2 * hard * (1 - taste)), words, owner


def by_hand(after: list[int], before: list[int]) -> tuple[float, float]:
    """z and p as in the paper: over segments with an error, the mean difference in standard errors."""
    apart = [a - b for a, b in zip(after, before, strict=True) if a or b]
    mean = sum(apart) / len(apart)
    variance = sum((one - mean) ** 2 for one in apart) / (len(apart) - 1)
    z = mean / math.sqrt(variance / len(apart))
    return z, math.erfc(abs(z) / math.sqrt(2))


def test_z_is_that_of_gillick_and_cox() -> None:
    rng = np.random.default_rng(0)
    after, before, words, _ = recognised(rng, 200)
    found = matched_pairs(after, before, words)
    assert (found.z, found.p_value) == pytest.approx(by_hand(after.tolist(), before.tolist()))
    assert found.rate_after == pytest.approx(after.sum() / words.sum())
    assert found.difference == pytest.approx((after.sum() - before.sum()) / words.sum())
    assert (found.units, found.words) == (200, words.sum())


def test_sentences_of_one_length_are_a_paired_t_interval() -> None:
    rng = np.random.default_rng(1)
    after, before = rng.poisson(2, (2, 60))
    expected = stats.ttest_1samp((after - before) / 10, 0).confidence_interval(0.9)
    found = matched_pairs(after, before, np.full(60, 10), level=0.9)
    assert found.interval == pytest.approx((expected.low, expected.high))


def test_speakers_are_summed_up() -> None:
    rng = np.random.default_rng(2)
    after, before, words, owner = recognised(rng, 300, speakers=40)
    sums = [np.bincount(owner, column, 40) for column in (after, before, words)]
    together = matched_pairs(after, before, words, clusters=owner)
    known = np.bincount(owner, minlength=40) > 0
    assert together == matched_pairs(*(column[known] for column in sums), clusters=np.arange(known.sum()))
    assert together.units == known.sum()


def test_it_errs_as_often_as_it_says() -> None:
    """200 runs: at most 0.05 + 0.046 of the tests err and intervals miss; speakers ignored, far more do."""
    rng, runs, limit = np.random.default_rng(3), 200, 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)
    alone = [matched_pairs(*recognised(rng, 120)[:3]) for _ in range(runs)]
    assert np.mean([one.p_value <= 0.05 for one in alone]) <= limit
    assert np.mean([one.sign_flip_p_value <= 0.05 for one in alone]) <= limit
    assert np.mean([not one.interval[0] <= 0 <= one.interval[1] for one in alone]) <= limit
    drawn = [recognised(rng, 300, speakers=30) for _ in range(runs)]
    together = [matched_pairs(*one[:3], clusters=one[3]) for one in drawn]
    assert np.mean([one.sign_flip_p_value <= 0.05 for one in together]) <= limit
    assert np.mean([not one.interval[0] <= 0 <= one.interval[1] for one in together]) <= limit
    assert np.mean([matched_pairs(*one[:3]).p_value <= 0.05 for one in drawn]) > 0.2


def test_too_little_that_differs_says_nothing() -> None:
    after, before = np.zeros(500), np.zeros(500)
    after[:19] = 1
    found = matched_pairs(after, before, np.full(500, 8))
    assert (found.z, found.p_value, found.interval) == (None, 1.0, (-math.inf, math.inf))
    assert found.sign_flip_p_value == pytest.approx(2 * 0.5**19)
    after[19] = 1
    assert matched_pairs(after, before, np.full(500, 8)).interval[0] > 0


def test_segments_end_where_both_are_right_twice() -> None:
    after = [0, 1, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    before = [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    found = segments(after, before, utterances=["a"] * 10 + ["b"] * 2 + ["c"] * 2)
    assert found.starts.tolist() == [0, 9, 10, 12]
    assert found.after.tolist() == [4, 0, 0, 1]
    assert found.before.tolist() == [1, 1, 0, 0]
    assert found.words.tolist() == [9, 1, 2, 2]
    assert segments(after, before, utterances=["a"] * 14, correct=1).starts.tolist() == [0, 3, 6, 9, 12]


def test_segments_lose_no_word_and_no_error() -> None:
    rng = np.random.default_rng(4)
    after, before = rng.binomial(2, 0.05, (2, 3000))
    utterances = np.sort(rng.integers(0, 200, 3000))
    found = segments(after, before, utterances=utterances)
    assert found.after.sum() == after.sum()
    assert found.before.sum() == before.sum()
    assert found.words.sum() == 3000
    assert (np.diff(found.starts) > 0).all()


@pytest.mark.parametrize(("after", "before", "words", "message"), [
    ([1, 2], [1, 2], [3], "2, 2, 1 of them"), ([1.5], [1], [3], "holds 1.5, which is no count"),
    ([1], [-1], [3], "holds -1, which is no count"), ([], [], [], "'after' has shape"), ([1], [1], [0], "no words"),
    ([math.nan], [1], [3], "'after' holds nan"),
])
def test_what_does_not_fit_is_refused(after, before, words, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        matched_pairs(after, before, words)


def test_other_bad_input_is_refused() -> None:
    with pytest.raises(LinnetError, match="every row needs one cluster"):
        matched_pairs([1, 1], [1, 2], [3, 3], clusters=["a"])
    with pytest.raises(LinnetError, match="after has 2 words and before 1"):
        segments([1, 0], [1], utterances=["a", "a"])
    with pytest.raises(LinnetError, match="every row needs one cluster"):
        segments([1, 0], [1, 0], utterances=["a"])
