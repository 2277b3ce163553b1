"""What causal layers keep of the past, so that a sound may come in chunks and the answers are those of the whole.

A layer asks for what it kept (`recall`, `behind`) and keeps what the next chunk needs (`keep`). Outside of a stream it
is given zeros and nothing is kept: at the beginning nothing was, and every state begins as zeros.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

if TYPE_CHECKING:
    from linnet.nn.model import Model


@dataclass
class Memory:
    """What the layers of one network were given, and what they give on, by name; in the order in which they ask."""

    before: dict[str, Tensor] = field(default_factory=dict)
    after: dict[str, Tensor] = field(default_factory=dict)


class Carrying(nn.Module):
    """A layer that may keep something between two chunks; outside of `streaming` it never does."""

    memory: Memory | None = None
    place = ""
    """The layer's name in its network."""

    def recall(self, zeros: Tensor, part: str = "") -> Tensor:
        """What was kept under this name, or the zeros, which say its shape (batch, ...)."""
        return zeros if self.memory is None else self.memory.before.get(self._name(part), zeros)

    def keep(self, value: Tensor, part: str = "") -> None:
        """Keep a tensor (batch, ...) for the next chunk."""
        if self.memory is not None:
            self.memory.after[self._name(part)] = value

    def behind(self, x: Tensor, count: int, axis: int, part: str = "") -> Tensor:
        """x after the last `count` places of what came before it along an axis, zeros where nothing did."""
        if self.memory is None:
            return pad(x, [0, 0] * (x.ndim - 1 - axis) + [count, 0])
        shape = [*x.shape[:axis], count, *x.shape[axis + 1 :]]
        whole = torch.cat([self.recall(x.new_zeros(shape), part), x], dim=axis)
        self.keep(whole.narrow(axis, x.shape[axis], count), part)
        return whole

    def _name(self, part: str) -> str:
        return ".".join(filter(None, (self.place.removeprefix("layers."), part)))


def streaming(module: nn.Module) -> nn.Module:
    """A copy in evaluation mode that takes what was kept after its inputs, and gives what is kept after its answer.

    (audio, [lengths], *state) to (answer, *state); the tensors of the state, (batch, ...) float32, are in the order of
    `kept_by`.
    """
    carried = copy.deepcopy(module).eval()
    memory = Memory()
    for name, unit in carried.named_modules():
        if isinstance(unit, Carrying):
            unit.memory, unit.place = memory, name
    plain = type(carried)

    def forward(self: nn.Module, *given: Tensor) -> tuple[Tensor, ...]:
        names = list(self.names)  # type: ignore[arg-type]
        inputs = len(given) - len(names)
        memory.before, memory.after = dict(zip(names, given[inputs:], strict=True)), {}
        answer: Tensor = plain.forward(self, *given[:inputs])
        return answer, *(memory.after[name] for name in names or memory.after)

    carried.__class__ = type(plain.__name__, (plain,), {"forward": forward, "names": (), "kept": memory})
    return carried


def kept_by(carried: nn.Module, inputs: Sequence[Tensor]) -> dict[str, tuple[int, ...]]:
    """What a copy made by `streaming` keeps: names to shapes of one sample. From now on it takes them."""
    kept: Any = carried
    kept.names = ()
    with torch.no_grad():
        carried(*inputs)
    kept.names = tuple(kept.kept.after)
    return {name: tuple(value.shape[1:]) for name, value in kept.kept.after.items()}


def step_samples(model: Model) -> int | None:
    """A causal network of recordings answers for every so many samples; None for others, which take no stream."""
    step = getattr(getattr(getattr(model, "module", None), "front", None), "step", None)
    return int(step) if isinstance(step, int) else None
