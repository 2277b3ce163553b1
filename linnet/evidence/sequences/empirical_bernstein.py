"""A bounded mean in closed form: a weighted mean, and what the spread seen so far leaves open around it."""

from __future__ import annotations

import numpy as np

from linnet.evidence.sequences.looks import Floats, Looks
from linnet.evidence.sequences.stakes import MOST, Spread


class EmpiricalBernstein:
    """A weighted mean, and around it the spread of the numbers about what was expected of them."""

    def __init__(self, rows: int, level: float, null: float | None, _points: int) -> None:
        self.null, self.alpha = null, 1 - level
        self.spread = Spread(rows, self.alpha)
        self.sums = np.zeros((3, rows, 1))
        self.low, self.high = np.zeros((rows, 1)), np.ones((rows, 1))

    def update(self, x: Floats) -> Looks:
        """New numbers, a row a stream; looks of the same shape."""
        mean, before, stake = self.spread.update(x)
        stake = np.minimum(stake, MOST)
        cost = -np.log1p(-stake) - stake
        sums = self.sums + np.cumsum(np.stack([stake, stake * x, np.square(x - before) * cost]), axis=2)
        weight, weighted, spent = sums
        self.sums = np.concatenate([self.sums, sums], axis=2)[:, :, -1:]
        width = (np.log(2 / self.alpha) + spent) / weight
        low = np.maximum.accumulate(np.concatenate([self.low, weighted / weight - width], axis=1), axis=1)
        high = np.minimum.accumulate(np.concatenate([self.high, weighted / weight + width], axis=1), axis=1)
        self.low, self.high = low[:, -1:], high[:, -1:]
        return Looks(mean, low[:, 1:], high[:, 1:], self._log_e(weight, weighted, spent))

    def _log_e(self, weight: Floats, weighted: Floats, spent: Floats) -> Floats:
        if self.null is None:
            return np.zeros_like(weight)
        ahead = weighted - weight * self.null
        return np.asarray(np.logaddexp(ahead - spent, -ahead - spent) - np.log(2))
