"""The transformer for texts: a label, a label a token, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from linnet.nn.attention import Block, attention_bias, heads_of, rotary
from linnet.nn.embedding import Embedding
from linnet.nn.heads import is_pooled, make_head
from linnet.nn.masking import masked_mean, real_tokens
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs, vocabulary
from linnet.tasks import Task


class Transformer(nn.Module):
    """Token ids (batch, length) to one answer a text, from the mean over its tokens, or to one a token.

    spec: {"family", "inputs", "output", "vocabulary", "heads", "layers": [{"name", "channels", "axis": -1}, ...],
    "token_dropout", "dropout"}; the first layer is the embedding, the others are blocks.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        embedding, *blocks = spec["layers"]
        channels, dropout = embedding["channels"], spec["dropout"]
        self.head_channels = channels // spec["heads"]
        self.is_pooled = is_pooled(spec)
        self.layers = nn.ModuleDict({embedding["name"]: Embedding(
            spec["vocabulary"], channels, deviation=0.1, token_dropout=spec["token_dropout"], dropout=dropout)})
        for block in blocks:
            self.layers[block["name"]] = Block(channels, spec["heads"], dropout=dropout)
        self.norm = nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, channels)

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, length) int64 to (batch, classes) or (batch, length, tags)."""
        mask = real_tokens(tokens)
        bias = attention_bias(mask)
        angles = rotary(mask, self.head_channels)
        embedding, *blocks = self.layers.values()
        x = embedding(tokens)
        for block in blocks:
            x = block(x, bias, angles)
        x = self.norm(x)
        answer: Tensor = self.head(self.dropout(masked_mean(x, mask) if self.is_pooled else x))
        return answer


def transformer(task: Task, *, width: int = 128, seed: int = 0) -> Model:
    """Pre-norm blocks with rotary positions, a head for each 32 channels: two blocks at width 128, three at 192.

    After Vaswani et al. 2017, Attention Is All You Need, arXiv:1706.03762.
    """
    needs("transformer", task, "tokens")
    width = checked("width", width, least=8)
    heads = heads_of("transformer", width)
    layers = [{"name": name, "channels": width, "axis": -1}
              for name in ("embedding", *(f"block{number}" for number in range(1, 1 + max(2, width // 64))))]
    body = {"vocabulary": vocabulary(task), "heads": heads, "layers": layers, "token_dropout": 0.1, "dropout": 0.2}
    return make(Transformer, describe("transformer", task, **body), seed=seed)
