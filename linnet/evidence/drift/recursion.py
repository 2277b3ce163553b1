"""Wealth that is won by betting against "nothing has changed", started anew at every sample.

Each bet k multiplies its wealth by an increment whose mean is at most 1 as long as nothing has changed. Summed over all
samples at which it could have started (Shiryaev and Roberts), or with the best start only (CUSUM), the wealth minus
the number of samples has a mean of at most 0 at any stopping time; so an alarm at wealth A takes at least A samples on
average (Shin, Ramdas and Rinaldo, New England Journal of Statistics in Data Science 2, 2024, section 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.errors import unknown

Floats = NDArray[np.float64]

STATISTICS = ("shiryaev_roberts", "cusum")
_MOST = 1e250


class Recursion:
    """Wealth of bets (last axis) over any number of streams at once (leading axes); `advance` takes one sample of each.

    `weights` (bets,) sum to 1: the wealth with which each bet starts. `jump` of each bet's wealth is shared out evenly
    among all bets before each sample, so that a bet that fell behind can come back.
    """

    def __init__(self, weights: Floats, *, statistic: str = "shiryaev_roberts", jump: float = 0.0,
                 streams: tuple[int, ...] = ()) -> None:
        if statistic not in STATISTICS:
            raise unknown("statistic", statistic, STATISTICS)
        self.is_sum, self.jump, self.weights = statistic == STATISTICS[0], jump, weights
        self.wealth = np.zeros((*streams, len(weights)))

    def reset(self) -> None:
        """Forget all samples."""
        self.wealth = np.zeros_like(self.wealth)

    def advance(self, increments: Floats) -> Floats:
        """One sample of each stream, as increments (..., bets); gives the wealth summed over bets (...)."""
        wealth = self.wealth + self.weights if self.is_sum else np.maximum(self.wealth, self.weights)
        if self.jump:
            wealth = shared_out(wealth, self.jump)
        # More than any alarm needs; it only keeps a stream that nobody resets from overflowing.
        self.wealth = np.minimum(wealth * increments, _MOST)
        return np.asarray(self.wealth.sum(axis=-1))


def shared_out(wealth: Floats, jump: float) -> Floats:
    """The same total with a share `jump` of it spread evenly over the bets (last axis)."""
    return np.asarray((1 - jump) * wealth + jump * wealth.mean(axis=-1, keepdims=True))
