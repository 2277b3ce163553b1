"""The simplest decoder: the likeliest label of each frame, repeats once, blanks left out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

BLANK = 0


def log_posteriors(logits: NDArray[Any]) -> NDArray[np.float32]:
    """(frames, labels) logits to log probabilities; raises LinnetError for numbers that are not finite.

    >>> np.exp(log_posteriors(np.zeros((1, 4)))).tolist()
    [[0.25, 0.25, 0.25, 0.25]]
    """
    values = np.asarray(logits, np.float32)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise LinnetError(f"a decoder takes finite numbers of shape (frames, labels); got shape {values.shape}"
                          f"{'' if np.isfinite(values).all() else ' with infinite ones or such that are none'}.")
    values = values - values.max(axis=1, keepdims=True)
    return np.asarray(values - np.log(np.exp(values).sum(axis=1, keepdims=True)), np.float32)


def greedy(logs: NDArray[Any]) -> list[int]:
    """(frames, labels), the blank first, to the labels' columns.

    >>> greedy(np.eye(3)[[0, 1, 1, 0, 1, 2]])
    [1, 1, 2]
    """
    frames = np.argmax(logs, axis=1)
    is_new = np.append(True, frames[1:] != frames[:-1])
    return [int(label) for label in frames[is_new & (frames != BLANK)]]
