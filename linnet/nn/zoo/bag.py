"""A bag of groups of characters and words: a label, or values, for a text, without order beyond neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from linnet.nn.grams import Grams
from linnet.nn.heads import make_head
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs, needs_one_answer
from linnet.tasks import Task

_BUCKETS = 40_000
_SPACE = " "


class Summed(nn.Module):
    """Bucket numbers (batch, groups), 0 for none, to the sum of their vectors over the root of how many there are.

    In training each group is left out with probability `group_dropout`.
    """

    def __init__(self, buckets: int, channels: int, *, group_dropout: float) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets + 1, channels, padding_idx=0)
        with torch.no_grad():
            self.table.weight *= 0.1
        self.group_dropout = group_dropout

    def forward(self, groups: Tensor) -> Tensor:
        """(batch, groups) int64 to (batch, channels)."""
        is_real = groups != 0
        if torch.compiler.is_exporting():
            total, counts = self.table(groups).sum(dim=1), is_real.sum(dim=1)
        else:
            if self.training:
                is_real = is_real & (torch.rand(groups.shape, device=groups.device) >= self.group_dropout)
            counts = is_real.sum(dim=1)
            offsets = counts.cumsum(dim=0) - counts
            total = functional.embedding_bag(groups[is_real], self.table.weight, offsets, mode="sum")
        weighed: Tensor = total / counts.clamp(min=1).to(total.dtype).sqrt().unsqueeze(1)
        return weighed


class Layer(nn.Module):
    """A linear layer and a smooth rectifier."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.linear = nn.Linear(inputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs) to (batch, outputs)."""
        return functional.gelu(self.linear(x))


class Bag(nn.Module):
    """Token ids (batch, length) to one answer a text (batch, classes).

    spec: {"family", "inputs", "output", "orders", "space", "buckets", "group_dropout", "dropout",
    "layers": [{"name", "channels"}, {"name", "channels"}]}: the sum, then a hidden layer.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        summed, hidden = spec["layers"]
        self.grams = Grams(spec["inputs"][0]["shape"][0], orders=tuple(spec["orders"]), buckets=spec["buckets"],
                           space=spec["space"])
        self.layers = nn.ModuleDict({
            summed["name"]: Summed(spec["buckets"], summed["channels"], group_dropout=spec["group_dropout"]),
            hidden["name"]: Layer(summed["channels"], hidden["channels"])})
        self.norm = nn.LayerNorm(summed["channels"])
        self.dropout = nn.Dropout(spec["dropout"])
        self.head = make_head(spec, hidden["channels"])

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) int64 to (batch, classes)."""
        summed, hidden = self.layers.values()
        x = self.dropout(self.norm(summed(self.grams(tokens))))
        answer: Tensor = self.head(self.dropout(hidden(x)))
        return answer


def bag(task: Task, *, width: int = 64, seed: int = 0) -> Model:
    """Vectors of hashed groups, summed: words, pairs of words, and 2 to 5 characters with `tokenizer="character"`.

    After Joulin et al. 2017, Bag of Tricks for Efficient Text Classification, arXiv:1607.01759. With another tokenizer
    groups of 1 to 3 tokens.
    """
    needs("bag", task, "tokens")
    needs_one_answer("bag", task, instead="Use nn.zoo.gru, textcnn or transformer.")
    width = checked("width", width, least=2)
    tokens: tuple[str, ...] = getattr(getattr(task, "tokenizer", None), "tokens", ())
    space = tokens.index(_SPACE) if _SPACE in tokens else None
    layers = [{"name": "summed", "channels": width}, {"name": "hidden", "channels": 4 * width}]
    body = {"orders": [2, 3, 4, 5] if space else [1, 2, 3], "space": space, "buckets": _BUCKETS, "layers": layers,
            "group_dropout": 0.3, "dropout": 0.3}
    return make(Bag, describe("bag", task, **body), seed=seed)
