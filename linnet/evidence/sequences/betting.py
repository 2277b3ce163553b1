"""A bounded mean by betting: a candidate is refuted when somebody who bet against it would have become rich."""

from __future__ import annotations

import numpy as np

from linnet.evidence.sequences.looks import Floats, Looks
from linnet.evidence.sequences.stakes import MOST, Spread

_CHUNK = 2_000_000  # numbers held at once


class Betting:
    """Two bettors at every candidate mean, one that the true mean is higher, one that it is lower.

    The first one's capital falls with the candidate and the second one's rises: candidates that either has refuted
    lie together at one end, and how many they are is all that there is to remember.
    """

    def __init__(self, rows: int, level: float, null: float | None, points: int) -> None:
        self.null, self.alpha = null, 1 - level
        self.grid = np.sin(np.linspace(0, np.pi / 2, points + 2)) ** 2  # closer together near 0 and 1
        self.candidates = np.append(self.grid[1:-1], 0.5 if null is None else null)
        self.spread = Spread(rows, self.alpha)
        self.capital = np.zeros((2, rows, 1, points + 1))
        self.refuted = np.zeros((2, rows, 1), dtype=np.int64)

    def update(self, x: Floats) -> Looks:
        """New numbers, a row a stream; looks of the same shape."""
        mean, _, stake = self.spread.update(x)
        step = max(1, _CHUNK // self.capital.size)
        parts = [self._bet(x[:, at:at + step, None], stake[:, at:at + step, None]) for at in range(0, x.shape[1], step)]
        refuted = np.concatenate([self.refuted[..., :0], *(part[0] for part in parts)], axis=2)
        log_e = np.concatenate([np.zeros((len(x), 0)), *(part[1] for part in parts)], axis=1)
        return Looks(mean, self.grid[refuted[0]], self.grid[len(self.grid) - 1 - refuted[1]],
                     log_e if self.null is not None else np.zeros_like(mean))

    def _bet(self, x: Floats, stake: Floats) -> tuple[Floats, Floats]:
        m = self.candidates
        gain = x - m
        capital = np.log1p(np.stack([np.minimum(stake, MOST / m) * gain, -np.minimum(stake, MOST / (1 - m)) * gain]))
        np.cumsum(capital, axis=2, out=capital)
        capital += self.capital
        self.capital = capital[:, :, -1:]
        counts = (capital[..., :-1] >= np.log(2 / self.alpha)).sum(axis=3)
        counts = np.maximum.accumulate(np.concatenate([self.refuted, counts], axis=2), axis=2)[:, :, 1:]
        self.refuted = counts[:, :, -1:]
        return counts, np.logaddexp(*capital[..., -1]) - np.log(2)
