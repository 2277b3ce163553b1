"""Scores against a cohort: how far a pair stands out from what its two voices score with strangers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float64]


def s_norm(scores: ArrayLike, first: ArrayLike, second: ArrayLike) -> Floats:
    """Symmetric normalisation: (rows, columns) scores, by what each side scores with a cohort of strangers.

    `first` is (rows, cohort), `second` (columns, cohort). Source: Kenny, Bayesian speaker verification with
    heavy-tailed priors, Odyssey 2010 (section 2.5).

    >>> s_norm([[4.0]], [[0.0, 2.0]], [[1.0, 3.0]])
    array([[2.5]])
    """
    return _normalised(scores, first, second, None)


def adaptive_s_norm(scores: ArrayLike, first: ArrayLike, second: ArrayLike, *, top: int = 20) -> Floats:
    """`s_norm` against the `top` strangers that are most like each side.

    Source: Matejka et al., Analysis of score normalization in multilingual speaker recognition, Interspeech 2017.
    """
    if not 2 <= top <= np.shape(first)[-1]:
        raise LinnetError(f"top lies between 2 and the {np.shape(first)[-1]} voices of the cohort; got {top}.")
    return _normalised(scores, first, second, top)


def _normalised(scores: ArrayLike, first: ArrayLike, second: ArrayLike, top: int | None) -> Floats:
    values, sides = np.asarray(scores, np.float64), [np.asarray(side, np.float64) for side in (first, second)]
    if [side.shape[:1] for side in sides] != [(size,) for size in values.shape]:
        raise LinnetError(f"scores {values.shape} need cohort scores for each row and each column; got "
                          f"{sides[0].shape} and {sides[1].shape}.")
    (mean, deviation), (other_mean, other_deviation) = (_moments(side, top) for side in sides)
    return ((values - mean[:, None]) / deviation[:, None] + (values - other_mean) / other_deviation) / 2


def _moments(side: Floats, top: int | None) -> tuple[Floats, Floats]:
    nearest = side if top is None else np.sort(side, axis=1)[:, -top:]
    deviation = nearest.std(axis=1)
    if not (deviation > 0).all():
        raise LinnetError("a voice scores the same with every voice of the cohort; give a cohort of different voices.")
    return nearest.mean(axis=1), deviation
