"""Two layers for rows of numbers: a table's columns to a label or to values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from linnet.nn.heads import make_head
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs
from linnet.tasks import Task


class Layer(nn.Module):
    """A linear layer and a rectifier."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) to (batch, outputs)."""
        found: Tensor = self.linear(x).relu()
        return found


class Mlp(nn.Module):
    """Features (batch, columns) to answers (batch, classes).

    spec: {"family", "inputs", "output", "layers": [{"name", "channels"}, ...], "dropout"}.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        (channels,) = spec["inputs"][0]["shape"]
        self.layers = nn.ModuleDict()
        for layer in spec["layers"]:
            self.layers[layer["name"]] = Layer(channels, layer["channels"])
            channels = layer["channels"]
        self.dropout = nn.Dropout(spec["dropout"])
        self.head = make_head(spec, channels)

    def forward(self, features: Tensor) -> Tensor:
        """(batch, columns) float32 to (batch, classes)."""
        x = features
        for layer in self.layers.values():
            x = self.dropout(layer(x))
        answer: Tensor = self.head(x)
        return answer


def mlp(task: Task, *, width: int = 128, seed: int = 0) -> Model:
    """Two layers of `width`; the task brings the columns to one scale."""
    needs("mlp", task, "features")
    width = checked("width", width, least=2, what="the number of units")
    layers = [{"name": f"layer{number}", "channels": width} for number in (1, 2)]
    return make(Mlp, describe("mlp", task, layers=layers, dropout=0.1), seed=seed)
