"""evaluate: ask a predictor every sample of a dataset; one row of Scores a sample."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from linnet.data import Dataset, odd
from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.progress import Progress
from linnet.tasks.task import Arrays, Predictor, Task

_NAMED = 6
"""More names than this are counted only."""


def evaluate(predictor: Predictor, task: Task, dataset: Dataset, *, batch: int = 64,
             progress: Progress | None = None) -> Scores:
    """Ask `predictor` every sample of `dataset`; the rows come in the dataset's order.

    `predictor.identity` and `predictor.name` are taken over where it has them. `seconds` of a row is its batch's time
    divided by the batch's size: a throughput, not a latency (for that, `runtime.bench`).
    """
    if not len(dataset):
        raise LinnetError("there is nothing to evaluate: the dataset has no rows.")
    if batch < 1:
        raise LinnetError(f"batch is how many samples are asked at once, at least 1; got {batch}.")
    answers: list[str] = []
    seconds: list[float] = []
    with odd.gathered():
        for samples in in_batches(task, dataset, batch):
            arrays = task.prepare(samples)
            start = time.perf_counter()
            outputs = predictor(arrays)
            spent = time.perf_counter() - start
            _check_outputs(task, len(samples), outputs)
            seconds += [spent / len(samples)] * len(samples)
            answers += task.decode(outputs, samples)
            if progress:
                progress(len(answers), len(dataset), "evaluate")
    targets = task.expected(dataset)
    return Scores(ids=dataset.ids, answers=answers, targets=targets, score=task.score(answers, targets),
                  data=data_ref(task, dataset), subject=getattr(predictor, "identity", ""),
                  subject_name=getattr(predictor, "name", "model"), seconds=np.array(seconds),
                  groups={name: [str(value) for value in dataset.values(name)] for name in task.groups})


def in_batches(task: Task, dataset: Dataset, batch: int) -> Iterator[Sequence[Any]]:
    """The dataset's samples, `batch` at a time, decoded when their turn comes."""
    for start in range(0, len(dataset), batch):
        yield task.read(dataset.take(range(start, min(start + batch, len(dataset)))))


def _check_outputs(task: Task, size: int, outputs: Arrays) -> None:
    expected, shape = task.output
    if not isinstance(outputs, Mapping) or not all(isinstance(values, np.ndarray) for values in outputs.values()):
        raise LinnetError(f"a model answers with named arrays, here {{'{expected}': an array of numpy}}; this one "
                          f"answered with {outputs!r:.60}.")
    if expected not in outputs:
        raise LinnetError(f"the model answers with {', '.join(map(repr, outputs)) or 'nothing'}; this task reads "
                          f"'{expected}'. Give a model of the same task.")
    for name, values in outputs.items():
        if len(values) != size:
            raise LinnetError(f"the model was asked {size} samples and answered {len(values)} rows of '{name}'.")
        if np.issubdtype(values.dtype, np.floating) and not np.isfinite(values).all():
            raise LinnetError(f"the model's output '{name}' is not finite (NaN or infinite): its training diverged, or "
                              "an input is broken. Lower the learning rate, or look at the inputs.")
    found = outputs[expected].shape[1:]
    if len(found) != len(shape) or any(one not in (None, other) for one, other in zip(shape, found, strict=True)):
        raise LinnetError(f"the model's output '{expected}' has the shape {found} a sample; this task reads "
                          f"{tuple('any' if one is None else one for one in shape)}. Give a model of the same task.")


def data_ref(task: Task, dataset: Dataset) -> DataRef:
    """What the numbers speak of: population in words, fingerprint, and how to find the samples again."""
    return DataRef(population=_population(task, dataset), fingerprint=dataset.fingerprint, rows=len(dataset),
                   part=dataset.part, origin=_plain(dataset.origin))


def _population(task: Task, dataset: Dataset) -> str:
    """In words, and no larger than what was sampled: held-out groups by name where there are few, and any selection."""
    noun = task.noun
    by = _split_by(dataset)
    chosen = _selection(dataset, by)
    if by is None:
        return f"{noun} of {f'the {dataset.part} part of ' if dataset.part else ''}{dataset.name}{chosen}"
    names = sorted({str(value) for value in dataset.values(by)})
    held_out = "held-out " if dataset.part in ("validation", "test") else ""
    if len(names) > _NAMED:
        return f"{noun} of {len(names)} {held_out}{by}s of {dataset.name}{chosen}"
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{noun} of the {held_out}{by}{'s' if len(names) > 1 else ''} {listed}{chosen}"


def _split_by(dataset: Dataset) -> str | None:
    for step in reversed(dataset.origin.get("steps", ())):
        if "split" in step:
            by = step["split"].get("by")
            return None if by is None else str(by)
    return None


def _selection(dataset: Dataset, by: str | None) -> str:
    """Which rows were chosen, other than by the held-out groups; "" for all of them."""
    said, is_picked = [], False
    for step in dataset.origin.get("steps", ()):
        for name, values in step.get("where", {}).items():
            wanted = sorted(map(str, values)) if isinstance(values, list) else [str(values)]
            if name == "id" or len(wanted) > _NAMED:
                is_picked = True
            elif name != by:
                said.append(f"only {name} {' or '.join(wanted)}")
        is_picked |= "take" in step or str(step.get("opaque", "")).startswith("where")
    said += [f"a selection of {len(dataset):,}"] if is_picked else []
    return f" ({', '.join(said)})" if said else ""


def _plain(value: Any) -> Any:
    if isinstance(value, dict) or hasattr(value, "items"):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value

