"""Sanity: whether maps depend on what the network has learned, or would look the same from an untrained one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.introspect.attribution.verdicts import KIND, LEVEL, mean_interval, numbers, verdict
from linnet.introspect.findings import Finding, Findings

LIMIT = 0.5


def sanity(maps: Sequence[ArrayLike], randomised: Mapping[str, Sequence[ArrayLike]], *,
           limit: float = LIMIT) -> Findings:
    """A finding of kind "attribution" where maps hardly change when what the network learned is thrown away.

    `maps` holds one array a sample; `randomised` the same samples' maps from networks with more and more of their
    weights randomised, from the last layer to the first, the last entry with all of them. Compared are the ranks of the
    sizes in a map (Spearman): 1 is the same map. The test holds where the mean over samples for the wholly randomised
    network is below `limit` (the 95 % interval by betting, exact for any n), fails where it is above. A map that is the
    same everywhere is like no other, 0. Adebayo et al. 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292.

    Below the limit does not say that the maps are right. Methods that multiply by the input keep some of its shape.
    """
    if not randomised:
        raise LinnetError("sanity needs the maps of at least one randomised network.")
    if not 0 < limit < 1:
        raise LinnetError(f"limit is a rank correlation between 0 and 1; got {limit}.")
    flat = [numbers("a map's values", np.ravel(one), axes=1) for one in maps]
    stages = {}
    for name, others in randomised.items():
        if len(others) != len(flat):
            raise LinnetError(f"{len(others)} maps of '{name}' for {len(flat)} samples; give one a sample.")
        stages[name] = np.array([_alike(one, numbers("a map's values", np.ravel(other), axes=1))
                                 for one, other in zip(flat, others, strict=True)])
    last = list(stages)[-1]
    low, high = interval = mean_interval(stages[last])
    said = {"holds": "fails", "fails": "holds"}.get(verdict(interval, above=limit), "undecided")
    mean = float(stages[last].mean())
    facts = {"test": "sanity", "verdict": said, "n": len(flat), "level": LEVEL, "limit": limit, "similarity": mean,
             "interval": [low, high], "stages": {name: float(values.mean()) for name, values in stages.items()},
             "constant_maps": sum(bool(np.ptp(one) == 0) for one in flat)}
    constant = facts["constant_maps"]
    warnings = [f"{constant} of {len(flat)} maps are the same everywhere: they say nothing, and count as unlike."
                ] if constant else []
    if said == "holds":
        return Findings(KIND, (), {**facts, "warnings": warnings})
    statement = (f"These maps would look the same from an untrained network: with all weights randomised their ranks "
                 f"still agree by {mean:.2f} (95 % sure of {low:.2f} to {high:.2f}; the limit is {limit:g}). Do not "
                 "read what was learned from them.") if said == "fails" else (
        f"It is not yet decided whether these maps depend on what was learned: with all weights randomised their ranks "
        f"agree by {mean:.2f} (95 % sure of {low:.2f} to {high:.2f}; the limit is {limit:g}). Give more samples.")
    return Findings(KIND, (Finding("sanity", statement, facts),),
                    {**facts, "warnings": [*warnings, *([statement] if said == "fails" else [])]})


def _alike(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's correlation of the sizes; 0 where one of the maps is the same everywhere."""
    if one.shape != other.shape:
        raise LinnetError(f"a sample's maps must have one shape; got {one.shape} and {other.shape} values.")
    from scipy.stats import rankdata

    first, second = (rankdata(np.abs(values)) for values in (one, other))
    spread = float(first.std() * second.std())
    return 0.0 if spread == 0 else float(np.mean((first - first.mean()) * (second - second.mean())) / spread)
