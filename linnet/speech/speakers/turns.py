"""Turns: which stretches of a call are whose, for two parties, from the voices of short pieces one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_ROUNDS = 10


@dataclass(frozen=True)
class Turn:
    """One party speaks; seconds from the start of the recording."""

    speaker: str
    start_s: float
    end_s: float


def two_party(scores: ArrayLike, *, hop_s: float, heard: ArrayLike | None = None, stay: float = 0.9) -> list[Turn]:
    """Turns of the parties "A" (who speaks first) and "B", from the scores of every pair of pieces (pieces, pieces).

    Piece i lasts from i to i + 1 times `hop_s`. `heard` (pieces,) says which hold speech, all without it; others are
    nobody's. `stay` is the probability that the same party speaks in the next piece. Pieces are halved by the leading
    direction of the centred scores, then each joins the party it scores higher with on average, again and again; last,
    the likeliest order of parties is found (Viterbi, IEEE Transactions on Information Theory 13, 1967), with the
    difference of averages taken as a log likelihood ratio. Raises LinnetError under four pieces with speech.

    >>> pieces = np.array([1, 1, 1, -1, -1, -1, 1, 1.])
    >>> [(turn.speaker, turn.start_s, turn.end_s) for turn in two_party(4 * np.outer(pieces, pieces), hop_s=0.5)]
    [('A', 0.0, 1.5), ('B', 1.5, 3.0), ('A', 3.0, 4.0)]
    """
    values = np.asarray(scores, np.float64)
    speech = np.ones(len(values), bool) if heard is None else np.asarray(heard, bool)
    if values.ndim != 2 or values.shape != (len(values),) * 2 or speech.shape != values.shape[:1]:
        raise LinnetError(f"scores of every pair of pieces are square, with `heard` a piece each; got {values.shape} "
                          f"and {speech.shape}.")
    if not np.isfinite(values[np.ix_(speech, speech)]).all():
        raise LinnetError("scores of pieces with speech are finite numbers; some are NaN or infinite.")
    if not 0 < hop_s < np.inf:
        raise LinnetError(f"hop_s is how long a piece lasts, in seconds, above 0; got {hop_s!r}.")
    if speech.sum() < 4:
        raise LinnetError(f"{speech.sum()} pieces with speech are too few to tell two parties apart; at least 4.")
    if not 0.5 <= stay < 1:
        raise LinnetError(f"stay is how likely the same party goes on, from 0.5 to below 1; got {stay!r}.")
    places = np.flatnonzero(speech)
    party = _smoothed(_margins(values[np.ix_(places, places)]), float(np.log(stay / (1 - stay))))
    return _turns(places, party != party[0], hop_s)


def diarization_error(turns: Sequence[Turn], truth: Sequence[Turn], *, step_s: float = 0.01) -> float:
    """Missed, false and confused time over the time of speech, for the best naming of the parties (NIST's DER).

    >>> truth = [Turn("ann", 0, 1), Turn("bob", 1, 2)]
    >>> diarization_error([Turn("A", 0, 1.1), Turn("B", 1.1, 2)], truth)
    0.05
    """
    from scipy.optimize import linear_sum_assignment

    if not step_s > 0:
        raise LinnetError(f"step_s is the time between two looks, above 0; got {step_s!r}.")
    if not any(round(turn.end_s / step_s) > round(turn.start_s / step_s) for turn in truth):
        raise LinnetError("nobody speaks in the truth; there is nothing to compare turns with.")
    steps = round(max(turn.end_s for turn in (*turns, *truth)) / step_s)
    given, wanted = _activity(turns, steps, step_s), _activity(truth, steps, step_s)
    together = given @ wanted.T
    rows, columns = linear_sum_assignment(-together)
    most = np.maximum(given.sum(axis=0), wanted.sum(axis=0)).sum()
    return float((most - together[rows, columns].sum()) / wanted.sum())


def _margins(scores: Floats) -> Floats:
    """(pieces,): how much higher each scores with the one party than with the other; without itself."""
    centred = scores - scores.mean(axis=0) - scores.mean(axis=1)[:, None] + scores.mean()
    side = np.where(np.linalg.eigh((centred + centred.T) / 2)[1][:, -1] >= 0, 1.0, -1.0)
    others = scores - np.diag(np.diag(scores))
    margins = side
    for _ in range(_ROUNDS):
        ones, twos = side > 0, side <= 0
        if ones.sum() < 2 or twos.sum() < 2:
            return margins
        margins = others @ ones / (ones.sum() - ones) - others @ twos / (twos.sum() - twos)
        again = np.where(margins >= 0, 1.0, -1.0)
        if (again == side).all():
            break
        side = again
    return margins


def _smoothed(margins: Floats, cost: float) -> NDArray[np.int64]:
    """The likeliest party of each piece (0 or 1), where a change costs `cost`."""
    best, came = np.zeros(2), np.zeros((len(margins), 2), np.int64)
    for place, margin in enumerate(margins):
        changed = best[::-1] - cost
        came[place] = np.where(changed > best, [1, 0], [0, 1])
        best = np.maximum(best, changed) + np.array([margin, -margin]) / 2
    party = np.zeros(len(margins), np.int64)
    party[-1] = int(np.argmax(best))
    for place in range(len(margins) - 1, 0, -1):
        party[place - 1] = came[place, party[place]]
    return party


def _turns(places: NDArray[np.int64], is_second: NDArray[np.bool_], hop_s: float) -> list[Turn]:
    """Pieces next to each other of one party are one turn."""
    cuts = np.flatnonzero((np.diff(places) > 1) | (np.diff(is_second.astype(int)) != 0)) + 1
    runs = zip(np.split(places, cuts), np.split(is_second, cuts), strict=True)
    return [Turn("B" if second[0] else "A", float(run[0] * hop_s), float((run[-1] + 1) * hop_s))
            for run, second in runs]


def _activity(turns: Sequence[Turn], steps: int, step_s: float) -> Floats:
    """(speakers, steps): 1 where each speaks."""
    names = sorted({turn.speaker for turn in turns})
    active = np.zeros((max(1, len(names)), steps))
    for turn in turns:
        active[names.index(turn.speaker), round(turn.start_s / step_s) : round(turn.end_s / step_s)] = 1
    return active
