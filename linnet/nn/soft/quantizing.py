"""Put quantizers on the layers of a network, and take them off again: the weights then lie on their grids."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from linnet.errors import LinnetError
from linnet.nn.soft.baking import bake, piece_of
from linnet.nn.soft.palettes import Palette
from linnet.nn.soft.quantizers import (
    InputQuantizer,
    PercentileInputQuantizer,
    PercentileWeightQuantizer,
    WeightQuantizer,
    best_range,
)

WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Linear)
"""Layers with one weight whose first axis is the outputs', the second the inputs': the ones that methods work on."""
_FRONT = "front"
_ON_INPUT = "input_quantizer"
_FEW = 1 << 14


@dataclass
class Seen:
    """What went into a layer: the ends of its range, how many values lie at the upper one, and a few of them."""

    low: float = math.inf
    high: float = -math.inf
    at_high: int = 0
    values: list[Tensor] = field(default_factory=list)
    like: str = ""
    """The first layer that takes the same tensor: the two have one range."""

    @property
    def ceiling(self) -> float:
        """The upper end where more than one value lies there: nothing goes beyond it, as after ReLU6."""
        return self.high if self.at_high > 1 and self.high > 0 else math.inf

    def take(self, x: Tensor) -> None:
        """See a batch."""
        low, high = float(x.min()), float(x.max())
        if high >= self.high:
            self.at_high = int((x == high).sum()) + (self.at_high if high == self.high else 0)
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.values.append(x.flatten()[:: -(-x.numel() // _FEW)].float())


def quantizable(module: nn.Module) -> tuple[str, ...]:
    """The names of the layers that quantizers can be put on, in the order of the module; the front end has none."""
    return tuple(name for name, layer in module.named_modules()
                 if isinstance(layer, WEIGHTED) and name.split(".")[0] != _FRONT)


def watch(module: nn.Module, run: Callable[[], object]) -> dict[str, Seen]:
    """What goes into each quantizable layer while `run()` calls the module; layers that are not called are not there.

    Layers that take the same tensor, or views of one, are found by its memory.
    """
    seen: dict[str, Seen] = {}
    with torch.no_grad(), _listening(module, seen):
        run()
    return seen


def quantize_layers(module: nn.Module, bits: Mapping[str, int], seen: Mapping[str, Seen] | None = None, *,
                    input_bits: int = 8, per_channel: bool = True, percentile: float | None = None) -> None:
    """Put quantizers in place on the layers that `bits` names: its weights in so many bits, its input in `input_bits`.

    Without `seen` (what `watch` gave) inputs stay as they are. Without `percentile` the steps are learned (LSQ), with
    it they follow that percentile of what is seen. A layer with a palette has one step, `per_channel` or not: on steps
    of each channel's own, few values would become many.
    """
    inputs: dict[str, nn.Module] = {}
    for name, width in bits.items():
        layer = module.get_submodule(name)
        if seen is not None and name in seen:
            found = seen[name]
            if found.like not in inputs:
                inputs[found.like] = _for_inputs(seen[found.like], input_bits, percentile)
            layer.add_module(_ON_INPUT, inputs[found.like])
            layer.register_forward_pre_hook(_quantize_input)
        weight = layer.weight
        assert isinstance(weight, Tensor)
        if not torch.isfinite(weight).all():
            raise LinnetError(f"the weights of layer '{name}' hold NaN or infinity; the model is broken, look there "
                              "first.")
        own_steps = per_channel and piece_of(layer, Palette) is None
        quantizer = (WeightQuantizer(weight, width, per_channel=own_steps) if percentile is None else
                     PercentileWeightQuantizer(weight, width, per_channel=own_steps, share=percentile))
        quantizer.to(weight.device)
        parametrize.register_parametrization(layer, "weight", quantizer)


def take_off(module: nn.Module) -> tuple[dict[str, tuple[float, ...]], dict[str, tuple[float, float]]]:
    """Take all quantizers off in place; weights keep the values that they stood for.

    Gives, by layer, the steps of its weights (one, or one an output channel) and the range (lowest, highest) of its
    input, such that (highest - lowest) / levels is the step to the last bit.
    """
    scales: dict[str, tuple[float, ...]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for name, layer in list(module.named_modules()):
        for kind in (WeightQuantizer, PercentileWeightQuantizer):
            quantizer = piece_of(layer, kind)
            if isinstance(quantizer, (WeightQuantizer, PercentileWeightQuantizer)):
                bake(layer, kind)
                scales[name] = tuple(quantizer.steps.tolist())
        on_input = getattr(layer, _ON_INPUT, None)
        if isinstance(on_input, (InputQuantizer, PercentileInputQuantizer)):
            step, zero = (float(value.detach()) for value in on_input.grid())
            ranges[name] = (-zero * step, (on_input.highest - zero) * step)
            delattr(layer, _ON_INPUT)
            for number in [key for key, hook in layer._forward_pre_hooks.items() if hook is _quantize_input]:
                del layer._forward_pre_hooks[number]
    return scales, ranges


def _quantize_input(layer: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The layer's input on its grid; a function of the module alone, so that deep copies use their own quantizer."""
    quantizer: Any = layer.input_quantizer
    return (quantizer(inputs[0]), *inputs[1:])


def _for_inputs(seen: Seen, bits: int, percentile: float | None) -> nn.Module:
    device = seen.values[0].device
    low, high = (seen.low, seen.high) if bits == 8 else best_range(torch.cat(seen.values), bits)
    if percentile is not None:
        return PercentileInputQuantizer(low, high, bits, share=percentile).to(device)
    return InputQuantizer(low, high, bits, ceiling=seen.ceiling).to(device)


@contextmanager
def _listening(module: nn.Module, seen: dict[str, Seen]) -> Iterator[None]:
    """Hooks in front of the layers; what was seen is kept until the module returns, so that no memory is reused."""
    alive: list[Tensor] = []
    owners: dict[int, str] = {}

    def listener(name: str) -> Any:
        def hear(_layer: nn.Module, inputs: tuple[Any, ...]) -> None:
            alive.append(inputs[0])
            owner = owners.setdefault(inputs[0].untyped_storage().data_ptr(), name)
            entry = seen.setdefault(name, Seen(like=owner))
            seen[entry.like].take(inputs[0])
        return hear

    def done(*_: Any) -> None:
        alive.clear()
        owners.clear()

    handles = [module.get_submodule(name).register_forward_pre_hook(listener(name)) for name in quantizable(module)]
    handles.append(module.register_forward_hook(done))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
