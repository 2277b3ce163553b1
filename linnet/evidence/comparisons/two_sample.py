"""The difference of two shares that were measured on different samples: exact, for every n.

The bound is Buehler's (see `buehler`), with tables ordered by the score limit of Miettinen and Nurminen (Statistics in
Medicine 4, 1985): the tables at least as good as the observed one are those whose score at that limit reaches z.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.comparisons.buehler import DROPPED, MOST_SAMPLES, TIE, Search, likely_counts, nuisance
from linnet.evidence.settings import check_between, check_trials

Floats = NDArray[np.float64]


def two_sample_difference(
    control: int, n_control: int, treatment: int, n_treatment: int, *, level: float = 0.95
) -> tuple[float, float]:
    """Two-sided interval of the share in the treatment minus the share in the control; exact for every n.

    `control` of `n_control` and `treatment` of `n_treatment` are counts. Up to a million samples a side take seconds.

    Assumes: the samples are independent of each other, within a side and between the sides; each side has one share.
    Source: Buehler, Confidence intervals for the product of two binomial parameters, JASA 52, 1957; Lloyd and Kabaila,
    On the optimality and limitations of Buehler bounds, Australian and New Zealand Journal of Statistics 45, 2003;
    ordered by Miettinen and Nurminen, Comparative analysis of two rates, Statistics in Medicine 4, 1985.
    Not for: the same samples on both sides (`paired_difference`); rows that hang together in clusters
    (`two_sample_mean_difference` with `clusters`); looking again and again (`sequences.difference`).

    >>> low, high = two_sample_difference(20, 200, 35, 200)
    >>> round(low, 3), round(high, 3)
    (0.007, 0.144)
    """
    one_sided = (1 + check_between("level", level)) / 2
    return (two_sample_lower(control, n_control, treatment, n_treatment, level=one_sided),
            two_sample_upper(control, n_control, treatment, n_treatment, level=one_sided))


def two_sample_upper(control: int, n_control: int, treatment: int, n_treatment: int, *, level: float = 0.95) -> float:
    """The share in the treatment minus that in the control is at most this, sure at `level` (exact, one-sided).

    Assumes: independent samples, one share a side. Source: Buehler 1957, see `two_sample_difference`.
    Not for: two sides that share samples (`paired_upper`).

    >>> round(two_sample_upper(0, 100, 0, 100), 3)
    0.03
    """
    return -two_sample_lower(treatment, n_treatment, control, n_control, level=level)


def two_sample_lower(control: int, n_control: int, treatment: int, n_treatment: int, *, level: float = 0.95) -> float:
    """The share in the treatment minus that in the control is at least this, sure at `level` (exact, one-sided).

    Assumes: independent samples, one share a side. Source: Buehler 1957, see `two_sample_difference`.
    Not for: two sides that share samples (`paired_lower`).

    >>> round(two_sample_lower(0, 100, 0, 100), 3)
    -0.03
    """
    from scipy.special import ndtri

    control, n_control = check_trials(control, n_control, of=" of control", most=MOST_SAMPLES)
    treatment, n_treatment = check_trials(treatment, n_treatment, of=" of treatment", most=MOST_SAMPLES)
    if control == n_control and treatment == 0:
        return -1.0
    z = float(ndtri(check_between("level", level)))
    limit = score_difference_lower(control, n_control, treatment, n_treatment, z)
    observed = float(_score(float(control), n_control, float(treatment), n_treatment, limit))
    tables = _Tables(control, n_control, n_treatment, limit, min(z, observed) - TIE)
    search = Search(tables.probability, lambda delta: min(1.0, 1 + delta), nuisance(treatment, n_treatment, 1 - level))
    return search.lower(limit, treatment / n_treatment - control / n_control, n=min(n_control, n_treatment))


def score_difference_lower(control: float, n_control: float, treatment: float, n_treatment: float, z: float) -> float:
    """Miettinen and Nurminen's asymptotic score limit; the counts need not be whole."""
    low, high = -1.0, treatment / n_treatment - control / n_control
    for _ in range(60):
        middle = (low + high) / 2
        is_below = float(_score(control, n_control, treatment, n_treatment, middle)) >= z
        low, high = (middle, high) if is_below else (low, middle)
    return low


def _score(
    control: Floats | float, n_control: float, treatment: Floats | float, n_treatment: float, delta: float
) -> Floats:
    """How many errors of the restricted likelihood the treatment is ahead of `delta`."""
    total = n_control + n_treatment
    share = _restricted_share(control, n_control, treatment, n_treatment, delta)
    other = np.clip(share + delta, 0.0, 1.0)
    variance = (share * (1 - share) / n_control + other * (1 - other) / n_treatment) * total / max(total - 1, 1)
    ahead = np.asarray(treatment / n_treatment - control / n_control - delta, dtype=np.float64)
    certain = np.where(np.abs(ahead) < 1e-12, 0.0, np.copysign(np.inf, ahead))
    return np.where(variance > 1e-14, ahead / np.sqrt(np.maximum(variance, 1e-14)), certain)


def _restricted_share(
    control: Floats | float, n_control: float, treatment: Floats | float, n_treatment: float, delta: float
) -> Floats:
    """The likeliest share of the control where the treatment's is larger by `delta`: the root of a cubic."""
    total, successes = n_control + n_treatment, np.asarray(control + treatment, dtype=np.float64)
    second = ((n_treatment + 2 * n_control) * delta - total - successes) / (3 * total)
    first = ((n_control * delta - total - 2 * control) * delta + successes) / total
    constant = control * delta * (1 - delta) / total
    q = second**3 - second * first / 2 + constant / 2
    p = np.copysign(np.sqrt(np.maximum(second**2 - first / 3, 0.0)), q)
    ratio = np.clip(q / np.where(p == 0, 1.0, p**3), -1.0, 1.0)
    share = 2 * p * np.cos((np.pi + np.arccos(ratio)) / 3) - second
    return np.clip(share, max(0.0, -delta), min(1.0, 1.0 - delta))


class _Tables:
    """The tables whose score at `limit` reaches z, for the counts of the control that matter.

    `needed` holds the fewest successes of the treatment for each count from `first` on. Smaller counts of the control
    are taken to need none, and larger ones as few as the last: more tables only widen the bound.
    """

    def __init__(self, control: int, n_control: int, n_treatment: int, limit: float, z: float) -> None:
        self.n_control, self.n_treatment = n_control, n_treatment
        guess = (control + 2) / (n_control + 4)
        reach = int(25 * np.sqrt(n_control * guess * (1 - guess))) + 60
        self.first, last = max(0, control - reach), min(n_control, control + reach)
        self.needed = self._needed(np.arange(self.first, last + 1, dtype=np.float64), limit, z)

    def probability(self, p_control: Floats, p_treatment: Floats) -> Floats:
        """Their probability for each pair of shares: two independent binomials."""
        controls, is_control = likely_counts(self.n_control, p_control)
        treatments, is_treatment = likely_counts(self.n_treatment, p_treatment)
        weight = np.where(is_control, _chances(controls, self.n_control, p_control), 0.0)
        chance = np.where(is_treatment, _chances(treatments, self.n_treatment, p_treatment), 0.0)
        tail = np.zeros((len(chance), chance.shape[1] + 1))
        tail[:, :-1] = np.cumsum(chance[:, ::-1], axis=1)[:, ::-1]
        place = np.clip(controls - self.first, 0, len(self.needed) - 1)
        needed = np.where(controls < self.first, 0, self.needed[place])
        at = np.clip(needed - treatments[:, :1], 0, chance.shape[1])
        total = (weight * np.take_along_axis(tail, at, axis=1)).sum(axis=1)
        return np.asarray(total + 2 * DROPPED)

    def _needed(self, controls: Floats, limit: float, z: float) -> NDArray[np.int64]:
        below, reached = np.full(len(controls), -1.0), np.full(len(controls), self.n_treatment + 1.0)
        while (is_open := reached - below > 1).any():
            middle = np.floor((below + reached) / 2)
            is_enough = _score(controls, self.n_control, middle, self.n_treatment, limit) >= z
            reached = np.where(is_open & is_enough, middle, reached)
            below = np.where(is_open & ~is_enough, middle, below)
        # A larger count of the control never needs fewer: rounding aside, and then more tables are taken.
        return np.minimum.accumulate(reached[::-1])[::-1].astype(np.int64)


def _chances(counts: NDArray[np.int64], n: int, share: Floats) -> Floats:
    """The binomial probability of each count, a row a share."""
    from scipy.special import gammaln, xlog1py, xlogy

    choose = gammaln(n + 1) - gammaln(counts + 1.0) - gammaln(n - counts + 1.0)
    return np.asarray(np.exp(choose + xlogy(counts, share[:, None]) + xlog1py(n - counts, -share[:, None])))
