"""A certified threshold accepts new pairs of speakers falsely at most at its rate, in 95 of 100 draws."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.intervals import binomial_upper
from linnet.evidence.thresholds import LARGEST_SPREAD, false_accept_threshold, false_reject_rate

RUNS = 150
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)
Floats, Whole = NDArray[np.float64], NDArray[np.int64]


def draw(random: np.random.Generator, speakers: int, pairs: int = 20_000, sigma: float = 0.4) \
        -> tuple[Floats, Whole, Whole]:
    """Scores with variance 1 in all: an effect of each of the two speakers, and the rest."""
    effects, first = random.normal(0, sigma, speakers), random.integers(0, speakers, pairs)
    second = (first + random.integers(1, speakers, pairs)) % speakers
    noise = random.normal(0, math.sqrt(1 - 2 * sigma**2), pairs)
    return effects[first] + effects[second] + noise, first, second


@pytest.mark.parametrize(("speakers", "sigma", "decided"), [(40, 0.4, 0.0), (200, 0.4, 0.8), (40, 0.2, 0.9)])
def test_the_rate_among_new_speakers_is_kept_and_mostly_decided(speakers: int, sigma: float, decided: float) -> None:
    random = np.random.default_rng(0)
    found = [false_accept_threshold(*draw(random, speakers, sigma=sigma)) for _ in range(RUNS)]
    thresholds = np.array([one.threshold for one in found if one.threshold is not None])
    assert float((stats.norm.sf(thresholds) > 0.001).sum()) / RUNS <= 0.05 + THREE_ERRORS
    assert len(thresholds) / RUNS >= decided
    for one in found:
        assert one.decided == (one.spread <= LARGEST_SPREAD) == (not one.wanting)


def test_pairs_taken_as_independent_would_miss() -> None:
    random, missed = np.random.default_rng(0), 0
    allowed = max(k for k in range(21) if binomial_upper(k, 20_000, 0.95) <= 0.001)
    for _ in range(RUNS):
        scores = draw(random, 40)[0]
        missed += float(stats.norm.sf(np.sort(scores)[-1 - allowed])) > 0.001
    assert missed / RUNS > 0.15


def test_pairs_that_share_nobody_are_counted_as_independent_ones() -> None:
    random = np.random.default_rng(1)
    scores, first = random.normal(size=8000), np.arange(0, 16000, 2)
    found = false_accept_threshold(scores, first, first + 1, rate=0.01)
    allowed = max(k for k in range(81) if binomial_upper(k, 8000, 0.95) <= 0.01)
    assert abs(found.accepted - allowed) <= 1  # Poisson's distribution for the binomial one
    assert found.accepted <= allowed
    assert (found.spread, found.effective_pairs, found.pairs, found.speakers) == (0.0, 8000, 8000, 16000)
    assert found.threshold == np.sort(scores)[-1 - found.accepted]


def test_no_more_scores_are_accepted_than_were_counted_where_scores_are_equal() -> None:
    random = np.random.default_rng(2)
    scores, first, second = draw(random, 300, sigma=0.1)
    found = false_accept_threshold(np.round(scores, 1), first, second, rate=0.01)
    assert found.threshold is not None
    assert found.accepted == int((np.round(scores, 1) > found.threshold).sum())
    assert found.accepted <= false_accept_threshold(scores, first, second, rate=0.01).accepted


def test_a_looser_rate_and_a_lower_level_give_a_lower_threshold() -> None:
    pairs = draw(np.random.default_rng(3), 300)
    strict, usual, sure = (false_accept_threshold(*pairs, rate=rate, level=level).threshold
                           for rate, level in ((0.001, 0.95), (0.01, 0.95), (0.01, 0.99)))
    assert strict is not None
    assert usual is not None
    assert sure is not None
    assert usual < sure < strict


def test_a_rate_that_many_pairs_pass_is_certified_as_well() -> None:
    found = false_accept_threshold(*draw(np.random.default_rng(4), 300), rate=0.3)
    assert found.threshold is not None
    assert stats.norm.isf(0.3) < found.threshold < stats.norm.isf(0.2)


def test_undecided_says_what_would_be_needed() -> None:
    few = false_accept_threshold(*draw(np.random.default_rng(5), 9))
    assert (few.threshold, few.effective_pairs, few.accepted) == (None, 0.0, 0)
    assert "9 speakers say nothing" in few.wanting
    alike = false_accept_threshold(*draw(np.random.default_rng(6), 40, sigma=0.6))
    assert not alike.decided
    assert alike.spread > LARGEST_SPREAD
    assert "speakers would be needed" in alike.wanting
    scant = false_accept_threshold(*draw(np.random.default_rng(7), 2000, pairs=2000, sigma=0.1))
    assert (scant.threshold, scant.accepted, scant.pairs) == (None, 0, 2000)
    assert f"2,000 pairs of {scant.speakers:,} speakers are too few for a rate of 0.001" in scant.wanting


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, math.nan, 0.5])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(LinnetError, match="rate"):
        false_accept_threshold([0.1, 0.2], ["a", "b"], ["b", "c"], rate=rate)


def test_bad_pairs_and_levels_are_refused() -> None:
    with pytest.raises(LinnetError, match="itself"):
        false_accept_threshold([0.1, 0.2], ["a", "b"], ["a", "c"])
    with pytest.raises(LinnetError, match="nan"):
        false_accept_threshold([0.1, math.nan], ["a", "b"], ["b", "c"])
    with pytest.raises(LinnetError, match="one speaker"):
        false_accept_threshold([0.1, 0.2], ["a", "a"], ["a", "a"])
    with pytest.raises(LinnetError, match="level"):
        false_accept_threshold([0.1, 0.2], ["a", "b"], ["b", "c"], level=0.2)


def test_false_rejects_are_those_of_whole_speakers() -> None:
    random = np.random.default_rng(8)
    speakers = np.repeat(np.arange(40), 50)
    scores = random.normal(2, 1, 2000) + random.normal(0, 1, 40)[speakers]
    low, high = false_reject_rate(scores, speakers, threshold=0.5)
    alone = false_reject_rate(scores, np.arange(2000), threshold=0.5)
    assert low < alone[0] < float((scores <= 0.5).mean()) < alone[1] < high
    assert false_reject_rate(scores, speakers % 9, threshold=0.5) == (0.0, 1.0)
    with pytest.raises(LinnetError, match="threshold"):
        false_reject_rate(scores, speakers, threshold=math.nan)
    with pytest.raises(LinnetError, match="one cluster"):
        false_reject_rate(scores, speakers[:5], threshold=0.5)
