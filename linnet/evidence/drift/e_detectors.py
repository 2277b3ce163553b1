"""Alarms on scores with labels: the error rate went above what was claimed, the accuracy below it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.drift.recursion import Recursion
from linnet.evidence.settings import check_between, check_numbers, check_run_length

Floats = NDArray[np.float64]

_HIGHEST = 0.95  # of the way from the bound to 1: the largest change that a bet is made for
_STEP = 2.5  # between the divergences of neighbouring bets
_MOST_BETS = 40


class EDetector:
    """Alarms when the mean of scores from 0 to 1 leaves a claimed range; a false alarm takes `run_length` on average.

    `update` takes a score or several in order and says whether there has been an alarm since the last `reset`;
    `alarm_at` is the number of the sample that raised it. `evidence` is the statistic, which alarms at `run_length`;
    `began` is the sample with which the change most likely began. Bets on small and large changes share the wealth;
    those that win get more of it.

    Assumes: as long as nothing changes, the mean of the next score, whatever came before it, is at most `at_most` (at
        least `at_least`). Samples need not be independent or of one distribution beyond that.
    Source: Shin, Ramdas and Rinaldo, E-detectors: a nonparametric framework for sequential change detection, New
        England Journal of Statistics in Data Science 2, 2024 (sections 2 and 4); Shiryaev 1963, Page 1954.
    Not for: streams without labels (`ConformalDetector`); a bound that the model does not keep in the first place: that
        is an alarm at once; one test at the end (`evidence.intervals`). Clusters that arrive together (all clips of
        one speaker) break the assumption: pass each cluster's mean as one score.

    >>> detector = EDetector(at_most=0.05, run_length=1000)
    >>> detector.update([0, 0, 1, 0, 0, 0, 0, 0, 0, 0])
    False
    >>> detector.update([1, 1, 0, 1, 1]), detector.alarm_at, detector.began
    (True, 15, 11)
    """

    def __init__(self, at_most: float | None = None, at_least: float | None = None, *, run_length: float = 10_000,
                 statistic: str = "shiryaev_roberts") -> None:
        self.bounds, self.run_length = _check_bounds(at_most, at_least), check_run_length(run_length)
        self._weights, self._pulls, self._centres = bets_against(*self.bounds, self.run_length)
        self._main = Recursion(self._weights, statistic=statistic)
        self._latest = Recursion(self._weights, statistic="cusum")
        self.reset()

    def reset(self) -> None:
        """Forget all samples and the alarm."""
        self._main.reset()
        self._latest.reset()
        self.n, self.evidence = 0, 0.0
        self.alarm_at: int | None = None
        self._starts = np.ones(len(self._weights), dtype=np.int64)

    def update(self, score: ArrayLike) -> bool:
        """Take a score, or several in order; whether there has been an alarm."""
        for increments in _increments(_check_scores(score).ravel(), self._pulls, self._centres):
            self.n += 1
            self._starts[self._latest.wealth <= self._latest.weights] = self.n
            self._latest.advance(increments)
            self.evidence = float(self._main.advance(increments))
            if self.alarm_at is None and self.evidence >= self.run_length:
                self.alarm_at = self.n
        return self.alarm_at is not None

    @property
    def began(self) -> int:
        """The number of the sample from which on the scores speak most for a change; 1 before the first sample."""
        return int(self._starts[self._latest.wealth.argmax()])


def e_detector(scores: ArrayLike, at_most: float | None = None, at_least: float | None = None, *,
               run_length: float = 10_000, statistic: str = "shiryaev_roberts") -> Floats:
    """The statistic of `EDetector` after each score, for arrays of streams: (..., samples) in, (..., samples) out.

    An alarm is its first value of at least `run_length`, which also sets for how small a change there are bets.

    Assumes: as `EDetector`.
    Source: as `EDetector`.
    Not for: as `EDetector`.

    >>> path = e_detector([[0, 0, 1, 1], [0, 0, 0, 0]], at_most=0.1, run_length=100)
    >>> path.round(1)[:, -1]
    array([49.6,  1.5])
    """
    bounds = _check_bounds(at_most, at_least)
    weights, pulls, centres = bets_against(*bounds, check_run_length(run_length))
    values = _check_scores(scores)
    if not values.ndim:
        raise LinnetError(f"scores have their samples along the last axis; got the one number {values}. One at a time: "
                          "EDetector.update.")
    recursion = Recursion(weights, statistic=statistic, streams=values.shape[:-1])
    path = np.empty(values.shape)
    for index in range(values.shape[-1]):
        path[..., index] = recursion.advance(_increments(values[..., index], pulls, centres))
    return path


def _increments(scores: Floats, pulls: Floats, centres: Floats) -> Floats:
    """What each bet multiplies its wealth with; the mean is at most 1 while the scores keep their bounds."""
    return 1.0 + pulls * (scores[..., None] - centres)


def bets_against(at_most: float | None, at_least: float | None, run_length: float) -> tuple[Floats, Floats, Floats]:
    """Each bet's share of the wealth, how hard it pulls (above 0: for a mean above its bound), and that bound."""
    above = np.empty(0) if at_most is None else _pulls(at_most, run_length)
    below = np.empty(0) if at_least is None else _pulls(1 - at_least, run_length)
    sides = (len(above) > 0) + (len(below) > 0)
    weights = [np.full(len(side), 1 / (sides * len(side))) for side in (above, below) if len(side)]
    centres = np.repeat([at_most or 0.0, at_least or 0.0], [len(above), len(below)])
    return np.concatenate(weights), np.concatenate([above, -below]), centres


def _pulls(bound: float, run_length: float) -> Floats:
    """Likelihood ratios of Bernoulli shares above `bound`, their divergences a geometric grid.

    A change of so small a divergence that log(A) / divergence is above A itself is not found before a false alarm.
    """
    from scipy.special import rel_entr

    shares = bound + (1 - bound) * _HIGHEST * np.geomspace(1e-6, 1, 4000)
    divergences = rel_entr(shares, bound) + rel_entr(1 - shares, 1 - bound)
    least = np.log(run_length) / run_length
    count = int(np.clip(np.ceil(np.log(divergences[-1] / least) / np.log(_STEP)), 1, _MOST_BETS))
    wanted = divergences[-1] * _STEP ** -np.arange(count)
    chosen = np.interp(wanted, divergences, shares)
    return np.asarray((chosen - bound) / (bound * (1 - bound)))


def _check_bounds(at_most: float | None, at_least: float | None) -> tuple[float | None, float | None]:
    if at_most is None and at_least is None:
        raise LinnetError("an e-detector needs the range that was claimed: at_most (error rate), at_least (accuracy), "
                          "or both.")
    for name, bound in (("at_most", at_most), ("at_least", at_least)):
        if bound is not None:
            check_between(name, bound)
    if at_most is not None and at_least is not None and at_least > at_most:
        raise LinnetError(f"no mean is at least {at_least} and at most {at_most}; expected at_least <= at_most.")
    return at_most, at_least


def _check_scores(scores: ArrayLike) -> Floats:
    values = check_numbers("scores", scores)
    if not (np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()):
        wrong = values[~(np.isfinite(values) & (values >= 0) & (values <= 1))][0]
        raise LinnetError(f"scores must lie from 0 to 1; got {wrong:g}. Divide bounded scores by their range first.")
    return values
