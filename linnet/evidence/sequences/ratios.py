"""Ratios of sums (clicks by views, totals of clusters by sizes) as moments that `adjusted` and `relative` take."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.estimates import Estimate, Moments, adjustment
from linnet.evidence.sequences.looks import Floats
from linnet.evidence.settings import check_finite, check_numbers


def ratio_moments(n: ArrayLike, means: ArrayLike, covariances: ArrayLike) -> Moments:
    """The moments of a ratio of two means, and of a covariate that may be a ratio too (delta method).

    The last axis of `means` holds numerator, denominator, the covariate's numerator and its denominator; the last two
    of `covariances` those of the same four between units (n - 1). A plain mean has the denominator 1, without
    variance; a missing covariate is 0 over 1. Where a denominator's mean is not above 0 everything is NaN.

    Assumes: the n units (or clusters: their totals) are independent, and the denominator's mean is known to within a
        small part of itself.
    Source: Deng, Knoblich and Lu, Applying the delta method in metric analytics, KDD, 2018 (sections 2 and 4).
    Not for: the mean of each unit's own ratio, which is another metric: give that as a mean.

    >>> clicks, views = np.array([1.0, 0.0, 2.0, 1.0]), np.array([4.0, 2.0, 5.0, 5.0])
    >>> columns = np.stack([clicks, views, np.zeros(4), np.ones(4)])
    >>> found = ratio_moments(4, columns.mean(axis=1), np.cov(columns))
    >>> float(found.mean), round(float(found.variance), 4)
    (0.25, 0.0182)
    """
    size, centre = check_finite("n", n), check_numbers("means", means)
    spread = check_numbers("covariances", covariances)
    if centre.shape[-1:] != (4,) or spread.shape[-2:] != (4, 4):
        raise LinnetError(f"means of shape {centre.shape} and covariances of shape {spread.shape}; expected four on "
                          "the last axis, and four by four on the last two.")
    under = np.where(centre[..., 1::2] > 0, centre[..., 1::2], np.nan)
    ratio = centre[..., ::2] / under
    slopes = np.stack([1 / under, -ratio / under], axis=-1)  # (..., metric or covariate, numerator or denominator)
    blocks = spread.reshape(*spread.shape[:-2], 2, 2, 2, 2)
    variance = np.einsum("...ia,...iajb,...jb->...ij", slopes, blocks, slopes)
    return Moments(size, ratio[..., 0], variance[..., 0, 0], ratio[..., 1], variance[..., 1, 1], variance[..., 0, 1])


def adjusted_means(control: Moments, treatment: Moments) -> tuple[Estimate, Estimate]:
    """The mean of each arm, freed of what the covariate explains: their difference and its error are `adjusted`'s.

    Assumes: as `adjusted`, and that the covariate's mean over both arms is that of all units.
    Source: Deng, Xu, Kohavi and Walker, WSDM, 2013 (section 3.2).
    Not for: an arm on its own: the adjustment moves it to where both arms together are.

    >>> from linnet.evidence.sequences.estimates import adjusted, moments
    >>> arms = moments([1.0, 2.0, 4.0], [0.0, 1.0, 2.0]), moments([3.0, 4.0, 7.0], [1.0, 2.0, 3.0])
    >>> old, new = adjusted_means(*arms)
    >>> round(float(new.value - old.value), 4), round(float(adjusted(*arms).value), 4)
    (0.5833, 0.5833)
    """
    slope = adjustment(control, treatment)
    centre = (control.covariate_mean * control.n + treatment.covariate_mean * treatment.n) / (control.n + treatment.n)
    first, second = (_adjusted(arm, slope, centre) for arm in (control, treatment))
    return first, second


def _adjusted(arm: Moments, slope: Floats, centre: Floats) -> Estimate:
    variance = arm.variance - 2 * slope * arm.covariance + slope**2 * arm.covariate_variance
    return Estimate(np.asarray(arm.mean - slope * (arm.covariate_mean - centre)),
                    np.asarray(np.sqrt(np.maximum(variance, 0.0) / arm.n)), arm.n)
