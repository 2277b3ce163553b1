"""A small transformer over the phones of a text: marks of phones, words and the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from linnet.nn.attention import Block, attention_bias, heads_of, rotary
from linnet.nn.embedding import Embedding
from linnet.nn.heads import make_head
from linnet.nn.masking import real_tokens
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs
from linnet.tasks import Task


class PhoneScorer(nn.Module):
    """What was heard of each phone (batch, positions, numbers) and the phones (batch, positions) to marks of each.

    spec: {"family", "inputs", "output", "vocabulary", "heads", "layers": [{"name", "channels", "axis": -1}, ...],
    "dropout"}; the first layer is the embedding of the phones, the others are blocks.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        embedding, *blocks = spec["layers"]
        channels, dropout = embedding["channels"], spec["dropout"]
        self.head_channels = channels // spec["heads"]
        self.phone = nn.Linear(spec["inputs"][0]["shape"][-1], channels)
        self.whole = nn.Linear(spec["inputs"][0]["shape"][-1], channels)
        self.layers = nn.ModuleDict({embedding["name"]: Embedding(spec["vocabulary"], channels, deviation=0.3,
                                                                  dropout=dropout)})
        for block in blocks:
            self.layers[block["name"]] = Block(channels, spec["heads"], expansion=2, dropout=dropout)
        self.norm = nn.LayerNorm(channels)
        self.head = make_head(spec, channels)

    def forward(self, heard: Tensor, phones: Tensor) -> Tensor:
        """(batch, positions, numbers) float32 and (batch, positions) int64 to (batch, positions, marks)."""
        mask = real_tokens(phones)
        bias, angles = attention_bias(mask), rotary(mask, self.head_channels)
        embedding, *blocks = self.layers.values()
        is_whole = (phones == 1).to(heard.dtype).unsqueeze(2)
        x = embedding(phones) + self.whole(heard) * is_whole + self.phone(heard) * (1 - is_whole)
        for block in blocks:
            x = block(x, bias, angles)
        marks: Tensor = self.head(self.norm(x)) * mask.unsqueeze(2)
        return marks


def phonescorer(task: Task, *, width: int = 32, seed: int = 0) -> Model:
    """Pre-norm blocks over phones, two at width 32 and one more for each 32 channels; about 25,000 parameters.

    After Gong et al. 2022, Transformer-Based Multi-Aspect Multi-Granularity Non-Native English Speaker Pronunciation
    Assessment, arXiv:2205.03432: goodness of each phone plus its embedding, a position for the whole, levels at once.
    """
    needs("phonescorer", task, "heard")
    width = checked("width", width, least=8)
    heads = heads_of("phonescorer", width)
    layers = [{"name": name, "channels": width, "axis": -1}
              for name in ("embedding", *(f"block{number}" for number in range(1, 2 + max(1, width // 32))))]
    body = {"vocabulary": int(getattr(task, "vocabulary", 0)), "heads": heads, "layers": layers, "dropout": 0.1}
    return make(PhoneScorer, describe("phonescorer", task, **body), seed=seed)
