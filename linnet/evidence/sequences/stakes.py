"""How much to stake on the next number: what the spread of those before it says would have been best.

The stake on number t is sqrt(2 log(2 / alpha) / (variance_{t-1} t log(t + 1))): it shrinks just fast enough that the
interval narrows for ever (Waudby-Smith and Ramdas, 2024, section 3.2).
"""

from __future__ import annotations

import numpy as np

from linnet.evidence.sequences.looks import Floats

MOST = 0.5
"""Of the capital, at risk at once."""


class Spread:
    """Mean and variance of each row as known before and after each number, and the stakes that follow from them."""

    def __init__(self, rows: int, alpha: float) -> None:
        self.budget, self.n = 2 * np.log(2 / alpha), 0
        self.total, self.squares = np.zeros((rows, 1)), np.full((rows, 1), 0.25)

    def update(self, x: Floats) -> tuple[Floats, Floats, Floats]:
        """The mean after and before each number (both start from one half), and the stake on it."""
        count = self.n + np.arange(1.0, x.shape[1] + 1)
        totals = self.total + np.cumsum(x, axis=1)
        after = (0.5 + totals) / (count + 1)
        squares = self.squares + np.cumsum(np.square(x - after), axis=1)
        before = np.concatenate([(0.5 + self.total) / (self.n + 1), after[:, :-1]], axis=1)
        variance = np.concatenate([self.squares, squares[:, :-1]], axis=1) / count
        if x.shape[1]:
            self.total, self.squares, self.n = totals[:, -1:], squares[:, -1:], self.n + x.shape[1]
        return totals / count, before, np.sqrt(self.budget / (variance * count * np.log(count + 1)))
