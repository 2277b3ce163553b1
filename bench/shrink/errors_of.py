"""How right a file is beside the float one: accuracy, or phone errors, with the interval of the difference."""

from __future__ import annotations

import numpy as np
from scipy import stats

from linnet import evidence, tasks
from linnet.evidence import Scores
from linnet.tasks.figures import edit_distance

NOUN = {"classify": "accuracy", "transcribe": "phone error rate"}


def compared(task: tasks.Task, after: Scores, before: Scores, margin: float) -> tuple[float, str, str]:
    """The rate, the interval of its difference in points (positive: better than float), and whether it is no worse."""
    if task.kind == "transcribe":
        return _phones(after, before, margin)
    if list(after.answers) == list(before.answers):
        return after.mean, "0 (the same answers)", "holds"
    claim = evidence.no_worse(after, before, margin=margin)
    low, high = evidence.comparisons.paired_difference(
        int(((before.score > after.score)).sum()), int((after.score > before.score).sum()), len(after))
    return after.mean, f"{100 * low:+.1f} to {100 * high:+.1f}", claim.verdict


def _phones(after: Scores, before: Scores, margin: float) -> tuple[float, str, str]:
    """Errors a phone; speakers are what was sampled, so the ratio's spread is taken over them (linearised, t)."""
    errors = {side: np.array([edit_distance(answer.split(), target.split())
                              for answer, target in zip(scores.answers, scores.targets, strict=True)], float)
              for side, scores in (("after", after), ("before", before))}
    said = np.array([len(target.split()) for target in after.targets], float)
    _, speaker = np.unique(np.array(after.groups["speaker"]), return_inverse=True)
    fewer = np.bincount(speaker, errors["before"] - errors["after"])
    phones = np.bincount(speaker, said)
    ratio, count = fewer.sum() / phones.sum(), len(phones)
    spread = np.sqrt(((fewer - ratio * phones) ** 2).sum() * count / (count - 1)) / phones.sum()
    wide, one_sided = stats.t.ppf([0.975, 0.95], count - 1) * spread
    verdict = "holds" if ratio - one_sided >= -margin else "fails" if ratio + one_sided < -margin else "undecided"
    return (errors["after"].sum() / said.sum(), f"{100 * (ratio - wide):+.1f} to {100 * (ratio + wide):+.1f}", verdict)
