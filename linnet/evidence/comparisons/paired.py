"""The difference of two shares that were measured on the same samples.

Of n samples, `worsened` were right before and wrong after, `improved` wrong before and right after. The counts are
trinomial with shares p10 and p01; the difference is delta = p01 - p10, and how often the two disagree is a nuisance.

The lower bound is Buehler's (Annals of Mathematical Statistics 28, 1957; Lloyd and Kabaila, 2003): order all tables by
a fixed statistic; the bound is the smallest delta under which a table at least as good as the observed one has
a probability above alpha for some p10. It covers at its level for every n, whatever the statistic; a good statistic
makes it tight. Here it is Tango's score limit (Statistics in Medicine 17, 1998), so the tables at least as good as
the observed one are those whose score at that limit reaches z. Following Berger and Boos (JASA 89, 1994), p01 is
searched only where the data leave it possible, and alpha pays for that.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, cluster_spread, t_adjusted

Floats = NDArray[np.float64]

_SHARE_OF_ALPHA_FOR_NUISANCE = 0.01
_TOLERANCE = 0.01  # of the distance between the estimate and its bound; always spent towards the wider bound
_FINE_TOLERANCE = 0.004  # where the region is small enough to afford it
_FINE_UP_TO = 1000
_TIE = 1e-7
_DROPPED_MASS = 1e-9


def paired_difference(worsened: int, improved: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the share after minus the share before; covers at least at `level` for every n.

    >>> low, high = paired_difference(8, 5, 1000, 0.90)
    >>> round(low, 3), round(high, 3)
    (-0.01, 0.003)
    """
    one_sided = (1 + level) / 2
    return paired_lower(worsened, improved, n, one_sided), paired_upper(worsened, improved, n, one_sided)


def paired_upper(worsened: int, improved: int, n: int, level: float = 0.95) -> float:
    """The difference is at most this, sure at `level`."""
    return -paired_lower(improved, worsened, n, level)


def paired_lower(worsened: int, improved: int, n: int, level: float = 0.95) -> float:
    """The difference is at least this, sure at `level` (exact, one-sided; see the module for the method)."""
    from scipy.special import ndtri

    if n < 1 or min(worsened, improved) < 0 or worsened + improved > n:
        raise LinnetError(f"{worsened} worsened and {improved} improved of {n} are not counts of the same samples.")
    if worsened == n:
        return -1.0
    z = float(ndtri(level))
    limit = score_lower(worsened, improved, n, z)
    needed = _needed_improved(n, limit, min(z, float(_score(worsened, improved, n, limit))) - _TIE)
    search = _Search(needed, *_possible_improved(improved, n, 1 - level))
    return search.lower(limit, (improved - worsened) / n)


def score_lower(worsened: float, improved: float, n: float, z: float) -> float:
    """Tango's asymptotic score limit; the counts need not be whole."""
    low, high = -1.0, (improved - worsened) / n
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(worsened, improved, n, middle) >= z else (low, middle)
    return low


def clustered_difference(
    differences: Floats, cluster_labels: Sequence[str], level: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of the mean of paired differences (-1, 0 or 1) where whole clusters were sampled.

    The score interval at the number of independent rows that the clusters are worth (as in `clustered_mean`), and
    never narrower than `paired_difference`, which takes the rows as independent. Asymptotic in the number of
    clusters: (-1.0, 1.0), nothing excluded, under MINIMUM_CLUSTERS.
    """
    from scipy.special import ndtri

    spread = cluster_spread(differences, cluster_labels)
    if spread.clusters < MINIMUM_CLUSTERS:
        return -1.0, 1.0
    worsened, improved = int((differences < 0).sum()), int((differences > 0).sum())
    worth = t_adjusted(spread, (1 + level) / 2) / spread.rows
    counts = worsened * worth, improved * worth, spread.rows * worth
    z = float(ndtri((1 + level) / 2))
    low, high = paired_difference(worsened, improved, spread.rows, level)
    return min(low, score_lower(*counts, z)), max(high, -score_lower(counts[1], counts[0], counts[2], z))


def _score(worsened: Floats | float, improved: Floats | float, n: float, delta: float) -> Floats:
    """Tango's score of tables against `delta`: ahead of it by how many errors of the restricted likelihood."""
    middle = worsened * (1 - delta) + improved * (1 + delta) - 2 * n * delta
    root = np.sqrt(np.maximum(np.square(middle) + 8 * n * worsened * delta * (1 - delta), 0))
    variance = n * np.maximum((middle + root) / (2 * n) + delta * (1 - delta), 0)
    ahead = np.asarray(improved - worsened - n * delta, dtype=np.float64)
    certain = np.where(ahead == 0, 0.0, np.copysign(np.inf, ahead))
    return np.where(variance > 1e-14, ahead / np.sqrt(np.maximum(variance, 1e-14)), certain)


def _needed_improved(n: int, limit: float, z: float) -> Floats:
    """For each number of worsened samples the fewest improved ones whose score reaches z (n + 1 where none does)."""
    worsened = np.arange(n + 1, dtype=np.float64)
    below, reached = np.full(n + 1, -1.0), n - worsened + 1
    while (reached - below > 1).any():
        middle = np.floor((below + reached) / 2)
        is_enough = _score(worsened, middle, n, limit) >= z
        is_open = reached - below > 1
        reached = np.where(is_open & is_enough, middle, reached)
        below = np.where(is_open & ~is_enough, middle, below)
    reached[reached > n - worsened] = n + 1
    # Fewer worsened never need more improved: the search below rests on it, and a larger region only widens the bound.
    return np.minimum.accumulate(reached[::-1])[::-1]


def _possible_improved(improved: int, n: int, alpha: float) -> tuple[float, float, float]:
    """The alpha that is left, and the range of p01 that the data leave possible at the alpha that was paid for it."""
    from scipy.special import betaincinv

    paid = alpha * _SHARE_OF_ALPHA_FOR_NUISANCE
    low = 0.0 if improved == 0 else float(betaincinv(improved, n - improved + 1, paid / 2))
    high = 1.0 if improved == n else float(betaincinv(improved + 1, n - improved, 1 - paid / 2))
    return alpha - paid, low, high


class _Search:
    """Finds the largest delta that is excluded: no p01 in its range gives the region more than alpha.

    More p10 makes the region less probable, more p01 more so. Hence its probability over a cell of p01 is at most
    that of the cell's lowest p10 with its highest p01: cells are halved until each is shown to stay at or under alpha.
    """

    def __init__(self, needed: Floats, alpha: float, p01_low: float, p01_high: float) -> None:
        from scipy.special import gammaln

        self.needed, self.n = needed, len(needed) - 1
        self.alpha, self.p01_low, self.p01_high = alpha, p01_low, p01_high
        counts = np.arange(self.n + 1, dtype=np.float64)
        self.log_choose = gammaln(self.n + 1) - gammaln(counts + 1) - gammaln(self.n - counts + 1)

    def lower(self, start: float, estimate: float) -> float:
        """Step down from `start` to an excluded delta, then halve the distance to one that is not."""
        width = max(estimate - start, 1 / self.n)
        tolerance = width * (_FINE_TOLERANCE if self.n <= _FINE_UP_TO else _TOLERANCE)
        step = 1.5 * tolerance
        high, low = min(start + 0.02 * width, estimate), start
        while low > -1 and not self.excludes(low, tolerance / 2):
            high, low, step = low, max(-1.0, low - step), 2 * step
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if self.excludes(middle, tolerance / 2) else (low, middle)
        return low

    def excludes(self, delta: float, narrowest: float) -> bool:
        """Whether every p01 with p10 = p01 - delta is shown to give at most alpha; cells under `narrowest` give up."""
        low, high = max(self.p01_low, 0.0, delta), min(self.p01_high, (1 + delta) / 2)
        if low > high:
            return True
        edges = np.linspace(math.sqrt(low), math.sqrt(high), 13) ** 2
        lows, highs = edges[:-1], edges[1:]
        while True:
            is_open = self.probability(np.maximum(lows - delta, 0), highs) > self.alpha
            lows, highs = lows[is_open], highs[is_open]
            if not len(lows):
                return True
            is_above = self.probability(np.maximum(lows - delta, 0), lows) > self.alpha
            if is_above.any() or (highs - lows).min() < narrowest:
                return False
            middles = (lows + highs) / 2
            lows, highs = np.concatenate([lows, middles]), np.concatenate([middles, highs])

    def probability(self, p10: Floats, p01: Floats) -> Floats:
        """The region's probability for each pair (p10, p01): improved given worsened is binomial."""
        from scipy.special import betainc, xlog1py, xlogy

        worsened, is_inside = self._window(p10)
        needed, rest = self.needed[worsened], self.n - worsened
        is_reachable = is_inside & (needed <= rest)
        weight = np.exp(self.log_choose[worsened] + xlogy(worsened, p10[:, None]) + xlog1py(rest, -p10[:, None]))
        share = np.minimum(1.0, p01[:, None] / np.maximum(1 - p10[:, None], 1e-300))
        tail = betainc(np.maximum(needed, 1), np.where(is_reachable, rest - needed + 1, 1), share)
        total = np.where(is_reachable, weight * np.where(needed <= 0, 1.0, tail), 0.0).sum(axis=1)
        return np.asarray(total + _DROPPED_MASS)

    def _window(self, p10: Floats) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Counts of worsened samples that are not negligible: more than 6.5 standard deviations on each side."""
        reach = 6.5 * np.sqrt(self.n * p10 * (1 - p10)) + 12
        first = np.floor(np.maximum(0, self.n * p10 - reach)).astype(np.int64)
        last = np.ceil(np.minimum(self.n, self.n * p10 + reach)).astype(np.int64)
        counts = first[:, None] + np.arange(int((last - first).max()) + 1)
        return np.minimum(counts, self.n), counts <= last[:, None]
