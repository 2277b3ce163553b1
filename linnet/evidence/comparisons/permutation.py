"""Tests of two sides on the same samples that need no distribution: what if the sides had changed places?"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def mcnemar(worsened: int, improved: int) -> float:
    """Two-sided p-value that one side is right as often as the other: McNemar's test, exact given the disagreements.

    >>> round(mcnemar(3, 12), 4)
    0.0352
    """
    from scipy.stats import binom

    both = worsened + improved
    return min(1.0, 2 * float(binom.cdf(min(worsened, improved), both, 0.5))) if both else 1.0


def sign_flip(after: Floats, before: Floats) -> float:
    """Two-sided p-value that for each sample the two sides could have changed places; (seeds, samples) of 0 and 1.

    The chance of a sum at least as far from 0 where each sample's difference has a random sign, counted in full
    (Fisher, The Design of Experiments, 1935, section 21). With one file a side it is McNemar's exact test.
    """
    if len(after) == len(before) == 1:
        return mcnemar(int((after < before).sum()), int((after > before).sum()))
    unit = math.lcm(len(after), len(before))
    steps = np.rint((after.mean(axis=0) - before.mean(axis=0)) * unit).astype(np.int64)
    chances = _sums_of_signs(np.bincount(np.abs(steps)))
    centre = len(chances) // 2
    far = abs(int(steps.sum()))
    return 1.0 if far == 0 else min(1.0, 2 * float(chances[centre + far :].sum()))


def _sums_of_signs(counts: NDArray[np.int64]) -> Floats:
    """The chance of each sum from -S to S of `counts[v]` values v, each with a random sign; S is their total."""
    from scipy.signal import fftconvolve
    from scipy.stats import binom

    chances = np.ones(1)
    for value, count in enumerate(counts):
        if value and count:
            spread = np.zeros(2 * value * int(count) + 1)
            spread[:: 2 * value] = binom.pmf(np.arange(count + 1), count, 0.5)
            chances = np.maximum(fftconvolve(chances, spread), 0.0)
    return np.asarray(chances)
