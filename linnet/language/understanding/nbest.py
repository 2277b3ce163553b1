"""N-best: several readings of one utterance become one distribution over intents."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError


def weights(scores: Sequence[float | None], *, scale: float = 1.0) -> NDArray[np.float64]:
    """How far each reading is believed, summing to 1; `scores` are log likelihoods, the best reading first.

    They are softmaxed after multiplication with `scale`, which is to be chosen on validation: an engine's scores are
    seldom logarithms of honest probabilities. A missing score (None) is that of the reading before it, one unit lower;
    where all are missing, each reading counts half of the one before. Equal scores count alike.

    >>> weights([-10.0, -10.0]).tolist(), weights([None, None]).round(3).tolist()
    ([0.5, 0.5], [0.667, 0.333])
    """
    if not len(scores):
        raise LinnetError("there is no reading to weigh: an engine that heard nothing gives no hypothesis, and there "
                          "is nothing to understand.")
    if not scale >= 0 or math.isinf(scale):
        raise LinnetError(f"scale is a number of 0 or more; got {scale!r}.")
    if all(score is None for score in scores):
        halves = 0.5 ** np.arange(len(scores))
        return np.asarray(halves / halves.sum())
    known, last = [], max(score for score in scores if score is not None)
    for score in scores:
        last = last - 1.0 if score is None else float(score)
        if math.isnan(last) or last == math.inf:
            raise LinnetError(f"scores are logarithms of likelihoods, so finite or minus infinity; got {score!r}.")
        known.append(last)
    values = np.array(known)
    if np.isneginf(values).all():
        return np.full(len(values), 1 / len(values))
    powers = np.exp(scale * (values - values.max())) if scale else np.ones(len(values))
    return np.asarray(powers / powers.sum())


def merged(probabilities: ArrayLike, scores: Sequence[float | None], *, scale: float = 1.0) -> NDArray[np.float64]:
    """The probabilities of intents (intents,), those of each reading (readings, intents) weighed by its score.

    An intent on which several readings agree wins over that of the single best one.

    >>> merged([[0.6, 0.4, 0.0], [0.1, 0.0, 0.9], [0.0, 0.1, 0.9]], [-1.0, -1.1, -1.2]).argmax()
    np.int64(2)
    """
    rows = np.asarray(probabilities, np.float64)
    if rows.ndim != 2 or len(rows) != len(scores):
        raise LinnetError(f"probabilities have a row a reading: (readings, intents); got {rows.shape} for "
                          f"{len(scores)} readings.")
    return np.asarray(weights(scores, scale=scale) @ rows)
