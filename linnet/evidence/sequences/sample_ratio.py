"""Do the arms get the shares of units that the plan gave them? Where not, trust nothing else the experiment says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.evidence.sequences.looks import Floats, added
from linnet.evidence.settings import check_amount, check_counts, check_finite


def sample_ratio(counts: ArrayLike, shares: ArrayLike, *, concentration: float = 100.0) -> Floats:
    """Log of the e-value against units falling to the arms in these shares; log(1 / alpha) or more is an alarm.

    `counts` are the units so far, arms on the last axis, looks or experiments on the axes before it. More
    `concentration` looks closer around the shares: it finds small deviations sooner, large ones later. Exact.

    Assumes: each unit is counted once and falls to an arm independently of the others.
    Source: Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS, 2022 (section 3).
    Not for: arms that are balanced by design (every second unit), where it can never alarm and need not; shares that
        change on the way, for which each stretch is tested on its own.

    >>> log_e = sample_ratio([[510, 490], [5300, 4700]], [0.5, 0.5])
    >>> (log_e > np.log(1 / 0.001)).tolist()
    [False, True]
    """
    from scipy.special import gammaln

    parts = _check_shares(shares)
    units = _check_arms(counts, len(parts))
    prior = check_amount("concentration", concentration) * parts
    ratios = (gammaln(prior + units) - gammaln(prior) - units * np.log(parts)).sum(axis=-1)
    return np.asarray(ratios + gammaln(prior.sum()) - gammaln(prior.sum() + units.sum(axis=-1)))


def _check_arms(counts: ArrayLike, arms: int) -> Floats:
    units = check_counts("counts", counts)
    if units.ndim == 0 or units.shape[-1] != arms:
        raise LinnetError(f"counts of shape {units.shape} for {arms} shares; expected one arm for each share, "
                          "on the last axis.")
    return units


def _check_shares(shares: ArrayLike) -> Floats:
    parts = check_finite("shares", shares)
    if parts.ndim != 1 or len(parts) < 2 or (parts <= 0).any() or abs(parts.sum() - 1) > 1e-9:
        raise LinnetError(f"shares must be two or more numbers above 0 that sum to 1; got {parts.tolist()}, "
                          f"which sum to {parts.sum():g}.")
    return parts


class SampleRatio:
    """`sample_ratio` look by look: `update` takes the units since the last look and gives the log of the e-value.

    Assumes: as `sample_ratio`.
    Source: as `sample_ratio`.
    Not for: totals so far, which `sample_ratio` takes.

    >>> watched = SampleRatio([0.5, 0.5])
    >>> for _ in range(10):
    ...     log_e = watched.update([530, 470])
    >>> bool(log_e > np.log(1 / 0.001))
    True
    """

    def __init__(self, shares: Sequence[float], *, concentration: float = 100.0) -> None:
        self.shares, self.concentration = _check_shares(shares), check_amount("concentration", concentration)
        self.reset()

    def reset(self) -> None:
        """Forget every unit."""
        self.counts = np.zeros(len(self.shares))

    def update(self, counts: ArrayLike) -> Floats:
        """New units of each arm; the evidence of all of them so far."""
        self.counts = added(self.counts, _check_arms(counts, len(self.shares)))
        return sample_ratio(self.counts, self.shares, concentration=self.concentration)
