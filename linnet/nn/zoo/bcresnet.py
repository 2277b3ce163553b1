"""BC-ResNet: very small networks for spoken words."""

from __future__ import annotations

from typing import Any

from linnet.nn.model import Model
from linnet.nn.zoo.building import checked, needs
from linnet.nn.zoo.cnn import assemble
from linnet.tasks import Task

STAGES = ((2, 2, 1, 1), (3, 2, 2, 2), (4, 4, 2, 4), (5, 4, 1, 8))
"""Channels in halves of the width, blocks, stride over bands of the first, dilation over time: table 1 of the paper."""

_BANDS_AFTER_STEM = 20


def bcresnet(task: Task, *, width: int = 8, causal: bool = False, seed: int = 0) -> Model:
    """Broadcasted residual blocks (Kim et al. 2021, arXiv:2106.04140), for short recordings.

    `width` is eight times the tau of the paper: 8 is BC-ResNet-1 (9 200 parameters at 12 labels), 24 is BC-ResNet-3,
    64 is BC-ResNet-8.
    """
    needs("bcresnet", task, "audio")
    width = checked("width", width, least=2, what="the number of channels of the first stage")
    layers: list[dict[str, Any]] = [{"name": "stem", "kind": "convolution", "channels": 2 * width, "kernel": 5,
                                     "stride": [1, 2]}]
    bands = _BANDS_AFTER_STEM
    for stage, (halves, blocks, stride, dilation) in enumerate(STAGES, 1):
        bands //= stride
        layers += [{"name": f"stage{stage}_{block}", "kind": "broadcast", "channels": halves * width // 2, "kernel": 3,
                    "bands": bands, "stride": stride if block == 1 else 1, "dilation": dilation}
                   for block in range(1, blocks + 1)]
    layers.append({"name": "gather", "kind": "gather", "channels": 4 * width, "kernel": bands, "removable": True})
    return assemble("bcresnet", task, layers, pool="average", dropout=0.0, causal=causal, seed=seed)
