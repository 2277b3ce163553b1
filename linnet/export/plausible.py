"""Plausible: whether a foreign model's answers can be meant for the task, as far as rows with right answers tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.tasks import Regress, Task

_CHANCE = 1e-3
"""What happens by chance less often than this is no chance."""

_DEVIATIONS = 3.09
"""The same, of a normal distribution."""

_END = ("Nothing was written. Where the model is meant to be no better, give samples=task.prepare(task.read(dataset)): "
        "input arrays are not judged.")


def check(task: Task, outputs: NDArray[np.float64], dataset: Dataset) -> None:
    """Raise LinnetError for a model that does clearly worse than what knows nothing of the input.

    `outputs` (rows, ...) are the model's, in the form of `task.output`. A number is judged against the median and the
    mean of the right ones, a label against its own answers renamed: labels in another order answer right once renamed,
    and the most frequent label is a renaming too. Rows without right answers, many
    labels a sample, and other tasks are not judged.
    """
    if task.target not in dataset.columns:
        return
    if isinstance(task, Regress):
        _check_values(task, outputs, dataset)
    elif task.kind == "classify" and getattr(task, "choice", "one") != "many":
        _check_labels(task, outputs, dataset)


def _check_values(task: Regress, outputs: NDArray[np.float64], dataset: Dataset) -> None:
    wanted = np.array(task.expected(dataset), np.float64)
    answers = np.array(task.decode({task.output[0]: outputs}), np.float64)
    off, off_constant = np.abs(answers - wanted), np.abs(np.median(wanted) - wanted)
    is_worse = off.mean() > off_constant.mean() and (off**2).mean() > wanted.var()
    if not (is_worse and _is_clear((off_constant < off).sum(), (off < off_constant).sum())):
        return
    raw = float(np.abs(outputs[:, 0] - wanted).mean())
    scale = f"({task.target} - {task.mean:.6g}) / {task.deviation:.6g}"
    why = (f"Taken as they are, its numbers are off by {raw:.4g} only: it was trained on '{task.target}' itself. The "
           f"task asks for standard units, {scale}: train it on task.targets(dataset)."
           if raw < off_constant.mean() else
           f"Likely reasons: it was trained on another scale of '{task.target}' (the task asks for standard units, "
           f"{scale}, as task.targets(dataset) gives them), or its input was not prepared by task.prepare.")
    raise LinnetError(f"on {len(wanted)} rows of '{dataset.name}' the model's answers are off by {off.mean():.4g} on "
                      f"average; always answering {np.median(wanted):.4g} is off by {off_constant.mean():.4g}. {why} "
                      f"{_END}")


def _check_labels(task: Task, outputs: NDArray[np.float64], dataset: Dataset) -> None:
    wanted, answers = task.expected(dataset), task.decode({task.output[0]: outputs})
    right = np.array([answer == want for answer, want in zip(answers, wanted, strict=True)])
    if len(set(wanted)) == 1 or _knows_something(answers, wanted):
        return
    renamed = _renamed(answers, wanted)
    better = np.array([answer == want for answer, want in zip(renamed, wanted, strict=True)])
    if not _is_clear((better & ~right).sum(), (right & ~better).sum()):
        return
    names = [f"'{old}' -> '{new}'" for old, new in _names(answers, wanted).items() if old != new]
    ((often, times),) = Counter(wanted).most_common(1)
    raise LinnetError(f"the model answers {right.sum()} of {len(wanted)} rows of '{dataset.name}' right; always "
                      f"answering '{often}' {times}, its own answers renamed ({_some(names, 3)}) {better.sum()}. "
                      "Likely reasons: the order of the labels in its output is another than the task's, "
                      f"{_some(task.labels)} (train it on task.targets(dataset), or reorder its last layer), or its "
                      f"input was not prepared by task.prepare. {_END}")


def _knows_something(answers: Sequence[str], wanted: Sequence[str]) -> bool:
    """More are right than if the same answers were dealt out at random: W. Hoeffding, A combinatorial central limit
    theorem, 1951.
    """
    match = np.array(answers, object)[:, None] == np.array(wanted, object)
    centred = match - match.mean(axis=0) - match.mean(axis=1, keepdims=True) + match.mean()
    deviation = np.sqrt((centred**2).sum() / max(1, len(match) - 1))
    return bool(np.trace(match) - match.mean() * len(match) > _DEVIATIONS * max(deviation, 1e-9))


def _renamed(answers: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Each answer as the other half of the rows says that it should be called."""
    order = np.random.default_rng(0).permutation(len(answers))
    halves = (order[::2], order[1::2])
    renamed = list(answers)
    for here, there in (halves, halves[::-1]):
        names = _names([answers[row] for row in there], [wanted[row] for row in there])
        for row in here:
            renamed[row] = names.get(answers[row], answers[row])
    return renamed


def _names(answers: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """What is most often wanted where each answer is given."""
    counts: dict[str, Counter[str]] = {}
    for answer, want in zip(answers, wanted, strict=True):
        counts.setdefault(answer, Counter())[want] += 1
    return {answer: found.most_common(1)[0][0] for answer, found in sorted(counts.items())}


def _is_clear(better: int, worse: int) -> bool:
    """The sign test, exact: rows where the other is better against those where it is worse."""
    from scipy.stats import binom

    return bool(binom.sf(better - 1, better + worse, 0.5) < _CHANCE)


def _some(names: Sequence[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (", ..." if len(names) > shown else "")
