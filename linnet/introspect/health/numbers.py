"""A column of numbers in a few: its spread, its histogram, and how far out a number is called far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_BINS = 24
_FAR_OUT = 3.0


def spread(values: Floats) -> dict[str, Any]:
    """Least, 5 %, median, 95 %, most, how many rows have a number, and a histogram of 24 parts ("edges", "counts").

    The histogram reaches from the least to the most, or to the fences of `fences` where numbers lie beyond.
    """
    there = values[np.isfinite(values)]
    if not len(there):
        return {"rows": 0}
    least, low, middle, high, most = (float(one) for one in np.quantile(there, [0, 0.05, 0.5, 0.95, 1]))
    below, above = fences(there)
    within = np.clip(there, below, above) if above > below else there
    counts, edges = np.histogram(within, bins=_BINS if most > least else 1)
    return {"rows": len(there), "least": least, "low": low, "median": middle, "high": high, "most": most,
            "counts": counts.tolist(), "edges": [float(edge) for edge in edges]}


def fences(values: Floats) -> tuple[float, float]:
    """Three quartile ranges below the first and above the third quartile: beyond it is far out (Tukey 1977).

    >>> fences(np.arange(101.0))
    (-125.0, 225.0)
    """
    first, third = np.quantile(values, [0.25, 0.75])
    return float(first - _FAR_OUT * (third - first)), float(third + _FAR_OUT * (third - first))
