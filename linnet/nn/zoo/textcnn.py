"""Convolutions over tokens: word groups of several lengths for one answer, a stack for an answer a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool1d

from linnet.nn.embedding import Embedding
from linnet.nn.heads import is_pooled, make_head
from linnet.nn.masking import real_tokens
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs, vocabulary
from linnet.tasks import Task


class Groups(nn.Module):
    """What a convolution finds in every group of `kernel` neighbours: (batch, inputs, length) to (batch, outputs, ...).

    The ends are padded by a whole kernel, so that one group of nothing but padding is always among them: a maximum
    over all groups is then the same however much padding follows.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inputs, length) to (batch, outputs, length + kernel + 1)."""
        found: Tensor = self.conv(x).relu()
        return found


class Neighbours(nn.Module):
    """A dilated convolution whose finding, gated by a second one, is added: (batch, channels, length) to the same.

    Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks, arXiv:1612.08083.
    """

    def __init__(self, channels: int, kernel: int, *, dilation: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, 2 * channels, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """`mask` (batch, 1, length) is 1.0 for real tokens; padding stays zero."""
        found, gate = self.conv(x).chunk(2, dim=1)
        answer: Tensor = (x + self.dropout(found * torch.sigmoid(gate))) * mask
        return answer


class TextCnn(nn.Module):
    """Token ids (batch, length) to one answer a text, or one a token.

    spec: {"family", "inputs", "output", "vocabulary", "layers": [{"name": "embedding", "channels", "axis": -1},
    {"name", "channels", "kernel", "dilation"}, ...], "token_dropout", "embedding_dropout", "dropout"}. For one answer
    the layers stand side by side and their maxima go to the head; for one a token they follow each other.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        embedding, *layers = spec["layers"]
        channels, dropout = embedding["channels"], spec["dropout"]
        self.is_pooled = is_pooled(spec)
        self.layers = nn.ModuleDict({embedding["name"]: Embedding(
            spec["vocabulary"], channels, deviation=0.3, token_dropout=spec["token_dropout"],
            dropout=spec["embedding_dropout"])})
        for layer in layers:
            self.layers[layer["name"]] = (
                Groups(channels, layer["channels"], layer["kernel"]) if self.is_pooled else
                Neighbours(channels, layer["kernel"], dilation=layer["dilation"], dropout=dropout))
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, sum(layer["channels"] for layer in layers) if self.is_pooled else channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) int64 to (batch, classes) or (batch, length, tags)."""
        embedding, *layers = self.layers.values()
        x = embedding(tokens).permute(0, 2, 1)
        if self.is_pooled:
            x = torch.cat([_maximum(layer(x)) for layer in layers], dim=1)
        else:
            mask = real_tokens(tokens).unsqueeze(1)
            for layer in layers:
                x = layer(x, mask)
            x = x.permute(0, 2, 1)
        answer: Tensor = self.head(self.dropout(x))
        return answer


def _maximum(x: Tensor) -> Tensor:
    """(batch, channels, positions) to (batch, channels), as a pool: engines have it in 8 bits."""
    return max_pool1d(x, x.shape[2]).reshape(-1, x.shape[1])


def textcnn(task: Task, *, width: int = 128, seed: int = 0) -> Model:
    """Groups of 1, 2, 3 and 4 tokens and their maxima; for a label a token five gated layers, dilated up to 8.

    After Kim 2014, Convolutional Neural Networks for Sentence Classification, arXiv:1408.5882.
    """
    needs("textcnn", task, "tokens")
    width = checked("width", width, least=2)
    layers: list[dict[str, Any]] = [{"name": "embedding", "channels": width, "axis": -1}]
    is_one_answer = len(task.output[1]) == 1
    if is_one_answer:
        layers += [{"name": f"groups{kernel}", "channels": 2 * width, "kernel": kernel} for kernel in (1, 2, 3, 4)]
    else:
        layers += [{"name": f"neighbours{number}", "channels": width, "kernel": 3, "dilation": dilation}
                   for number, dilation in enumerate((1, 2, 4, 8, 1), start=1)]
    body = {"vocabulary": vocabulary(task), "layers": layers, "token_dropout": 0.1, "embedding_dropout": 0.2,
            "dropout": 0.5 if is_one_answer else 0.3}
    return make(TextCnn, describe("textcnn", task, **body), seed=seed)
