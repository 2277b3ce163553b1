"""Candidates from columns: every value of a column, every pair of values of two columns, numbers in quarters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Mask = NDArray[np.bool_]
_FEW_NUMBERS = 10
"""A column of numbers with more different values than this is taken in quarters."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """Some of the rows, by a rule that says for every row whether it belongs."""

    name: str
    kind: str
    columns: tuple[str, ...]
    mask: Mask


def from_columns(attributes: Mapping[str, Sequence[Any] | NDArray[Any]], rows: int, minimum: int
                 ) -> tuple[list[Candidate], list[str]]:
    """A candidate a value that has at least `minimum` rows, inside and outside; and the columns that gave none."""
    found: list[Candidate] = []
    barren: list[str] = []
    for name, column in attributes.items():
        if len(column) != rows:
            raise LinnetError(f"attribute '{name}' has {len(column)} rows, the scores have {rows}; give one value a "
                              "sample, in the order of the scores.")
        made = [Candidate(f"{name}={value}", "column", (name,), mask) for value, mask in _values(column)
                if minimum <= mask.sum() <= rows - minimum]
        found += made
        if not made:
            barren.append(name)
    return found, barren


def pairs(singles: Sequence[Candidate], minimum: int) -> list[Candidate]:
    """Both of two values of different columns."""
    found = []
    for one, other in combinations(singles, 2):
        both = one.mask & other.mask
        # as large as one of the two, it is the same slice with a longer name
        if one.columns != other.columns and minimum <= both.sum() < min(one.mask.sum(), other.mask.sum()):
            found.append(Candidate(f"{one.name} & {other.name}", "pair", one.columns + other.columns, both))
    return found


def _values(column: Sequence[Any] | NDArray[Any]) -> list[tuple[str, Mask]]:
    values = np.asarray(column)
    if values.ndim != 1:
        raise LinnetError(f"an attribute is one value a sample; got an array of shape {values.shape}.")
    if values.dtype == np.bool_:
        return [("true", values)]
    if values.dtype.kind in "iuf" and len(np.unique(values[~_missing(values)])) > _FEW_NUMBERS:
        return _quarters(values)
    names = np.array(["missing" if value is None else str(value) for value in values.tolist()])
    return [(str(name), names == name) for name in np.unique(names)]


def _quarters(values: NDArray[Any]) -> list[tuple[str, Mask]]:
    missing = _missing(values)
    ends = np.quantile(values[~missing], (0.25, 0.5, 0.75))
    quarter = np.searchsorted(ends, values, side="left")
    words = (f"up to {ends[0]:.4g}", f"{ends[0]:.4g} to {ends[1]:.4g}", f"{ends[1]:.4g} to {ends[2]:.4g}",
             f"above {ends[2]:.4g}")
    return [*((word, (quarter == place) & ~missing) for place, word in enumerate(words)), ("missing", missing)]


def _missing(values: NDArray[Any]) -> Mask:
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
