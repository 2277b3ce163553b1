"""Knockoffs: columns that look like the given ones to each other, and know nothing of the target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def gaussian_knockoffs(table: Floats, *, seed: int = 0) -> Floats:
    """Equicorrelated model-X knockoffs of a standardised table (Candès et al. 2018, section 3.4.2).

    The covariance is the sample's, drawn towards the identity where rows are few (n below ten times the columns), so
    that it can be inverted with more columns than samples.
    """
    rows, columns = table.shape
    covariance = table.T @ table / rows
    share = min(1.0, columns / (10 * rows)) if rows < 10 * columns else 0.0
    covariance = (1 - share) * covariance + share * np.eye(columns) + 1e-9 * np.eye(columns)
    room = min(1.0, 2 * float(np.linalg.eigvalsh(covariance)[0])) * 0.999
    pulled = room * np.linalg.inv(covariance)
    spread = 2 * room * np.eye(columns) - room * pulled
    values, vectors = np.linalg.eigh((spread + spread.T) / 2)
    noise = np.random.default_rng([seed, *b"knockoffs"]).normal(size=table.shape)  # never the numbers of the table
    return np.asarray(table - table @ pulled + (noise * np.sqrt(np.maximum(values, 0))) @ vectors.T)


def knockoff_threshold(leads: Floats, rate: float) -> float:
    """The least lead from which on columns may be chosen, knockoff+ (Barber and Candès 2015); infinity for none.

    >>> knockoff_threshold(np.array([3.0, 2.5, 2.0, 1.5, -0.5, 0.4]), 0.25)
    1.5
    """
    for least in np.sort(np.abs(leads[leads != 0])):
        if (1 + (leads <= -least).sum()) / max(1, (leads >= least).sum()) <= rate:
            return float(least)
    return float("inf")
