"""How sure a decoder may be: likelihoods against those without a grammar, turned into probabilities of being right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.speech.decoding.viterbi import BLANK, Path

_SOFT = 0.01
"""Keeps the weights finite where the answers can be told apart without a mistake."""


class Evidence(NamedTuple):
    """What speaks for one path; means over its phones, so that long texts do not lose."""

    ratio: float
    """Log likelihood against that of the best sequence of phones without any grammar; 0 at best."""
    share: float
    """Log of the path's share among those of its list; 0 at best."""
    heard: float = math.inf
    """Log likelihood against that of silence all along; a path for which it is not above 0 was not said."""


def evidence_of(paths: Sequence[Path], logs: NDArray[np.float32]) -> list[Evidence]:
    """For each path of one recording; (frames, labels) log probabilities.

    The best sequence without a grammar has the likeliest label of each frame, so its likelihood is the sum of maxima:
    the filler of Higgins and Wohlford (1985) for a network that answers with posteriors.
    """
    free = float(logs.max(axis=1).sum(dtype=np.float64))
    whole = float(np.logaddexp.reduce([path.score for path in paths])) if paths else 0.0
    silence = float(logs[:, BLANK].sum(dtype=np.float64))
    return [Evidence(*((path.score - other) / path.phones for other in (free, whole, silence))) for path in paths]


@dataclass(frozen=True)
class Calibration:
    """Logistic weights: the probability that a path's text is what was said."""

    ratio: float = 0.0
    share: float = 0.0
    offset: float = 0.0

    @property
    def is_fitted(self) -> bool:
        """False where nothing was learnt, and so nothing can be said."""
        return (self.ratio, self.share, self.offset) != (0.0, 0.0, 0.0)

    def probability(self, evidence: Evidence) -> float:
        """Between 0 and 1; 0 for what is no likelier than silence, as noises and tones make it.

        >>> Calibration(ratio=1.0, offset=2.0).probability(Evidence(-2.0, 0.0))
        0.5
        """
        if not evidence.heard > 0:
            return 0.0
        value = self.ratio * evidence.ratio + self.share * evidence.share + self.offset
        return 1 / (1 + math.exp(-max(value, -500.0))) if value < 500 else 1.0


def calibrated(evidence: Sequence[Evidence], is_right: Sequence[bool], weights: Sequence[float]) -> Calibration:
    """The weights under which being right is likeliest (Platt 1999, with two numbers in place of one).

    Targets are those of Platt's section 2.2, a little inside 0 and 1. Weights of evidence below 0 are not taken: more
    of it never counts against a path. Raises LinnetError where all are right, or none.
    """
    from scipy.optimize import minimize

    right, weight = np.array(is_right, float), np.array(weights, float)
    if not 0 < right.sum() < len(right):
        raise LinnetError(f"confidence is learnt from right and wrong answers; of {len(right)} given, "
                          f"{'all' if right.sum() else 'none'} are right. Give recordings of both kinds.")
    targets = np.where(right > 0, (right.sum() + 1) / (right.sum() + 2), 1 / (len(right) - right.sum() + 2))
    values = np.array([(piece.ratio, piece.share, 1.0) for piece in evidence])

    def loss(weights_: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        sums = values @ weights_
        held = _SOFT * np.array([1.0, 1.0, 0.0]) * weights_
        slope = values.T @ (weight * (1 / (1 + np.exp(-np.clip(sums, -500, 500))) - targets)) / weight.sum()
        return (float((weight * (np.logaddexp(0, sums) - targets * sums)).sum() / weight.sum() + held @ weights_ / 2),
                slope + held)

    found = minimize(loss, np.zeros(3), jac=True, method="L-BFGS-B", bounds=[(0, None), (0, None), (None, None)])
    return Calibration(*(float(value) for value in found.x))
