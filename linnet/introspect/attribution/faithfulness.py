"""Faithfulness: whether what a map marks is what the answer hangs on, against places drawn by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.introspect.attribution.verdicts import KIND, LEVEL, mean_interval, numbers, verdict
from linnet.introspect.findings import Finding, Findings

_WORDS = {
    "deletion": ("taking away what the maps mark first", "faster"),
    "insertion": ("showing what the maps mark first", "sooner"),
}


def faithfulness(deleted: ArrayLike, inserted: ArrayLike, at_random: ArrayLike, *,
                 kept: Sequence[float]) -> Findings:
    """Findings of kind "attribution": deletion and insertion, where they do not beat places drawn by chance.

    Each array (n, steps) holds the probability of the target when a share `kept` (steps,) of a sample's places is
    left: in `deleted` the lowest of the map, in `inserted` the highest, in `at_random` any (averaged over draws). The
    advantage of a sample is the mean over steps of random less deleted, and of inserted less random; a test holds
    where the 95 % interval of the mean advantage over samples (by betting, exact for any n) is above zero. The
    curves' means are in the facts. Petsiuk et al. 2018, RISE, arXiv:1806.07421.

    Hidden places are replaced by the baseline: samples that the network never saw, which a random order makes too.
    """
    curves = {name: numbers(f"the answers of '{name}'", values, axes=2) for name, values in
              (("deletion", deleted), ("insertion", inserted), ("random", at_random))}
    shapes = {values.shape for values in curves.values()}
    if len(shapes) != 1 or next(iter(shapes))[1] != len(kept):
        raise LinnetError(f"the curves must be of one shape, (samples, {len(kept)} steps); got "
                          f"{', '.join(str(values.shape) for values in curves.values())}.")
    advantages = {"deletion": (curves["random"] - curves["deletion"]).mean(axis=1),
                  "insertion": (curves["insertion"] - curves["random"]).mean(axis=1)}
    parts = {name: _part(values) for name, values in advantages.items()}
    items = [_finding(name, part, len(curves["random"])) for name, part in parts.items() if part["verdict"] != "holds"]
    worst = "fails" if any(part["verdict"] == "fails" for part in parts.values()) else \
        "undecided" if items else "holds"
    return Findings(KIND, tuple(items), {
        "test": "faithfulness", "verdict": worst, "n": len(curves["random"]), "level": LEVEL, **parts,
        "kept": [float(share) for share in kept],
        "curves": {name: [float(value) for value in values.mean(axis=0)] for name, values in curves.items()},
        "warnings": [item.statement for item in items if parts[item.subject]["verdict"] == "fails"]})


def _part(advantage: NDArray[np.float64]) -> dict[str, Any]:
    interval = mean_interval(advantage)
    return {"advantage": float(advantage.mean()), "interval": list(interval), "verdict": verdict(interval, above=0.0)}


def _finding(name: str, part: dict[str, Any], count: int) -> Finding:
    what, how = _WORDS[name]
    low, high = part["interval"]
    said = (f"does not change the answer {how} than taking any places" if part["verdict"] == "fails" else
            f"is not yet shown to change the answer {how} than taking any places: more samples are needed")
    return Finding(name, f"In {count} samples {what} {said} (advantage {part['advantage']:+.3f}, "
                   f"95 % sure of {low:+.3f} to {high:+.3f}).", part)
