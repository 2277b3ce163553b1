"""The difference of two shares that were measured on the same samples.

Of n samples, `worsened` were right before and wrong after, `improved` wrong before and right after. The counts are
trinomial with shares p10 and p01; the difference is delta = p01 - p10, and how often the two disagree is a nuisance.
The bound is Buehler's (see `buehler`), with tables ordered by Tango's score limit (Statistics in Medicine 17, 1998):
the tables at least as good as the observed one are those whose score at that limit reaches z.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.comparisons.buehler import DROPPED, MOST_SAMPLES, TIE, Search, likely_counts, nuisance
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, ClusterSpread, cluster_spread, independent_rows
from linnet.evidence.settings import check_between, check_count, check_rows, is_count, is_number

Floats = NDArray[np.float64]


def paired_difference(worsened: int, improved: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the share after minus the share before; covers at least at `level` for every n.

    Of n samples, `worsened` were right before and wrong after, `improved` the other way round.

    Assumes: the samples are independent of each other; both sides answered the same ones.
    Source: Buehler, Confidence intervals for the product of two binomial parameters, JASA 52, 1957; tables ordered by
    Tango, Equivalence test and confidence interval for the difference in proportions for the paired-sample design,
    Statistics in Medicine 17, 1998; nuisance by Berger and Boos, JASA 89, 1994.
    Not for: different samples on the two sides (`two_sample_difference`); graded scores (`paired_mean_difference`);
    rows in clusters (`clustered_difference`).

    >>> low, high = paired_difference(8, 5, 1000, 0.90)
    >>> round(low, 3), round(high, 3)
    (-0.01, 0.003)
    """
    one_sided = (1 + check_between("level", level)) / 2
    return paired_lower(worsened, improved, n, one_sided), paired_upper(worsened, improved, n, one_sided)


def paired_upper(worsened: int, improved: int, n: int, level: float = 0.95) -> float:
    """The difference is at most this, sure at `level` (exact, one-sided).

    Assumes: independent samples, the same on both sides. Source: Buehler 1957, see `paired_difference`.
    Not for: different samples on the two sides (`two_sample_upper`).

    >>> round(paired_upper(0, 0, 360), 4)
    0.0083
    """
    return -paired_lower(improved, worsened, n, level)


def paired_lower(worsened: int, improved: int, n: int, level: float = 0.95) -> float:
    """The difference is at least this, sure at `level` (exact, one-sided).

    Assumes: independent samples, the same on both sides. Source: Buehler 1957, see `paired_difference`.
    Not for: different samples on the two sides (`two_sample_lower`).

    >>> round(paired_lower(8, 5, 1000), 4)
    -0.0098
    """
    from scipy.special import ndtri

    if not all(map(is_count, (worsened, improved, n))) or n < 1 or worsened + improved > n:
        raise LinnetError(f"{worsened!r:.40} worsened and {improved!r:.40} improved of {n!r:.40} are not counts of the "
                          "same samples.")
    worsened, improved, n = int(worsened), int(improved), check_count("n", n, most=MOST_SAMPLES)
    if worsened == n:
        return -1.0
    z = float(ndtri(check_between("level", level)))
    limit = score_lower(worsened, improved, n, z)
    needed = _needed_improved(n, limit, min(z, float(_score(worsened, improved, n, limit))) - TIE)
    search = Search(_Tables(needed).probability, lambda delta: (1 + delta) / 2, nuisance(improved, n, 1 - level))
    return search.lower(limit, (improved - worsened) / n, n=n)


def score_lower(worsened: float, improved: float, n: float, z: float) -> float:
    """Tango's asymptotic lower limit of the difference, z errors below; the counts need not be whole.

    Assumes: so many samples that the score is close to normal; planned or effective numbers are allowed.
    Source: Tango, Statistics in Medicine 17, 1998.
    Not for: bounds that must hold for every n (`paired_lower`).

    >>> round(score_lower(8, 5, 1000, 1.645), 4)
    -0.0097
    """
    if not all(map(is_number, (worsened, improved, n, z))) or not (
            n > 0 and min(worsened, improved) >= 0 and worsened + improved <= n * (1 + 1e-9)):
        raise LinnetError(f"{worsened!r} worsened and {improved!r} improved of {n!r} are no parts of the same samples.")
    low, high = -1.0, (improved - worsened) / n
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _score(worsened, improved, n, middle) >= z else (low, middle)
    return low


def clustered_difference(
    differences: Floats, cluster_labels: Sequence[str], level: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of the mean of paired differences (-1, 0 or 1) where whole clusters were sampled.

    The bounds of the two shares, worsened and improved, each at the number of independent rows that its clusters are
    worth (as in `clustered_mean`), put together by squares; never narrower than `paired_difference`, which takes the
    rows as independent. Excludes nothing, (-1.0, 1.0), under MINIMUM_CLUSTERS.

    Assumes: clusters are independent of each other, and many; none of a rare kind is missing. Asymptotic in the number
        of clusters.
    Source: Newcombe, Improved confidence intervals for the difference between binomial proportions based on paired
        data, Statistics in Medicine 17, 1998 (method 10: squares and correlation), on the bounds of Korn and Graubard,
        Survey Methodology 24, 1998.
    Not for: a bound that must hold for any number of clusters (`paired_mean_difference` with `clusters`).

    >>> clusters = [str(row // 4) for row in range(80)]
    >>> low, high = clustered_difference(np.tile([1.0, 0.0, 0.0, -1.0, 0.0], 16), clusters)
    >>> round(low, 2), round(high, 2)
    (-0.16, 0.16)
    """
    check_between("level", level)
    values = check_rows("differences", differences, low=-1, high=1)
    if (odd := values[np.abs(values) % 1 != 0]).size:
        raise LinnetError(f"the differences hold {odd[0]:g}; expected -1, 0 or 1, of right and wrong answers. For "
                          "graded scores: paired_mean_difference with clusters.")
    worsened, improved = (cluster_spread((values * sign > 0).astype(np.float64), cluster_labels) for sign in (-1, 1))
    if worsened.clusters < MINIMUM_CLUSTERS:
        return -1.0, 1.0
    low, high = paired_difference(int((values < 0).sum()), int((values > 0).sum()), worsened.rows, level)
    one_sided = (1 + level) / 2
    by_cluster = clustered_lower(worsened, improved, one_sided), -clustered_lower(improved, worsened, one_sided)
    return min(low, by_cluster[0]), max(high, by_cluster[1])


def clustered_lower(worsened: ClusterSpread, improved: ClusterSpread, level: float) -> float:
    """The share improved minus the share worsened is at least this, one-sided; as `clustered_difference`.

    Assumes: as `clustered_difference`.
    Source: as `clustered_difference`.
    Not for: a mean of graded differences.

    >>> round(clustered_lower(ClusterSpread(0.05, 2000, 40, 1000.0), ClusterSpread(0.06, 2000, 40, 1000.0), 0.95), 3)
    -0.008
    """
    rows = [np.float64(independent_rows(spread, level)) for spread in (worsened, improved)]
    return float(lower_of_shares(np.float64(worsened.mean), np.float64(improved.mean), rows[0], rows[1], level))


def lower_of_shares(lost: Floats | np.float64, gained: Floats | np.float64, rows_lost: Floats | np.float64,
                    rows_gained: Floats | np.float64, level: float) -> Floats:
    """`clustered_lower` for arrays of shares, and of the independent rows that each of them rests on."""
    from scipy.special import betaincinv

    tiny = 1e-12  # the functions need a count above 0; the bounds at 0 are set by hand
    kept, won = (1 - lost) * rows_lost, gained * rows_gained
    most_lost = np.where(kept > 0, 1 - betaincinv(np.maximum(kept, tiny), rows_lost - kept + 1, 1 - level), 1.0)
    least_gained = np.where(won > 0, betaincinv(np.maximum(won, tiny), rows_gained - won + 1, 1 - level), 0.0)
    # A sample that worsened did not improve: the two shares are correlated below zero; their difference varies more.
    both = (1 - lost) * (1 - gained)
    apart = np.sqrt(np.where(both > 0, lost * gained / np.where(both > 0, both, 1.0), 1.0))
    below, above = most_lost - lost, gained - least_gained
    return np.maximum(-1.0, gained - lost - np.sqrt(below**2 + above**2 + 2 * apart * below * above))


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


class _Tables:
    """The tables with at least `needed[worsened]` improved samples."""

    def __init__(self, needed: Floats) -> None:
        from scipy.special import gammaln

        self.needed, self.n = needed, len(needed) - 1
        counts = np.arange(self.n + 1, dtype=np.float64)
        self.log_choose = gammaln(self.n + 1) - gammaln(counts + 1) - gammaln(self.n - counts + 1)

    def probability(self, p10: Floats, p01: Floats) -> Floats:
        """Their probability for each pair (p10, p01): improved given worsened is binomial."""
        from scipy.special import betainc, xlog1py, xlogy

        worsened, is_inside = likely_counts(self.n, p10)
        needed, rest = self.needed[worsened], self.n - worsened
        is_reachable = is_inside & (needed <= rest)
        weight = np.exp(self.log_choose[worsened] + xlogy(worsened, p10[:, None]) + xlog1py(rest, -p10[:, None]))
        share = np.minimum(1.0, p01[:, None] / np.maximum(1 - p10[:, None], 1e-300))
        tail = betainc(np.maximum(needed, 1), np.where(is_reachable, rest - needed + 1, 1), share)
        total = np.where(is_reachable, weight * np.where(needed <= 0, 1.0, tail), 0.0).sum(axis=1)
        return np.asarray(total + DROPPED)
