"""MobileNetV2: wide inside its blocks, narrow between them, for images and for recordings."""

from __future__ import annotations

from typing import Any

from linnet.errors import LinnetError
from linnet.nn.model import Model
from linnet.nn.zoo.cnn import assemble
from linnet.nn.zoo.fronts import is_large, picture_of
from linnet.tasks import Task

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""How much wider inside, channels, blocks, stride of the first: table 2 of the paper."""


def mobilenet(task: Task, *, width: float = 1.0, causal: bool = False, seed: int = 0) -> Model:
    """Inverted residual blocks (Sandler et al. 2018, MobileNetV2, arXiv:1801.04381); `width` multiplies all channels.

    For images larger than 64 x 64 as in the paper, 3.5 M parameters at width 1.0 and 1000 labels; for smaller ones
    and recordings the stem and the second stage keep the size, so that the picture shrinks 8 times and not 32.
    """
    if not isinstance(width, int | float) or isinstance(width, bool) or not 0.05 <= width <= 4:
        raise LinnetError(f"width multiplies the channels of mobilenet, 0.05 to 4, 1.0 as in the paper; got {width!r}.")
    height, breadth, _ = picture_of(task)
    if min(height, breadth) < 8:
        raise LinnetError(f"mobilenet needs images of at least 8 x 8; the task's are {height} x {breadth}.")
    large = is_large(task)
    layers: list[dict[str, Any]] = [{"name": "stem", "kind": "convolution", "channels": _rounded(32 * width),
                                     "kernel": 3, "stride": 2 if large else 1, "activation": "relu6"}]
    for stage, (wider, size, blocks, stride) in enumerate(STAGES, 1):
        for block in range(1, blocks + 1):
            step = 1 if block > 1 or (stage == 2 and not large) else stride
            layers += _block(f"stage{stage}_{block}", layers[-1]["channels"], wider, _rounded(size * width), step)
    layers.append({"name": "last", "kind": "convolution", "channels": _rounded(1280 * max(1.0, width)), "kernel": 1,
                   "activation": "relu6", "removable": True})
    return assemble("mobilenet", task, layers, pool="average", dropout=0.2, causal=causal, seed=seed)


def _block(name: str, inputs: int, wider: int, outputs: int, stride: int) -> list[dict[str, Any]]:
    """The entries of one block in the spec."""
    inner = {"name": f"{name}.expand", "inside": name, "channels": wider * inputs, "removable": True}
    block = {"name": name, "kind": "inverted", "channels": outputs, "kernel": 3, "stride": stride}
    return [inner, block] if wider > 1 else [block]


def _rounded(channels: float) -> int:
    """The nearest multiple of 8, which vector units like, but not a tenth less than asked."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest if nearest >= 0.9 * channels else nearest + 8
