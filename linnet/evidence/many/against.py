"""Many comparisons at once: several algorithms, each held against one reference on the same samples.

Who makes m comparisons and looks for the striking one is misled more often than each comparison by itself admits.
Two corrections are made here, both valid however much the comparisons depend on each other:

- Intervals are simultaneous by Bonferroni: each is made at 1 - alpha / m, so that all of them together cover with
  1 - alpha. The word ("better", "worse") follows from the interval, because only it says how much, and which way.
- P-values are adjusted by Holm (Scandinavian Journal of Statistics 6, 1979), never larger than Bonferroni's.

What is taken for sampled are the samples, independently of each other. The files are taken as they are: an interval
says what other samples of the same kind would show of these very files, and nothing of files trained anew. Where an
algorithm has several seeds, its answers are averaged over them, and their spread is told apart (`Seeds`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError, unknown
from linnet.evidence.comparisons.paired import paired_difference, score_lower
from linnet.evidence.comparisons.permutation import sign_flip
from linnet.evidence.many.corrections import holm
from linnet.evidence.scores import Scores
from linnet.evidence.settings import check_level, check_right_or_wrong

Word = Literal["better", "worse", "no difference shown"]
Floats = NDArray[np.float64]

EXACT = "exact unconditional interval (Buehler 1957, ordered by the score limit of Tango 1998), Bonferroni"
AVERAGED = "score interval of averages over seeds, asymptotic in the samples (Tango 1998), Bonferroni"
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
    """Samples that the reference answers rightly and this one wrongly; averaged over seeds, so not always whole."""
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
    """
    check_level(level)
    if against not in sides:
        raise unknown("reference", against, sides)
    others = [name for name in sides if name != against]
    if not others:
        raise LinnetError("a comparison needs at least two sides; only the reference was given.")
    rows = {name: _right(name, seeds, next(iter(sides[against]))) for name, seeds in sides.items()}
    each = 1 - (1 - level) / len(others)
    p_values = [sign_flip(rows[name], rows[against]) for name in others]
    return [_difference(name, rows[name], rows[against], each, p, adjusted)
            for name, p, adjusted in zip(others, p_values, holm(p_values), strict=True)]


def averaged_difference(after: Floats, before: Floats, level: float = 0.95) -> tuple[float, float]:
    """Two-sided interval of the difference of two averages over seeds; (seeds, samples) of 0 and 1.

    Tango's score interval of one seed against another, at the number of samples that the averages are worth: their
    differences vary less than those of single files. Asymptotic in the samples: (-1.0, 1.0) under MINIMUM_SAMPLES.
    """
    from scipy.special import ndtri, stdtrit

    first, second = after.mean(axis=0), before.mean(axis=0)
    n = len(first)
    if n < MINIMUM_SAMPLES:
        return -1.0, 1.0
    improved, worsened = float((first * (1 - second)).sum()), float((second * (1 - first)).sum())
    z, t = float(ndtri((1 + level) / 2)), float(stdtrit(n - 1, (1 + level) / 2))
    worth = _worth(first - second, worsened + improved, max(len(after), len(before))) * (z / t) ** 2
    counts = worsened * worth, improved * worth, n * worth
    return score_lower(*counts, z), -score_lower(counts[1], counts[0], counts[2], z)


def _worth(differences: Floats, disagreements: float, most: int) -> float:
    """How many samples of single files one sample of averages is worth: at most as many as there are seeds."""
    n = len(differences)
    single, averaged = disagreements / n - float(differences.mean()) ** 2, float(differences.var(ddof=1))
    return min(float(most), single / averaged) if averaged > 0 else 1.0


def _difference(name: str, after: Floats, before: Floats, level: float, p_value: float, adjusted: float) -> Difference:
    first, second = after.mean(axis=0), before.mean(axis=0)
    worsened, improved = float((second * (1 - first)).sum()), float((first * (1 - second)).sum())
    is_single = len(after) == len(before) == 1
    interval = paired_difference(round(worsened), round(improved), len(first), level) if is_single \
        else averaged_difference(after, before, level)
    return Difference(name, float((first - second).mean()), interval, worsened, improved, p_value, adjusted,
                      EXACT if is_single else AVERAGED)


def _right(name: str, seeds: Sequence[Scores], reference: Scores) -> Floats:
    """Right and wrong answers (seeds, samples), in the order of the reference's rows."""
    if not seeds:
        raise LinnetError(f"'{name}' has no scores; give those of one file, or of several seeds.")
    return np.stack([_aligned(scores, reference) for scores in seeds])


def _aligned(scores: Scores, reference: Scores) -> Floats:
    check_right_or_wrong(scores.score, scores.subject_name)
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
