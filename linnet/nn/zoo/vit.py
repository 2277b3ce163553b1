"""The vision transformer for small images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.errors import LinnetError
from linnet.nn.attention import Block, heads_of
from linnet.nn.heads import make_head
from linnet.nn.layers import Pixels
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs, needs_one_answer
from linnet.tasks import Task

_PATCHES = 8
"""Along the shorter side of an image."""


class Patches(nn.Module):
    """Images (batch, channels, height, width) to one vector a patch, its place added: (batch, patches, outputs)."""

    def __init__(self, inputs: int, outputs: int, patch: int, places: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, patch, patch)
        self.places = nn.Parameter(torch.randn(1, places, outputs) * 0.02)

    def forward(self, images: Tensor) -> Tensor:
        """What does not fill a patch at the right and lower edge is not seen."""
        patches: Tensor = self.conv(images).flatten(2).permute(0, 2, 1)
        return patches + self.places


class Vit(nn.Module):
    """Images (batch, height, width, channels) uint8 to one answer, from the mean over their patches.

    spec: {"family", "inputs", "output", "patch", "heads", "dropout", "layers": [{"name", "channels", "axis": -1},
    ...]}; the first layer makes patches, the others are blocks.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        patches, *blocks = spec["layers"]
        height, width, inputs = spec["inputs"][0]["shape"]
        channels, patch, dropout = patches["channels"], spec["patch"], spec["dropout"]
        self.front = Pixels()
        self.layers = nn.ModuleDict({patches["name"]: Patches(
            inputs, channels, patch, (height // patch) * (width // patch))})
        for block in blocks:
            self.layers[block["name"]] = Block(channels, spec["heads"], dropout=dropout)
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, channels)

    def forward(self, image: Tensor) -> Tensor:
        """(batch, height, width, channels) to (batch, classes)."""
        x = self.front(image)
        for layer in self.layers.values():
            x = layer(x)
        answer: Tensor = self.head(self.dropout(self.norm(x).mean(dim=1)))
        return answer


def vit(task: Task, *, width: int = 96, seed: int = 0) -> Model:
    """Eight patches along the shorter side and pre-norm blocks, six of them at width 96; 0.7 M parameters.

    After Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929, with a mean in place of a class
    token.
    """
    needs("vit", task, "image")
    needs_one_answer("vit", task, instead="Give it a task that classifies, or asks for values.")
    width = checked("width", width, least=8)
    height, breadth, _ = task.arrays["image"][1]
    assert height is not None
    assert breadth is not None
    if min(height, breadth) < _PATCHES:
        raise LinnetError(f"vit needs images of at least {_PATCHES} x {_PATCHES}; the task's are {height} x {breadth}.")
    layers = [{"name": name, "channels": width, "axis": -1}
              for name in ("patches", *(f"block{number}" for number in range(1, 1 + max(2, width // 16))))]
    body = {"patch": min(height, breadth) // _PATCHES, "heads": heads_of("vit", width), "layers": layers,
            "dropout": 0.1}
    return make(Vit, describe("vit", task, **body), seed=seed)
