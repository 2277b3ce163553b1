"""Couples of pairs that share a speaker: the sums over speakers and dyads against counting them one by one."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.thresholds.speaker_pairs import (
    SpeakerPairs,
    _couples,
    _line_weights,
    rate_variance,
    speaker_pairs,
    speaker_variance,
)

Whole = NDArray[np.int64]


def drawn(seed: int, speakers: int, pairs: int) -> tuple[SpeakerPairs, Whole, Whole]:
    random = np.random.default_rng(seed)
    first = random.integers(0, speakers, pairs)
    second = (first + random.integers(1, speakers, pairs)) % speakers
    return speaker_pairs(random.random(pairs), first, second)[1], first, second


def shared(first: Whole, second: Whole, rows: Whole) -> int:
    """Couples of these pairs with a speaker in common."""
    return sum(bool({first[i], second[i]} & {first[j], second[j]}) for i, j in itertools.combinations(rows, 2))


@pytest.mark.parametrize("seed", range(5))
def test_couples_are_those_of_counting_one_by_one_in_all_and_without_each_speaker(seed: int) -> None:
    pairs, first, second = drawn(seed, 6, 40)
    total, without = _couples(pairs, pairs.by_dyad(np.ones(40)))
    everyone = np.arange(40)
    assert total == shared(first, second, everyone)
    assert without.tolist() == [
        shared(first, second, everyone[(first != out) & (second != out)]) for out in range(6)]


def test_the_variance_of_a_rate_is_the_sum_over_couples_that_share_a_speaker() -> None:
    pairs, first, second = drawn(1, 8, 60)
    passes = np.isin(first, [0, 1]) | np.isin(second, [0, 1])
    apart = passes - passes.mean()
    expected = sum(apart[i] * apart[j] for i, j in itertools.product(range(60), repeat=2)
                   if {first[i], second[i]} & {first[j], second[j]}) / 60**2 * 8 / 7
    assert rate_variance(passes, pairs) == pytest.approx(expected)
    assert expected > passes.mean() * (1 - passes.mean()) / 60


def test_the_variance_of_independent_pairs_is_never_undercut() -> None:
    first = np.arange(0, 40, 2)
    _, pairs = speaker_pairs(np.linspace(0, 1, 20), first, first + 1)
    passes = np.arange(20) < 5
    assert rate_variance(passes, pairs) == pytest.approx(0.25 * 0.75 / 20 * 40 / 39)
    assert speaker_variance(np.linspace(0, 1, 20), pairs, 0.01, 0.99) == 0.0


def test_a_pair_counts_alike_whichever_side_a_speaker_is_on() -> None:
    random = np.random.default_rng(2)
    first = random.integers(0, 30, 3000)
    second = (first + random.integers(1, 30, 3000)) % 30
    scores = random.normal(size=30)[first] + random.normal(size=3000)
    turned = random.random(3000) < 0.5
    one, other = (speaker_variance(*speaker_pairs(scores, *sides), 0.01, 0.99) for sides in (
        (first, second), (np.where(turned, second, first), np.where(turned, first, second))))
    assert one == other > 0


def test_the_speakers_part_grows_with_their_spread_and_falls_with_their_number() -> None:
    found = {}
    for speakers, sigma in ((40, 0.1), (40, 0.5), (160, 0.5)):
        random = np.random.default_rng(3)
        first = random.integers(0, speakers, 20000)
        second = (first + random.integers(1, speakers, 20000)) % speakers
        effects = random.normal(0, sigma, speakers)
        scores = effects[first] + effects[second] + random.normal(0, math.sqrt(1 - 2 * sigma**2), 20000)
        found[speakers, sigma] = speaker_variance(*speaker_pairs(scores, first, second), 0.01, 0.99)
    assert found[40, 0.1] < found[160, 0.5] < found[40, 0.5] / 3


def test_the_bound_is_above_the_true_part_of_the_speakers() -> None:
    """Scores with a correlation of 0.16 between pairs that share a speaker: both pass 0.001 in so many couples."""
    both = float(stats.multivariate_normal.cdf([stats.norm.ppf(0.001)] * 2, cov=[[1, 0.16], [0.16, 1]]))
    above, runs, random = 0, 60, np.random.default_rng(4)
    for _ in range(runs):
        effects, first = random.normal(0, 0.4, 200), random.integers(0, 200, 20000)
        second = (first + random.integers(1, 200, 20000)) % 200
        scores = effects[first] + effects[second] + random.normal(0, math.sqrt(0.68), 20000)
        above += speaker_variance(*speaker_pairs(scores, first, second), 0.001, 0.99) >= 4 / 200 * (both / 1e-6 - 1)
    assert above >= 0.9 * runs


def test_the_weights_are_those_of_a_line_of_least_squares() -> None:
    at, values = np.array([0.0, 1.0, 2.5, 4.0]), np.array([1.0, 0.5, 2.0, 3.0])
    assert _line_weights(at, -3.0) @ values == pytest.approx(np.polyval(np.polyfit(at, values, 1), -3.0))
    assert _line_weights(np.array([2.0]), -3.0).tolist() == [1.0]


@pytest.mark.parametrize(("scores", "first", "second", "message"), [
    ([1.0, math.nan], ["a", "b"], ["b", "c"], "nan"),
    ([1.0, 2.0], ["a", "b"], ["b", "b"], "itself is no impostor pair; rows 1 are"),
    ([1.0, 2.0], ["a", "a"], ["a", "a"], "the one speaker a"),
    ([1.0, 2.0], ["a"], ["b", "c"], "1 first and 2 second"),
    ([1.0, 1.0], ["a", "b"], ["b", "c"], "scores that differ"),
    ([], [], [], "at least one number"),
])
def test_bad_input_is_said(scores: Any, first: Any, second: Any, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        speaker_pairs(scores, first, second)
