"""Convolutions, then recurrent layers, for recordings: what is said in them, a label, or values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from linnet.nn.heads import is_pooled, make_head
from linnet.nn.listening import STRIDE, Subsampling, hear
from linnet.nn.masking import blank_beyond, masked_mean, real_frames
from linnet.nn.model import Model
from linnet.nn.recent import Mean
from linnet.nn.recurrent import Recurrent
from linnet.nn.zoo.building import checked, describe, make, needs
from linnet.nn.zoo.fronts import build_front, front_of, heard_so_far
from linnet.tasks import Task


class Crnn(nn.Module):
    """Recordings (batch, samples), and their lengths where the task gives them, to one answer each or one a frame.

    spec: {"family", "inputs", "output", "front": {...}, "causal", "dropout",
    "layers": [{"name", "channels", "axis": -1}, ...]}; the first layer makes vectors of frames, the others recur.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        stem, *layers = spec["layers"]
        channels, causal = stem["channels"], spec["causal"]
        self.is_pooled = is_pooled(spec)
        self.front = build_front(spec["front"])
        self.layers = nn.ModuleDict({stem["name"]: Subsampling(
            spec["front"]["bands"], channels, inner=max(4, channels // 4), causal=causal)})
        for layer in layers:
            self.layers[layer["name"]] = Recurrent(channels, layer["channels"] // (1 if causal else 2), causal=causal)
            channels = layer["channels"]
        self.pool = Mean(heard_so_far(spec["front"])) if causal and self.is_pooled else masked_mean
        self.dropout = nn.Dropout(spec["dropout"])
        self.head = make_head(spec, channels)

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, samples) float32 and (batch,) int64 to (batch, classes) or (batch, frames, tokens)."""
        stem, *layers = self.layers.values()
        x, counts = hear(self.front, stem, audio, lengths)
        mask = torch.ones_like(x[:, :, 0]) if counts is None else real_frames(counts, x)
        for layer in layers:
            x = layer(self.dropout(x), counts)
        if self.is_pooled:
            pooled: Tensor = self.head(self.dropout(self.pool(x, mask)))
            return pooled
        return blank_beyond(self.head(self.dropout(x)), mask)


def crnn(task: Task, *, width: int = 64, causal: bool = False, seed: int = 0) -> Model:
    """Convolutions and two layers of `width` gated recurrent units each way; a vector for each 40 ms.

    After Cakir et al. 2017, Convolutional Recurrent Neural Networks for Polyphonic Sound Event Detection,
    arXiv:1702.06286. A `causal` one goes forward only, no frame hears a later one, and its file takes a stream.
    """
    needs("crnn", task, "audio")
    width = checked("width", width, least=2)
    wide = width if causal else 2 * width
    layers = [{"name": name, "channels": size, "axis": -1}
              for name, size in (("stem", width), ("gru1", wide), ("gru2", wide))]
    body = {"front": front_of(task, causal=causal, stride=STRIDE), "causal": bool(causal), "layers": layers,
            "dropout": 0.1}
    return make(Crnn, describe("crnn", task, **body), seed=seed)
