"""Pairs of speakers: two pairs that share a speaker are not independent, and how much that costs.

A strict threshold is passed by few pairs, too few to see how strongly those of one speaker go together. Looser ones
are passed by many. As a threshold rises, the chance that two such pairs both pass falls as a power of the chance that
one does, for scores whose tails are no heavier than they look at the looser thresholds (Ledford and Tawn, Statistics
for near independence in multivariate extreme values, Biometrika 83, 1996); so it is measured there and carried over.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_rows

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

_LOOSE = 1 / 64  # from here on enough pairs pass to see how those of one speaker go together
_RUNGS = 5
_NAMED_AT_MOST = 3


@dataclass(frozen=True, eq=False)
class SpeakerPairs:
    """Which speakers meet in which pair. A dyad is two speakers, in either order; they may meet in several pairs."""

    first: Whole
    second: Whole
    """(dyads,): the numbers of its two speakers."""
    dyad: Whole
    """(pairs,): the number of its dyad."""
    speakers: int

    def by_speaker(self, per_dyad: Floats) -> Floats:
        """Sums over the dyads of each speaker."""
        return self.by_side(per_dyad, per_dyad)

    def by_side(self, for_first: Floats, for_second: Floats) -> Floats:
        """Sums over the dyads of each speaker, of what each dyad holds for its first and for its second one."""
        return np.asarray(np.bincount(self.first, for_first, self.speakers)
                          + np.bincount(self.second, for_second, self.speakers))

    def by_dyad(self, values: Floats) -> Floats:
        """Sums over the pairs of each dyad."""
        return np.asarray(np.bincount(self.dyad, values, len(self.first)))

    def by_dyad_of(self, chosen: Whole) -> Floats:
        """How many of the chosen pairs (their rows) each dyad has."""
        return np.bincount(self.dyad[chosen], minlength=len(self.first)).astype(np.float64)


def speaker_pairs(scores: ArrayLike, first: ArrayLike, second: ArrayLike) -> tuple[Floats, SpeakerPairs]:
    """Scores and the two speakers of each, checked: finite scores that differ, two different speakers a pair."""
    values = check_rows("scores", scores)
    names = np.asarray(first), np.asarray(second)
    if names[0].shape != values.shape or names[1].shape != values.shape:
        raise LinnetError(f"every score needs two speakers; got {len(values)} scores, {names[0].size} first and "
                          f"{names[1].size} second speakers.")
    known, index = np.unique(np.concatenate(names), return_inverse=True)
    one, other = index[: len(values)], index[len(values) :]
    _check_two_speakers(known, one, other)
    if values.min() == values.max():
        raise LinnetError(f"all {len(values)} scores are {values[0]:g}; a threshold needs scores that differ.")
    keys = np.minimum(one, other) * len(known) + np.maximum(one, other)
    dyads, dyad = np.unique(keys, return_inverse=True)
    return values, SpeakerPairs(dyads // len(known), dyads % len(known), dyad, len(known))


def rate_variance(passes: NDArray[np.bool_], pairs: SpeakerPairs) -> float:
    """Variance of the share of pairs that pass, over other speakers and pairs; never below that of independent pairs.

    The sum of the products of residuals of all couples of pairs that share a speaker (Aronow, Samii and Assenova,
    Cluster-robust variance estimation for dyadic data, Political Analysis 23, 2015), with the factor s / (s - 1).
    """
    n, share = len(passes), float(passes.mean())
    per_dyad = pairs.by_dyad(passes.astype(np.float64) - share)
    total = np.square(pairs.by_speaker(per_dyad)).sum() - np.square(per_dyad).sum()
    variance = float(total) / n**2 * pairs.speakers / max(pairs.speakers - 1, 1)
    return max(variance, share * (1 - share) / n)


def speaker_variance(scores: Floats, pairs: SpeakerPairs, rate: float, sureness: float) -> float:
    """At most so much does the choice of speakers alone move a false-accept rate of `rate`, sure at `sureness`.

    The variance relative to the rate squared: 0 for pairs that share nobody; proportional to 1 / speakers.
    """
    n = len(scores)
    couples, _ = _couples(pairs, pairs.by_dyad(np.ones(n)))
    if couples == 0:
        return 0.0
    excess = min(max(_log_excess(scores, pairs, rate, sureness), 0.0), -math.log(rate))
    return 2 * couples * math.expm1(excess) / n**2


def _log_excess(scores: Floats, pairs: SpeakerPairs, rate: float, sureness: float) -> float:
    """Upper bound of log(both pass / rate squared) for two pairs that share a speaker, at the threshold with `rate`.

    A line through its values at looser rates, carried on to `rate`; its error by leaving out one speaker at a time.
    Infinite where no two such pairs pass: then all that is known is that both pass at most as often as one.
    """
    from scipy.special import stdtrit

    n, rungs = len(scores), _rungs(rate, len(scores))
    order = np.argsort(-scores, kind="stable")
    design = _Design(n, pairs.by_speaker(pairs.by_dyad(np.ones(n))), *_couples(pairs, pairs.by_dyad(np.ones(n))))
    values = [_excess_at(order[: int(count)], pairs, design) for count in rungs]
    weights = _line_weights(np.log(rungs / n), math.log(rate))
    whole, without = (weights @ np.stack(side) for side in zip(*values, strict=True))
    if not (np.isfinite(whole) and np.isfinite(without).all()):
        return math.inf
    s = pairs.speakers
    error = math.sqrt((s - 1) / s * float(np.square(without - without.mean()).sum()))
    return float(whole) + float(stdtrit(s - 1, sureness)) * error


def _rungs(rate: float, n: int) -> Floats:
    """How many pairs pass at each of the looser rates: from 1/64 to 1/4, or beside `rate` where it is looser itself."""
    loosest = min(16 * max(rate, _LOOSE), 0.5)
    return np.unique(np.ceil(np.geomspace(max(rate, _LOOSE), loosest, _RUNGS) * n))


class _Design(NamedTuple):
    """All pairs: how many, of each speaker, and how many couples share a speaker, in all and without each speaker."""

    pairs: int
    of_speaker: Floats
    couples: float
    couples_without: Floats


def _excess_at(passing: Whole, pairs: SpeakerPairs, design: _Design) -> tuple[Floats, Floats]:
    """log(share of couples that both pass / share of pairs that pass, squared): of all, and without each speaker."""
    per_dyad = pairs.by_dyad_of(passing)
    both, both_without = _couples(pairs, per_dyad)
    left, left_of = len(passing) - pairs.by_speaker(per_dyad), design.pairs - design.of_speaker
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = np.log(np.float64(both) / design.couples) - 2 * np.log(len(passing) / design.pairs)
        without = np.log(both_without / design.couples_without) - 2 * np.log(left / left_of)
    return np.asarray(whole), without


def _couples(pairs: SpeakerPairs, per_dyad: Floats) -> tuple[float, Floats]:
    """How many couples of these pairs share a speaker or two; in all, and without the pairs of each speaker."""
    per_speaker = pairs.by_speaker(per_dyad)
    in_dyads = per_dyad * (per_dyad - 1) / 2
    total = float((per_speaker * (per_speaker - 1)).sum() / 2 - in_dyads.sum())
    # its own couples, and those that its pairs make with other pairs of the speakers it meets
    met = pairs.by_side(per_dyad * per_speaker[pairs.second], per_dyad * per_speaker[pairs.first])
    lost = per_speaker * (per_speaker - 1) / 2 + met - pairs.by_speaker(per_dyad * (per_dyad + 1) / 2 + in_dyads)
    return total, total - lost


def _line_weights(at: Floats, target: float) -> Floats:
    """What each of the values at `at` weighs in the value at `target` of the line of least squares."""
    if len(at) < 2:
        return np.ones(len(at))
    centred = at - at.mean()
    return np.asarray(1 / len(at) + (target - at.mean()) * centred / np.square(centred).sum())


def _check_two_speakers(known: NDArray[np.generic], one: Whole, other: Whole) -> None:
    if len(known) < 2:
        raise LinnetError(f"all pairs are of the one speaker {known[0]}; impostor pairs need different speakers.")
    same = np.flatnonzero(one == other)
    if len(same):
        rows = ", ".join(str(row) for row in same[:_NAMED_AT_MOST].tolist())
        more = f" and {len(same) - _NAMED_AT_MOST} more" if len(same) > _NAMED_AT_MOST else ""
        raise LinnetError(f"a pair of a speaker with itself is no impostor pair; rows {rows}{more} are. "
                          "Give genuine pairs to false_reject_rate.")
