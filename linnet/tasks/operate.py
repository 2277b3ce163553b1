"""operate: the same task with its thresholds chosen on data, from stated costs; they travel in the card."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self, cast, runtime_checkable

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.progress import Progress
from linnet.tasks.evaluate import in_batches
from linnet.tasks.task import Arrays, Predictor, Task


@runtime_checkable
class Operated(Protocol):
    """A task whose answers depend on settings that are no part of the network: thresholds, temperatures, smoothing."""

    @property
    def operating(self) -> Mapping[str, float]:
        """The settings by name."""
        ...

    def at(self, **settings: float) -> Self:
        """The same task at other settings."""
        ...

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, **wanted: Any) -> Self:
        """The same task at settings chosen on `dataset`, which the model answered with `outputs`, a batch each."""
        ...


def operate(task: Task, predictor: Predictor, dataset: Dataset, *, batch: int = 64,
            progress: Progress | None = None, **wanted: Any) -> Task:
    """The same task at the operating point that serves `wanted` best on `dataset` (validation, never test).

    What can be wanted is the task's own: costs of mistakes, or a rate to be kept. Raises LinnetError for a task that
    has nothing to choose.
    """
    operated = check_wanted(task, wanted)
    outputs: list[Arrays] = []
    for samples in in_batches(task, dataset, batch):
        outputs.append(predictor(task.prepare(samples)))
        if progress:
            progress(min(batch * len(outputs), len(dataset)), len(dataset), "operate")
    return cast(Task, operated.chosen(outputs, dataset, **wanted))


def check_wanted(task: Task, wanted: Iterable[str]) -> Operated:
    """The task, as one that can be operated; raises LinnetError for another, and for a wish that it does not know."""
    if not isinstance(task, Operated):
        raise LinnetError(f"a task of kind '{task.kind}' has no threshold to choose.")
    known = [name for name, parameter in inspect.signature(task.chosen).parameters.items()
             if parameter.kind is parameter.KEYWORD_ONLY]
    for name in wanted:
        if name not in known:
            raise unknown(f"wish for the operating point of a task of kind '{task.kind}'", name, known)
    return task
