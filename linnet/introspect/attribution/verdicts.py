"""What the tests share: an interval of a mean, a verdict, and how they are joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import betting
from linnet.evidence.settings import check_numbers
from linnet.introspect.findings import Findings

KIND = "attribution"
LEVEL = 0.95


def numbers(what: str, given: ArrayLike, *, axes: int) -> NDArray[np.float64]:
    """The values as an array with so many axes; LinnetError for none, for another shape, or for NaN."""
    values = check_numbers(what, given)
    if values.ndim != axes or not values.size:
        raise LinnetError(f"{what} must be numbers with {axes} axes, the samples first, and at least one sample; got "
                          f"shape {values.shape}.")
    if not np.isfinite(values).all():
        raise LinnetError(f"{what} hold {int((~np.isfinite(values)).sum())} values that are NaN or infinite; the maps "
                          "mean nothing then: look at the network and its input first.")
    return values


def named(ids: Sequence[str] | None, count: int) -> list[str]:
    """The samples' ids, or their places."""
    names = [str(place) for place in range(count)] if ids is None else [str(name) for name in ids]
    if len(names) != count:
        raise LinnetError(f"{len(names)} ids for {count} samples; give one a sample.")
    return names


def mean_interval(values: NDArray[np.float64]) -> tuple[float, float]:
    """Of the mean of values in [-1, 1], at 95 %, exact for any number of samples."""
    low, high = betting(np.clip(values, -1, 1), LEVEL, lower=-1.0, upper=1.0)
    return float(low), float(high)


def verdict(interval: tuple[float, float], *, above: float) -> str:
    """Whether a mean is above a limit: "holds", "fails" (it is at most that), or "undecided"."""
    low, high = interval
    return "holds" if low > above else "fails" if high <= above else "undecided"


def together(*looks: Findings) -> Findings:
    """One Findings of several tests; `facts["tests"]` has each one's facts, `facts["failed"]` their names."""
    tests = {str(look.facts["test"]): dict(look.facts) for look in looks}
    failed = [name for name, facts in tests.items() if facts["verdict"] == "fails"]
    warnings = [str(warning) for facts in tests.values() for warning in facts.get("warnings", [])]
    return Findings(KIND, tuple(item for look in looks for item in look),
                    {"tests": tests, "failed": failed, "warnings": warnings})
