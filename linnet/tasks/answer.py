"""One answer to one sample, with how sure the model is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from linnet.data import Media
from linnet.errors import LinnetError
from linnet.tasks.classify import Classify
from linnet.tasks.task import Predictor, Task


@dataclass(frozen=True)
class Answer:
    """A label and the model's own probabilities of all labels (softmax, not calibrated)."""

    label: str
    probability: float
    probabilities: Mapping[str, float]


def answer(predictor: Predictor, task: Task, media: Media) -> Answer:
    """Ask the model about one decoded sample."""
    if not isinstance(task, Classify):
        raise LinnetError(f"a single answer needs a task of kind 'classify'; got '{task.kind}'.")
    row = task.probabilities(predictor(task.prepare([media])))[0]
    ranked = sorted(zip(task.labels, row.tolist(), strict=True), key=lambda pair: -pair[1])
    return Answer(ranked[0][0], ranked[0][1], dict(ranked))
