"""What a model's answers hang on, as the explorer draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from linnet.data import Audio, Dataset
from linnet.report.look import Explain
from linnet.tasks import Predictor, Task

if TYPE_CHECKING:
    from linnet.nn.attribution import Attributions


def explainer(model: Predictor, task: Task, dataset: Dataset, *, method: str = "integrated_gradients") -> Explain:
    """A function that attributes the answers to some samples of `dataset`, when it is asked."""

    def explain(chosen: Sequence[int]) -> list[Mapping[str, Any]]:
        from linnet.nn import attribution

        samples = task.read(dataset.take(chosen))
        found = attribution.attribute(model, task, samples, method=method)
        return [{"method": method, **shown(found, row, sample)} for row, sample in enumerate(samples)]

    return explain


def shown(found: Attributions, row: int, sample: Any) -> dict[str, Any]:
    """A map as the page draws it: every character of a text, or scores over a picture; {} for other spaces."""
    if found.space == "tokens":
        return {"tokens": _whole(sample, found, row)} if found.texts else {}
    values, seen = found.values[row], found.seen[row]
    if found.space == "time_frequency":
        heard = np.flatnonzero(np.ptp(seen, axis=1) > 0)  # not the silence around what is shorter than the window
        first, last = (heard[0], heard[-1] + 1) if len(heard) else (0, len(seen))
        return {"scores": values[first:last].T[::-1], "seen": seen[first:last].T[::-1]}  # low bands at the bottom
    if found.space == "pixels" and not isinstance(sample, Audio):
        is_same = sample.shape[:2] == values.shape
        return {"scores": values} if is_same else {"scores": values, "seen": -seen.mean(axis=-1)}
    return {}


def _whole(text: str, found: Attributions, row: int) -> list[list[Any]]:
    """Tokens with their scores, and what lies between them with none."""
    parts, at = list[list[Any]](), 0
    for piece in found.pieces(row):
        parts += [[text[at:piece.start], 0.0], [text[piece.start:piece.end], piece.score]]
        at = piece.end
    return [part for part in [*parts, [text[at:], 0.0]] if part[0]]
