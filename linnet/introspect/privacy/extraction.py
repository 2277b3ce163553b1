"""extraction: is what ships, or what was generated, a copy of training data?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.many import benjamini_hochberg
from linnet.evidence.settings import check_between, check_finite
from linnet.introspect.findings import Finding, Findings

Floats = NDArray[np.float64]

_BLOCK = 512
_COPY = 1e-6
"""Of the typical length of a row: nearer than that is the same row, rounded."""


def extraction(shipped: ArrayLike, training: ArrayLike, *, held_out: ArrayLike | None = None,
               ids: Sequence[str] | None = None, training_ids: Sequence[str] | None = None, rate: float = 0.05
               ) -> Findings:
    """Findings of kind "extraction": rows of `shipped` that lie nearer to a training row than chance would have it.

    All are vectors (rows, columns) of one kind: raw values, or features of one network. `shipped` is what others get to
    see: calibration samples, prototypes, an index for retrieval, generated samples. Copies are always told. With
    `held_out`, rows of the same population that were not trained on, so is what is nearer to the training rows than
    those are: conformal p-values, and of what is told a share of at most `rate` is chance (Benjamini and Hochberg),
    if shipped rows that copy nothing are like the held-out ones.

    Source: Carlini et al., Extracting training data from diffusion models, USENIX Security 2023 (nearest neighbours);
    Bates et al., Testing for outliers with conformal p-values, Annals of Statistics 51, 2023.
    Not for: parts of samples, or samples turned, cut or transposed: the distance must see them as near.

    Raises LinnetError for NaN, other numbers of columns, or no rows.

    >>> rows = np.random.default_rng(0).normal(size=(50, 8))
    >>> [(one.subject, one.evidence["training_id"]) for one in extraction(rows[:2] + 1e-9, rows[1:])]
    [('1', '0')]
    """
    sides = {"shipped": shipped, "training": training} | ({} if held_out is None else {"held_out": held_out})
    given = {name: check_finite(name, values) for name, values in sides.items()}
    for name, values in given.items():
        if values.ndim != 2 or not values.size or values.shape[1:] != given["training"].shape[1:]:
            raise LinnetError(f"'{name}' has shape {values.shape}; expected (rows, columns) with the columns of "
                              f"training {given['training'].shape}, at least one row.")
    check_between("rate", rate)
    names, known = _ids(ids, given["shipped"], "ids"), _ids(training_ids, given["training"], "training_ids")
    distances, nearest = _nearest(given["shipped"], given["training"])
    size = float(np.sqrt(np.square(given["training"] - given["training"].mean(axis=0)).sum(axis=1).mean()))
    is_copy = distances <= _COPY * max(size, 1e-300)
    adjusted, typical = np.where(is_copy, 0.0, 1.0), None
    if held_out is not None:
        apart = np.sort(_nearest(given["held_out"], given["training"])[0])
        typical = float(np.median(apart))
        p_values = (1 + np.searchsorted(apart, distances, side="right")) / (1 + len(apart))
        adjusted = np.where(is_copy, 0.0, benjamini_hochberg(p_values.tolist()))
    order = np.lexsort((distances, ~is_copy))
    items = tuple(Finding(names[row], f"{names[row]} is {'a copy of' if is_copy[row] else 'unusually near to'} the "
                          f"training sample {known[nearest[row]]}.", {
        "training_id": known[nearest[row]], "distance": float(distances[row]), "copy": bool(is_copy[row]),
        "adjusted_p_value": float(adjusted[row])}) for row in order.tolist() if adjusted[row] <= rate)
    return Findings("extraction", items, {
        "shipped": len(distances), "training": len(known), "copies": int(is_copy.sum()),
        "held_out": None if held_out is None else len(given["held_out"]), "false_discovery_rate": rate,
        "median_distance": float(np.median(distances)), "median_distance_of_held_out": typical})


def _ids(given: Sequence[str] | None, rows: Floats, name: str) -> Sequence[str]:
    names = [str(row) for row in (range(len(rows)) if given is None else given)]
    if len(names) != len(rows) or len(set(names)) < len(names):
        raise LinnetError(f"{name} must name each of {len(rows)} rows once; got {len(names)} names, {len(set(names))} "
                          "of them different.")
    return names


def _nearest(rows: Floats, among: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """The distance to the nearest, and which it is; the distance is taken anew, as products of large numbers round."""
    centre = among.mean(axis=0)
    rows, among = rows - centre, among - centre
    squares, found = np.square(among).sum(axis=1), []
    for start in range(0, len(rows), _BLOCK):
        found.append((squares - 2 * rows[start : start + _BLOCK] @ among.T).argmin(axis=1))
    nearest = np.concatenate(found)
    return np.sqrt(np.square(rows - among[nearest]).sum(axis=1)), nearest
