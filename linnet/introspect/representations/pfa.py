"""Principal Filter Analysis: how many of a layer's units to keep, and which go."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.introspect.findings import Finding, Findings

Recipe = Literal["energy", "kl"]
RECIPES = ("energy", "kl")


def pfa(findings: Findings, *, recipe: Recipe = "energy", energy: float = 0.95) -> dict[str, list[int]]:
    """By layer, the units that may go, from what `redundancy` found: the settings of the method `remove_channels`.

    "energy": as many units stay as principal directions hold the share `energy` of the variance. "kl": no dial; the
    further the eigenvalues are from all alike (Kullback-Leibler), the fewer stay: all where they are alike, one where
    there is one direction. Which ones go is said by `most_redundant_first`; at least one stays in each layer, and a
    layer that loses none is not named.

    Source: Suau, Zappella and Apostoloff, *Filter Distillation for Network Compression*, 2020 (arXiv:1807.10585).
    Unlike there, units are standardised first, so that a faint unit counts as much as a loud one.

    Raises LinnetError for other findings, an unknown recipe, and an energy outside (0, 1].
    """
    if recipe not in RECIPES:
        raise unknown("recipe of PFA", recipe, RECIPES)
    if not 0 < energy <= 1:
        raise LinnetError(f"energy is the share of the variance that stays, above 0 and at most 1; got {energy!r}.")
    if findings.kind != "redundancy":
        raise LinnetError(f"pfa needs findings of introspect.redundancy; got findings of kind '{findings.kind}'.")
    going = {finding.subject: _going(finding, recipe, energy) for finding in findings}
    return {layer: units for layer, units in going.items() if units}


def _going(finding: Finding, recipe: Recipe, energy: float) -> list[int]:
    if "spectrum" not in finding.evidence:
        raise LinnetError(f"the finding about layer '{finding.subject}' has no spectrum: it was written by an older "
                          "Linnet. Look again with introspect.redundancy.")
    shares = np.asarray(finding.evidence["spectrum"], np.float64)
    stay = directions(shares, energy) if recipe == "energy" else _by_divergence(shares)
    order = finding.evidence["most_redundant_first"]
    return sorted(order[: len(order) - max(1, stay)])


def directions(shares: NDArray[np.float64], energy: float) -> int:
    """How many of the largest directions hold this share of the variance; `shares` fall and sum to 1.

    >>> directions(np.array([0.6, 0.3, 0.1]), 0.9)
    2
    """
    return min(int(np.searchsorted(np.cumsum(shares), energy - 1e-9)) + 1, len(shares)) if len(shares) else 0


def _by_divergence(shares: NDArray[np.float64]) -> int:
    """Units times (1 - KL(shares || all alike) / log units), which is units times relative entropy."""
    if len(shares) < 2:
        return len(shares)
    positive = shares[shares > 0]
    entropy = -float((positive * np.log(positive)).sum())
    return int(np.ceil(len(shares) * entropy / np.log(len(shares)) - 1e-9))
