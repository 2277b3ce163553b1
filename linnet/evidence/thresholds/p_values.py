"""P-values of "the risk is above its target": small where the losses seen speak against it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.evidence.intervals.bets import log_wealth

Floats = NDArray[np.float64]
_ROUNDING = 1e-9  # of a sum of losses: what adding floats may have added to it


def binomial_p_value(wrong: ArrayLike, n: ArrayLike, target: ArrayLike) -> Floats:
    """The chance of so few wrong answers among n if a share of `target` is wrong; 1 for n = 0. Broadcasts.

    Assumes: answers are right or wrong, independently of each other.
    Source: Clopper and Pearson, The use of confidence or fiducial limits, Biometrika 26, 1934.
    Not for: losses between 0 and 1 (`hoeffding_bentkus_p_value`, `betting_p_value`).

    >>> round(float(binomial_p_value(0, 59, 0.05)), 4)
    0.0485
    """
    from scipy.special import betainc

    k, rows, share = np.broadcast_arrays(*(np.asarray(given, dtype=np.float64) for given in (wrong, n, target)))
    tail = betainc(np.maximum(rows - k, _ROUNDING), k + 1, 1 - share)
    return np.asarray(np.where(k < rows, tail, 1.0))


def hoeffding_bentkus_p_value(mean: ArrayLike, n: ArrayLike, target: ArrayLike) -> Floats:
    """A p-value from the mean of n losses in [0, 1]: the smaller of Hoeffding's and Bentkus' bounds. Broadcasts.

    Assumes: losses in [0, 1], independent of each other; their means may differ, the risk is then the average.
    Source: Bates, Angelopoulos, Lei, Malik and Jordan, Distribution-free, risk-controlling prediction sets, Journal of
        the ACM 68, 2021 (section 3.1.2); Bentkus, On Hoeffding's inequalities, Annals of Probability 32, 2004.
    Not for: right and wrong answers, where it gives away a factor of e (`binomial_p_value`); losses that vary little,
        of which it knows only the mean (`betting_p_value`).

    >>> round(float(hoeffding_bentkus_p_value(0.05, 200, 0.1)), 4)
    0.0219
    """
    seen, rows, share = np.broadcast_arrays(*(np.asarray(given, dtype=np.float64) for given in (mean, n, target)))
    hoeffding = np.exp(-rows * divergence(np.minimum(seen, share), share))
    bentkus = np.e * binomial_p_value(np.ceil(rows * seen - _ROUNDING), rows, share)
    return np.asarray(np.minimum(1.0, np.minimum(hoeffding, bentkus)))


def betting_p_value(
    sums: Floats, sizes: Floats, target: float, alpha: float, *, scale: float | None = None
) -> Floats:
    """A p-value from sums of losses (..., clusters): one over what was won by betting that the risk is below `target`.

    `sizes` (..., clusters) are the rows behind each sum, both in units of the largest cluster; for independent rows,
    `sums` are the losses and `sizes` ones. `alpha` is where the p-value should be sharp; it is valid everywhere. The
    order of the clusters does not matter. `scale` is the sum of squared sizes that is to be expected; by default that
    of these sizes.

    Assumes: clusters are independent, each sum from 0 to its size, the sizes at most 1; within a cluster anything goes.
        The risk is with the sizes as they are. If these are random and may go with the losses, their unit and `scale`
        (the number of clusters) must be stated beforehand.
    Source: Waudby-Smith and Ramdas, Estimating means of bounded random variables by betting, Journal of the Royal
        Statistical Society B 86, 2024 (section 4).
    Not for: right and wrong answers of independent rows (`binomial_p_value`).

    >>> losses = np.tile([0.0, 0.02, 0.04], 20)
    >>> round(float(betting_p_value(losses, np.ones(60), 0.1, 0.05)), 3)
    0.007
    """
    expected = np.asarray(np.square(sizes).sum(-1) if scale is None else scale)
    won = log_wealth(sizes - sums, sizes, 1 - target, alpha, expected)
    return np.asarray(np.exp(-np.maximum(won, 0.0)))


def divergence(seen: ArrayLike, target: ArrayLike) -> Floats:
    """Kullback and Leibler's divergence of two shares: how fast, a row, evidence for `seen` against `target` grows.

    >>> round(float(divergence(0.0, 0.05)), 4)
    0.0513
    """
    from scipy.special import rel_entr

    first, second = np.asarray(seen, dtype=np.float64), np.asarray(target, dtype=np.float64)
    return np.asarray(rel_entr(first, second) + rel_entr(1 - first, 1 - second))
