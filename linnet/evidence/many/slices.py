"""Slices of a scored set that are answered worse than the rest: found among many candidates, and not by chance alone.

Of 300 slices that mean nothing, some fifteen are worse at p < 0.05. Each candidate has an exact p-value (see
`slice_tests`), and the p-values are corrected for their number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.many.corrections import CORRECTIONS
from linnet.evidence.many.halves import halves
from linnet.evidence.many.slice_tests import by_cluster, by_row
from linnet.evidence.settings import check_count, check_labels, check_level, check_rows, check_seed

Floats = NDArray[np.float64]
Masks = Mapping[str, NDArray[np.bool_]] | NDArray[np.bool_]
Correction = Literal["holm", "benjamini_hochberg", "benjamini_yekutieli"]

MINIMUM_ROWS = 20
_CONFIRMED_AT_MOST = 10


@dataclass(frozen=True)
class Slice:
    """A slice that is answered worse than the rest. Rates are shares of wrong answers."""

    name: str
    rows: int
    errors: int
    rest_rows: int
    rest_errors: int
    p_value: float
    adjusted_p_value: float

    @property
    def error_rate(self) -> float:
        """The share of wrong answers in the slice."""
        return self.errors / self.rows

    @property
    def rest_rate(self) -> float:
        """The share of wrong answers outside of it."""
        return self.rest_errors / self.rest_rows


def slices(
    errors: Floats, candidates: Masks, *, clusters: Sequence[str] | None = None, level: float = 0.95,
    minimum_rows: int = MINIMUM_ROWS, correction: Correction = "holm", seed: int = 0,
) -> list[Slice]:
    """The candidates that are answered worse than the rest of the rows, the surest first; often none.

    `errors` is 1 for a wrong answer and 0 for a right one, (rows,). `candidates` are masks by name, or a boolean
    matrix (rows, candidates) whose columns are named by their number. Candidates with fewer than `minimum_rows` rows,
    inside or outside, are left out before any error is looked at. With the correction by Holm any slice that is told
    is wrongly told with a probability of at most 1 - level; the other two bound the share that is wrongly told.
    With `clusters` (a label a row) a slice of whole clusters is held against clusters that change places, and a slice
    that cuts through clusters against rows that change places within them.

    Assumes: were the slice no worse, its rows (its clusters) would be like any others. The candidates were made
    without a look at these errors (`confirmed_slices` where they were not).
    Source: Fisher, The Design of Experiments, 1935 (the exact test, one-sided); within clusters Mehta, Patel and Gray,
    Computing an exact confidence interval for the common odds ratio in several 2 x 2 contingency tables, JASA 80, 1985;
    Holm 1979; Benjamini and Yekutieli 2001.
    Not for: how much worse a slice is (`two_sample_difference` at `bonferroni` of the number of candidates); slices
    that were built from the errors themselves.

    >>> errors = np.array([1.0] * 15 + [0.0] * 15 + [1.0] * 7 + [0.0] * 63)
    >>> found = slices(errors, {"noisy": np.arange(100) < 30, "even": np.arange(100) % 2 == 0})
    >>> [(one.name, one.error_rate, one.rest_rate) for one in found]
    [('noisy', 0.5, 0.1)]
    """
    wrong, names, masks = _checked(errors, candidates)
    check_seed(seed)
    names, masks = _large_enough(names, masks, minimum_rows)
    if correction not in CORRECTIONS:
        raise unknown("correction", str(correction), CORRECTIONS)
    p_values = _p_values(wrong, masks, clusters, 1 - check_level(level), seed)
    adjusted = CORRECTIONS[correction](p_values)
    found = [_slice(name, mask, wrong, p, q) for name, mask, p, q in zip(names, masks, p_values, adjusted, strict=True)
             if q <= 1 - level + 1e-12]
    return sorted(found, key=lambda one: (one.p_value, one.name))


def confirmed_slices(
    errors: Floats, candidates: Masks, *, clusters: Sequence[str] | None = None, level: float = 0.95,
    minimum_rows: int = MINIMUM_ROWS, seed: int = 0,
) -> list[Slice]:
    """The candidates that one half of the rows suggests and the other half confirms; the numbers are of the latter.

    Half of the rows (with `clusters`, of the clusters) chooses at most ten candidates by their p-values; only these
    are tested, by Holm, on the other half.

    Assumes: as `slices`; but the candidates may have been made by looking at the errors of the rows of discovery,
    `halves(clusters or row numbers as labels, seed=seed)[0]`.
    Source: Cox, A note on data-splitting for the evaluation of significance levels, Biometrika 62, 1975; the tests as
    in `slices`.
    Not for: candidates that were fixed beforehand and are not many: `slices` uses all rows and finds more.

    >>> wrong = np.tile(np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0]), 50)
    >>> masks = {"first": np.arange(400) % 8 < 3, "even": np.arange(400) // 8 % 2 == 0}
    >>> [one.name for one in confirmed_slices(wrong, masks)]
    ['first']
    """
    wrong, names, masks = _checked(errors, candidates)
    labels = np.arange(len(wrong)).astype(str) if clusters is None else np.asarray(clusters)
    check_labels(labels if clusters is None else clusters, len(wrong))
    discovery, confirmation = halves(labels.tolist(), seed=seed)

    def of(part: NDArray[np.bool_]) -> Sequence[str] | None:
        return None if clusters is None else labels[part].tolist()

    known, there = _large_enough(names, masks[:, discovery], minimum_rows)
    p_values = np.array(_p_values(wrong[discovery], there, of(discovery), 1 - check_level(level), seed))
    best = [known[place] for place in np.argsort(p_values, kind="stable")[:_CONFIRMED_AT_MOST]
            if p_values[place] <= 1 - level]
    chosen = {name: mask[confirmation] for name, mask in zip(names, masks, strict=True) if name in best}
    return slices(wrong[confirmation], chosen, clusters=of(confirmation), level=level, minimum_rows=minimum_rows,
                  seed=seed)


def _checked(errors: Floats, candidates: Masks) -> tuple[Floats, list[str], NDArray[np.bool_]]:
    """Wrong answers, names, and masks (candidates, rows)."""
    wrong = check_rows("errors", errors)
    if not ((wrong == 0) | (wrong == 1)).all():
        raise LinnetError("errors must be 1 (wrong) or 0 (right) in every row; a graded score needs a threshold first.")
    if isinstance(candidates, Mapping):
        names, columns = list(candidates), [np.asarray(mask) for mask in candidates.values()]
    else:
        try:
            table = np.atleast_2d(np.asarray(candidates))
        except ValueError:
            raise LinnetError("candidates are masks by name, or a table (rows, candidates) of True and False; got rows "
                              "of different lengths.") from None
        if table.ndim != 2:
            raise LinnetError(f"candidates have shape {table.shape}; expected (rows, candidates), or masks by name.")
        names, columns = [str(number) for number in range(table.shape[1])], list(table.T)
    for name, column in zip(names, columns, strict=True):
        if column.shape != wrong.shape or column.dtype != np.bool_:
            raise LinnetError(f"slice '{name}' needs True or False for each of {len(wrong)} rows; "
                              f"got shape {column.shape} of {column.dtype}.")
    return wrong, names, np.array(columns, dtype=bool).reshape(len(names), len(wrong))


def _large_enough(
    names: list[str], masks: NDArray[np.bool_], minimum_rows: int
) -> tuple[list[str], NDArray[np.bool_]]:
    rows, minimum_rows = masks.sum(axis=1), check_count("minimum_rows", minimum_rows)
    kept = np.flatnonzero((rows >= max(minimum_rows, 1)) & (masks.shape[1] - rows >= max(minimum_rows, 1)))
    return [names[place] for place in kept], masks[kept]


def _p_values(
    wrong: Floats, masks: NDArray[np.bool_], clusters: Sequence[str] | None, alpha: float, seed: int
) -> list[float]:
    if not len(masks):
        return []
    if clusters is None:
        return [float(p) for p in by_row(wrong, masks)]
    index, _ = check_labels(clusters, len(wrong))
    return [float(p) for p in by_cluster(wrong, masks, index, alpha=alpha, seed=seed)]


def _slice(name: str, mask: NDArray[np.bool_], wrong: Floats, p_value: float, adjusted: float) -> Slice:
    rows, errors = int(mask.sum()), int(wrong[mask].sum())
    return Slice(name, rows, errors, len(wrong) - rows, int(wrong.sum()) - errors, float(p_value), adjusted)
