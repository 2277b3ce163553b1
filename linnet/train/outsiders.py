"""Texts out of scope, made from those in scope: the beginning of one and the end of another with a different label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.tasks import Classify, Task
from linnet.train.options import Options


def check(task: Task, options: Options) -> None:
    """Raises LinnetError where no text can become one that is out of scope."""
    if not options.outsiders:
        return
    if not isinstance(task, Classify) or not {"tokens", "text"} & set(task.arrays):
        raise LinnetError("outsiders joins halves of texts that have one label each; this task is of another kind. "
                          "Leave outsiders out.")
    if task.reject not in task.labels:
        raise LinnetError("outsiders teaches what is out of scope, so the task needs reject='<its label>', and the "
                          "training part a few rows of it.")


def join(texts: Sequence[str], targets: NDArray[Any], *, task: Task, share: float,
         rng: np.random.Generator) -> tuple[list[str], NDArray[Any]]:
    """The batch with that share of its texts replaced, and the targets (rows,) that go with them.

    A pseudo-outlier after Zhan et al. 2021, Out-of-Scope Intent Detection with Self-Supervision and Discriminative
    Training, arXiv:2106.08616, of words in place of features.
    """
    assert isinstance(task, Classify)  # `check` saw to it
    outside = task.labels.index(str(task.reject))
    new, answers = list(texts), targets.copy()
    for row in np.flatnonzero(rng.random(len(texts)) < share).tolist():
        other = int(rng.integers(len(texts)))
        if outside in (targets[row], targets[other]) or targets[row] == targets[other]:
            continue
        first, second = texts[row].split(), texts[other].split()
        new[row] = " ".join(first[: max(1, len(first) // 2)] + second[len(second) // 2 :])
        answers[row] = outside
    return new, answers
