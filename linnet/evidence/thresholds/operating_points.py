"""How often a verification system accepts and rejects wrongly, threshold by threshold: a table to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.evidence.intervals import MINIMUM_CLUSTERS, ClusterSpread, beta_lower, t_adjusted
from linnet.evidence.settings import check_level, check_rows
from linnet.evidence.thresholds.speaker_pairs import SpeakerPairs, rate_variance, speaker_pairs
from linnet.evidence.thresholds.verification import carried_upper, false_reject_rate

Floats = NDArray[np.float64]


class ImpostorPairs(NamedTuple):
    """Scores of impostor pairs, and the two speakers of each."""

    scores: ArrayLike
    first: ArrayLike
    second: ArrayLike


class GenuinePairs(NamedTuple):
    """Scores of genuine pairs, and the speaker of each."""

    scores: ArrayLike
    speakers: ArrayLike


@dataclass(frozen=True)
class OperatingPoint:
    """What accepting scores above `threshold` did; intervals are two-sided, each at the level, over new speakers."""

    threshold: float
    false_accepts: float
    false_accepts_interval: tuple[float, float]
    false_rejects: float
    false_rejects_interval: tuple[float, float]


def operating_points(
    impostors: ImpostorPairs, genuine: GenuinePairs, *, thresholds: Sequence[float], level: float = 0.95
) -> list[OperatingPoint]:
    """Shares of false accepts and false rejects at each threshold, with intervals over new speakers.

    An interval of false accepts is the binomial one at the number of independent pairs with the same variance, where
    pairs that share a speaker count as dependent. Those that are accepted show too little of how
    strongly those of a speaker go together, so the upper end is never bolder than what looser thresholds show of it
    allows, as in `false_accept_threshold` (the lower end, where most are accepted). Under MINIMUM_CLUSTERS speakers it
    excludes nothing.

    Assumes: speakers are independent draws of those to come; the thresholds were stated beforehand. Asymptotic in
        speakers; and what `false_accept_threshold` assumes of the tails of scores.
    Source: Aronow, Samii and Assenova, Cluster-robust variance estimation for dyadic data, Political Analysis 23, 2015;
        Korn and Graubard, Survey Methodology 24, 1998.
    Not for: choosing a threshold and then quoting its row (`false_accept_threshold`): each interval is for one
        threshold, stated before.

    >>> random = np.random.default_rng(0)
    >>> first = random.integers(0, 50, 5000)
    >>> second = (first + random.integers(1, 50, 5000)) % 50
    >>> impostors = ImpostorPairs(random.normal(0, 1, 5000), first, second)
    >>> genuine = GenuinePairs(random.normal(3, 1, 1000), np.arange(1000) // 20)
    >>> (point,) = operating_points(impostors, genuine, thresholds=[1.5])
    >>> round(point.false_accepts, 4), round(point.false_rejects, 3)
    (0.0652, 0.064)
    """
    check_level(level)
    values, pairs = speaker_pairs(*impostors)
    own = check_rows("genuine scores", genuine.scores)
    return [
        OperatingPoint(limit, float((values > limit).mean()), _accept_interval(values > limit, values, pairs, level),
                       float((own <= limit).mean()), false_reject_rate(*genuine, threshold=limit, level=level))
        for limit in check_rows("thresholds", thresholds).tolist()
    ]


def equal_error_rate(impostors: ArrayLike, genuine: ArrayLike) -> tuple[float, float]:
    """The rate at which false accepts and false rejects are alike, and its threshold: for information, not a promise.

    Between two scores, the mean of the two shares where they cross.

    Assumes: nothing; it describes these scores.
    Source: the usual definition, as in ISO/IEC 19795-1:2021, Biometric performance testing and reporting.
    Not for: a claim about new speakers, or a threshold to ship (`false_accept_threshold`).

    >>> equal_error_rate([0.1, 0.2, 0.3, 0.6], [0.5, 0.7, 0.8, 0.9])
    (0.25, 0.5)
    """
    lower, upper = np.sort(check_rows("impostors", impostors)), np.sort(check_rows("genuine", genuine))
    limits = np.unique(np.concatenate([lower, upper]))
    accepts = 1 - np.searchsorted(lower, limits, side="right") / len(lower)
    rejects = np.searchsorted(upper, limits, side="right") / len(upper)
    best = int(np.argmin(np.abs(accepts - rejects)))
    return float((accepts[best] + rejects[best]) / 2), float(limits[best])


def _accept_interval(passes: NDArray[np.bool_], scores: Floats, pairs: SpeakerPairs, level: float
                     ) -> tuple[float, float]:
    """Clopper and Pearson's interval at the effective number of pairs, one end as bold at most as looser ones allow."""
    n, share = len(passes), float(passes.mean())
    if pairs.speakers < MINIMUM_CLUSTERS:
        return 0.0, 1.0
    independent = share * (1 - share)
    effective = independent / rate_variance(passes, pairs) if independent > 0 else float(n)
    one_sided = (1 + level) / 2
    rows = t_adjusted(ClusterSpread(share, n, pairs.speakers, effective), one_sided)
    low, high = beta_lower(share * rows, rows, one_sided), 1 - beta_lower((1 - share) * rows, rows, one_sided)
    # Those few that pass show too little of how they go together: the end away from them is too bold by itself.
    if share <= 0.5:
        return low, max(high, carried_upper(int(passes.sum()), scores, pairs, one_sided))
    return min(low, 1 - carried_upper(n - int(passes.sum()), -scores, pairs, one_sided)), high
