"""Where a new score stands among those before it: conformal p-values, uniform and independent if nothing changed."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.evidence.settings import check_count, check_finite, check_seed

Floats = NDArray[np.float64]

_CAPACITY = 4096


def conformal_p_values(scores: ArrayLike, reference: ArrayLike = (), *, seed: int = 0,
                       capacity: int = _CAPACITY) -> Floats:
    """The share of scores so far that are at least as large as each one, ties broken at random; (samples,).

    A score is ranked among the reference and all scores before it. Small p-values are strangely large scores. If
    nothing changed, they are uniform on (0, 1) and independent, exactly, whatever the distribution. After `capacity`
    scores further ones are counted between those kept, which is as exact and keeps memory bounded.

    Assumes: reference and scores are exchangeable as long as nothing changes (independent draws of one distribution
        are); the scoring was not fitted on the reference.
    Source: Vovk, Nouretdinov and Gammerman, Testing exchangeability on-line, ICML 2003.
    Not for: one decision about one sample against a fixed reference (its p-values are not independent there).

    >>> conformal_p_values([5.0, 0.5], reference=[1, 2, 3, 4]).round(2)
    array([0.05, 0.84])
    """
    ranks = Ranks(reference, seed=seed, capacity=capacity)
    return np.array([ranks.place(score) for score in check_stream(scores).tolist()])


class Ranks:
    """The streaming form of `conformal_p_values`: `place` gives the p-value of the next score and remembers it."""

    def __init__(self, reference: ArrayLike = (), *, seed: int = 0, capacity: int = _CAPACITY) -> None:
        self.reference, self.seed = check_stream(reference, "reference"), check_seed(seed)
        self.capacity = check_count("capacity", capacity, least=1)
        self.reset()

    def reset(self) -> None:
        """Back to the reference alone."""
        self._random = np.random.default_rng(self.seed)
        # A second, random coordinate makes ties impossible, so that a new score is equally likely in every gap.
        ties = self._random.random(len(self.reference))
        order = self._random.permutation(len(self.reference))
        edges = list(zip(self.reference[order].tolist(), ties[order].tolist(), strict=True))
        self._edges = sorted(edges[: self.capacity])
        self._counts: NDArray[np.int64] | None = None
        self._total = len(self._edges) + 1
        self._count_if_full()
        for edge in edges[self.capacity:]:
            self._remember(bisect_right(self._edges, edge), edge)

    def place(self, score: float) -> float:
        """The p-value of the next score, which then belongs to the past."""
        tie, smooth = self._random.random(2)
        edge = (score, float(tie))
        gap = bisect_right(self._edges, edge)
        above, here = self._weights(gap)
        p_value = (above + (1.0 - smooth) * here) / self._total
        self._remember(gap, edge)
        return float(p_value)

    def _weights(self, gap: int) -> tuple[int, int]:
        """Gaps above, and gaps that this one stands for: a score that was counted split its gap in two."""
        if self._counts is None:
            return len(self._edges) - gap, 1
        return int(self._counts[gap + 1:].sum()), int(self._counts[gap])

    def _remember(self, gap: int, edge: tuple[float, float]) -> None:
        self._total += 1
        if self._counts is not None:
            self._counts[gap] += 1
            return
        self._edges.insert(gap, edge)
        self._count_if_full()

    def _count_if_full(self) -> None:
        if len(self._edges) == self.capacity:
            self._counts = np.ones(len(self._edges) + 1, dtype=np.int64)


def check_stream(scores: ArrayLike, name: str = "scores") -> Floats:
    """Finite scores in their order, (samples,); one score becomes a row of one."""
    values = np.atleast_1d(check_finite(name, scores))
    if values.ndim != 1:
        raise LinnetError(f"'{name}' has shape {values.shape}; expected one score a sample. "
                          "Embeddings become scores by `distance_to_nearest`.")
    return values
