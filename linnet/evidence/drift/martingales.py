"""Alarms without labels: bets that the p-values of a stream are not uniform any more.

One score a sample: minus the confidence, the entropy, the distance to known embeddings. The bets are on small, large,
extreme and middling p-values, so scores that grow, shrink, spread or gather are all found.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.drift.conformal import Ranks, check_stream
from linnet.evidence.drift.recursion import Recursion, shared_out
from linnet.evidence.settings import check_level, check_numbers, check_run_length, check_share

Floats = NDArray[np.float64]

BETS = ("jumper", "power", "mixture")
_JUMP = 0.01
_SLOPES = np.array([-1.0, 0.0, 1.0])
_POWERS = np.array([0.25, 0.5, 0.75])
_CLOSEST = 1e-12
_GOLDEN = (math.sqrt(5) - 1) / 2
_LARGE = 200  # a reference above this can always raise an alarm


def conformal_martingale(p_values: ArrayLike, *, bets: str = "mixture", jump: float = _JUMP) -> Floats:
    """The log of the wealth of betting against uniform p-values, after each; (..., samples) in and out.

    `bets`: "jumper" (the densities 1 + e (p - 1/2), e in -1, 0, 1), "power" (e p^(e - 1), and the same of 1 - p), or a
    "mixture" of both and of two for middling and for extreme p-values. A share `jump` of the wealth is spread evenly
    over the bets at each sample.

    Assumes: p-values that are uniform and independent as long as nothing changes (`conformal_p_values`). Then the
        wealth ever reaches 1 / alpha with a probability of at most alpha (Ville).
    Source: Vovk, Nouretdinov and Gammerman, ICML 2003; Vovk, Petej, Nouretdinov and others, Retrain or not retrain:
        conformal test martingales for change-point detection, COPA 2021 (simple jumper).
    Not for: p-values of overlapping or dependent samples.

    >>> conformal_martingale([0.5, 0.5, 0.5]).round(2)
    array([-0.18, -0.25, -0.21])
    """
    values, jump = _check_p_values(p_values), check_share("jump", jump, zero=True)
    shares, path = np.full((*values.shape[:-1], len(_densities(np.zeros(()), bets))), 1.0), np.empty(values.shape)
    shares, total = shares / shares.shape[-1], np.zeros(values.shape[:-1])
    for index in range(values.shape[-1]):
        shares, growth = _grown(shares, _densities(values[..., index], bets), jump)
        total = total + growth
        path[..., index] = total
    return path


class ConformalMartingale:
    """Alarms when a stream of scores stops looking like its past; ever a false alarm with probability 1 - level.

    Scores are compared with `reference` (scores of held-out data from before) and with each other; without a
    reference the stream is only compared with itself. `update` takes a score or several in order and says whether there
    has been an alarm since the last `reset`; `log_martingale` alarms at log(1 / (1 - level)).

    Assumes: as `conformal_p_values`: reference and stream are exchangeable as long as nothing changes.
    Source: as `conformal_martingale`.
    Not for: monitoring without an end, where what was lost by betting in the quiet time must be won back after the
        change: `ConformalDetector` finds it sooner. Scores with trends or dependence that are no fault (time of day,
        frames of one video): thin them out to independent ones.

    >>> martingale = ConformalMartingale(reference=range(200))
    >>> martingale.update([250 + n for n in range(20)]), martingale.alarm_at
    (True, 2)
    """

    def __init__(self, reference: ArrayLike = (), *, level: float = 0.95, bets: str = "mixture", seed: int = 0) -> None:
        self.threshold = -math.log1p(-check_level(level))
        self.bets, self._ranks = bets, Ranks(reference, seed=seed)
        self._count = len(_densities(np.zeros(()), bets))
        _check_reference(self._ranks.reference, self.threshold, bets)
        self.reset()

    def reset(self) -> None:
        """Back to the reference: forget the stream and the alarm."""
        self._ranks.reset()
        self._shares = np.full(self._count, 1 / self._count)
        self.n, self.log_martingale = 0, 0.0
        self.alarm_at: int | None = None

    def update(self, score: ArrayLike) -> bool:
        """Take a score, or several in order; whether there has been an alarm."""
        for densities in _placed(self._ranks, score, self.bets):
            self.n += 1
            self._shares, growth = _grown(self._shares, densities, _JUMP)
            self.log_martingale += float(growth)
            if self.alarm_at is None and self.log_martingale >= self.threshold:
                self.alarm_at = self.n
        return self.alarm_at is not None


class ConformalDetector:
    """Alarms when a stream of scores stops looking like the reference; a false alarm takes `run_length` on average.

    As `ConformalMartingale`, but the bets start anew at every sample, so a quiet time before the change costs nothing.
    The average is over references as well as streams. `evidence` alarms at `run_length`. `reset` returns to the same
    reference: one that is unusual by chance, and so raised a false alarm, soon raises the next.

    Assumes: as `conformal_p_values`: reference and stream are exchangeable as long as nothing changes.
    Source: Volkhonskiy, Burnaev, Nouretdinov, Gammerman and Vovk, Inductive conformal martingales for change-point
        detection, COPA 2017; the run length as in Shin, Ramdas and Rinaldo 2024 (see `EDetector`).
    Not for: a change that was there before the reference; a slow drift, to which the ranks get used: `reset` now and
        then, or compare a batch with the reference (`maximum_mean_discrepancy`).

    >>> detector = ConformalDetector(reference=range(500), run_length=1000)
    >>> detector.update([600 + n for n in range(20)]), detector.alarm_at
    (True, 3)
    """

    def __init__(self, reference: ArrayLike = (), *, run_length: float = 10_000, bets: str = "mixture",
                 seed: int = 0) -> None:
        self.run_length, self.bets = check_run_length(run_length), bets
        self._ranks = Ranks(reference, seed=seed)
        count = len(_densities(np.zeros(()), bets))
        self._wealth = Recursion(np.full(count, 1 / count), jump=_JUMP)
        _check_reference(self._ranks.reference, math.log(self.run_length), bets)
        self.reset()

    def reset(self) -> None:
        """Back to the reference: forget the stream and the alarm."""
        self._ranks.reset()
        self._wealth.reset()
        self.n, self.evidence = 0, 0.0
        self.alarm_at: int | None = None

    def update(self, score: ArrayLike) -> bool:
        """Take a score, or several in order; whether there has been an alarm."""
        for densities in _placed(self._ranks, score, self.bets):
            self.n += 1
            self.evidence = float(self._wealth.advance(densities))
            if self.alarm_at is None and self.evidence >= self.run_length:
                self.alarm_at = self.n
        return self.alarm_at is not None


def _placed(ranks: Ranks, scores: ArrayLike, bets: str) -> Floats:
    """The densities of the bets at each score's p-value: (samples, bets)."""
    return _densities(np.array([ranks.place(score) for score in check_stream(scores).tolist()]), bets)


def _densities(p_values: Floats, bets: str) -> Floats:
    """Each bet's density at the p-values: (..., bets); none has a mean above 1 under the uniform distribution."""
    if bets not in BETS:
        raise unknown("bets", bets, BETS)
    inner = np.minimum(np.maximum(p_values, _CLOSEST), 1 - _CLOSEST)[..., None]
    parts = []
    if bets != "power":
        parts.append(1 + _SLOPES * (inner - 0.5))
    if bets != "jumper":
        parts += [_POWERS * inner ** (_POWERS - 1), _POWERS * (1 - inner) ** (_POWERS - 1)]
    if bets == "mixture":
        middle = inner * (1 - inner)
        parts += [6 * middle, 1 / (math.pi * np.sqrt(middle))]
    return np.concatenate(parts, axis=-1)


def _grown(shares: Floats, densities: Floats, jump: float) -> tuple[Floats, Floats]:
    """The bets' shares of the wealth after one more p-value, and by how much the log of the wealth grew."""
    wealth = shared_out(shares, jump) * densities
    growth = wealth.sum(axis=-1, keepdims=True)
    return wealth / growth, np.log(growth[..., 0])


def _check_p_values(p_values: ArrayLike) -> Floats:
    values = check_numbers("p-values", p_values)
    if not values.ndim:
        raise LinnetError(f"p-values have their samples along the last axis; got the one number {values}.")
    if not ((values >= 0) & (values <= 1)).all():
        raise LinnetError("p-values must lie from 0 to 1; pass scores through `conformal_p_values` first.")
    return values


def _check_reference(reference: Floats, threshold: float, bets: str) -> None:
    """A reference that could never raise an alarm, even against scores that are all larger, is refused."""
    if not 0 < len(reference) < _LARGE:
        return
    if _most_evidence(len(reference), bets) < threshold:
        enough = next(size for size in range(len(reference), 10**4) if _most_evidence(size, bets) >= threshold)
        raise LinnetError(f"a reference of {len(reference)} scores is too small to ever raise an alarm at this level "
                          f"or run length, however far the new scores are from it; at least {enough} are needed.")


def _most_evidence(reference: int, bets: str) -> float:
    """The highest log wealth if each new score is larger than the whole reference, and usual among the new ones."""
    new = np.arange(10 * reference + 10)
    usual = (new + 1) * _GOLDEN % 1  # spread evenly over (0, 1), without chance
    return float(conformal_martingale(usual * (new + 1) / (reference + new + 1), bets=bets).max())
