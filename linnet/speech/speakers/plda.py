"""Plda: how much likelier two voices are if one speaker said both, where voices vary between and within speakers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_LEAST = 1e-3
"""Directions in which speakers differ less than this, against 1 within a speaker, say nothing."""


@dataclass(frozen=True, eq=False)
class Plda:
    """The two-covariance model: x = speaker + residue, both normal, in directions in which both are independent.

    Linear discriminants, the length made equal, then the directions of the model. `voices` come out so that the log
    likelihood ratio of two is a dot product (`similarities`): a network can end with these maps and nothing else is
    needed to compare what it says.

    Source: Ioffe, Probabilistic linear discriminant analysis, ECCV 2006; length: Garcia-Romero and Espy-Wilson,
        Analysis of i-vector length normalization in speaker recognition systems, Interspeech 2011.

    >>> random = np.random.default_rng(0)
    >>> names = np.arange(400) // 10
    >>> values = 2 * random.normal(size=(40, 5))[names] + random.normal(size=(400, 5))
    >>> model = Plda.fit(values, names, dimensions=4)
    >>> scores = similarities(model.voices(values))
    >>> bool(scores[names[:, None] == names].mean() > 0 > scores[names[:, None] != names].mean())
    True
    """

    first: Floats
    """(inputs, dimensions): discriminants."""
    first_offset: Floats
    second: Floats
    """(dimensions, directions), after the length was made equal."""
    second_offset: Floats
    between: Floats
    """(directions,): the variance between speakers; that within a speaker is 1."""

    @classmethod
    def fit(cls, values: ArrayLike, speakers: ArrayLike, *, dimensions: int) -> Self:
        """From (recordings, inputs) of at least two speakers with two recordings each."""
        rows, index = _checked(values, speakers, dimensions)
        mean, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-12)
        discriminants = _directions(rows / scale, index, dimensions)[0] / scale[:, None]
        even = _even(rows @ discriminants - mean @ discriminants)
        directions, between = _directions(even, index, dimensions)
        kept = between > _LEAST
        if not kept.any():
            raise LinnetError("these speakers do not differ in these values; there is nothing to compare voices by.")
        second = directions[:, kept]
        return cls(discriminants, mean @ discriminants, second, even.mean(axis=0) @ second, between[kept])

    def voices(self, values: ArrayLike) -> Floats:
        """(recordings, inputs) to (recordings, directions + 1), the last for what a voice adds to all its scores."""
        x = _even(np.asarray(values, np.float64) @ self.first - self.first_offset) @ self.second - self.second_offset
        cross, own, constant = self.weights
        return np.column_stack([x * np.sqrt(cross), x * x @ own + constant])

    @property
    def weights(self) -> tuple[Floats, Floats, float]:
        """Of the log likelihood ratio: of x y, of x squared and y squared, and half of the constant."""
        total = self.between + 1
        apart = total**2 - self.between**2
        constant = float((np.log(total) - np.log(apart) / 2).sum() / 2)
        return self.between / apart, (1 / total - total / apart) / 2, constant


def similarities(voices: ArrayLike, others: ArrayLike | None = None) -> Floats:
    """Scores of every pair, (rows, rows of `others`): the dot product but for the last value, which is added.

    >>> similarities([[1, 0, 0.5], [0, 1, 0.25]])
    array([[2.  , 0.75],
           [0.75, 1.5 ]])
    """
    one = np.asarray(voices, np.float64)
    other = one if others is None else np.asarray(others, np.float64)
    if one.ndim != 2 or other.ndim != 2 or one.shape[1] != other.shape[1] or one.shape[1] < 2:
        raise LinnetError(f"voices are rows of the same size, at least 2; got {one.shape} and {other.shape}.")
    return np.asarray(one[:, :-1] @ other[:, :-1].T + one[:, -1:] + other[:, -1])


def _even(rows: Floats) -> Floats:
    """Each row as long as the square root of its size."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12) * np.sqrt(rows.shape[1]))


def _directions(rows: Floats, index: NDArray[np.int64], count: int) -> tuple[Floats, Floats]:
    """Where speakers differ most, (inputs, count), scaled to a variance of 1 within them; and that between them."""
    from scipy.linalg import eigh

    sizes = np.bincount(index)
    means = np.stack([np.bincount(index, column) for column in rows.T], axis=1) / sizes[:, None]
    residues = rows - means[index]
    within = residues.T @ residues / (len(rows) - len(sizes))
    within += np.eye(len(within)) * np.trace(within) / len(within) * 1e-6
    between = np.cov(means.T) - within * float((1 / sizes).mean())
    variances, vectors = eigh(between, within)
    order = np.argsort(-variances)[:count]
    return vectors[:, order], variances[order]


def _checked(values: ArrayLike, speakers: ArrayLike, dimensions: int) -> tuple[Floats, NDArray[np.int64]]:
    rows, names = np.asarray(values, np.float64), np.asarray(speakers)
    if rows.ndim != 2 or len(rows) != len(names) or not np.isfinite(rows).all():
        raise LinnetError(f"values are finite rows, one a recording, each with a speaker; got {rows.shape} and "
                          f"{len(names)} speakers.")
    _, index = np.unique(names, return_inverse=True)
    if index.max() < 1 or len(rows) < 2 * (index.max() + 1):
        raise LinnetError(f"{len(rows)} recordings of {index.max() + 1} speakers: at least two speakers are needed, "
                          "with two recordings each on average.")
    if not 1 <= dimensions <= rows.shape[1]:
        raise LinnetError(f"dimensions lies between 1 and the {rows.shape[1]} values of a row; got {dimensions}.")
    return rows, np.asarray(index, np.int64)
