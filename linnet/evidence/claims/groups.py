"""Claims that hold for every group of people, not only for all of them together: where a mean would hide who pays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from linnet.errors import LinnetError
from linnet.evidence.claims import words
from linnet.evidence.claims.bounds import accuracy_at_least, labels_of, paid_level, tested_level
from linnet.evidence.claims.claim import Claim, Clusters
from linnet.evidence.intervals.clusters import MINIMUM_CLUSTERS
from linnet.evidence.many.corrections import bonferroni
from linnet.evidence.scores import Scores
from linnet.evidence.settings import Verdict

EXACT = "exact binomial bounds in each group; the lowest of each end, the upper one by Bonferroni (Berger 1982)"
CLUSTERED = "binomial bounds at the effective sample size of whole clusters in each group, asymptotic; the lowest of " \
            "each end, the upper one by Bonferroni (Berger 1982)"


def accuracy_in_every_group(scores: Scores, *, by: str, bound: float, level: float = 0.95,
                            clusters: str | None = None, look: int | None = None) -> Claim:
    """Claim that the share of right answers is at least `bound` in each group of `by` (a key of `scores.groups`).

    The estimate and the interval are those of the group that is served worst. It holds only where every group shows it
    by itself, so it needs no correction for their number: whichever group is the worst, its own bound must be wrong
    for the claim to be. It fails where one group is shown to lie below, which pays for the number of groups. `clusters`
    and `look` as in `accuracy_at_least`; a group of fewer than ten clusters leaves the claim undecided.

    Assumes: as `accuracy_at_least`, in each group; the groups were chosen before anybody looked.
    Source: Berger, Multiparameter hypothesis testing and acceptance sampling, Technometrics 24, 1982.
    Not for: finding out for whom it is worse (`many.slices`); groups with a handful of samples: they show nothing.
    """
    tested = paid_level(level, look)
    groups = _groups(scores, by, clusters, bound=bound, level=tested)
    worst = min(groups, key=lambda group: (group.shown.estimate, group.name))
    interval = (min(group.shown.interval[0] for group in groups), min(group.at_most for group in groups))
    units = None if clusters is None else Clusters(
        by=clusters, count=min(group.clusters for group in groups), needed=MINIMUM_CLUSTERS)
    verdict = _verdict(groups, interval, bound)
    return Claim(
        kind="accuracy_in_every_group", settings={"by": by, "bound": bound, "level": level, "clusters": clusters},
        statement=words.every_group(
            scores.data.population, verdict, words.Grouped(by, worst.name, {g.name: (g.shown.estimate, g.shown.n)
                                                                            for g in groups}),
            interval, bound=bound, sure=words.Sure(level, units, look)),
        verdict=verdict, reason=_why_undecided(groups, by) if verdict == "undecided" else None,
        estimate=worst.shown.estimate, interval=interval, bound=bound, level=level, unit="share",
        method=CLUSTERED if clusters else EXACT, n=len(scores), clusters=units, subject=scores.subject,
        data=scores.data, looks=look, tested_level=tested_level(level, look),
    ).derivable(partial(accuracy_in_every_group, scores, by=by, bound=bound, level=level, clusters=clusters))


@dataclass(frozen=True)
class _Group:
    """One group: what it shows by itself, and the upper end that all groups' ends keep together."""

    name: str
    shown: Claim
    at_most: float
    clusters: int


def _groups(scores: Scores, by: str, clusters: str | None, *, bound: float, level: float) -> list[_Group]:
    labels = np.array([str(label) for label in labels_of(scores, by)])
    names = sorted(set(labels))
    if len(names) < 2:
        raise LinnetError(f"every row is of the same group by {by} ({', '.join(names) or 'there are no rows'}); "
                          "a claim for every group needs two. Use accuracy_at_least.")
    found = []
    for name in names:
        part = _part(scores, np.flatnonzero(labels == name).tolist())
        shown = accuracy_at_least(part, bound=bound, level=level, clusters=clusters)
        upper = accuracy_at_least(part, bound=bound, level=bonferroni(level, len(names)), clusters=clusters)
        found.append(_Group(name, shown, upper.interval[1], shown.clusters.count if shown.clusters else 0))
    return found


def _part(scores: Scores, rows: list[int]) -> Scores:
    def of(values: object) -> list[str]:
        return [values[row] for row in rows]  # type: ignore[index]

    return replace(scores, ids=of(scores.ids), answers=of(scores.answers), targets=of(scores.targets),
                   score=scores.score[rows], groups={name: of(labels) for name, labels in scores.groups.items()},
                   seconds=None if scores.seconds is None else scores.seconds[rows])


def _verdict(groups: list[_Group], interval: tuple[float, float], bound: float) -> Verdict:
    """Fails as soon as one group is shown to lie below; a group of too few clusters excludes nothing, (0, 1)."""
    if interval[1] < bound:
        return "fails"
    return "holds" if all(group.shown.holds for group in groups) else "undecided"


def _why_undecided(groups: list[_Group], by: str) -> str:
    """What the group lacks that shows least."""
    least = min((group for group in groups if not group.shown.holds), key=lambda group: group.shown.interval[0])
    if least.shown.verdict == "fails":
        return (f"'{least.name}' by itself lies below what was required; with {len(groups)} groups by {by} that can be "
                "chance.")
    return f"For '{least.name}': {least.shown.reason}"
