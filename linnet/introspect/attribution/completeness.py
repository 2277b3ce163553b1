"""Completeness: whether what is attributed adds up to what the answer gained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from linnet.errors import LinnetError
from linnet.introspect.attribution.verdicts import KIND, named, numbers
from linnet.introspect.findings import Finding, Findings


def completeness(sums: ArrayLike, gained: ArrayLike, *, ids: Sequence[str] | None = None,
                 tolerance: float = 0.01) -> Findings:
    """Findings of kind "attribution": the samples whose map does not sum to what the answer gained, the worst first.

    `sums` (n,) are the maps' sums, `gained` (n,) each answer less that of its baseline; the error is their distance as
    a share of what was gained (Sundararajan et al. 2017, arXiv:1703.01365, axiom of completeness). Where nothing was
    gained and nothing is attributed, as for a sample that is the baseline itself, there is no error; such samples are
    counted in the facts ("like_baseline").

    >>> found = completeness([1.0, 0.9], [1.001, 1.0])
    >>> found.subjects, found.facts["verdict"]
    (('1',), 'fails')
    """
    added, wanted = numbers("sums", sums, axes=1), numbers("gained", gained, axes=1)
    if len(added) != len(wanted):
        raise LinnetError(f"{len(added)} sums for {len(wanted)} gains; give one of each a sample.")
    if not 0 < tolerance < 1:
        raise LinnetError(f"tolerance is a share of what was gained, such as 0.01; got {tolerance}.")
    names, missed = named(ids, len(added)), np.abs(added - wanted)
    error = np.divide(missed, np.abs(wanted), out=np.where(missed > 0, np.inf, 0.0), where=wanted != 0)
    order = [int(row) for row in np.argsort(-error, kind="stable") if error[row] > tolerance]
    like = int(((added == 0) & (wanted == 0)).sum())
    said = f"{like} of {len(added)} samples are like the baseline: there is nothing to explain."
    warnings = [said] if like else []
    if order:
        warnings.append(f"{len(order)} of {len(added)} maps miss what they should sum to by more than "
                        f"{100 * tolerance:g} %: take more nodes.")
    items = [Finding(names[row], f"The map of {names[row]} sums to {added[row]:.4g}, but the answer gained "
                     f"{wanted[row]:.4g}: it misses {_share(error[row])}.",
                     {"sum": float(added[row]), "gained": float(wanted[row]),
                      "error": float(error[row]) if np.isfinite(error[row]) else None}) for row in order]
    return Findings(KIND, tuple(items), {
        "test": "completeness", "verdict": "fails" if items else "holds", "n": len(added), "tolerance": tolerance,
        "largest_error": float(error.max()) if np.isfinite(error.max()) else None,
        "median_error": float(np.median(error)) if np.isfinite(np.median(error)) else None,
        "like_baseline": like, "warnings": warnings})


def _share(error: float) -> str:
    return f"{100 * error:.2g} % of it" if np.isfinite(error) else "all of it"
