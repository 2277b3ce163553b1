"""Claims that hold a file against another one, on the same samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.claims import words
from linnet.evidence.claims.bounds import count_clusters, labels_of, verdict_at_least
from linnet.evidence.claims.claim import Claim, Clusters, OtherSide
from linnet.evidence.comparisons.paired import clustered_difference, paired_difference, score_lower
from linnet.evidence.intervals.clusters import cluster_spread, t_adjusted
from linnet.evidence.power.needed import smallest
from linnet.evidence.scores import Scores
from linnet.evidence.settings import check_level, check_right_or_wrong, check_share

PAIRED = "exact unconditional bounds of a paired difference (Buehler 1957, ordered by the score limit of Tango 1998)"
CLUSTERED = "paired score bounds at the effective sample size of whole clusters, asymptotic (Tango 1998)"
_NAMED_AT_MOST = 5


def no_worse(
    after: Scores, before: Scores | OtherSide, *, margin: float, level: float = 0.95, clusters: str | None = None
) -> Claim:
    """Claim that `after` is right at most `margin` less often than `before` on the same samples, paired by id.

    The claim keeps the rows of `before`, so that it can be asked again without it: pass `claim.than`. The estimate is
    after minus before and the bound is -margin. Clusters and intervals are as in `accuracy_at_least`.
    """
    check_share("margin", margin, zero=True), check_level(level)
    than = before if isinstance(before, OtherSide) else OtherSide.of(before)
    _check_same_samples(after, before)
    differences = after.score - _paired(after, than)
    units, bound = count_clusters(after, clusters), 0.0 - margin
    interval = _interval(after, differences, level, clusters)
    verdict = verdict_at_least(interval, bound, units)
    estimate = float(differences.mean())
    return Claim(
        kind="no_worse", settings={"margin": margin, "level": level, "clusters": clusters},
        statement=words.difference(after.data.population, verdict, estimate, interval,
                                   than=than.name, margin=margin, level=level, clusters=units),
        verdict=verdict,
        reason=_why_undecided(after, differences, bound, level, units) if verdict == "undecided" else None,
        estimate=estimate, interval=interval, bound=bound, level=level, unit="share",
        method=CLUSTERED if clusters else PAIRED, n=len(after), clusters=units, subject=after.subject,
        data=after.data, than=than)


def _check_same_samples(after: Scores, before: Scores | OtherSide) -> None:
    if isinstance(before, Scores) and before.data.fingerprint != after.data.fingerprint:
        raise LinnetError(f"'{after.subject_name}' and '{before.subject_name}' were scored on different data "
                          f"({after.data.fingerprint[:12]} and {before.data.fingerprint[:12]}); "
                          "evaluate both on the same dataset.")


def _paired(after: Scores, than: OtherSide) -> NDArray[np.float64]:
    """The scores of the other side in the order of `after`; LinnetError listing samples that only one side has."""
    rows = than.unpack()
    only_after = sorted(set(after.ids) - rows.keys())
    only_before = sorted(rows.keys() - set(after.ids))
    if only_after or only_before:
        raise LinnetError("a comparison needs the same samples on both sides; "
                          f"only '{after.subject_name}' has {_listed(only_after)}, "
                          f"only '{than.name}' has {_listed(only_before)}. Evaluate both on the same dataset.")
    before = np.array([rows[name] for name in after.ids], dtype=np.float64)
    check_right_or_wrong(after.score, after.subject_name)
    check_right_or_wrong(before, than.name)
    return before


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return (", ".join(names[:_NAMED_AT_MOST]) + more) or "(none)"


def _interval(
    after: Scores, differences: NDArray[np.float64], level: float, clusters: str | None
) -> tuple[float, float]:
    two_sided = 2 * level - 1
    if clusters is not None:
        return clustered_difference(differences, labels_of(after, clusters), two_sided)
    return paired_difference(int((differences < 0).sum()), int((differences > 0).sum()), len(differences), two_sided)


def _why_undecided(
    after: Scores, differences: NDArray[np.float64], bound: float, level: float, units: Clusters | None
) -> str:
    if units is not None and units.count < units.needed:
        return words.too_few_clusters(units)
    estimate = float(differences.mean())
    rows, is_hopeful = len(differences), estimate >= bound
    worse, better = float((differences < 0).mean()), float((differences > 0).mean())

    def decides(count: float) -> bool:
        from scipy.special import ndtri

        lost, gained, goal = (worse, better, bound) if is_hopeful else (better, worse, -bound)
        return estimate != bound and score_lower(lost * count, gained * count, count, float(ndtri(level))) >= goal

    if units is None:
        return words.not_enough("samples", rows, smallest(decides, rows), hopeful=is_hopeful, level=level)
    spread = cluster_spread(differences, labels_of(after, units.by))
    needed = smallest(lambda count: decides(t_adjusted(spread.grown_to(count), level)), units.count)
    return words.not_enough(f"groups by {units.by}", units.count, needed, hopeful=is_hopeful, level=level)
