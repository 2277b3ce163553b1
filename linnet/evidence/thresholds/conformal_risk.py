"""A choice that keeps a risk on average: no sureness asked, and fewer rows needed than to be sure."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_amount, check_finite, check_labels

Floats = NDArray[np.float64]
_ROUNDING = 1e-12


@dataclass(frozen=True)
class ConformalRisk:
    """The least cautious choice whose expected loss on the next row is at most `target`; undecided where none is."""

    choice: int | None
    bound: float
    """The mean loss of that choice with one more row of the largest loss; of the most cautious one where undecided."""
    target: float
    units: int
    """Rows, or clusters."""
    wanting: str
    """What would be needed; empty where a choice was found."""

    @property
    def decided(self) -> bool:
        """A choice was found."""
        return self.choice is not None


def conformal_risk(
    losses: ArrayLike, *, target: float, largest: float = 1.0, clusters: ArrayLike | None = None
) -> ConformalRisk:
    """The least cautious choice with an expected loss of at most `target` on a new row, on average over such data.

    `losses` (choices, rows) from 0 to `largest`, the choices from the least to the most cautious: no row's loss may
    rise from one to the next. With `clusters` (a label a row) the promise is for a row of a new cluster, every cluster
    counting alike.

    Assumes: rows (or clusters) are exchangeable with the one to come; losses never rise with caution.
    Source: Angelopoulos, Bates, Fisch, Lei and Schuster, Conformal risk control, International Conference on Learning
        Representations 2024 (theorem 1).
    Not for: a promise for this very choice, sure at a level (`learn_then_test`): here the risk is kept on average over
        the data sets that one might have drawn, and about half of them exceed it; losses that rise again.

    >>> losses = np.arange(200) % np.array([[5], [20], [100]]) == 0    # 20, 5 and 1 in 100; each holds the next
    >>> found = conformal_risk(losses, target=0.06)
    >>> found.choice, round(found.bound, 4)
    (1, 0.0547)
    """
    check_amount("largest", largest)
    check_amount("target", target)
    checked = _checked_losses(losses, largest)
    means = checked if clusters is None else _cluster_means(checked, clusters)
    n = means.shape[1]
    bounds = (means.sum(axis=1) + largest) / (n + 1)
    keeps = bounds <= target + _ROUNDING
    if keeps.any():
        choice = int(keeps.argmax())
        return ConformalRisk(choice, float(bounds[choice]), target, n, "")
    unit = "rows" if clusters is None else "clusters"
    return ConformalRisk(None, float(bounds[-1]), target, n, _wanting(float(means[-1].mean()), target, largest, unit))


def _wanting(mean: float, target: float, largest: float, unit: str) -> str:
    if mean >= target:
        return (f"the most cautious choice has a mean loss of {mean:.3g}, not below the target of {target:g}; "
                "more rows would not help.")
    needed = math.ceil((largest - target) / (target - mean) - _ROUNDING)
    return f"{needed:,} {unit} would be needed if the most cautious choice kept its mean loss of {mean:.3g}."


def _cluster_means(losses: Floats, clusters: ArrayLike) -> Floats:
    index, count = check_labels(clusters, losses.shape[1])
    if count < 2:
        raise LinnetError("all rows are of one cluster; a promise for new clusters needs at least two.")
    sizes = np.bincount(index)
    order, starts = np.argsort(index, kind="stable"), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    return np.asarray(np.add.reduceat(losses[:, order], starts, axis=1) / sizes)


def _checked_losses(losses: ArrayLike, largest: float) -> Floats:
    checked = check_finite("losses", losses)
    if checked.ndim != 2 or 0 in checked.shape:
        raise LinnetError(f"losses need the shape (choices, rows), at least one of each; got {np.shape(losses)}.")
    if checked.min() < 0 or checked.max() > largest:
        raise LinnetError(f"losses must lie from 0 to {largest:g}; got {checked.min():g} to {checked.max():g}. "
                          "Give the largest loss there can be as `largest`.")
    rises = np.argwhere(np.diff(checked, axis=0) > _ROUNDING)
    if len(rises):
        choice, row = rises[0].tolist()
        raise LinnetError(f"losses must not rise with caution, but the loss of row {row} rises from "
                          f"{checked[choice, row]:g} to {checked[choice + 1, row]:g} between choices {choice} and "
                          f"{choice + 1}. Order the choices from the least to the most cautious, or use "
                          "learn_then_test, which needs no order.")
    return checked
