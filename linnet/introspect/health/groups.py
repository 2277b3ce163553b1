"""Do groups differ in what was measured? Ranks, and labels dealt out anew; one stated rate for all questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.evidence.settings import check_labels

Floats = NDArray[np.float64]
LEAST_ROWS, MOST_GROUPS = 10, 300


@dataclass(frozen=True)
class Difference:
    """A group held against all other rows in one measure.

    `above` is the chance that a row of the group has more of it than another row, 0.5 where there is no difference;
    `p_value` is corrected for every group, measure and column that was asked.
    """

    column: str
    group: str
    measure: str
    above: float
    p_value: float
    rows: int


def ranked(values: Floats) -> NDArray[np.float32]:
    """Ranks from -0.5 to 0.5, ties in the middle, rows without a number at 0."""
    from scipy.stats import rankdata

    there = np.isfinite(values)
    ranks = np.zeros(len(values), np.float32)
    if there.any():
        ranks[there] = (rankdata(values[there]) - (there.sum() + 1) / 2) / there.sum()
    return ranks


def differences(measures: Mapping[str, Floats], groups: Mapping[str, Sequence[str]], *,
                clusters: Sequence[str] | None = None, permutations: int = 999, seed: int = 0) -> list[Difference]:
    """Every group of at least ten rows against the rest, in every measure; the smallest p-values first.

    The statistic is the sum of ranks of a group's rows over its spread under permutation; the p-value compares it with
    the largest of all groups and measures in each permutation, times the number of columns. `clusters` names what rows
    hang together by (speakers): where a column says the same for all rows of a cluster, whole clusters change places,
    and where it does not, rows do so within their cluster (for the column of the clusters itself, all rows).

    Assumes: rows (with `clusters`: clusters) could as well have come with another group, were there no difference.
    Source: Westfall and Young, Resampling-based multiple testing, 1993 (maxT); one row is added to each spread, as in
        Tusher, Tibshirani and Chu 2001, so that a single row among rare ones decides nothing.
    """
    columns = {name: labels for name, labels in groups.items() if 2 <= len(set(labels)) <= MOST_GROUPS}
    if not measures or not columns:
        return []
    ranks = np.stack([ranked(values) for values in measures.values()], axis=1)
    permutations = max(permutations, 40 * len(columns) - 1)
    found = [one for at, (name, labels) in enumerate(columns.items())
             for one in _column(name, labels, ranks, list(measures), clusters, (permutations, seed + at, len(columns)))]
    return sorted(found, key=lambda one: (one.p_value, -abs(one.above - 0.5)))


def _column(column: str, labels: Sequence[str], ranks: NDArray[np.float32], measures: list[str],
            clusters: Sequence[str] | None, asked: tuple[int, int, int]) -> list[Difference]:
    permutations, seed, columns = asked
    names, numbered = np.unique(np.asarray(labels), return_inverse=True)
    code = np.asarray(numbered, np.int16)  # which numpy sorts in linear time
    sizes = np.bincount(code)
    dealer = _Dealer(code, clusters)
    rng = np.random.default_rng(seed)
    sums = np.empty((permutations + 1, len(names), len(measures)), np.float32)
    sums[0] = _sums(code, ranks, len(names))
    for at in range(1, permutations + 1):
        sums[at] = _sums(dealer.deal(rng), ranks, len(names))
    kept = sizes >= LEAST_ROWS
    if not kept.any():
        return []
    far = np.abs(sums[:, kept] / np.sqrt(sums[:, kept].var(axis=0) + 1))
    largest = np.sort(far.max(axis=(1, 2)))
    at_least = permutations + 1 - np.searchsorted(largest, far[0] * (1 - 1e-6))
    p_values = np.minimum(1.0, columns * at_least / (permutations + 1))
    above = 0.5 + _ahead(sums[0], sizes)
    return [Difference(column, str(names[group]), measures[measure], float(above[group, measure]),
                       float(p_values[row, measure]), int(sizes[group]))
            for row, group in enumerate(np.flatnonzero(kept)) for measure in range(len(measures))]


def _ahead(sums: NDArray[np.float32], sizes: NDArray[np.int64]) -> Floats:
    """Mean rank of a group less that of all others; sums of centred ranks over all rows are 0."""
    others = sizes.sum() - sizes
    return np.asarray(sums / sizes[:, None] + sums / np.maximum(others, 1)[:, None], np.float64)


def _sums(code: NDArray[np.int16], ranks: NDArray[np.float32], groups: int) -> NDArray[np.float32]:
    order = np.argsort(code, kind="stable")
    sizes = np.bincount(code, minlength=groups)
    starts = np.minimum(np.cumsum(sizes) - sizes, len(code) - 1)
    return np.asarray(np.where(sizes[:, None] > 0, np.add.reduceat(ranks[order], starts, axis=0), 0), np.float32)


class _Dealer:
    """Group numbers dealt out anew: to rows, to whole clusters, or within clusters."""

    def __init__(self, code: NDArray[np.int16], clusters: Sequence[str] | None) -> None:
        self._code = code
        self._cluster = None if clusters is None else check_labels(np.asarray(clusters), len(code))[0]
        self._of_cluster: NDArray[np.int16] | None = None
        if self._cluster is not None:
            pairs = np.unique(np.stack([self._cluster, code]), axis=1)
            if pairs.shape[1] == len(np.unique(code)):
                self._cluster = None  # the column names the clusters themselves
            elif pairs.shape[1] == self._cluster.max() + 1:
                self._of_cluster = pairs[1].astype(np.int16)

    def deal(self, rng: np.random.Generator) -> NDArray[np.int16]:
        if self._cluster is None:
            return rng.permutation(self._code)
        if self._of_cluster is not None:
            return np.asarray(rng.permutation(self._of_cluster)[self._cluster])
        order = np.lexsort((rng.random(len(self._code)), self._cluster))
        dealt = np.empty_like(self._code)
        dealt[np.argsort(self._cluster, kind="stable")] = self._code[order]
        return dealt
