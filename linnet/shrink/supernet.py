"""A supernet: one training for many widths and depths; each smaller network is a part of the same weights.

Cai et al., Once-for-all, 2020 (arXiv:1908.09791): smaller networks share the weights of the largest, the most
important channels first, and learn from its answers. Yu et al., BigNAS, 2020 (arXiv:2003.11142): every step trains the
largest, the smallest and some between (sandwich rule), and only the largest sees the labels (in-place distillation).
Sizes of kernels are not varied.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from linnet import introspect, tasks, train
from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.nn import Model, removable_blocks, remove_blocks, remove_channels
from linnet.nn.channels import dependencies_of
from linnet.tasks import Task
from linnet.train.losses import distillation

Widths = Mapping[str, int]
"""By layer: how many of its channels stay, the most important ones; by block, 0 where it is left out."""
_TOGETHER = 8
_CALIBRATION_ROWS, _BATCH = 512, 64
_TOLD_APART = 1 << 24
"""Whole numbers up to here are exact in float32."""


@dataclass(frozen=True)
class Found:
    """One part of a supernet."""

    widths: Widths
    macs: int
    score: float
    """On the validation part, without any tuning of its own."""


@dataclass(frozen=True)
class Supernet:
    """The largest network, whose weights the smaller ones share, and the order in which channels stay."""

    model: Model
    order: Mapping[str, Sequence[int]]
    """By layer, its channels, the most important first."""
    shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0)
    """What part of a layer's channels may stay."""
    blocks: Sequence[str] = ()
    """Those around which the signal also goes straight, and which may be left out."""
    sampled: int = 2
    """Networks between the largest and the smallest that each step trains."""
    known: dict[tuple[tuple[str, int], ...], int] = field(default_factory=dict, repr=False, compare=False)

    @property
    def smallest(self) -> Widths:
        """The least of every layer, and no block that can be left out."""
        least = {layer: _kept(len(order), min(self.shares)) for layer, order in self.order.items()}
        return least | dict.fromkeys(self.blocks, 0)

    def draw(self, random: np.random.Generator) -> Widths:
        """Some width for every layer; each block is left out half of the time."""
        drawn = {layer: _kept(len(order), float(random.choice(list(self.shares))))
                 for layer, order in self.order.items()}
        return drawn | {block: 0 for block in self.blocks if random.random() < 0.5}

    def part(self, widths: Widths) -> Model:
        """The smaller network, with its part of the weights as they are; statistics are those of the largest."""
        without = [block for block in self.blocks if widths.get(block) == 0]
        model = remove_blocks(self.model, without) if without else self.model
        places = tuple(f"{block}." for block in without)
        going = {layer: list(self.order[layer][kept:]) for layer, kept in widths.items()
                 if kept and kept < len(self.order[layer]) and not f"{layer}.".startswith(places)}
        return remove_channels(model, going) if going else model

    def calibrated(self, widths: Widths, task: Task, data: Splits) -> Model:
        """The smaller network with statistics of its own, taken over some training samples."""
        return recalibrated(self.part(widths), task, data)

    def macs(self, widths: Widths) -> int:
        """Multiplications of a run, those of a front end left out."""
        key = tuple(sorted(widths.items()))
        if key not in self.known:
            self.known[key] = dependencies_of(self.part(widths)).macs()
        return self.known[key]


def supernet(model: Model, task: Task, data: Splits, *, shares: Sequence[float] = (0.25, 0.5, 0.75, 1.0),
             depth: bool = False, sampled: int = 2, epochs: int = 10, temperature: float = 1.0, weight: float = 1.0,
             **training: Any) -> Supernet:
    """Train all widths of a trained model together; `training` are further keywords of `train.fit`.

    Channels are put in order by their redundancy on the validation part. With `depth`, blocks may be left out as well
    (`nn.removable_blocks`). Raises LinnetError for a model of which no
    channel can be removed, and for shares outside of (0, 1].
    """
    if not shares or not all(0 < share <= 1 for share in shares) or max(shares) != 1:
        raise LinnetError(f"shares are parts of a layer's channels, above 0 and up to 1, and 1 is one of them; got "
                          f"{list(shares)}.")
    if not model.removable:
        raise LinnetError(f"model '{model.name}' has no layers whose channels can be removed: it has no smaller parts.")
    found = introspect.redundancy(model.responses(task, data.validation, layers=model.removable))
    order = {item.subject: list(reversed(item.evidence["most_redundant_first"])) for item in found}
    start = Supernet(model, order, tuple(shares), _blocks(model) if depth else (), sampled)
    sharing = Sharing(start, task.loss, temperature, weight)
    fitted = train.fit(replace(model, module=sharing), task, data, epochs=epochs, **training)
    module = fitted.module
    assert isinstance(module, Sharing)
    return replace(start, model=replace(fitted, module=module.largest.eval()), known={})


def _blocks(model: Model) -> tuple[str, ...]:
    found = removable_blocks(model)
    if not found:
        raise LinnetError(f"model '{model.name}' has no blocks around which the signal also goes straight, so its "
                          "depth cannot vary; leave depth out.")
    return found


class Sharing(nn.Module):
    """The largest network; while it is trained, parts of it answer the same batch and are pulled to its answers.

    `penalty` is what the parts add to the loss (`nn.soft.Priced`).
    """

    def __init__(self, start: Supernet, loss: str, temperature: float, weight: float) -> None:
        super().__init__()
        self.largest = copy.deepcopy(start.model.module)
        self.start, self.task_loss, self.temperature, self.weight = start, loss, temperature, weight
        self.price: Tensor | None = None
        self.parts: dict[tuple[tuple[str, int], ...], Part] = {}

    def forward(self, *inputs: Tensor) -> Tensor:
        outputs: Tensor = self.largest(*inputs)
        if self.training:
            random = np.random.default_rng(int(torch.randint(2**31, ()).item()))
            drawn = [self.start.smallest, *(self.start.draw(random) for _ in range(self.start.sampled))]
            answers, nothing = outputs.detach().float(), torch.empty(0)
            pulls = [distillation(self.task_loss, self._part(widths)(self.largest, *inputs).float(), answers, nothing,
                                  self.temperature) for widths in drawn]
            self.price = self.weight * sum(pulls[1:], pulls[0]) / len(pulls)
        return outputs

    def penalty(self) -> Tensor:
        """What the parts of the last batch lost against the largest."""
        return torch.zeros(()) if self.price is None else self.price

    def _part(self, widths: Widths) -> Part:
        key = tuple(sorted(widths.items()))
        if key not in self.parts:
            self.parts[key] = Part.of(self.start, widths)
        return self.parts[key]

    def __deepcopy__(self, memo: dict[int, Any]) -> Sharing:
        made = Sharing(self.start, self.task_loss, self.temperature, self.weight)
        made.largest = copy.deepcopy(self.largest, memo)
        return made.train(self.training)


@dataclass(frozen=True)
class Part:
    """A smaller network without weights of its own: by parameter, which numbers of the largest one's are its own."""

    module: nn.Module
    numbers: Mapping[str, Tensor]

    @classmethod
    def of(cls, start: Supernet, widths: Widths) -> Part:
        """Found by removing channels from a network whose weights are their own places."""
        counted = copy.deepcopy(start.model)
        for name, parameter in counted.module.named_parameters():
            if parameter.numel() > _TOLD_APART:
                raise LinnetError(f"'{name}' has {parameter.numel():,} numbers; at most {_TOLD_APART:,} can be told "
                                  "apart.")
            parameter.data = torch.arange(parameter.numel(), dtype=torch.float32).view(parameter.shape)
        places = replace(start, model=counted).part(widths).module
        numbers = {name: parameter.detach().long() for name, parameter in places.named_parameters()}
        return cls(copy.deepcopy(start.part(widths).module), numbers)

    def __call__(self, largest: nn.Module, *inputs: Tensor) -> Tensor:
        own = dict(largest.named_parameters())
        weights = {name: own[name].flatten()[places.to(own[name].device)] for name, places in self.numbers.items()}
        outputs: Tensor = torch.func.functional_call(self.module.train(), weights, inputs)
        return outputs


def recalibrated(model: Model, task: Task, data: Splits, *, rows: int = _CALIBRATION_ROWS) -> Model:
    """The model with the statistics of its batch normalisations taken anew over training samples."""
    module = copy.deepcopy(model.module)
    norms = _norms(module)
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over the batches
    drawn = np.random.default_rng(0).permutation(len(data.train))[:rows]
    arrays = task.prepare(task.read(data.train.take(sorted(drawn.tolist()))))
    mixed = np.random.default_rng(1).permutation(len(drawn))
    module.eval()
    for norm in norms:
        norm.train()
    with torch.no_grad():
        for first in range(0, len(drawn), _BATCH):
            module(*(torch.from_numpy(np.ascontiguousarray(arrays[name][mixed[first : first + _BATCH]]))
                     for name in task.arrays))
    for norm, before in zip(norms, _norms(model.module), strict=True):
        norm.momentum = before.momentum
    return replace(model, module=module.eval())


def _norms(module: nn.Module) -> list[Any]:
    return [part for part in module.modules() if isinstance(part, nn.modules.batchnorm._BatchNorm)]


def best_parts(net: Supernet, task: Task, data: Splits, *, keep: float, tries: int = 16, seed: int = 0) -> list[Found]:
    """Parts with at most the share `keep` of the multiplications, the best on validation first: drawn, then mutated.

    Half of `tries` are drawn, half change one layer of the best so far (Once-for-all's evolutionary search, small).
    Raises LinnetError where not even the smallest part is small enough.
    """
    if not 0 < keep < 1:
        raise LinnetError(f"keep is the share of multiplications that stays, above 0 and below 1; got {keep!r}.")
    random, budget = np.random.default_rng(seed), keep * net.macs({})
    if net.macs(net.smallest) > budget:
        least = net.macs(net.smallest) / net.macs({})
        raise LinnetError(f"the smallest part multiplies {least:.2f} times what the largest does; {keep} cannot be "
                          "had. Train with smaller shares.")
    found: dict[tuple[tuple[str, int], ...], Found] = {}
    waiting = [net.smallest]
    for number in range(20 * tries):
        if len(found) >= tries:
            break
        if number:
            ranked = sorted(found.values(), key=lambda one: -one.score)
            is_late = len(found) >= tries // 2
            waiting = [_mutated(net, ranked[0].widths, random) if is_late else net.draw(random)]
        widths = waiting[0]
        key = tuple(sorted(widths.items()))
        if key not in found and net.macs(widths) <= budget:
            score = tasks.evaluate(net.calibrated(widths, task, data), task, data.validation).mean
            found[key] = Found(widths, net.macs(widths), score)
    return sorted(found.values(), key=lambda one: (-one.score, one.macs))


def _mutated(net: Supernet, widths: Widths, random: np.random.Generator) -> Widths:
    layer, drawn = str(random.choice([*net.order, *net.blocks])), net.draw(random)
    return {name: kept for name, kept in {**widths, layer: drawn.get(layer)}.items() if kept is not None}


def _kept(channels: int, share: float) -> int:
    """A multiple of 8 where there are many, at least one."""
    if channels < 2 * _TOGETHER:
        return max(1, round(share * channels))
    return max(_TOGETHER, min(channels, _TOGETHER * round(share * channels / _TOGETHER)))
