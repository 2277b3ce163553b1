"""One mean relative to another, without the delta method, which fails where the lower one is uncertain."""

from __future__ import annotations

import numpy as np

from linnet.evidence.sequences.asymptotic import asymptotic, checked_estimate, half_width, is_undecided
from linnet.evidence.sequences.estimates import Estimate
from linnet.evidence.sequences.looks import Looks
from linnet.evidence.settings import check_level, check_together


def relative(
    control: Estimate, treatment: Estimate, *, best_at: float, level: float = 0.95, minimum: float | None = None
) -> Looks:
    """Treatment's mean relative to the control's, less one, valid at every look like `asymptotic`.

    For each ratio r it asks whether treatment - r * control is zero, with the error that it has under that r: it agrees
    with `asymptotic` on the difference about the sign. Where the control's mean is not told from zero, the set of such
    ratios is no interval, and nothing is excluded. The `worth` of the arms is used where both have one. `log_e` is
    against no effect.

    Assumes: as `asymptotic`; the two arms are independent, and the control's mean is above zero.
    Source: Fieller, Some problems in interval estimation, Journal of the Royal Statistical Society B, 1954, with the
        boundary of Waudby-Smith et al., Annals of Statistics, 2024 (theorem 2.2).
    Not for: rates of rare successes, where `lift` is exact and needs no minimum.

    >>> look = relative(Estimate(10.0, 0.1, 5000), Estimate(11.0, 0.1, 5000), best_at=10_000)
    >>> round(float(look.estimate), 3), round(float(look.low), 3), round(float(look.high), 3)
    (0.1, 0.056, 0.146)
    """
    alpha = 1 - check_level(level)
    base, base_error, base_n = checked_estimate(*control[:3])
    value, error, n = checked_estimate(*treatment[:3])
    base, base_error, base_n, value, error, n = check_together({
        "control": base, "its error": base_error, "its n": base_n, "treatment": value, "error": error, "n": n})
    units = base_n + n
    worth = None if control.worth is None or treatment.worth is None else np.minimum(control.worth, treatment.worth)
    against = asymptotic(value - base, np.hypot(error, base_error), units, best_at=best_at, level=level,
                         minimum=minimum, worth=worth)
    reach = half_width(units, best_at, alpha)
    square = base**2 - (reach * base_error) ** 2  # above zero where the control's mean is told from zero
    is_open = is_undecided(units, worth, minimum) | (base_error + error == 0) | (square <= 0) | (base <= 0)
    root = reach * np.sqrt(np.maximum(
        (value * base_error) ** 2 + (base * error) ** 2 - (reach * base_error * error) ** 2, 0))
    low, high = (np.where(is_open, sign * np.inf, (value * base + sign * root) / np.where(is_open, 1.0, square) - 1)
                 for sign in (-1, 1))
    estimate = np.where(base > 0, value / np.where(base > 0, base, 1.0) - 1, np.nan)
    return Looks(estimate + np.zeros_like(low), low, high, against.log_e)
