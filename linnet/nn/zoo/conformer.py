"""The conformer encoder for recordings: what is said in them, a label, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.nn.attention import attention_bias, heads_of, rotary
from linnet.nn.conformer import ConformerBlock
from linnet.nn.heads import is_pooled, make_head
from linnet.nn.listening import Subsampling, hear
from linnet.nn.masking import blank_beyond, masked_mean, real_frames
from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, describe, make, needs
from linnet.nn.zoo.fronts import build_front, front_of
from linnet.tasks import Task


class Conformer(nn.Module):
    """Recordings (batch, samples), and their lengths where the task gives them, to one answer each or one a frame.

    spec: {"family", "inputs", "output", "front": {...}, "heads", "kernel", "causal", "dropout",
    "layers": [{"name", "channels", "axis": -1}, ...]}; the first layer makes vectors of frames, the others are blocks.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        stem, *blocks = spec["layers"]
        channels, dropout = stem["channels"], spec["dropout"]
        self.causal, self.is_pooled = spec["causal"], is_pooled(spec)
        self.head_channels = channels // spec["heads"]
        self.front = build_front(spec["front"])
        self.layers = nn.ModuleDict({stem["name"]: Subsampling(
            spec["front"]["bands"], channels, inner=max(4, channels // 4), causal=self.causal)})
        for block in blocks:
            self.layers[block["name"]] = ConformerBlock(channels, spec["heads"], kernel=spec["kernel"],
                                                        dropout=dropout, causal=self.causal)
        self.dropout = nn.Dropout(dropout)
        self.head = make_head(spec, channels)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, samples) float32 and (batch,) int64 to (batch, classes) or (batch, frames, tokens)."""
        stem, *blocks = self.layers.values()
        x, counts = hear(self.front, stem, audio, lengths)
        mask = torch.ones_like(x[:, :, 0]) if counts is None else real_frames(counts, x)
        bias = attention_bias(mask, causal=self.causal) if self.causal or counts is not None else None
        angles = rotary(mask, self.head_channels)
        for block in blocks:
            x = block(x, None if counts is None else mask, bias, angles)
        if self.is_pooled:
            pooled: Tensor = self.head(self.dropout(masked_mean(x, mask)))
            return pooled
        return blank_beyond(self.head(self.dropout(x)), mask)


def conformer(task: Task, *, width: int = 96, causal: bool = False, seed: int = 0) -> Model:
    """Four blocks at width 96, one more for each 24 channels; a frame for each 40 ms. About 1 M parameters.

    In a `causal` one no frame hears a later one; a label for the whole recording is made of all frames.
    """
    needs("conformer", task, "audio")
    width = checked("width", width, least=8)
    heads = heads_of("conformer", width)
    layers = [{"name": name, "channels": width, "axis": -1}
              for name in ("stem", *(f"block{number}" for number in range(1, 1 + max(2, width // 24))))]
    body = {"front": front_of(task, causal=causal), "heads": heads, "kernel": 15, "causal": bool(causal),
            "layers": layers, "dropout": 0.1}
    return make(Conformer, describe("conformer", task, **body), seed=seed)
