"""attribute: which places of each sample speak for the answer that a model gives."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.nn.attribution.attributions import Attributions
from linnet.nn.attribution.look import Look, make_look
from linnet.nn.attribution.shown import Rows, axes_of, gathered, rows_of, space_of, window_of
from linnet.nn.model import Model
from linnet.progress import Progress
from linnet.tasks import Arrays, Predictor, Task

_READ = 256
"""Samples that are decoded at once."""


def attribute(model: Model | Predictor, task: Task, given: Dataset | Sequence[Any], *,
              method: str = "integrated_gradients", target: str | Sequence[str] | None = None,
              layer: str | None = None, progress: Progress | None = None, **settings: Any) -> Attributions:
    """How much each place of each sample speaks for an answer; `Attributions` tells the maps' shapes.

    `given` is a Dataset, or decoded samples. `target` is a label for all samples, or one for each; without it the
    model's own answers are explained. `layer` is where: without it what a person sees (the log-mel picture, the
    pixels, the tokens); "waveform" for recordings, in windows of 10 ms; a layer's name for its own positions. Grad-CAM
    takes the last layer that has places. `settings` are the method's own (`METHODS[name].settings`), and for any of
    them `rows`, how many samples or nodes go through the network at once (memory grows with it), and `baseline`, one
    sample's values at the place, for silence, black or padding. Work is done where the model's weights are.

    Raises LinnetError for names that are not known, a model without gradients (a shipped file: "occlusion" can still
    ask it), a model that gives one answer a position, and values that are not numbers.
    """
    if not isinstance(given, Sized):
        raise LinnetError(f"samples are a Dataset, or a list of decoded ones; got {type(given).__name__}.")
    if not len(given):
        raise LinnetError("there is nothing to explain: no sample was given.")
    ids = tuple(given.ids) if isinstance(given, Dataset) else tuple(str(place) for place in range(len(given)))
    wanted = targets_of(task, target, len(given))
    look, parts = None, list[Rows]()
    for start in range(0, len(given), _READ):
        samples = samples_of(task, given, start, start + _READ)
        arrays = task.prepare(samples)
        if look is None:
            look = make_look(model, arrays, method=method, layer=layer, settings=settings)
            space = space_of(look, layer, arrays)
        parts += _found(look, task, space, arrays, (start, wanted))
        if progress:
            progress(start + len(samples), len(given), f"attribution by {method}")
    assert look is not None
    made = gathered(parts, len(given))
    texts = _texts(task, samples_of(task, given, 0, len(given))) if space == "tokens" else ()
    chosen = made.pop("targets")
    facts = {"model": getattr(model, "name", "predictor"), "layer": layer, "rows": look.rows, **look.settings,
             **axes_of(look, space, task)}
    return Attributions(method=method, space=space, ids=ids, texts=texts, facts=facts,
                        targets=tuple(label_of(task, int(index)) for index in chosen), **made)


def _found(look: Look, task: Task, space: str, arrays: Arrays,
           wanted: tuple[int, NDArray[np.int64] | None]) -> list[Rows]:
    start, targets = wanted
    parts = []
    for places, some in look.groups(arrays):
        found = look.find(some, None if targets is None else targets[start + places])
        parts.append(Rows(start + places, rows_of(look, space, some, found, window_of(task))))
    return parts


def samples_of(task: Task, given: Dataset | Sequence[Any], start: int, end: int) -> Sequence[Any]:
    """The decoded samples from `start` to before `end`."""
    if isinstance(given, Dataset):
        return task.read(given.take(range(start, min(end, len(given)))))
    return list(given[start:end])


def targets_of(task: Task, target: str | Sequence[str] | None, count: int) -> NDArray[np.int64] | None:
    """The index of each sample's target; None for the model's own answers."""
    if target is None:
        return None
    named = [target] * count if isinstance(target, str) else list(target)
    if len(named) != count:
        raise LinnetError(f"target has {len(named)} labels for {count} samples; give one label, or one a sample.")
    for label in named:
        if label not in task.labels:
            raise unknown("label", str(label), task.labels)
    return np.array([task.labels.index(label) for label in named], np.int64)


def label_of(task: Task, index: int) -> str:
    """The label of an output; the target's column where the answer is a number."""
    return task.labels[index] if task.labels else task.target


def _texts(task: Task, samples: Sequence[str]) -> tuple[tuple[tuple[str, int, int], ...], ...]:
    tokenizer = getattr(task, "tokenizer", None)
    if tokenizer is None:
        return ()
    length = task.arrays["tokens"][1][0]
    return tuple(tuple((text[token.start : token.end], token.start, token.end) for token in row)
                 for text, row in zip(samples, tokenizer.places(list(samples), length), strict=True))
