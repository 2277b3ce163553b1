"""Claims that hold one number of a file against a bound: how often it is right, how fast, how large.

`Claim.interval` holds the two one-sided bounds, each sure at the level that was tested (`tested_level`, else `level`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.claims import words
from linnet.evidence.claims.claim import Claim, Clusters
from linnet.evidence.claims.spending import level_at
from linnet.evidence.intervals.bets import betting
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS, cluster_spread, clustered_mean, independent_rows
from linnet.evidence.intervals.proportions import beta_lower, binomial
from linnet.evidence.intervals.quantiles import quantile_lower, quantile_upper, runs_needed
from linnet.evidence.power.needed import smallest
from linnet.evidence.scores import Scores
from linnet.evidence.settings import Verdict, check_amount, check_level, check_right_or_wrong, check_share

EXACT = "exact binomial bounds (Clopper and Pearson 1934)"
CLUSTERED = "binomial bounds at the effective sample size of whole clusters, asymptotic (Korn and Graubard 1998)"
BETTING = "mean by betting, exact for every n and distribution (Waudby-Smith and Ramdas 2024)"
ORDER_STATISTIC = "order statistic, whatever the distribution; runs taken as independent"
COUNTED = "counted"


@dataclass(frozen=True)
class Timing:
    """How long each run took: `seconds` (runs,), positive, warm-up left out. `conditions` say on what and with what."""

    seconds: NDArray[np.float64]
    subject: str
    subject_name: str = "model"
    conditions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        seconds = np.asarray(self.seconds)
        if seconds.ndim != 1 or not len(seconds) or not (np.isfinite(seconds).all() and (seconds > 0).all()):
            raise LinnetError("Timing: seconds needs one positive number a run, at least one run; "
                              f"got shape {seconds.shape}.")


@dataclass(frozen=True)
class Size:
    """How many bytes a file has without the claims that it carries: they come to it afterwards."""

    bytes: int
    subject: str
    subject_name: str = "model"

    def __post_init__(self) -> None:
        if self.bytes < 0:
            raise LinnetError(f"Size: a file has no {self.bytes} bytes; expected 0 or more.")


def accuracy_at_least(scores: Scores, *, bound: float, level: float = 0.95, clusters: str | None = None,
                      look: int | None = None) -> Claim:
    """Claim that the share of right answers is at least `bound`.

    Without `clusters` the samples count as independent and the bounds are exact. With `clusters="speaker"` (a key of
    `scores.groups`) whole speakers are the unit, and under ten of them the claim is undecided. Scores are 0 or 1.
    With `look` it is tested as the claim of the n-th file held against these data (`export.prove` asks the ledger).

    Assumes: the samples were drawn independently from what they stand for (with `clusters`: whole clusters were), and
        the bound was chosen before anybody looked.
    Source: Clopper and Pearson, Biometrika 26, 1934; with clusters Korn and Graubard, Survey Methodology 24, 1998.
    Not for: graded scores (`mean_score_at_least`); a stream that is looked at again and again (`sequences`).
    """
    check_share("bound", bound), check_level(level)
    check_right_or_wrong(scores.score, scores.subject_name)
    units, tested = count_clusters(scores, clusters), paid_level(level, look)
    interval = _accuracy_interval(scores, tested, clusters)
    verdict, sure = verdict_at_least(interval, bound, units), words.Sure(level, units, look)
    return Claim(
        kind="accuracy_at_least", settings={"bound": bound, "level": level, "clusters": clusters},
        statement=words.accuracy(scores.data.population, verdict, scores.mean, interval, bound=bound, sure=sure),
        verdict=verdict,
        reason=_why_accuracy_undecided(scores, bound, sure) if verdict == "undecided" else None,
        estimate=scores.mean, interval=interval, bound=bound, level=level, unit="share",
        method=CLUSTERED if clusters else EXACT, n=len(scores), clusters=units,
        subject=scores.subject, data=scores.data, looks=look, tested_level=tested_level(level, look),
    ).derivable(partial(accuracy_at_least, scores, bound=bound, level=level, clusters=clusters))


def mean_score_at_least(scores: Scores, *, bound: float, level: float = 0.95, clusters: str | None = None,
                        look: int | None = None) -> Claim:
    """Claim that the mean of graded scores (numbers from 0 to 1, larger is better) is at least `bound`.

    Exact whatever their distribution; `clusters` and `look` as in `accuracy_at_least`.

    Assumes: the samples were drawn independently from what they stand for (with `clusters`: whole clusters were, of
        sizes that do not go with how well they are answered), and the bound was chosen before anybody looked.
    Source: Waudby-Smith and Ramdas, Journal of the Royal Statistical Society B 86, 2024.
    Not for: right and wrong answers, where `accuracy_at_least` needs fewer samples.
    """
    check_share("bound", bound), check_level(level)
    units, labels = count_clusters(scores, clusters), None if clusters is None else labels_of(scores, clusters)
    interval = betting(scores.score, 2 * paid_level(level, look) - 1, clusters=labels)
    verdict, sure = verdict_at_least(interval, bound, units), words.Sure(level, units, look)
    return Claim(
        kind="mean_score_at_least", settings={"bound": bound, "level": level, "clusters": clusters},
        statement=words.mean_score(scores.data.population, scores.metric, verdict, scores.mean, interval, bound=bound,
                                   sure=sure),
        verdict=verdict, reason=_why_mean_undecided(scores, bound, interval, sure) if verdict == "undecided" else None,
        estimate=scores.mean, interval=interval, bound=bound, level=level, unit="score", method=BETTING,
        n=len(scores), clusters=units, subject=scores.subject, data=scores.data, looks=look,
        tested_level=tested_level(level, look),
    ).derivable(partial(mean_score_at_least, scores, bound=bound, level=level, clusters=clusters))


def latency_below(timing: Timing, *, bound_ms: float, quantile: float = 0.95, level: float = 0.95) -> Claim:
    """Claim that the `quantile` of the time a run takes is at most `bound_ms`, whatever the distribution.

    With fewer runs than `runs_needed(quantile, level)` the upper bound is infinite and the claim cannot hold.
    """
    check_amount("bound_ms", bound_ms), check_level(level)
    if check_share("quantile", quantile) == 1:
        raise LinnetError("quantile must be below 1: no number of runs bounds the slowest run there will ever be.")
    milliseconds = np.asarray(timing.seconds, dtype=np.float64) * 1000
    upper = quantile_upper(milliseconds, quantile, level)
    lower = max(0.0, quantile_lower(milliseconds, quantile, level))
    verdict: Verdict = "holds" if upper <= bound_ms else "fails" if lower > bound_ms else "undecided"
    estimate = float(np.quantile(milliseconds, quantile, method="inverted_cdf"))
    interval = (lower, upper)
    return Claim(
        kind="latency_below", settings={"bound_ms": bound_ms, "quantile": quantile, "level": level},
        statement=words.latency(timing.conditions, verdict, estimate, interval,
                                bound_ms=bound_ms, quantile=quantile, level=level),
        verdict=verdict,
        reason=_why_latency_undecided(milliseconds, bound_ms, quantile, level) if verdict == "undecided" else None,
        estimate=estimate, interval=interval, bound=bound_ms, level=level, unit="ms", method=ORDER_STATISTIC,
        n=len(milliseconds), subject=timing.subject, conditions=dict(timing.conditions))


def size_below(size: Size, *, bound_kb: float) -> Claim:
    """Claim that the file has at most `bound_kb` times 1,000 bytes, its claims left out.

    It is counted, so there is nothing to be unsure of.
    """
    check_amount("bound_kb", bound_kb)
    kilobytes = size.bytes / 1000
    return Claim(
        kind="size_below", settings={"bound_kb": bound_kb}, statement=words.size(size.bytes, bound_kb),
        verdict="holds" if kilobytes <= bound_kb else "fails", estimate=kilobytes, interval=(kilobytes, kilobytes),
        bound=bound_kb, level=1.0, unit="KB", method=COUNTED, n=1, subject=size.subject)


def paid_level(level: float, look: int | None) -> float:
    """The level at which to test; `level` itself where no look is paid for."""
    return level if look is None else level_at(look, level)


def tested_level(level: float, look: int | None) -> float | None:
    """The same for the claim's record: None where no look is paid for."""
    return None if look is None else level_at(look, level)


def verdict_at_least(interval: tuple[float, float], bound: float, clusters: Clusters | None) -> Verdict:
    """Holds where the lower bound reaches `bound`, fails where the upper one does not; undecided between."""
    if clusters is not None and clusters.count < clusters.needed:
        return "undecided"
    return "holds" if interval[0] >= bound else "fails" if interval[1] < bound else "undecided"


def count_clusters(scores: Scores, by: str | None) -> Clusters | None:
    """The clusters of a column of `scores.groups`; LinnetError for a column that is not there."""
    return None if by is None else Clusters(by=by, count=len(set(labels_of(scores, by))), needed=MINIMUM_CLUSTERS)


def labels_of(scores: Scores, by: str) -> Sequence[str]:
    """The cluster of each row; LinnetError for a column that is not there."""
    if by not in scores.groups:
        raise unknown("clusters", by, scores.groups)
    return scores.groups[by]


def _accuracy_interval(scores: Scores, level: float, clusters: str | None) -> tuple[float, float]:
    two_sided = 2 * level - 1
    if clusters is None:
        return binomial(int(scores.score.sum()), len(scores), two_sided)
    return clustered_mean(scores.score, labels_of(scores, clusters), two_sided)


def _why_accuracy_undecided(scores: Scores, bound: float, sure: words.Sure) -> str:
    units, level, estimate = sure.clusters, sure.level, scores.mean
    tested, is_hopeful = paid_level(level, sure.look), estimate >= bound
    if units is not None and units.count < units.needed:
        return words.too_few_clusters(units)

    def decides(rows: float) -> bool:
        share, goal = (estimate, bound) if is_hopeful else (1 - estimate, 1 - bound)
        return estimate != bound and beta_lower(share * rows, rows, tested) >= goal

    if units is None:
        what, count, needed = "samples", len(scores), smallest(decides, len(scores))
    else:
        spread = cluster_spread(scores.score, labels_of(scores, units.by))
        what, count = f"groups by {units.by}", units.count
        needed = smallest(lambda clusters: decides(independent_rows(spread.grown_to(clusters), tested)), count)
    return words.not_enough(what, count, needed, hopeful=is_hopeful, level=level) + sure.kept_back


def _why_mean_undecided(scores: Scores, bound: float, interval: tuple[float, float], sure: words.Sure) -> str:
    """The interval narrows about as the square root of the samples, or of the clusters."""
    units, estimate = sure.clusters, scores.mean
    if units is not None and units.count < units.needed:
        return words.too_few_clusters(units)
    is_hopeful = estimate >= bound
    reach, missing = abs(estimate - interval[0 if is_hopeful else 1]), abs(estimate - bound)
    what, count = ("samples", len(scores)) if units is None else (f"groups by {units.by}", units.count)
    needed = math.ceil(count * (reach / missing) ** 2) if missing > 0 else None
    return words.not_enough(what, count, needed, hopeful=is_hopeful, level=sure.level) + sure.kept_back


def _why_latency_undecided(milliseconds: NDArray[np.float64], bound_ms: float, quantile: float, level: float) -> str:
    runs, least = len(milliseconds), runs_needed(quantile, level)
    if runs < least:
        return (f"{runs:,} runs are too few to be {words.sure(level)} of this quantile, whatever they took; "
                f"at least {least:,} are needed.")
    within = float((milliseconds <= bound_ms).mean())
    share, goal = (within, quantile) if within >= quantile else (1 - within, 1 - quantile)
    needed = smallest(lambda count: share != goal and beta_lower(share * count, count, level) >= goal, runs)
    return words.not_enough("runs", runs, needed, hopeful=within >= quantile, level=level)
