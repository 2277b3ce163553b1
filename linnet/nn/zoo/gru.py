"""A recurrent network for texts: a label a token, a label, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.nn.embedding import Embedding
from linnet.nn.heads import is_pooled, make_head
from linnet.nn.masking import masked_mean, real_tokens
from linnet.nn.model import Model
from linnet.nn.recurrent import Recurrent
from linnet.nn.zoo.building import checked, describe, make, needs, vocabulary
from linnet.tasks import Task


class Reading(nn.Module):
    """What a convolution over a token and its two neighbours finds, added: (batch, length, channels) to the same."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, channels) to the same."""
        found: Tensor = self.conv(x.permute(0, 2, 1)).relu()
        return x + found.permute(0, 2, 1)


class Gru(nn.Module):
    """Token ids (batch, length) to one answer a text, from the mean over its tokens, or to one a token.

    spec: {"family", "inputs", "output", "vocabulary", "token_dropout", "dropout",
    "layers": [{"name", "channels", "axis": -1}, ...]}: the embedding, the convolution, then recurrent layers.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        embedding, near, *layers = spec["layers"]
        channels, dropout = embedding["channels"], spec["dropout"]
        self.is_pooled = is_pooled(spec)
        self.layers = nn.ModuleDict({
            embedding["name"]: Embedding(spec["vocabulary"], channels, deviation=0.3,
                                         token_dropout=spec["token_dropout"], dropout=dropout),
            near["name"]: Reading(channels)})
        for layer in layers:
            self.layers[layer["name"]] = Recurrent(channels, layer["channels"] // 2)
            channels = layer["channels"]
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) int64 to (batch, classes) or (batch, length, tags)."""
        embedding, near, *layers = self.layers.values()
        mask = real_tokens(tokens)
        counts = mask.sum(dim=1).to(torch.int64)
        x = near(embedding(tokens))
        for layer in layers[:-1]:
            x = self.dropout(layer(x, counts))
        x = layers[-1](x, counts)
        answer: Tensor = self.head(self.dropout(masked_mean(x, mask) if self.is_pooled else x))
        return answer


def reader(task: Task, *, width: int = 128, seed: int = 0) -> Model:
    """A convolution and two layers of `width` gated recurrent units each way, with dropout; for intents and slots."""
    needs("reader", task, "tokens")
    width = checked("width", width, least=2)
    layers = [{"name": name, "channels": size, "axis": -1}
              for name, size in (("embedding", width), ("near", width), ("gru1", 2 * width), ("gru2", 2 * width))]
    body = {"vocabulary": vocabulary(task), "layers": layers, "token_dropout": 0.1, "dropout": 0.4}
    return make(Gru, describe("reader", task, **body), seed=seed)


def gru(task: Task, *, width: int = 128, seed: int = 0) -> Model:
    """A convolution and one layer of `width` gated recurrent units each way; best for a label a token."""
    needs("gru", task, "tokens")
    width = checked("width", width, least=2)
    layers = [{"name": name, "channels": size, "axis": -1}
              for name, size in (("embedding", width), ("near", width), ("gru", 2 * width))]
    body = {"vocabulary": vocabulary(task), "layers": layers, "token_dropout": 0.05, "dropout": 0.3}
    return make(Gru, describe("gru", task, **body), seed=seed)
