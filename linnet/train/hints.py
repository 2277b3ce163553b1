"""Distillation inside the network: what the student's layers answer is held against the same layers of the teacher."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn import Model
from linnet.tasks import Predictor
from linnet.train.losses import attention_loss, feature_loss
from linnet.train.options import Options


class Hints(nn.Module):
    """The teacher with its ears, and a projection for each layer whose student has fewer channels.

    Layers are told by their names: those that both have, of as many positions. Only the projections are trained, with
    the student; they are thrown away with the training (FitNets' regressors, arXiv:1412.6550, section 2.2).
    """

    def __init__(self, student: Model, teacher: Predictor, options: Options) -> None:
        super().__init__()
        if not isinstance(teacher, Model):
            raise LinnetError("features and attention are learned from the layers of a teacher: it must be a Model "
                              f"(nn.load), not {type(teacher).__name__}. Set both to 0 to learn from its answers only.")
        own, others = _channels(student), _channels(teacher)
        self.axes = {name: axis for name, (_, axis) in own.items() if name in others}
        if not self.axes:
            raise LinnetError("features and attention need layers that student and teacher both have; the student has "
                              f"{', '.join(own) or 'none'}, the teacher {', '.join(others) or 'none'}.")
        self.features, self.attention = options.features, options.attention
        module = copy.deepcopy(teacher.module).eval()
        for parameter in module.parameters():
            parameter.requires_grad_(False)
        self.asked = [module]  # in a list: it is no part of what is trained or kept
        self.projections = nn.ModuleDict({
            _key(name): _projection(own[name][0], others[name][0]) for name in self.axes
            if self.features and own[name][0] != others[name][0]})

    @property
    def teacher(self) -> nn.Module:
        """Its network."""
        return self.asked[0]

    def answers(self, *inputs: Tensor) -> tuple[Tensor, Mapping[str, Tensor]]:
        """The teacher's outputs, and those of its layers."""
        with torch.no_grad(), listening(self.teacher, self.axes) as heard:
            outputs = self.teacher(*inputs)
        return outputs.float(), heard

    def loss(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """The weighted sum over kinds of the means over layers."""
        total = torch.zeros((), device=next(iter(student.values())).device)
        places = [name for name in self.axes if student[name].ndim > 2]
        if self.attention and not places:
            raise LinnetError("attention is where a layer responds, and no layer that student and teacher both have "
                              "has positions; learn from features.")
        for name in self.axes:
            own, other = (_channels_second(heard[name].float(), self.axes[name]) for heard in (student, teacher))
            if own.shape[2:] != other.shape[2:]:
                raise LinnetError(f"layer '{name}' has {tuple(own.shape[2:])} positions in the student and "
                                  f"{tuple(other.shape[2:])} in the teacher; only channels may differ.")
            if self.features:
                seen = self.projections[_key(name)](own) if _key(name) in self.projections else own
                total = total + self.features * feature_loss(seen, other) / len(self.axes)
            if self.attention and name in places:
                total = total + self.attention * attention_loss(own, other) / len(places)
        return total


class _Projection(nn.Module):
    """Channels to channels, the same at every position."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        nn.init.orthogonal_(self.weight)

    def forward(self, values: Tensor) -> Tensor:
        return torch.einsum("bi...,oi->bo...", values, self.weight)


def _projection(inputs: int, outputs: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return _Projection(inputs, outputs)


@contextmanager
def listening(module: nn.Module, names: Mapping[str, int]) -> Iterator[dict[str, Tensor]]:
    """The outputs of these layers during the block, by name."""
    heard: dict[str, Tensor] = {}

    def listener(name: str) -> Any:
        return lambda _module, _inputs, output: heard.__setitem__(name, output)

    handles = [module.get_submodule(f"layers.{name}").register_forward_hook(listener(name)) for name in names]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


def _channels(model: Model) -> dict[str, tuple[int, int]]:
    """By layer its channels, and the axis on which they lie."""
    return {layer["name"]: (int(layer["channels"]), int(layer.get("axis", 1))) for layer in model.spec["layers"]
            if "channels" in layer and "inside" not in layer}


def _channels_second(values: Tensor, axis: int) -> Tensor:
    return values.movedim(axis, 1)


def _key(name: str) -> str:
    """torch allows no dots in names of modules."""
    return name.replace(".", "_")
