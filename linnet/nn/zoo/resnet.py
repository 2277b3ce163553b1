"""Residual networks of any depth, for small and large images and for recordings."""

from __future__ import annotations

from typing import Any

from linnet.errors import LinnetError
from linnet.nn.model import Model
from linnet.nn.zoo.cnn import assemble
from linnet.nn.zoo.fronts import LARGEST_SMALL, is_large, picture_of
from linnet.tasks import Task

_LARGE = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3)}
"""Blocks a stage, by depth."""


def resnet(task: Task, *, depth: int | None = None, causal: bool = False, seed: int = 0) -> Model:
    """Residual blocks of two 3 x 3 convolutions (He et al. 2016, Deep Residual Learning, arXiv:1512.03385).

    Images up to 64 x 64 and recordings: three stages of 16, 32 and 64 channels, depth 8, 14, 20 (0.27 M parameters,
    without a depth), 32, 44, 56. Larger images: the ImageNet stem and four stages of 64 to 512 channels, depth 18
    (11.2 M, without a depth) or 34.
    """
    height, width, _ = picture_of(task)
    large = is_large(task)
    stages = _large(depth) if large else _small(depth)
    if min(height, width) < 8:
        raise LinnetError(f"resnet needs images of at least 8 x 8; the task's are {height} x {width}.")
    first = 64 if large else 16
    stem = {"name": "stem", "kind": "stem" if large else "convolution", "channels": first, "kernel": 7 if large else 3}
    layers: list[dict[str, Any]] = [stem]
    for stage, blocks in enumerate(stages, 1):
        size = first << (stage - 1)
        for block in range(1, blocks + 1):
            name = f"stage{stage}_{block}"
            layers += [{"name": f"{name}.first", "inside": name, "channels": size, "removable": True},
                       {"name": name, "kind": "residual", "channels": size, "kernel": 3,
                        "stride": 2 if stage > 1 and block == 1 else 1}]
    return assemble("resnet", task, layers, pool="average", dropout=0.0, causal=causal, seed=seed)


def _small(depth: int | None) -> tuple[int, ...]:
    depth = 20 if depth is None else depth
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 8 or depth % 6 != 2:
        raise LinnetError("depth counts the layers of a resnet, 6 n + 2 for small images and recordings: 8, 14, 20, "
                          f"26, 32, 44, 56; got {depth!r}.")
    return (depth // 6,) * 3


def _large(depth: int | None) -> tuple[int, ...]:
    depth = 18 if depth is None else depth
    if depth not in _LARGE:
        raise LinnetError(f"depth is 18 or 34 for images larger than {LARGEST_SMALL} x {LARGEST_SMALL}; got {depth!r}.")
    return _LARGE[depth]
