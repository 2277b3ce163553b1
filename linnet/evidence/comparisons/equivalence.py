"""Whether two sides differ by too little to matter, either way."""

from __future__ import annotations

from collections.abc import Callable

from linnet.errors import LinnetError
from linnet.evidence.settings import Verdict, check_amount, check_numbers

_STEPS = 40
_LEAST_LEVEL = 0.501


def equivalent(interval: tuple[float, float], *, margin: float) -> Verdict:
    """Whether a difference lies within plus or minus `margin`, by its interval: holds, fails or undecided.

    Two one-sided tests, each at alpha, are an interval at 1 - 2 alpha: `paired_difference(..., level=0.90)` decides
    sure at 0.95. An interval that excludes nothing is undecided.

    Assumes: the interval covers as it says; the margin was chosen before the result was seen.
    Source: Schuirmann, A comparison of the two one-sided tests procedure and the power approach for assessing the
    equivalence of average bioavailability, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
    Not for: concluding "no difference" from a test that found none: an interval that is wide stays undecided here.

    >>> equivalent((-0.01, 0.02), margin=0.03), equivalent((-0.05, 0.02), margin=0.03)
    ('holds', 'undecided')
    """
    ends = check_numbers("interval", interval)
    if ends.shape != (2,) or not ends[0] <= ends[1]:
        raise LinnetError(f"an interval is (low, high), two numbers with low at most high; got {interval!r}.")
    check_amount("margin", margin)
    low, high = ends
    if -margin <= low and high <= margin:
        return "holds"
    return "fails" if low > margin or high < -margin else "undecided"


def equivalence_p_value(interval_at: Callable[[float], tuple[float, float]], *, margin: float) -> float:
    """The smallest alpha at which `equivalent` holds: the p-value of two one-sided tests, for a correction of many.

    `interval_at(level)` gives the two-sided interval at a level, wider for higher levels; it is asked some 40 times.
    1 where it is above a quarter.

    Assumes: the interval covers at every level as it says.
    Source: Schuirmann 1987, by inversion of the interval.
    Not for: deciding one question at one level (`equivalent`).

    >>> from linnet.evidence.comparisons import welch_difference
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> rows = rng.normal(0, 1, (2, 400))
    >>> round(equivalence_p_value(lambda level: welch_difference(*rows, level=level), margin=0.2), 3)
    0.006
    """
    low, high = _LEAST_LEVEL, 1 - 1e-12
    if equivalent(interval_at(low), margin=margin) != "holds":
        return 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if equivalent(interval_at(middle), margin=margin) == "holds" else (low, middle)
    return (1 - low) / 2
