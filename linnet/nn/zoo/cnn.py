"""Convolutional networks: a front end, layers one after the other, a pool over all positions, a linear head."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from linnet.errors import LinnetError
from linnet.nn.blocks import Inverted, Residual, Stem
from linnet.nn.broadcast import Broadcast, Gather
from linnet.nn.layers import POOLS, Convolution, Separable
from linnet.nn.model import Model
from linnet.nn.recent import Maximum, Mean
from linnet.nn.zoo.building import checked, describe, make, needs, needs_one_answer, without
from linnet.nn.zoo.fronts import build_front, front_of, heard_so_far, picture_of
from linnet.tasks import Task

LAYERS: dict[str, Callable[..., nn.Module]] = {
    "convolution": Convolution, "separable": Separable, "stem": Stem, "residual": Residual,
    "inverted": Inverted, "broadcast": Broadcast, "gather": Gather}
"""By kind: (channels in, channels out, kernel, what else the layer's entry in the spec says)."""

_STRUCTURE = ("name", "kind", "channels", "kernel", "removable")


class Cnn(nn.Module):
    """The network that a spec describes: the input array to logits (batch, classes).

    spec: {"family", "inputs", "output", "front": {"kind", ...}, "channels": of the front's output,
    "layers": [{"name", "kind", "channels", "kernel", what else the kind takes, "removable"}, ...], "pool", "dropout"}.
    An entry {"name": "block.part", "inside": "block", "channels", "removable"} counts the channels inside a block.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        self.front = build_front(spec["front"])
        self.layers = nn.ModuleDict()
        channels = spec["channels"]
        inner = {layer["inside"]: {"inner": layer["channels"]} for layer in spec["layers"] if "inside" in layer}
        for layer in spec["layers"]:
            if "inside" not in layer:
                settings = {**without(layer, *_STRUCTURE), **inner.get(layer["name"], {})}
                kind = LAYERS[layer["kind"]]
                self.layers[layer["name"]] = kind(channels, layer["channels"], layer["kernel"], **settings)
                channels = layer["channels"]
        causal = any(layer.get("causal") for layer in spec["layers"])
        self.pool = Recent(spec["pool"], heard_so_far(spec["front"])) if causal else POOLS[spec["pool"]]
        self.dropout = nn.Dropout(spec["dropout"])
        self.head = nn.Linear(channels, *spec["output"]["shape"])

    def forward(self, x: Tensor) -> Tensor:
        """The input array to logits (batch, classes)."""
        x = self.front(x)
        for layer in self.layers.values():
            x = layer(x)
        logits: Tensor = self.head(self.dropout(self.pool(x)))
        return logits


class Recent(nn.Module):
    """A pool of that name over a stream: (batch, channels, time, bands) to (batch, channels), of so many positions."""

    def __init__(self, pool: str, positions: int | None) -> None:
        super().__init__()
        self.over = Maximum(positions or 1) if pool == "time_maximum" else Mean(positions)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, time, bands) to (batch, channels)."""
        x = avg_pool2d(x, (1, x.shape[3])).squeeze(3).permute(0, 2, 1)
        pooled: Tensor = self.over(x) if isinstance(self.over, Maximum) else self.over(x, torch.ones_like(x[:, :, 0]))
        return pooled


def assemble(family: str, task: Task, layers: list[dict[str, Any]], *, causal: bool = False, seed: int = 0,
             **body: Any) -> Model:
    """A fresh network of this family: the task's front, these layers; `body` has the pool and the dropout.

    In a `causal` one no frame of a layer hears a later one, and its file takes a stream: it answers for as much of what
    was heard last as the task's window lasts.
    """
    needs_one_answer(family, task, instead="Use a family for sequences.")
    if causal and "audio" not in task.arrays:
        raise LinnetError(f"causal is for recordings, in which some things come later; the task's input is "
                          f"{', '.join(task.arrays)}. Leave it out.")
    if causal:
        layers = [layer if "inside" in layer else {**layer, "causal": True} for layer in layers]
    front = front_of(task, causal=causal, stride=prod(map(_time_stride, layers)))
    *_, channels = picture_of(task)
    return make(Cnn, describe(family, task, front=front, channels=channels, layers=layers, **body), seed=seed)


def _time_stride(layer: Mapping[str, Any]) -> int:
    """Of how many frames a layer makes one; a broadcast's stride is over bands alone."""
    stride = 1 if layer.get("kind") == "broadcast" else layer.get("stride", 1)
    return int(stride if isinstance(stride, int) else stride[0]) * int(layer.get("pool", 1))


def dscnn(task: Task, *, width: int = 64, causal: bool = False, seed: int = 0) -> Model:
    """Separable convolutions on a log-mel picture, for short recordings; about 25 000 parameters at width 64.

    After Zhang et al. 2017, Hello Edge: Keyword Spotting on Microcontrollers, arXiv:1711.07128.
    """
    needs("dscnn", task, "audio")
    width = checked("width", width, least=2)
    layers = [{"name": "stem", "kind": "convolution", "channels": width // 2, "kernel": 5, "stride": 2},
              {"name": "block1", "kind": "separable", "channels": width, "kernel": 3, "stride": 2}]
    layers += [{"name": f"block{n}", "kind": "separable", "channels": width, "kernel": 3} for n in range(2, 6)]
    return assemble("dscnn", task, _removable(layers), pool="time_maximum", dropout=0.1, causal=causal, seed=seed)


def smallcnn(task: Task, *, width: int = 32, seed: int = 0) -> Model:
    """Three 3 x 3 convolutions, for images of 8 x 8 to about 64 x 64; about 28 000 parameters at width 32."""
    needs("smallcnn", task, "image")
    width, (height, breadth, _) = checked("width", width, least=2), picture_of(task)
    if min(height, breadth) < 4:
        raise LinnetError(f"smallcnn needs images of at least 4 x 4; the task's are {height} x {breadth}.")
    first_pool = 2 if min(height, breadth) >= 16 else 1
    layers = [{"name": "conv1", "kind": "convolution", "channels": width, "kernel": 3, "pool": first_pool},
              {"name": "conv2", "kind": "convolution", "channels": width, "kernel": 3, "pool": 2},
              {"name": "conv3", "kind": "convolution", "channels": 2 * width, "kernel": 3}]
    return assemble("smallcnn", task, _removable(layers), pool="average", dropout=0.1, seed=seed)


def _removable(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A chain: no layer's channels are tied to another's."""
    return [{**layer, "removable": True} for layer in layers]
