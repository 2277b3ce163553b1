"""Redundancy: how many of a layer's units do work of their own, and which could go first."""

from __future__ import annotations

import logging
from collections.abc import Sized

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.introspect.findings import Finding, Findings
from linnet.introspect.representations.chunks import Responses, moments_of
from linnet.introspect.representations.moments import Moments
from linnet.introspect.representations.pfa import directions

Floats = NDArray[np.float64]

_log = logging.getLogger("linnet")
_RIDGE = 1e-3  # keeps the correlations of copies invertible; far under the noise of a few thousand samples
_TIE = 1e-6
_EXPLAINED_PERCENT = (90, 95, 99)


def redundancy(responses: Responses) -> Findings:
    """Findings of kind "redundancy", one a layer, the most redundant layer first.

    `responses` maps a layer to (samples, units), or gives such chunks one after the other, which are read once and not
    kept. Units are standardised, so only the correlation of their responses counts, not their size. `effective_units`
    is the participation ratio of the correlation matrix's eigenvalues, (sum)^2 / (sum of squares): n for n independent
    units, 1 for n copies. `explained` says how many principal directions hold 90, 95 and 99 % of the variance, as in
    Principal Filter Analysis (Suau, Zappella, Apostoloff 2020), and `spectrum` the share of each direction.

    `most_redundant_first` orders all units: those that never change (`inactive`), then always the one that the units
    that are left explain best (largest multiple correlation). One of two copies goes early, the other stays.

    Raises LinnetError for responses that are not numbers or fewer than two samples.
    """
    if responses is None or (isinstance(responses, Sized) and not len(responses)):
        raise LinnetError("redundancy needs the responses of at least one layer; got none. Use model.responses(...); "
                          "with layers=model.removable there are none where the family has no layers whose channels "
                          "can be removed yet (nn.zoo.REMOVABLE lists those that have), but model.layers can be seen.")
    seen = moments_of(responses)
    found = [_layer(name, moments) for name, moments in seen.items()]
    found.sort(key=lambda finding: finding.evidence["effective_units"] / finding.evidence["units"])
    return Findings("redundancy", tuple(found), {
        "samples": max(moments.count for moments in seen.values()),
        "too_few_samples": [name for name, moments in seen.items() if moments.count <= moments.columns]})


def _layer(name: str, moments: Moments) -> Finding:
    units, samples = moments.columns, moments.count
    if samples <= units:
        _log.warning("layer %s: %d samples are too few to tell %d units apart; its redundancy looks larger than it is. "
                     "Use more samples than units.", name, samples, units)
    active, inactive = np.flatnonzero(moments.is_active), np.flatnonzero(~moments.is_active)
    correlations = moments.correlations
    eigenvalues = np.maximum(np.linalg.eigvalsh(correlations), 0)[::-1]
    shares = eigenvalues / eigenvalues.sum() if len(active) else eigenvalues
    effective = float(eigenvalues.sum() ** 2 / np.square(eigenvalues).sum()) if len(active) else 0.0
    silent = f"; {len(inactive)} never change" if len(inactive) else ""
    return Finding(name, f"Layer {name} has {units} units that do the work of about {effective:.1f}{silent}.", {
        "units": units,
        "effective_units": effective,
        "explained": {str(percent): directions(shares, percent / 100) for percent in _EXPLAINED_PERCENT},
        "spectrum": shares.tolist(),
        "most_redundant_first": [*inactive.tolist(), *active[_most_explained_first(correlations)].tolist()],
        "inactive": inactive.tolist(),
        "samples": samples,
    })


def _most_explained_first(correlations: Floats) -> list[int]:
    """Backward elimination: the multiple correlation of a unit is read from the diagonal of the inverse.

    Taking a unit out of a matrix takes one rank from its inverse: a Cholesky factorisation that takes the largest
    diagonal first.
    """
    units = len(correlations)
    inverse = np.linalg.inv(correlations + _RIDGE * np.eye(units))
    inflation, taken, order = np.diag(inverse).copy(), np.empty_like(inverse), list[int]()
    for step in range(units):
        # Copies tie, up to rounding: the last one goes, on every machine.
        worst = int(np.flatnonzero(inflation >= inflation.max() * (1 - _TIE))[-1])
        order.append(worst)
        column = inverse[worst] - taken[:step, worst] @ taken[:step]
        taken[step] = column / np.sqrt(column[worst])
        inflation -= np.square(taken[step])
        inflation[worst] = -np.inf
    return order
