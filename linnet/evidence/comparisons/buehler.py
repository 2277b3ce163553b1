"""Buehler's exact bound: the smallest difference under which a table as good as the observed one is not rare.

Order all tables of counts by a fixed statistic. The lower bound of a difference delta is the smallest delta under
which a table at least as good as the observed one has a probability above alpha for some value of the nuisance share
(Buehler, JASA 52, 1957; Lloyd and Kabaila, Australian and New Zealand Journal of Statistics 45, 2003). It covers at
its level for every n, whatever the statistic; a good statistic makes it tight. Following Berger and Boos (JASA 89,
1994), the nuisance is searched only where the data leave it possible, and alpha pays for that.

Two shares are at play: `worse` and `better` = worse + delta. The tables that count are such that more of `worse` makes
them less probable and more of `better` more so. Hence their probability over a cell of the nuisance is at most that of
the cell's lowest `worse` with its highest `better`: cells are halved until each is shown to stay at or under alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIE = 1e-7
MOST_SAMPLES = 10_000_000
"""More samples would take minutes, and more memory than most machines have."""
_SHARE_OF_ALPHA_FOR_NUISANCE = 0.01
_FIRST_CELLS = 12
_TOLERANCE = 0.01  # of the distance between the estimate and its bound; always spent towards the wider bound
_FINE_TOLERANCE = 0.004  # where there are so few tables that it can be afforded
_FINE_UP_TO = 1000


@dataclass(frozen=True)
class Nuisance:
    """Where the share `better` may lie, and the alpha that is left after paying for it."""

    alpha: float
    low: float
    high: float


def nuisance(successes: int, n: int, alpha: float) -> Nuisance:
    """The exact interval of `better` at a small part of alpha."""
    from scipy.special import betaincinv

    paid = alpha * _SHARE_OF_ALPHA_FOR_NUISANCE
    low = 0.0 if successes == 0 else float(betaincinv(successes, n - successes + 1, paid / 2))
    high = 1.0 if successes == n else float(betaincinv(successes + 1, n - successes, 1 - paid / 2))
    return Nuisance(alpha - paid, low, high)


@dataclass(frozen=True)
class Search:
    """Finds the largest difference that is excluded: no nuisance in its range gives the tables more than alpha.

    `probability(worse, better)` is that of the tables for each pair of shares, or a little more; `highest(delta)` the
    largest share `better` that there can be.
    """

    probability: Callable[[Floats, Floats], Floats]
    highest: Callable[[float], float]
    nuisance: Nuisance

    def lower(self, start: float, estimate: float, *, n: int) -> float:
        """Step down from `start` to a difference that is excluded, then halve the distance to one that is not."""
        width = max(estimate - start, 1 / n)
        tolerance = width * (_FINE_TOLERANCE if n <= _FINE_UP_TO else _TOLERANCE)
        step = 1.5 * tolerance
        high, low = min(start + 0.02 * width, estimate), start
        while low > -1 and not self.excludes(low, tolerance / 2):
            high, low, step = low, max(-1.0, low - step), 2 * step
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if self.excludes(middle, tolerance / 2) else (low, middle)
        return low

    def excludes(self, delta: float, narrowest: float) -> bool:
        """Whether every pair with this difference is shown to give at most alpha; cells under `narrowest` give up."""
        low, high = max(self.nuisance.low, 0.0, delta), min(self.nuisance.high, self.highest(delta))
        if low > high:
            return True
        edges = np.linspace(math.sqrt(low), math.sqrt(high), _FIRST_CELLS + 1) ** 2
        lows, highs = edges[:-1], edges[1:]
        while True:
            is_open = self.probability(np.maximum(lows - delta, 0), highs) > self.nuisance.alpha
            lows, highs = lows[is_open], highs[is_open]
            if not len(lows):
                return True
            is_above = self.probability(np.maximum(lows - delta, 0), lows) > self.nuisance.alpha
            if is_above.any() or (highs - lows).min() < narrowest:
                return False
            middles = (lows + highs) / 2
            lows, highs = np.concatenate([lows, middles]), np.concatenate([middles, highs])


def likely_counts(n: int, share: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Counts of a binomial that are not negligible, a row a share: over 6.5 standard deviations on each side.

    What is left out has a probability under 1e-9. The second array says which entries of a row are inside.
    """
    reach = 6.5 * np.sqrt(n * share * (1 - share)) + 12
    first = np.floor(np.maximum(0, n * share - reach)).astype(np.int64)
    last = np.ceil(np.minimum(n, n * share + reach)).astype(np.int64)
    counts = first[:, None] + np.arange(int((last - first).max()) + 1)
    return np.minimum(counts, n), counts <= last[:, None]


DROPPED = 1e-9
"""An upper limit of what `likely_counts` leaves out."""
