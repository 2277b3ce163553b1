"""Many comparisons at once: several algorithms, each held against one reference on the same samples.

Who makes m comparisons and looks for the striking one is misled more often than each comparison by itself admits.
Two corrections are made here, both valid however much the comparisons depend on each other:

- Intervals are simultaneous by Bonferroni: each is made at 1 - alpha / m, so that all of them together cover with
  1 - alpha. The word ("better", "worse") follows from the interval, because only it says how much, and which way.
- P-values are adjusted by Holm (Scandinavian Journal of Statistics 6, 1979), never larger than Bonferroni's.

What is taken for sampled are the samples, independently of each other. The files are taken as they are: an interval
says what other samples of the same kind would show of these very files, and nothing of files trained anew. Where an
algorithm has several seeds, its answers are averaged over them, and their spread is told apart (`Seeds`).

Right and wrong answers (1 and 0) of single files are compared by exact intervals of paired shares, graded scores
(from 0 to 1) by exact intervals of the mean of paired differences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.comparisons.means import paired_mean_difference
from linnet.evidence.comparisons.paired import paired_difference, score_lower
from linnet.evidence.comparisons.permutation import is_right_or_wrong, sign_flip
from linnet.evidence.many.corrections import bonferroni, holm
from linnet.evidence.scores import Scores
from linnet.evidence.settings import check_between, check_finite, check_level

Word = Literal["better", "worse", "no difference shown"]
Floats = NDArray[np.float64]

EXACT = "exact unconditional interval (Buehler 1957, ordered by the score limit of Tango 1998), Bonferroni"
AVERAGED = "score interval of averages over seeds, asymptotic in the samples (Tango 1998), Bonferroni"
GRADED = "mean of paired differences by betting, exact for every n (Waudby-Smith and Ramdas 2024), Bonferroni"
MINIMUM_SAMPLES = 50
"""Under so many samples an average over seeds is given no interval: its mathematics needs many."""
_NAMED_AT_MOST = 5


@dataclass(frozen=True)
class Seeds:
    """One algorithm, trained once or several times: the accuracy of each file, and how far they lie apart."""

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The average over the files."""
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float | None:
        """The standard deviation over the files (n - 1); None for a single one."""
        return float(np.std(self.accuracies, ddof=1)) if len(self.accuracies) > 1 else None


@dataclass(frozen=True)
class Difference:
    """One algorithm against the reference. `estimate` and `interval` are shares: its accuracy minus the reference's."""

    name: str
    estimate: float
    interval: tuple[float, float]
    """Covers together with those of all other comparisons at the level that was asked for."""
    worsened: float
    """Samples that the reference answers rightly and this one wrongly; averaged over seeds, so not always whole.
    Of graded scores: samples on which this one scores less."""
    improved: float
    p_value: float
    adjusted_p_value: float
    method: str

    @property
    def word(self) -> Word:
        """What the interval shows."""
        return "better" if self.interval[0] > 0 else "worse" if self.interval[1] < 0 else "no difference shown"


def compare(sides: Mapping[str, Sequence[Scores]], *, against: str, level: float = 0.95) -> list[Difference]:
    """Hold every other side against the one named `against`; a side is the Scores of one file, or of several seeds.

    `level` is that of all intervals together. Raises LinnetError where the sides were not asked the same samples.

    Assumes: the samples are independent of each other; the files are taken as they are.
    Source: Dunn, Multiple comparisons among means, JASA 56, 1961 (Bonferroni); Holm 1979; the intervals as in
    `paired_difference` and `paired_mean_difference`.
    Not for: samples in clusters (a claim with `clusters`); what an algorithm would do if trained anew.

    >>> from linnet.evidence.scores import DataRef
    >>> data = DataRef(population="clips", fingerprint="f" * 64, rows=400)
    >>> ids, right = [str(row) for row in range(400)], np.arange(400) % 10 > 0
    >>> def scored(name, score):
    ...     return [Scores(ids, ids, ids, score, data, subject=name, subject_name=name)]
    >>> sides = {"big": scored("big", 1.0 * right), "small": scored("small", 1.0 * right * (np.arange(400) % 9 > 0))}
    >>> found = compare(sides, against="big")[0]
    >>> found.word, round(found.estimate, 2), round(found.interval[0], 2), round(found.interval[1], 2)
    ('worse', -0.1, -0.13, -0.07)
    """
    check_level(level)
    if against not in sides:
        raise unknown("reference", against, sides)
    others = [name for name in sides if name != against]
    if not others:
        raise LinnetError("a comparison needs at least two sides; only the reference was given.")
    rows = {name: _side(name, seeds, next(iter(sides[against]))) for name, seeds in sides.items()}
    each = bonferroni(level, len(others))
    p_values = [sign_flip(rows[name], rows[against]) for name in others]
    return [_difference(name, rows[name], rows[against], each, p, adjusted)
            for name, p, adjusted in zip(others, p_values, holm(p_values), strict=True)]


def averaged_difference(after: Floats, before: Floats, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the difference of two averages over seeds; (seeds, samples) of 0 and 1.

    Tango's score interval of one seed against another, at the number of samples that the averages are worth: their
    differences vary less than those of single files. Asymptotic in the samples: (-1.0, 1.0) under MINIMUM_SAMPLES.

    Assumes: the samples are independent of each other, and many.
    Source: Tango, Statistics in Medicine 17, 1998, at an effective number of samples.
    Not for: single files (`paired_difference`, exact); graded scores (`paired_mean_difference`, exact).

    >>> rng = np.random.default_rng(0)
    >>> low, high = averaged_difference(1.0 * (rng.random((3, 400)) < 0.9), 1.0 * (rng.random((3, 400)) < 0.8))
    >>> round(low, 2), round(high, 2)
    (0.07, 0.13)
    """
    from scipy.special import ndtri, stdtrit

    check_between("level", level)
    after, before = _right_or_wrong("after", after), _right_or_wrong("before", before)
    first, second = after.mean(axis=0), before.mean(axis=0)
    n = len(first)
    if len(second) != n:
        raise LinnetError(f"the sides have {n} and {len(second)} samples; a pair needs both.")
    if n < MINIMUM_SAMPLES:
        return -1.0, 1.0
    improved, worsened = float((first * (1 - second)).sum()), float((second * (1 - first)).sum())
    z, t = float(ndtri((1 + level) / 2)), float(stdtrit(n - 1, (1 + level) / 2))
    worth = _worth(first - second, worsened + improved, max(len(after), len(before))) * (z / t) ** 2
    counts = worsened * worth, improved * worth, n * worth
    return score_lower(*counts, z), -score_lower(counts[1], counts[0], counts[2], z)


def _right_or_wrong(name: str, answers: Floats) -> Floats:
    rows = check_finite(name, answers)
    if rows.ndim != 2 or not rows.size or not is_right_or_wrong(rows):
        raise LinnetError(f"'{name}' has shape {rows.shape}; expected (seeds, samples), 1 (right) and 0 (wrong).")
    return rows


def _worth(differences: Floats, disagreements: float, most: int) -> float:
    """How many samples of single files one sample of averages is worth: at most as many as there are seeds."""
    n = len(differences)
    single, averaged = disagreements / n - float(differences.mean()) ** 2, float(differences.var(ddof=1))
    return min(float(most), single / averaged) if averaged > 0 else 1.0


def _difference(name: str, after: Floats, before: Floats, level: float, p_value: float, adjusted: float) -> Difference:
    first, second = after.mean(axis=0), before.mean(axis=0)
    if not (is_right_or_wrong(after) and is_right_or_wrong(before)):
        worsened, improved = float((first < second).sum()), float((first > second).sum())
        interval, method = paired_mean_difference(first - second, level), GRADED
    else:
        worsened, improved = float((second * (1 - first)).sum()), float((first * (1 - second)).sum())
        interval, method = averaged_difference(after, before, level), AVERAGED
        if len(after) == len(before) == 1:
            interval, method = paired_difference(round(worsened), round(improved), len(first), level), EXACT
    return Difference(name, float((first - second).mean()), interval, worsened, improved, p_value, adjusted, method)


def _side(name: str, seeds: Sequence[Scores], reference: Scores) -> Floats:
    """Scores (seeds, samples), in the order of the reference's rows."""
    if not seeds:
        raise LinnetError(f"'{name}' has no scores; give those of one file, or of several seeds.")
    return np.stack([_aligned(scores, reference) for scores in seeds])


def _aligned(scores: Scores, reference: Scores) -> Floats:
    if len(scores) == 0:
        raise LinnetError(f"the scores of '{scores.subject_name}' have no rows; nothing can be said about no samples.")
    if scores.data.fingerprint != reference.data.fingerprint:
        raise LinnetError(f"'{scores.subject_name}' and '{reference.subject_name}' were scored on different data "
                          f"({scores.data.fingerprint[:12]} and {reference.data.fingerprint[:12]}); "
                          "evaluate all on the same dataset.")
    rows = dict(zip(scores.ids, scores.score.tolist(), strict=True))
    strange = sorted(rows.keys() ^ set(reference.ids))
    if strange:
        more = f" and {len(strange) - _NAMED_AT_MOST} more" if len(strange) > _NAMED_AT_MOST else ""
        raise LinnetError(f"'{scores.subject_name}' and '{reference.subject_name}' have not the same samples; only one "
                          f"of them has {', '.join(strange[:_NAMED_AT_MOST])}{more}. Evaluate all on the same dataset.")
    return np.array([rows[sample] for sample in reference.ids], dtype=np.float64)
