"""ECAPA-like networks for recordings: who speaks, or any other answer about the whole of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from linnet.errors import LinnetError
from linnet.nn.frontend import LogMel
from linnet.nn.layers import Convolution
from linnet.nn.masking import real_frames
from linnet.nn.model import Model
from linnet.nn.voices import STATISTICS, AttentiveStatistics, Disturbed, Scales, SpeechStatistics
from linnet.nn.zoo.building import checked, describe, make, needs, needs_one_answer
from linnet.nn.zoo.fronts import build_front, front_of
from linnet.tasks import Task

_STRIDE = 2
_AFTER = 5
"""Hops of silence behind a recording, so that the shortest has as many frames as a slope needs."""
_SMALL = 1e-3


class Ecapa(nn.Module):
    """Recordings (batch, samples), and their lengths where the task gives them, to one answer each.

    spec: {"family", "inputs", "output", "front": {...}, "dilations", "hears_s", "statistics", "inner", "dropout",
    "layers": [stem, blocks, "gather"], each {"name", "channels"}}. Where `hears_s` is not None, it hears a stretch of
    so many seconds of each recording while it learns, another one each time and disturbed. The last `statistics`
    values of its answer, 0 or 80, are the average sound of the speech, so small that they point nowhere.
    """

    def __init__(self, spec: Mapping[str, Any]) -> None:
        super().__init__()
        stem, *blocks, gather = spec["layers"]
        channels = stem["channels"]
        front = build_front(spec["front"])
        assert isinstance(front, LogMel)
        self.loudness, front.normalisation = front.normalisation, nn.Identity()
        self.front = front
        self.disturbed = nn.Identity() if spec["hears_s"] is None else Disturbed()
        self.average = SpeechStatistics(spec["front"]["bands"]) if spec["statistics"] else None
        self.hears = None if spec["hears_s"] is None else round(spec["hears_s"] * spec["front"]["sample_rate_hz"])
        self.layers = nn.ModuleDict({stem["name"]: Convolution(spec["front"]["bands"], channels, (5, 1),
                                                               stride=(_STRIDE, 1))})
        for block, dilation in zip(blocks, spec["dilations"], strict=True):
            self.layers[block["name"]] = Scales(channels, dilation=dilation)
        self.layers[gather["name"]] = Convolution(len(blocks) * channels, gather["channels"], 1)
        self.statistics = AttentiveStatistics(gather["channels"], inner=spec["inner"])
        self.norm = nn.BatchNorm1d(2 * gather["channels"])
        self.dropout = nn.Dropout(spec["dropout"])
        self.head = nn.Linear(2 * gather["channels"], spec["output"]["shape"][0] - spec["statistics"])

    def forward(self, audio: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(batch, samples) float32 and (batch,) int64 to (batch, classes or size)."""
        if self.training and self.hears is not None:
            audio, lengths = _stretch(audio, lengths, self.hears)
        if lengths is not None:  # however short, there is a frame, and what follows it
            audio = pad(audio, (0, _AFTER * self.front.hop))
        power = self.front(audio)
        counts = None if lengths is None else self.front.counts(lengths)
        picture = self.disturbed(self.loudness(power.squeeze(1)).unsqueeze(1)).permute(0, 3, 2, 1)
        voice = self._voice(picture, counts)
        if self.average is None:
            return voice
        return torch.cat([voice, _SMALL * self.average(power.squeeze(1), counts)], dim=1)

    def _voice(self, picture: Tensor, counts: Tensor | None) -> Tensor:
        """(batch, bands, frames, 1) to what the head answers."""
        stem, *blocks, gather = self.layers.values()
        x = stem(picture if counts is None else picture * _real(counts, picture))
        mask = None if counts is None else _real((counts + _STRIDE - 1) // _STRIDE, x)
        found = []
        for block in blocks:
            x = block(x, mask)
            found.append(x)
        pooled = self.norm(self.statistics(gather(torch.cat(found, dim=1)), mask))
        answer: Tensor = self.head(self.dropout(pooled))
        return answer


def ecapa(task: Task, *, width: int = 96, seed: int = 0) -> Model:
    """Three blocks of `width` channels, a frame each 20 ms; statistics of the frames that matter. 250 000 parameters.

    After Desplanques et al. 2020, ECAPA-TDNN, arXiv:2005.07143, smaller.
    """
    needs("ecapa", task, "audio")
    needs_one_answer("ecapa", task, instead="Use crnn or conformer.")
    width = checked("width", width, least=4)
    if width % 4:
        raise LinnetError(f"width is a multiple of 4, since a block hears its channels in four parts; got {width}.")
    dilations = [1, 2, 3]
    layers = [{"name": "stem", "channels": width}, *({"name": f"block{n}", "channels": width} for n in dilations),
              {"name": "gather", "channels": 2 * width}]
    body = {"front": front_of(task), "dilations": dilations, "layers": layers, "inner": max(8, 2 * width // 3),
            "hears_s": 2.0 if task.kind == "verify" else None, "dropout": 0.0 if task.kind == "verify" else 0.1,
            "statistics": STATISTICS if task.kind == "verify" else 0}
    return make(Ecapa, describe("ecapa", task, **body), seed=seed)


def _real(counts: Tensor, x: Tensor) -> Tensor:
    """(batch, 1, frames, 1): 1.0 for the first `counts` frames of x (batch, channels, frames, 1)."""
    return real_frames(counts, x[:, 0])[:, None, :, None]


def _stretch(audio: Tensor, lengths: Tensor | None, size: int) -> tuple[Tensor, Tensor | None]:
    """So many samples of each recording from a random place on, all of one that is shorter."""
    longest = audio.shape[1]
    if longest <= size:
        return audio, lengths
    ends = torch.full((len(audio),), longest, device=audio.device) if lengths is None else lengths.reshape(-1)
    start = (torch.rand(len(audio), device=audio.device) * (ends - size + 1).clamp(min=1)).long()
    places = start.unsqueeze(1) + torch.arange(size, device=audio.device)
    return audio.gather(1, places), None if lengths is None else ends.clamp(max=size)
