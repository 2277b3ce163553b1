"""The difference of two rates by bets that a shift of both rates leaves alone.

Against a difference delta, stake that the treatment is better: each of its units pays 1 + b(x - q - delta), each of the
control's 1 - c(x - q), where x is success and the two stakes weigh the same, share * b = (1 - share) * c. If both
rates lie t above q and q + delta, what the one bet gains by t the other loses: a fair game for every t, at random
assignment; for batches of fixed sizes less than fair, by the inequality of the means. So q need only be near the
control's rate for the capital to grow; nothing but speed rests on it. Capital falls as delta grows: the
differences that it refutes lie together at one end, and the opposite stakes refute the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linnet.errors import LinnetError
from linnet.evidence.sequences.looks import Floats
from linnet.evidence.settings import check_amount, check_between

_SIZES = 2.0 ** np.array([-6, -5, -4, -3, -2, -1, -0.5, 0, 0.5, 1, 2, 3, 4, 5])
"""Stakes, in units of the one that is best for the minimum effect."""

_ELSEWHERE = (0.02, 0.2, 0.5, 0.8, 0.98)  # where the control's rate is looked for if it is not near the baseline
_COARSE = 5.0 ** np.arange(-1, 2)
_WEIGHT_ELSEWHERE = 0.05
_MOST = 0.9  # of the capital, at risk on one unit
_CLOSE = 1e-10


@dataclass(frozen=True)
class DifferencePrior:
    """What the plan says beforehand: the smallest difference worth finding, up or down, and the control's rate."""

    minimum_effect: float
    baseline: float


def difference_prior(minimum_effect: float, baseline: float) -> DifferencePrior:
    """Makes `difference` bet on both rates at once: the narrower way, more so the more frequent successes are.

    Both are shares: one point at a baseline of 5 % is `difference_prior(0.01, 0.05)`. A baseline stated at half the
    truth takes a quarter more units, one at twice the truth an eighth; the interval holds whatever it is.

    Assumes: that it is stated before the first look.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
        Statistical Society B, 2024 (stakes); why two arms balance: linnet/evidence/sequences/balanced_bets.py.
    Not for: a guess read off the data it is then used on; the error would no longer be held.

    >>> difference_prior(0.01, 0.05).baseline
    0.05
    """
    rate = check_between("baseline", baseline)
    effect = check_amount("minimum_effect", minimum_effect)
    if effect >= 1:
        raise LinnetError(f"minimum_effect is a difference of two shares, below 1 (one point: 0.01); got {effect!r}.")
    return DifferencePrior(effect, rate)


@dataclass(frozen=True)
class Stakes:
    """Bets, one an element: control's stake, treatment's stake, where both are centred, and the log of their weight."""

    control: Floats
    treatment: Floats
    centre: Floats
    log_weight: Floats


def stakes(prior: DifferencePrior, share: float) -> Stakes:
    """Most on the effect that the plan calls the smallest worth finding, at the baseline it expects."""
    peak = np.exp(-2 * np.log2(_SIZES) ** 2) + np.where(_SIZES < 1, 0.06, 0.02)  # small ones narrow late intervals
    weights = [(1 - _WEIGHT_ELSEWHERE) * peak / peak.sum()]
    weights += [np.full(len(_COARSE), _WEIGHT_ELSEWHERE / len(_COARSE) / len(_ELSEWHERE))] * len(_ELSEWHERE)
    centre = np.repeat([prior.baseline, *_ELSEWHERE], [len(_SIZES)] + [len(_COARSE)] * len(_ELSEWHERE))
    size = np.concatenate([_SIZES, *[_COARSE] * len(_ELSEWHERE)])
    both = prior.minimum_effect * size * share * (1 - share) / (centre * (1 - centre))
    both = np.minimum(both, _MOST * min(share, 1 - share))
    return Stakes(both / (1 - share), both / share, centre, np.log(np.concatenate(weights)))


@dataclass(frozen=True)
class Capital:
    """What the stakes have become on totals of successes and failures, as a function of the difference."""

    counts: tuple[Floats, ...]  # control's successes and failures, treatment's successes and failures
    bets: Stakes

    @classmethod
    def of(cls, counts: tuple[Floats, ...], bets: Stakes) -> Capital:
        """Totals that broadcast."""
        return cls(tuple(np.broadcast_arrays(*counts)), bets)

    def log(self, delta: Floats, sign: int) -> tuple[Floats, Floats]:
        """Log of the capital staked on a greater (1) or smaller (-1) difference than delta, and its slope."""
        hits_a, misses_a, hits_b, misses_b = (count[..., None] for count in self.counts)
        shifted = self.bets.centre + delta[..., None]
        q_b = np.clip(shifted, 0, 1)
        q_a = q_b - delta[..., None]
        moved_b = np.where((shifted > 0) & (shifted < 1), 1.0, 0.0)
        a, b = sign * self.bets.control, sign * self.bets.treatment
        pays = (1 - a * (1 - q_a), 1 + a * q_a, 1 + b * (1 - q_b), 1 - b * q_b)
        each = self.bets.log_weight + sum(
            count * np.log(pay) for count, pay in zip((hits_a, misses_a, hits_b, misses_b), pays, strict=True))
        slope = (a * (moved_b - 1) * (hits_a / pays[0] + misses_a / pays[1])
                 - b * moved_b * (hits_b / pays[2] + misses_b / pays[3]))
        top = each.max(axis=-1)
        weight = np.exp(each - top[..., None])
        total = weight.sum(axis=-1)
        return top + np.log(total), (weight * slope).sum(axis=-1) / total


def balanced_interval(capital: Capital, alpha: float) -> tuple[Floats, Floats]:
    """The differences that neither side has refuted, each with half of alpha."""
    return _end(capital, 1, np.log(2 / alpha)), _end(capital, -1, np.log(2 / alpha))


def balanced_log_e(capital: Capital) -> Floats:
    """The evidence against no effect."""
    none = np.zeros(capital.counts[0].shape)
    return np.asarray(np.logaddexp(capital.log(none, 1)[0], capital.log(none, -1)[0]) - np.log(2))


def _end(capital: Capital, sign: int, enough: float) -> Floats:
    """Where the capital is just enough, rounded outwards: Newton's method, halving where it would leave the bracket."""
    far = np.full(capital.counts[0].shape, -float(sign))
    ends = far.copy()
    is_open = capital.log(far, sign)[0] >= enough
    outer, inner = far[is_open], -far[is_open]  # at the far end every bet is refuted, at the near one none has gained
    rest = Capital(tuple(count[is_open] for count in capital.counts), capital.bets)
    delta = _guess(rest.counts, sign)
    places = np.flatnonzero(is_open.ravel())
    while len(places):
        value, slope = rest.log(delta, sign)
        is_refuted = value >= enough
        outer, inner = np.where(is_refuted, delta, outer), np.where(is_refuted, inner, delta)
        is_done = np.abs(outer - inner) <= _CLOSE
        ends.ravel()[places[is_done]] = outer[is_done]
        beyond = np.where(is_refuted, sign, -sign) * _CLOSE / 3  # to close the bracket from the other side
        step = delta - (value - enough) / np.where(slope == 0, 1.0, slope) + beyond
        is_inside = (np.minimum(outer, inner) < step) & (step < np.maximum(outer, inner))
        delta = np.where(is_inside, step, (outer + inner) / 2)[~is_done]
        outer, inner, places = outer[~is_done], inner[~is_done], places[~is_done]
        rest = Capital(tuple(count[~is_done] for count in rest.counts), capital.bets)
    return ends


def _guess(counts: tuple[Floats, ...], sign: int) -> Floats:
    """Three standard errors from the difference seen."""
    rates = [(hits + 1) / (hits + misses + 2) for hits, misses in (counts[:2], counts[2:])]
    error = sum(rate * (1 - rate) / (hits + misses + 2)
                for rate, hits, misses in ((rates[0], *counts[:2]), (rates[1], *counts[2:])))
    return np.asarray(np.clip(rates[1] - rates[0] - sign * 3 * np.sqrt(error), -0.999, 0.999))
