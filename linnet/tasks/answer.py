"""One answer to one sample, with how sure the model is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from linnet.tasks.classify import Classify
from linnet.tasks.task import Arrays, Predictor, Task


@dataclass(frozen=True)
class Answer:
    """What `task.decode` says, and for labels the model's own probabilities of all of them (not calibrated)."""

    label: str
    """The answer as the task writes it: a label, a text, a number, or JSON."""
    probability: float | None
    """Of the answer where it is one label, else None."""
    probabilities: Mapping[str, float]
    """Each label's, the likeliest first; empty where the task does not choose among labels."""


def answer(predictor: Predictor, task: Task, sample: Any) -> Answer:
    """Ask the model about one decoded sample: a sound, an image, a text, or a row {column: value}."""
    return answered(task, predictor(task.prepare([sample])), sample)


def answered(task: Task, outputs: Arrays, sample: Any) -> Answer:
    """What a model's outputs for one sample say."""
    said = task.decode(outputs, [sample])[0]
    if not isinstance(task, Classify):
        return Answer(said, None, {})
    row = task.probabilities(outputs)[0].tolist()
    ranked = dict(sorted(zip(task.labels, row, strict=True), key=lambda pair: -pair[1]))
    return Answer(said, ranked.get(said) if task.choice != "many" else None, ranked)
