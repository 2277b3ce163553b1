"""When to accept a claimed identity: false accepts and false rejects over new speakers, not over new pairs of these."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import MINIMUM_CLUSTERS, clustered_mean
from linnet.evidence.rounding import about
from linnet.evidence.settings import check_between, check_labels, check_level, check_rows
from linnet.evidence.thresholds.speaker_pairs import SpeakerPairs, speaker_pairs, speaker_variance

Floats = NDArray[np.float64]

LARGEST_SPREAD = 0.5
"""Undecided where the choice of speakers alone may move the rate by more than this share of it, one standard deviation:
the threshold would have to be far too strict."""
_NUISANCE = 0.2  # of alpha: for the bound of that spread; the rest is for the count of accepted pairs
_NEGLIGIBLE = 1e-9
_HALVINGS = 10


@dataclass(frozen=True)
class FalseAcceptThreshold:
    """Accept scores above `threshold`: falsely at most at `rate` over new pairs of speakers; None where undecided."""

    threshold: float | None
    rate: float
    level: float
    accepted: int
    """Impostor pairs seen above the threshold."""
    pairs: int
    speakers: int
    effective_pairs: float
    """Independent pairs that would say as much about `rate`."""
    spread: float
    """How far the choice of speakers alone may move the rate, as a share of it (a standard deviation, upper bound)."""
    wanting: str
    """What would be needed; empty where a threshold was found."""

    @property
    def decided(self) -> bool:
        """A threshold was certified."""
        return self.threshold is not None


def false_accept_threshold(
    scores: ArrayLike, first: ArrayLike, second: ArrayLike, *, rate: float = 0.001, level: float = 0.95
) -> FalseAcceptThreshold:
    """The lowest threshold that accepts at most a share of `rate` of new pairs of different speakers, sure at `level`.

    One score an impostor pair, and the speakers of its two sides. Speakers are taken for sampled: pairs that share one
    go together, and how much is bounded at looser thresholds and carried to this rate (see `speaker_pairs`). Given
    that bound, the accepted pairs are counted against a negative binomial distribution, which is Poisson's for pairs
    that share nobody. Thresholds are tested from strict to loose until the first failure, which needs no correction.

    Undecided under MINIMUM_CLUSTERS speakers, where the spread may be above LARGEST_SPREAD, and where the pairs are too
    few even if none were accepted.

    Assumes: speakers are independent draws of those to come, as are the pairs among them. Asymptotic in speakers. Pairs
        of one speaker go together, as thresholds rise, no more than a power law from looser thresholds says: true of
        normal scores, and held in simulation for speakers with tails like t with 10 degrees of freedom. Where a rare
        speaker is accepted as almost anyone (t with 5 degrees: missed in 15 of 100 draws of 200 speakers), no sample
        without that speaker can know. The level counts all draws, those that stay undecided among them: where most do,
        the few decided ones are those that look better than they are.
    Source: this construction is Linnet's own; simulated in `bench/evidence_thresholds.py`. It rests on Ledford and
        Tawn, Statistics for near independence in multivariate extreme values, Biometrika 83, 1996; Berger and Boos,
        P values maximized over a confidence set for the nuisance parameter, Journal of the American Statistical
        Association 89, 1994; delete-one-speaker jackknife as in Efron and Tibshirani, An Introduction to the
        Bootstrap, 1993 (chapter 11).
    Not for: attacks, imitations, relatives: other impostors than those that the pairs were made of; genuine pairs
        (`false_reject_rate`); accepts of a closed set of speakers.

    >>> random = np.random.default_rng(0)
    >>> first, second = random.integers(0, 300, 20000), random.integers(1, 300, 20000)
    >>> second = (first + second) % 300
    >>> voices = random.normal(0, 0.2, 300)
    >>> scores = voices[first] + voices[second] + random.normal(0, 1, 20000)
    >>> found = false_accept_threshold(scores, first, second, rate=0.01)
    >>> round(found.threshold, 2), found.accepted, found.speakers
    (2.51, 163, 300)
    """
    check_between("rate", rate)
    if rate >= 0.5:
        raise LinnetError(f"rate is the share of impostors that may be accepted, below one half; got {rate!r}.")
    alpha = 1 - check_level(level)
    values, pairs = speaker_pairs(scores, first, second)
    few = pairs.speakers < MINIMUM_CLUSTERS
    variance = math.inf if few else speaker_variance(values, pairs, rate, 1 - _NUISANCE * alpha)
    rest = (1 - _NUISANCE) * alpha if variance else alpha
    allowed = -1 if variance > LARGEST_SPREAD**2 else _allowed(len(values) * rate, variance, rest)
    threshold = float(np.sort(values)[-1 - allowed]) if allowed >= 0 else None
    return FalseAcceptThreshold(
        threshold, rate, level, int((values > threshold).sum()) if threshold is not None else 0, len(values),
        pairs.speakers, len(values) / (1 + len(values) * rate * variance), math.sqrt(variance),
        "" if allowed >= 0 else _wanting(len(values), pairs.speakers, variance, rate, rest))


def false_reject_rate(
    scores: ArrayLike, speakers: ArrayLike, *, threshold: float, level: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of the share of genuine pairs that are rejected (not above `threshold`), over new speakers.

    One score a genuine pair, and its speaker. Excludes nothing, (0.0, 1.0), under MINIMUM_CLUSTERS speakers.

    Assumes: speakers are independent draws of those to come; asymptotic in speakers (see `intervals.clustered_mean`).
    Source: Korn and Graubard, Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data, Survey Methodology 24, 1998.
    Not for: impostor pairs, which have two speakers each (`false_accept_threshold`); a threshold that was chosen on
        these very scores.

    >>> scores = np.where(np.arange(400) % 20 == 0, 0.1, 0.9)
    >>> low, high = false_reject_rate(scores, np.arange(400) // 10, threshold=0.5)
    >>> round(low, 3), round(high, 3)
    (0.03, 0.077)
    """
    check_level(level)
    values = check_rows("scores", scores)
    (limit,) = check_rows("threshold", [threshold])
    index, _ = check_labels(speakers, len(values))
    return clustered_mean((values <= limit).astype(np.float64), index, level)


def _allowed(expected: float, variance: float, alpha: float) -> int:
    """The most accepted pairs that are too few, at `alpha`, for `expected` ones; -1 where even none is not."""
    chances = _chance_of_at_most(np.arange(math.ceil(expected) + 1), expected, variance)
    return int((chances <= alpha).sum()) - 1


def _chance_of_at_most(counts: NDArray[np.int64], expected: float, variance: float) -> Floats:
    """Negative binomial, with this variance of the rate relative to its square; Poisson's without any."""
    from scipy.special import betainc, gammaincc

    if variance < _NEGLIGIBLE:
        return np.asarray(gammaincc(counts + 1, expected))
    return np.asarray(betainc(1 / variance, counts + 1, 1 / (1 + expected * variance)))


def carried_upper(accepted: int, scores: Floats, pairs: SpeakerPairs, level: float) -> float:
    """Upper bound of the rate of so many accepted pairs, one-sided, counted as `false_accept_threshold` counts them.

    Each rate is held against the count with an upper bound of how far the choice of speakers moves that very rate.
    """
    alpha, n = 1 - level, len(scores)
    low, high = max(accepted, 1) / n, 1.0
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        variance = speaker_variance(scores, pairs, middle, 1 - _NUISANCE * alpha)
        chance = _chance_of_at_most(np.array([accepted]), n * middle, variance)[0]
        low, high = (middle, high) if chance > (1 - _NUISANCE) * alpha else (low, middle)
    return high


def _wanting(pairs: int, speakers: int, variance: float, rate: float, alpha: float) -> str:
    if speakers < MINIMUM_CLUSTERS:
        return f"{speakers} speakers say nothing about new ones; at least {MINIMUM_CLUSTERS} are needed."
    if variance > LARGEST_SPREAD**2 and pairs * rate > -math.log(alpha):
        needed = math.ceil(speakers * variance / LARGEST_SPREAD**2)
        return (f"which {speakers} speakers were drawn may move a rate of {rate:g} by {math.sqrt(variance):.0%} of it; "
                f"about {about(needed)} speakers would be needed, or a rate that is less strict.")
    known = variance if _NEGLIGIBLE < variance <= LARGEST_SPREAD**2 else 0.0
    needed = math.ceil((alpha**-known - 1) / known / rate if known else -math.log(alpha) / rate)
    return (f"{pairs:,} pairs of {speakers:,} speakers are too few for a rate of {rate:g}, even with none accepted; "
            f"at least about {about(needed)} pairs would be needed.")
