"""Sensitivity: how much each layer alone suffers from fewer bits, measured once on data, ranked."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.introspect import Finding, Findings
from linnet.nn import Model
from linnet.nn.soft import InputQuantizer, WeightQuantizer, watch
from linnet.progress import Progress
from linnet.tasks import Arrays, Task
from linnet.train.losses import LOSSES, terms

KIND = "sensitivity"
How = Literal["round", "palettize"]
_BITS: dict[How, tuple[int, int]] = {"round": (2, 8), "palettize": (1, 6)}
"""The fewest and the most bits."""
_BATCH = 64
_STEPS = 25
"""Of Lloyd's algorithm; one-dimensional palettes stand still after fewer."""


def sensitivity(model: Model, task: Task, dataset: Dataset, *, bits: Sequence[int] = (8,), how: How = "round",
                samples: int = 256, seed: int = 0, progress: Progress | None = None) -> Findings:
    """Findings of kind "sensitivity", one a layer, the one that suffers most from the fewest of `bits` first.

    One layer at a time is changed, all others stay as they are: with `how="round"` its weights are rounded to so many
    bits, a step for each output channel, and its input to 8; with `"palettize"` its weights take 2 ** bits values
    (one-dimensional k-means). `evidence["damage"]` has by bits: `noise`, the power of the change of the outputs over
    that of the outputs; the same as `sqnr_db` (10 log10 of its inverse); `answers_changed` (share); `loss` and `score`
    (how much the one rises, the other falls). Small noises of single layers add up in the first order, which
    `protect` relies on. `dataset` is the validation part, never the test part; `samples` of it are drawn by `seed`.
    """
    if how not in _BITS:
        raise unknown("way of losing bits", how, _BITS)
    given, fewest, most = sorted(set(bits)), *_BITS[how]
    if not given or not all(number in range(fewest, most + 1) for number in given):
        raise LinnetError(f"bits are numbers from {fewest} to {most}, as in bits=({fewest}, {most}); got {bits!r}.")
    trial = replace(model, module=copy.deepcopy(model.module).eval())
    judge = _Judge(trial, task, dataset, samples, seed)
    seen = watch(trial.module, lambda: judge.outputs(trial))
    if not seen:
        raise LinnetError(f"model '{model.name}' has no convolution and no linear layer whose bits could be fewer.")
    found = []
    for place, name in enumerate(seen):
        layer, taken = trial.module.get_submodule(name), seen[seen[name].like]
        on_input = InputQuantizer(taken.low, taken.high, ceiling=taken.ceiling) if how == "round" else None
        damage = {}
        for number in given:
            with _changed(layer, number, on_input):
                damage[str(number)] = judge.damage(trial)
        found.append(_finding(name, layer, how, damage, judge.rows))
        if progress:
            progress(place + 1, len(seen), name)
    found.sort(key=lambda finding: -float(finding.evidence["damage"][str(given[0])]["noise"]))
    return Findings(KIND, tuple(found))


def _finding(name: str, layer: nn.Module, how: How, damage: Mapping[str, Mapping[str, float]], rows: int) -> Finding:
    fewest, least = next(iter(damage.items()))
    weight = layer.weight
    assert isinstance(weight, Tensor)
    statement = (f"With {name} alone in {fewest} bits signal to noise of the outputs is {least['sqnr_db']:.1f} dB; "
                 f"{100 * least['answers_changed']:.1f} of 100 answers change.")
    return Finding(name, statement, {"how": how, "weights": weight.numel(), "damage": damage, "samples": rows})


@dataclass
class _Known:
    """What the untouched model answers to a batch, and what is right."""

    arrays: Arrays
    samples: Sequence[Any]
    targets: NDArray[Any]
    expected: Sequence[str]
    outputs: NDArray[np.float32]
    answers: Sequence[str]


class _Judge:
    """Compares a changed model with itself before, on the same samples."""

    def __init__(self, model: Model, task: Task, dataset: Dataset, count: int, seed: int) -> None:
        rows = np.random.default_rng(seed).permutation(len(dataset))[:count]
        chosen = dataset.take(sorted(rows.tolist()))
        self.task, self.rows, self.known = task, len(chosen), list[_Known]()
        if not len(chosen):
            raise LinnetError("sensitivity needs at least one sample; the dataset has no rows.")
        targets, expected = task.targets(chosen), task.expected(chosen)
        for start in range(0, len(chosen), _BATCH):
            part = slice(start, start + _BATCH)
            read = task.read(chosen.take(range(start, min(start + _BATCH, len(chosen)))))
            arrays = dict(task.prepare(read))
            outputs = model(arrays)[task.output[0]]
            self.known.append(_Known(arrays, read, targets[part], expected[part], outputs,
                                     task.decode({task.output[0]: outputs}, read)))
        if not all(np.isfinite(known.outputs).all() for known in self.known):
            raise LinnetError(f"model '{model.name}' answers with NaN or infinity; it is broken, look there first.")
        self.before = [self._facts(known, known.outputs, known.answers) for known in self.known]

    def outputs(self, model: Model) -> list[NDArray[np.float32]]:
        """What the model answers now, batch by batch."""
        return [model(known.arrays)[self.task.output[0]] for known in self.known]

    def damage(self, model: Model) -> dict[str, float]:
        """How the model differs from what it was."""
        signal = noise = 0.0
        now, changed = [], 0
        for known, outputs in zip(self.known, self.outputs(model), strict=True):
            answers = self.task.decode({self.task.output[0]: outputs}, known.samples)
            signal += float(np.square(known.outputs, dtype=np.float64).sum())
            noise += float(np.square(outputs - known.outputs, dtype=np.float64).sum())
            changed += sum(own != other for own, other in zip(answers, known.answers, strict=True))
            now.append(self._facts(known, outputs, answers))
        after, before = _mean(now), _mean(self.before)
        share = noise / max(signal, 1e-30)
        return {"noise": share, "sqnr_db": -10 * math.log10(max(share, 1e-30)), "answers_changed": changed / self.rows,
                "loss": after[0] - before[0], "score": (before[1] - after[1]) / self.rows}

    def _facts(self, known: _Known, outputs: NDArray[np.float32], answers: Sequence[str]) -> tuple[float, float, float]:
        """Loss times its terms, terms, and the sum of the scores, of one batch."""
        targets = torch.from_numpy(known.targets)
        inputs = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in known.arrays.items()}
        count = terms(self.task.loss, targets)
        loss = float(LOSSES[self.task.loss](torch.from_numpy(outputs), targets, 0.0, inputs))
        return loss * count, count, float(np.sum(self.task.score(answers, known.expected)))


def _mean(facts: Sequence[tuple[float, float, float]]) -> tuple[float, float]:
    """The mean loss, and the sum of the scores."""
    losses, counts, scores = (sum(values) for values in zip(*facts, strict=True))
    return losses / max(1.0, counts), scores


@contextmanager
def _changed(layer: nn.Module, bits: int, on_input: InputQuantizer | None) -> Iterator[None]:
    """The layer in so many bits; as it was afterwards."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    before = weight.detach().clone()
    handle = layer.register_forward_pre_hook(
        lambda _layer, inputs: (on_input(inputs[0]), *inputs[1:])) if on_input else None
    try:
        with torch.no_grad():
            weight.copy_(WeightQuantizer(before, bits)(before) if on_input else _palettized(before, bits))
        yield
    finally:
        with torch.no_grad():
            weight.copy_(before)
        if handle:
            handle.remove()


def _palettized(weight: Tensor, bits: int) -> Tensor:
    """The nearest of 2 ** bits values: Lloyd's algorithm from evenly spaced quantiles."""
    values = weight.flatten().double().sort().values
    count = min(2**bits, len(values))
    centres = values[((torch.arange(count) + 0.5) / count * len(values)).long()]
    sums = torch.cat([values.new_zeros(1), values.cumsum(0)])
    for _ in range(_STEPS):
        borders = torch.searchsorted(values, (centres[1:] + centres[:-1]) / 2)
        edges = torch.cat([borders.new_zeros(1), borders, borders.new_tensor([len(values)])])
        sizes = edges.diff()
        centres = torch.where(sizes > 0, sums[edges].diff() / sizes.clamp(min=1), centres)
    near: Tensor = centres[torch.bucketize(weight.double(), (centres[1:] + centres[:-1]) / 2)]
    return near.to(weight.dtype)
