"""Importance: which channels, heads and blocks matter least for what they cost; a plan within a budget."""

from __future__ import annotations

import copy
import heapq
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.errors import LinnetError, unknown
from linnet.nn import Model, dependencies_of, removable_blocks, remove_blocks
from linnet.nn.dependencies import Dependencies, Group
from linnet.shrink.plan import Plan
from linnet.tasks import Task
from linnet.train.losses import LOSSES

How = Literal["taylor", "magnitude"]
_BATCH = 64
Scores = NDArray[np.float64]


def plan_by_importance(model: Model, task: Task, data: Splits, *, keep: float = 0.5, blocks: int = 0,
                       multiple: int = 1, least: float = 0.25, how: How = "taylor", samples: int = 512,
                       seed: int = 0) -> Plan:
    """A plan that leaves the share `keep` of the model's multiplications, without findings.

    First `blocks` blocks go, each time the one without which the validation loss is lowest. Then units go (channels,
    heads, hidden units), always those that matter least for the multiplications they cost, `multiple` at a time
    (engines are fast at multiples of 8 or 16, and slower than before between them), until the budget is met; the share
    `least` of every layer stays. Raises LinnetError for a budget that cannot be met so.
    """
    if not 0 < keep < 1:
        raise LinnetError(f"keep is the share of multiplications that stays, above 0 and below 1; got {keep!r}.")
    whole = dependencies_of(model).macs()
    gone = least_missed(model, task, data.validation, count=blocks, samples=samples, seed=seed) if blocks else []
    smaller = remove_blocks(model, gone) if gone else model
    found = dependencies_of(smaller)
    scores = unit_importance(smaller, task, data.train, found, how=how, samples=samples, seed=seed)
    going = _cheapest(found, scores, int(keep * whole), multiple=multiple, least=least)
    plan = Plan().plus("remove_blocks", layers=gone) if gone else Plan()
    layers = {group.name.removeprefix("layers."): _outputs(group, going)
              for group in found.groups if going.intersection(group.sets)}
    return plan.plus("remove_channels", layers=layers) if layers else plan


def unit_importance(model: Model, task: Task, dataset: Dataset, found: Dependencies, *, how: How = "taylor",
                    samples: int = 512, seed: int = 0) -> dict[str, Scores]:
    """By group: what each unit is worth, summed over all that goes with it.

    "taylor": the squared first-order change of the loss without it, (sum of weight times gradient) ** 2, a mean over
    batches (Molchanov et al. 2019, arXiv:1906.10771). "magnitude": the sum of its squared weights, in units of the
    group's mean (Li et al. 2017, arXiv:1608.08710); needs no data.
    """
    if how == "magnitude":
        weights = {name: parameter.detach().double() ** 2 for name, parameter in model.module.named_parameters()}
        summed = {group.name: _summed(group, weights) for group in found.groups}
        return {name: values / max(float(values.mean()), 1e-30) for name, values in summed.items()}
    if how != "taylor":
        raise unknown("way of telling importance", how, ("taylor", "magnitude"))
    module = copy.deepcopy(model.module).eval()
    parameters = dict(module.named_parameters())
    total = {group.name: np.zeros(len(group)) for group in found.groups}
    batches = 0
    for inputs, targets in _batches(task, dataset, samples, seed):
        module.zero_grad()
        LOSSES[task.loss](module(*(inputs[name] for name in task.arrays)).float(), targets, 0.0, inputs).backward()  # type: ignore[no-untyped-call]
        products = {name: (parameter * parameter.grad).detach().double()
                    for name, parameter in parameters.items() if parameter.grad is not None}
        for group in found.groups:
            total[group.name] += _summed(group, products) ** 2
        batches += 1
    return {name: values / batches for name, values in total.items()}


def least_missed(model: Model, task: Task, dataset: Dataset, *, count: int, samples: int = 512,
                 seed: int = 0) -> list[str]:
    """So many blocks, each time the one without which the loss on `dataset` is lowest."""
    gone: list[str] = []
    for _ in range(count):
        rest = remove_blocks(model, gone) if gone else model
        losses = {name: _loss(remove_blocks(rest, [name]), task, dataset, samples, seed)
                  for name in removable_blocks(rest)}
        if not losses:
            raise LinnetError(f"model '{model.name}' has no further block to remove after {gone}.")
        gone.append(min(losses, key=losses.__getitem__))
    return gone


def _cheapest(found: Dependencies, scores: Mapping[str, Scores], budget: int, *, multiple: int,
              least: float) -> set[int]:
    """Units to remove until no more than `budget` multiplications are left."""
    going: set[int] = set()
    macs = found.macs()
    queues = [_steps(group, scores[group.name], multiple, least) for group in found.groups]
    waiting = [(0.0, place, -1, 0) for place, steps in enumerate(queues) if steps]
    taken = 0
    while macs > budget:
        if not waiting:
            raise LinnetError(f"{budget} multiplications cannot be met: {macs} are left where every layer keeps its "
                              f"least share of {least}. Take a larger keep, a smaller least, or remove blocks too.")
        _, place, when, saved = heapq.heappop(waiting)
        units, worth = queues[place][0]
        if when < taken:  # what a step saves only falls as others go, so that the first of fresh ones is the best
            saved = macs - found.macs(going | units)
            heapq.heappush(waiting, (worth / max(saved, 1), place, taken, saved))
            continue
        queues[place].pop(0)
        going, macs, taken = going | units, macs - saved, taken + 1
        if queues[place]:
            heapq.heappush(waiting, (0.0, place, -1, 0))
    return going


def _steps(group: Group, scores: Scores, multiple: int, least: float) -> list[tuple[set[int], float]]:
    """What can go from a group, one after the other: (units, what they are worth), the least worth first."""
    order = np.argsort(scores, kind="stable")
    stay = max(1, int(np.ceil(least * len(group))))
    size = max(multiple, len(group) // 64)
    first = len(group) % multiple or size
    ends = [end for end in range(first, len(group), size) if len(group) - end >= stay]
    return [({int(group.sets[unit]) for unit in order[start:end]}, float(scores[order[start:end]].sum()))
            for start, end in zip([0, *ends], ends, strict=False)]


def _outputs(group: Group, going: set[int]) -> list[int]:
    rows = np.isin(group.sets, list(going))
    return sorted(int(position) for position in group.outputs[rows].ravel())


def _summed(group: Group, values: Mapping[str, torch.Tensor]) -> Scores:
    """The sum of the values over all places of each unit."""
    total = np.zeros(len(group))
    for (name, axis), positions in group.places.items():
        if name in values:
            along = values[name].transpose(0, axis).reshape(values[name].shape[axis], -1).sum(dim=1).cpu().numpy()
            total += along[positions].sum(axis=1)
    return total


def _loss(model: Model, task: Task, dataset: Dataset, samples: int, seed: int) -> float:
    module = copy.deepcopy(model.module).eval()
    with torch.no_grad():
        losses = [(float(LOSSES[task.loss](module(*(inputs[name] for name in task.arrays)).float(), targets, 0.0,
                                           inputs)), len(targets))
                  for inputs, targets in _batches(task, dataset, samples, seed)]
    return sum(loss * count for loss, count in losses) / sum(count for _, count in losses)


def _batches(task: Task, dataset: Dataset, samples: int, seed: int) -> list[tuple[dict[str, Any], torch.Tensor]]:
    rows = sorted(np.random.default_rng(seed).permutation(len(dataset))[:samples].tolist())
    found = []
    for start in range(0, len(rows), _BATCH):
        part = dataset.take(rows[start : start + _BATCH])
        inputs = {name: torch.from_numpy(np.array(values)) for name, values in task.prepare(task.read(part)).items()}
        found.append((inputs, torch.from_numpy(np.asarray(task.targets(part)))))
    return found
