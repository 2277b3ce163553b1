"""The conformer encoder for recordings: what is said in them, a label, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.nn.attention import attention_bias, heads_of, rotary
from linnet.nn.carrying import Carrying
from linnet.nn.conformer import ConformerBlock
from linnet.nn.heads import is_pooled, make_head
from linnet.nn.listening import STRIDE, Subsampling, hear
from linnet.nn.masking import blank_beyond, masked_mean, real_frames
from linnet.nn.model import Model
from linnet.nn.recent import Mean
from linnet.nn.zoo.building import checked, describe, make, needs
from linnet.nn.zoo.fronts import build_front, front_of, heard_so_far
from linnet.tasks import Task

PAST = 64
"""Frames that the attention of a causal one reaches back to: 2.6 s."""


class Conformer(Carrying):
    """Recordings (batch, samples), and their lengths where the task gives them, to one answer each or one a frame.

    spec: {"family", "inputs", "output", "front": {...}, "heads", "kernel", "causal", "dropout",
    "layers": [{"name", "channels", "axis": -1}, ...]}; the first layer makes vectors of frames, the others are blocks.
    A causal one has "past" too: how many frames back its attention reaches.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        stem, *blocks = spec["layers"]
        channels, dropout = stem["channels"], spec["dropout"]
        causal, self.is_pooled = spec["causal"], is_pooled(spec)
        self.past = spec["past"] if causal else None
        self.head_channels = channels // spec["heads"]
        self.front = build_front(spec["front"])
        self.layers = nn.ModuleDict({stem["name"]: Subsampling(
            spec["front"]["bands"], channels, inner=max(4, channels // 4), causal=causal)})
        for block in blocks:
            self.layers[block["name"]] = ConformerBlock(channels, spec["heads"], kernel=spec["kernel"],
                                                        dropout=dropout, past=self.past)
        self.pool = Mean(heard_so_far(spec["front"])) if causal and self.is_pooled else masked_mean
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, channels)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, samples) float32 and (batch,) int64 to (batch, classes) or (batch, frames, tokens)."""
        stem, *blocks = self.layers.values()
        x, counts = hear(self.front, stem, audio, lengths)
        mask = torch.ones_like(x[:, :, 0]) if counts is None else real_frames(counts, x)
        seen = mask if self.past is None else self.behind(mask, self.past, 1, "heard")
        bias = attention_bias(seen, past=self.past) if self.past is not None or counts is not None else None
        angles = rotary(seen, self.head_channels)
        for block in blocks:
            x = block(x, None if counts is None else mask, bias, angles)
        if self.is_pooled:
            pooled: Tensor = self.head(self.dropout(self.pool(x, mask)))
            return pooled
        return blank_beyond(self.head(self.dropout(x)), mask)


def conformer(task: Task, *, width: int = 96, causal: bool = False, seed: int = 0) -> Model:
    """Four blocks at width 96, one more for each 24 channels; a frame for each 40 ms. About 1 M parameters.

    In a `causal` one no frame hears a later one, attention reaches back 2.6 s, and its file takes a stream.
    """
    needs("conformer", task, "audio")
    width = checked("width", width, least=8)
    heads = heads_of("conformer", width)
    layers = [{"name": name, "channels": width, "axis": -1}
              for name in ("stem", *(f"block{number}" for number in range(1, 1 + max(2, width // 24))))]
    body = {"front": front_of(task, causal=causal, stride=STRIDE), "heads": heads, "kernel": 15,
            "causal": bool(causal), "layers": layers, "dropout": 0.1, **({"past": PAST} if causal else {})}
    return make(Conformer, describe("conformer", task, **body), seed=seed)
