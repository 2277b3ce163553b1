"""Word error rates of two systems on the same recordings: the matched-pairs test, and by how much they differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.comparisons.permutation import counted_signs
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, cluster_sums
from linnet.evidence.settings import check_amount, check_between, check_counts, check_labels, check_rows

Floats = NDArray[np.float64]

MINIMUM_DIFFERING = 20
"""Under so many units on which the two differ there is no z, and no interval (with clusters: MINIMUM_CLUSTERS)."""


@dataclass(frozen=True)
class MatchedPairs:
    """Two systems on the same segments. Rates are errors a spoken word; differences are after minus before."""

    units: int
    """Segments, or clusters of them."""
    words: int
    rate_after: float
    rate_before: float
    interval: tuple[float, float]
    """Of the difference of the two rates; (-inf, inf) where too little differs to say."""
    z: float | None
    """The statistic of the matched-pairs test; None where too little differs."""
    p_value: float
    """Two-sided, of z; 1 where there is none."""
    sign_flip_p_value: float
    """Two-sided and exact for any number of units: had the two systems changed places on each.

    Where differences are many and large (millions of errors), by random signs, which is as valid."""

    @property
    def difference(self) -> float:
        """The word error rate after minus that before: negative is better."""
        return self.rate_after - self.rate_before


def matched_pairs(
    after: ArrayLike, before: ArrayLike, words: ArrayLike, *, level: float = 0.95, clusters: ArrayLike | None = None
) -> MatchedPairs:
    """The matched-pairs test of two word error rates, and an interval of their difference.

    For each segment the errors of both systems (substitutions, deletions, insertions) and the spoken words. Segments
    are stretches whose errors do not depend on each other: sentences, or what `segments` makes of aligned words. With
    `clusters` (a speaker a segment) whole speakers are the unit, of the test and of the interval. z is the mean of the
    differences of the units with an error, in standard errors; the interval is that of a ratio, with a t quantile.

    Assumes: units are independent of each other, and so many of them differ that the mean difference is normal.
    Source: Gillick and Cox, Some statistical issues in the comparison of speech recognition algorithms, ICASSP, 1989,
    as in NIST's sctk (MAPSSWE); the ratio and its error: Cochran, Sampling Techniques, 1977 (section 6).
    Not for: words as units, since one error brings the next; few speakers: `sign_flip_p_value` holds for any number.

    >>> rng = np.random.default_rng(0)
    >>> words, before = np.full(400, 12), rng.binomial(12, 0.12, 400)
    >>> found = matched_pairs(rng.binomial(before, 0.8), before, words)
    >>> round(found.difference, 3), found.interval[1] < 0, found.p_value < 0.001
    (-0.025, True, True)
    """
    from scipy.special import ndtr

    check_between("level", level)
    first, second, spoken = _units(after, before, words, clusters)
    apart = first - second
    z, differing = _z(apart[(first > 0) | (second > 0)]), int((apart != 0).sum())
    is_enough = differing >= (MINIMUM_DIFFERING if clusters is None else MINIMUM_CLUSTERS)
    return MatchedPairs(
        units=len(apart), words=int(spoken.sum()), rate_after=float(first.sum() / spoken.sum()),
        rate_before=float(second.sum() / spoken.sum()),
        interval=_interval(apart, spoken, level) if is_enough else (-math.inf, math.inf), z=z,
        p_value=1.0 if z is None else 2 * float(ndtr(-abs(z))), sign_flip_p_value=counted_signs(apart))


class Segments(NamedTuple):
    """For each segment the errors of both sides, the spoken words, and the number of its first word."""

    after: Floats
    before: Floats
    words: Floats
    starts: NDArray[np.int64]


def segments(after: ArrayLike, before: ArrayLike, *, utterances: ArrayLike, correct: int = 2) -> Segments:
    """Segments of aligned words: two errors lie in different ones if both systems are right on `correct` words between.

    For each spoken word, in order, the errors of both systems (an insertion counts for the word before it, or for the
    first one) and the label of its utterance, which no segment crosses. Words between segments count to the one before
    them, so that all words are counted; an utterance without errors is one segment.

    Assumes: the recogniser forgets an error after so many right words.
    Source: Gillick and Cox, ICASSP, 1989; NIST's sctk takes two words as well.
    Not for: systems that look at whole utterances at once, where an utterance is the segment.

    >>> found = segments([1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 1, 0], utterances=["a"] * 6)
    >>> found.after.tolist(), found.before.tolist(), found.words.tolist()
    ([1.0, 1.0], [0.0, 2.0], [3.0, 3.0])
    """
    first, second = (check_counts(name, check_rows(name, values)) for name, values in
                     (("after", after), ("before", before)))
    if first.shape != second.shape:
        raise LinnetError(f"after has {len(first)} words and before {len(second)}; give both for each spoken word.")
    index, _ = check_labels(utterances, len(first))
    is_start = np.concatenate([[True], index[1:] != index[:-1]])
    utterance = np.cumsum(is_start) - 1
    wrong = np.flatnonzero((first > 0) | (second > 0))
    is_apart = np.diff(wrong) > check_amount("correct", correct)
    is_start[wrong[1:][is_apart & (utterance[wrong[1:]] == utterance[wrong[:-1]])]] = True
    starts = np.flatnonzero(is_start)
    errors = np.add.reduceat(first, starts), np.add.reduceat(second, starts)
    return Segments(*errors, np.diff(starts, append=len(first)).astype(np.float64), starts)


def _units(after: ArrayLike, before: ArrayLike, words: ArrayLike, clusters: ArrayLike | None) -> tuple[Floats, ...]:
    """Errors after and before, and spoken words, of each segment or cluster."""
    columns = [check_counts(name, check_rows(name, values)) for name, values in
               (("after", after), ("before", before), ("words", words))]
    if len({len(column) for column in columns}) > 1:
        raise LinnetError("every segment needs the errors of both systems and its words; "
                          f"got {', '.join(str(len(column)) for column in columns)} of them.")
    if columns[2].sum() == 0:
        raise LinnetError("no words were spoken: an error rate needs at least one.")
    return tuple(cluster_sums(column, clusters)[0] for column in columns)


def _z(apart: Floats) -> float | None:
    """The mean in standard errors; None where too few differ."""
    if (apart != 0).sum() < MINIMUM_DIFFERING:
        return None
    error = float(apart.std(ddof=1)) / math.sqrt(len(apart))
    return float(apart.mean()) / error if error > 0 else None


def _interval(apart: Floats, spoken: Floats, level: float) -> tuple[float, float]:
    """Of a ratio of sums over units."""
    from scipy.special import stdtrit

    units, ratio = len(apart), float(apart.sum() / spoken.sum())
    residuals = apart - ratio * spoken
    error = math.sqrt(float(np.square(residuals).sum()) * units / (units - 1)) / float(spoken.sum())
    half = float(stdtrit(units - 1, (1 + level) / 2)) * error
    return ratio - half, ratio + half
