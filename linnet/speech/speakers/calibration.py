"""Calibration: a score becomes the logarithm of how much likelier it is for one speaker than for two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.errors import LinnetError
from linnet.speech.speakers.trials import Trials

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """log likelihood ratio = slope * score + offset.

    Logistic regression with as much weight on pairs of one speaker as `prior` says (Brummer and du Preez,
    Application-independent evaluation of speaker detection, Computer Speech and Language 20, 2006).

    >>> random = np.random.default_rng(0)
    >>> names = np.where(np.arange(4000) < 2000, "ann", "bob")
    >>> scores = random.normal(np.where(names == "ann", 3, 1), 1)
    >>> found = Calibration.fit(Trials(scores, np.full(4000, "ann"), names))
    >>> round(found.slope, 1), round(found.offset, 1)  # 2 and -4, were there no end of pairs
    (1.9, -3.8)
    """

    slope: float
    offset: float

    @classmethod
    def fit(cls, trials: Trials, *, prior: float = 0.5) -> Self:
        """Raises LinnetError without pairs of both kinds, or where scores go against the truth."""
        from scipy.optimize import minimize

        trials.check()
        if not 0 < prior < 1:
            raise LinnetError(f"prior is the share of pairs of one speaker, between 0 and 1; got {prior!r}.")
        centre, scale = float(trials.scores.mean()), float(trials.scores.std()) or 1.0
        same, signs = trials.is_genuine, np.where(trials.is_genuine, 1.0, -1.0)
        weights = np.where(same, prior / same.sum(), (1 - prior) / (~same).sum())
        scores, log_odds = (trials.scores - centre) / scale, float(np.log(prior / (1 - prior)))

        def cost(found: Floats) -> tuple[float, Floats]:
            margins = signs * (found[0] * scores + found[1] + log_odds)
            pull = -weights * signs / (1 + np.exp(np.minimum(margins, 500)))
            return float(weights @ np.logaddexp(0, -margins)), np.array([pull @ scores, pull.sum()])

        slope, offset = minimize(cost, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B",
                                 bounds=[(None, 1e4), (None, None)]).x
        if not slope > 0:
            raise LinnetError("pairs of two speakers score higher than pairs of one; these scores measure the opposite "
                              "of likeness.")
        return cls(float(slope / scale), float(offset - slope * centre / scale))

    def __call__(self, scores: ArrayLike) -> Floats:
        """Scores of any shape to log likelihood ratios."""
        return self.slope * np.asarray(scores, np.float64) + self.offset
