"""Claims that hold a file against another one, on the same samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.claims import words
from linnet.evidence.claims.bounds import count_clusters, labels_of, paid_level, tested_level
from linnet.evidence.claims.claim import Claim, Clusters, OtherSide
from linnet.evidence.comparisons.equivalence import equivalent as within
from linnet.evidence.comparisons.means import paired_mean_difference
from linnet.evidence.comparisons.paired import clustered_difference, clustered_lower, paired_difference, score_lower
from linnet.evidence.intervals.clusters import cluster_spread
from linnet.evidence.power.needed import smallest
from linnet.evidence.scores import Scores
from linnet.evidence.settings import Verdict, check_level, check_share

PAIRED = "exact unconditional bounds of a paired difference (Buehler 1957, ordered by the score limit of Tango 1998)"
CLUSTERED = "bounds of two shares at the effective sample size of whole clusters, asymptotic (Newcombe 1998)"
GRADED = "mean of paired differences by betting, exact for every n (Waudby-Smith and Ramdas 2024)"
_NAMED_AT_MOST = 5
Judge = Callable[[float, float], Verdict]
"""From the two bounds of the difference to the verdict."""


def no_worse(
    after: Scores, before: Scores | OtherSide, *, margin: float, level: float = 0.95, clusters: str | None = None,
    look: int | None = None,
) -> Claim:
    """Claim that `after` is right at most `margin` less often than `before` on the same samples, paired by id.

    The claim keeps the rows of `before`, so that it can be asked again without it: pass `claim.than`. The estimate is
    after minus before and the bound is -margin. Clusters and `look` are as in `accuracy_at_least`. Graded scores (from
    0 to 1) are compared by their mean, by betting; right and wrong answers by the exact bounds of paired shares.

    Assumes: the samples were drawn independently from what they stand for (with `clusters`: whole clusters were), and
        the margin was chosen before anybody looked.
    Source: Buehler, Journal of the American Statistical Association 52, 1957; Tango, Statistics in Medicine 17, 1998.
    Not for: showing that a file is better (`better`), or that two differ by little either way (`equivalent`).
    """
    check_share("margin", margin, zero=True)
    bound = 0.0 - margin

    def judge(low: float, high: float) -> Verdict:
        return "holds" if low >= bound else "fails" if high < bound else "undecided"

    pair = _Pair.of(after, before, level, clusters, look)
    return _claim(pair, "no_worse", {"margin": margin}, judge, bound=bound, asked=words.no_worse(margin),
                  ask=partial(no_worse, after, before, margin=margin, level=level, clusters=clusters))


def better(
    after: Scores, before: Scores | OtherSide, *, by: float = 0.0, level: float = 0.95, clusters: str | None = None,
    look: int | None = None,
) -> Claim:
    """Claim that `after` is right more often than `before` on the same samples, by more than `by`; else as `no_worse`.

    Assumes: as `no_worse`; which of the two is the better one was said before anybody looked.
    Source: as `no_worse`.
    Not for: picking the best of many; `evidence.many.compare` corrects for their number.
    """
    check_share("by", by, zero=True)

    def judge(low: float, high: float) -> Verdict:
        return "holds" if low > by else "fails" if high <= by else "undecided"

    pair = _Pair.of(after, before, level, clusters, look)
    return _claim(pair, "better", {"by": by}, judge, bound=by, asked=words.better(by),
                  ask=partial(better, after, before, by=by, level=level, clusters=clusters))


def equivalent(
    after: Scores, before: Scores | OtherSide, *, margin: float, level: float = 0.95, clusters: str | None = None,
    look: int | None = None,
) -> Claim:
    """Claim that `after` and `before` are right equally often on the same samples, give or take less than `margin`.

    Two one-sided tests, each at `level`: it holds where both bounds lie within the margin, and fails where one of them
    excludes it. Else as `no_worse`.

    Assumes: as `no_worse`.
    Source: Schuirmann, Journal of Pharmacokinetics and Biopharmaceutics 15, 1987.
    Not for: "no difference was found": that is no evidence of none. Nor where only a loss would hurt (`no_worse`).
    """
    if check_share("margin", margin) == 1:
        raise LinnetError("margin must be below 1: any two files are equivalent give or take all samples.")

    def judge(low: float, high: float) -> Verdict:
        return within((low, high), margin=margin)

    pair = _Pair.of(after, before, level, clusters, look)
    return _claim(pair, "equivalent", {"margin": margin}, judge, bound=margin, asked=words.equivalent(margin),
                  ask=partial(equivalent, after, before, margin=margin, level=level, clusters=clusters))


@dataclass(frozen=True)
class _Pair:
    """Two sides on the same samples, and the interval of their difference at the level that was paid for."""

    after: Scores
    than: OtherSide
    differences: NDArray[np.float64]
    units: Clusters | None
    interval: tuple[float, float]
    level: float
    look: int | None
    method: str

    @classmethod
    def of(cls, after: Scores, before: Scores | OtherSide, level: float, clusters: str | None,
           look: int | None) -> _Pair:
        """Pair the samples by id; LinnetError where the sides have not the same ones."""
        check_level(level)
        than = before if isinstance(before, OtherSide) else OtherSide.of(before)
        _check_same_samples(after, before)
        differences = after.score - _paired(after, than)
        if not len(differences):
            raise LinnetError(f"the scores of '{after.subject_name}' have no rows; nothing can be said of no samples.")
        interval, method = _interval(after, differences, paid_level(level, look), clusters)
        return cls(after, than, differences, count_clusters(after, clusters), interval, level, look, method)

    @property
    def estimate(self) -> float:
        """After minus before."""
        return float(self.differences.mean())

    @property
    def is_graded(self) -> bool:
        """Whether the scores are more than right and wrong."""
        return self.method == GRADED

    @property
    def is_short(self) -> bool:
        """Whether there are too few clusters to say anything."""
        return self.units is not None and self.units.count < self.units.needed


def _claim(pair: _Pair, kind: str, settings: dict[str, float], judge: Judge, *, bound: float, asked: words.Asked,
           ask: Callable[..., Claim]) -> Claim:
    after, sure = pair.after, words.Sure(pair.level, pair.units, pair.look)
    verdict: Verdict = "undecided" if pair.is_short else judge(*pair.interval)
    sides = words.Sides(after.data.population, pair.than.name, after.metric if pair.is_graded else None)
    statement = words.difference(sides, verdict, pair.estimate, pair.interval, asked=asked, sure=sure,
                                 both=kind == "equivalent")
    return Claim(
        kind=kind, settings={**settings, "level": pair.level, "clusters": pair.units.by if pair.units else None},
        statement=statement, verdict=verdict,
        reason=_why_undecided(pair, judge, sure) if verdict == "undecided" else None,
        estimate=pair.estimate, interval=pair.interval, bound=bound, level=pair.level,
        unit="score" if pair.is_graded else "share", method=pair.method,
        n=len(after), clusters=pair.units, subject=after.subject, data=after.data, than=pair.than, looks=pair.look,
        tested_level=tested_level(pair.level, pair.look)).derivable(ask)


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
    return np.array([rows[name] for name in after.ids], dtype=np.float64)


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return (", ".join(names[:_NAMED_AT_MOST]) + more) or "(none)"


def _interval(after: Scores, differences: NDArray[np.float64], level: float,
              clusters: str | None) -> tuple[tuple[float, float], str]:
    two_sided = 2 * level - 1
    labels = None if clusters is None else labels_of(after, clusters)
    if not np.isin(differences, (-1, 0, 1)).all() or not np.isin(after.score, (0, 1)).all():
        return paired_mean_difference(differences, two_sided, clusters=labels), GRADED
    if labels is not None:
        return clustered_difference(differences, labels, two_sided), CLUSTERED
    counts = int((differences < 0).sum()), int((differences > 0).sum()), len(differences)
    return paired_difference(*counts, two_sided), PAIRED


def _why_undecided(pair: _Pair, judge: Judge, sure: words.Sure) -> str:
    """How many samples or clusters would decide, if all stayed as it is."""
    if pair.units is not None and pair.is_short:
        return words.too_few_clusters(pair.units)
    rows, tested = len(pair.differences), paid_level(pair.level, pair.look)
    worse, gained = float((pair.differences < 0).mean()), float((pair.differences > 0).mean())

    def decides_graded(count: float) -> bool:
        narrower = (rows / count) ** 0.5
        return judge(*(pair.estimate + narrower * (end - pair.estimate) for end in pair.interval)) != "undecided"

    def decides(count: float) -> bool:
        from scipy.special import ndtri

        z = float(ndtri(tested))
        low = score_lower(worse * count, gained * count, count, z)
        return judge(low, -score_lower(gained * count, worse * count, count, z)) != "undecided"

    is_hopeful = judge(pair.estimate, pair.estimate) == "holds"
    if pair.units is None:
        what, count, needed = "samples", rows, smallest(decides_graded if pair.is_graded else decides, rows)
    elif pair.is_graded:
        what, count = f"groups by {pair.units.by}", pair.units.count
        needed = smallest(lambda clusters: decides_graded(rows * clusters / count), count)
    else:
        what, count = f"groups by {pair.units.by}", pair.units.count
        needed = smallest(_decides_by_cluster(pair, judge, tested), count)
    return words.not_enough(what, count, needed, hopeful=is_hopeful, level=pair.level) + sure.kept_back


def _decides_by_cluster(pair: _Pair, judge: Judge, level: float) -> Callable[[int], bool]:
    """Whether so many clusters like those that were seen would decide."""
    labels = labels_of(pair.after, pair.units.by) if pair.units else []
    lost, gained = (cluster_spread((pair.differences * sign > 0).astype(np.float64), labels) for sign in (-1, 1))

    def decides(clusters: int) -> bool:
        worsened, improved = lost.grown_to(clusters), gained.grown_to(clusters)
        low, high = clustered_lower(worsened, improved, level), -clustered_lower(improved, worsened, level)
        return judge(low, high) != "undecided"

    return decides
