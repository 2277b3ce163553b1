"""What was likely said in place of each phone, read from the features of `judge`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.speech.pronunciation.features import PHONE

LEFT_OUT = ""
"""What is likely said instead where nothing is."""


@dataclass(frozen=True)
class Instead:
    """The likeliest other reading of a phone."""

    said: str
    """A label, or LEFT_OUT."""
    ratio: float
    """By how much the recording is likelier with it, as a natural logarithm; above 0: than the phone itself."""


def likely_instead(phones: NDArray[np.floating], tokens: Sequence[int] | NDArray[np.int64],
                   labels: Sequence[str]) -> list[Instead]:
    """For each of n phones the other label, or none, with which the recording is likeliest.

    `phones` (n, features) are those of `judge`, `tokens` (n,) count from 1 in `labels`. The ratios are clipped at 12.
    """
    ratios = np.array(phones[:, len(PHONE) :], np.float64)
    ratios[np.arange(len(ratios)), np.asarray(tokens)] = -np.inf
    best = ratios.argmax(axis=1)
    return [Instead(LEFT_OUT if place == 0 else labels[place - 1], float(row[place]))
            for place, row in zip(best.tolist(), ratios, strict=True)]
