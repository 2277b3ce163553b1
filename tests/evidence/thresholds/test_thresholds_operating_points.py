"""A table of operating points: shares as counted, and intervals over new speakers."""

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.thresholds import GenuinePairs, ImpostorPairs, equal_error_rate, operating_points


def impostors(random: np.random.Generator, speakers: int, pairs: int, sigma: float) -> ImpostorPairs:
    effects, first = random.normal(0, sigma, speakers), random.integers(0, speakers, pairs)
    second = (first + random.integers(1, speakers, pairs)) % speakers
    noise = random.normal(0, math.sqrt(1 - 2 * sigma**2), pairs)
    return ImpostorPairs(effects[first] + effects[second] + noise, first, second)


def genuine(random: np.random.Generator, speakers: int) -> GenuinePairs:
    return GenuinePairs(random.normal(3, 1, 10 * speakers), np.repeat(np.arange(speakers), 10))


def test_shares_are_counted_and_lie_within_their_intervals() -> None:
    random = np.random.default_rng(0)
    wrong, own = impostors(random, 60, 4000, 0.4), genuine(random, 60)
    points = operating_points(wrong, own, thresholds=[1.0, 2.0])
    for point, limit in zip(points, (1.0, 2.0), strict=True):
        assert point.threshold == limit
        assert point.false_accepts == float((np.asarray(wrong.scores) > limit).mean())
        assert point.false_rejects == float((np.asarray(own.scores) <= limit).mean())
        assert point.false_accepts_interval[0] < point.false_accepts < point.false_accepts_interval[1]
        assert point.false_rejects_interval[0] < point.false_rejects < point.false_rejects_interval[1]


def test_the_interval_of_false_accepts_covers_over_new_speakers_and_that_of_pairs_does_not() -> None:
    random, runs, rate = np.random.default_rng(1), 150, 0.1
    limit = float(stats.norm.isf(rate))
    own, covered, covered_by_pairs = genuine(random, 10), 0, 0
    for _ in range(runs):
        wrong = impostors(random, 60, 3000, 0.4)
        low, high = operating_points(wrong, own, thresholds=[limit])[0].false_accepts_interval
        covered += low <= rate <= high
        alone = stats.binomtest(int((np.asarray(wrong.scores) > limit).sum()), 3000).proportion_ci(0.95)
        covered_by_pairs += alone.low <= rate <= alone.high
    assert covered / runs >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / runs)
    assert covered_by_pairs / runs < 0.7


@pytest.mark.parametrize(("speakers", "rate", "pairs"), [(40, 0.001, 10_000), (40, 0.01, 4000)])
def test_it_covers_where_few_are_accepted(speakers: int, rate: float, pairs: int) -> None:
    runs, random, limit = 80, np.random.default_rng(1), float(stats.norm.isf(rate))
    own, missed = genuine(random, 10), 0
    for _ in range(runs):
        wrong = impostors(random, speakers, pairs, 0.4)
        low, high = operating_points(wrong, own, thresholds=[limit])[0].false_accepts_interval
        missed += not low <= rate <= high
    assert missed / runs <= 0.05


def test_few_rejected_impostors_are_as_few_accepted_ones() -> None:
    scores, first, second = impostors(np.random.default_rng(6), 40, 10_000, 0.4)
    own, limit = genuine(np.random.default_rng(7), 10), float(np.sort(np.asarray(scores))[-16:-14].mean())
    (accepts,) = operating_points(ImpostorPairs(scores, first, second), own, thresholds=[limit])
    (rejects,) = operating_points(ImpostorPairs(-np.asarray(scores), first, second), own, thresholds=[-limit])
    assert accepts.false_accepts == pytest.approx(0.0015)
    low, high = accepts.false_accepts_interval
    assert rejects.false_accepts_interval == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert high > 0.004  # by these fifteen pairs alone it would be 0.003


def test_few_speakers_exclude_nothing() -> None:
    random = np.random.default_rng(2)
    (point,) = operating_points(impostors(random, 9, 500, 0.1), genuine(random, 9), thresholds=[1.0])
    assert point.false_accepts_interval == point.false_rejects_interval == (0.0, 1.0)


def test_none_accepted_still_has_an_upper_end() -> None:
    random = np.random.default_rng(3)
    (point,) = operating_points(impostors(random, 200, 10_000, 0.1), genuine(random, 20), thresholds=[9.0])
    assert point.false_accepts_interval[0] == 0.0
    assert -math.log(0.025) / 10_000 < point.false_accepts_interval[1] < 0.0005
    (few,) = operating_points(impostors(random, 200, 500, 0.1), genuine(random, 20), thresholds=[9.0])
    assert 0.008 < few.false_accepts_interval[1] < 0.04  # 500 pairs do not show how those of a speaker go together


def test_the_equal_error_rate_of_two_normal_distributions() -> None:
    random = np.random.default_rng(4)
    rate, limit = equal_error_rate(random.normal(0, 1, 100_000), random.normal(3, 1, 100_000))
    assert rate == pytest.approx(float(stats.norm.sf(1.5)), abs=0.002)
    assert limit == pytest.approx(1.5, abs=0.02)
    assert equal_error_rate([0.0, 1.0], [2.0, 3.0])[0] == 0.0


def test_bad_input_is_said() -> None:
    random = np.random.default_rng(5)
    wrong, own = impostors(random, 20, 100, 0.1), genuine(random, 20)
    with pytest.raises(LinnetError, match="thresholds"):
        operating_points(wrong, own, thresholds=[])
    with pytest.raises(LinnetError, match="genuine"):
        operating_points(wrong, GenuinePairs([math.nan], ["a"]), thresholds=[1.0])
    with pytest.raises(LinnetError, match="level"):
        operating_points(wrong, own, thresholds=[1.0], level=0.1)
