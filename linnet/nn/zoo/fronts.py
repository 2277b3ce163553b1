"""What stands before a network: the picture that convolutions see, from recordings or images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

from linnet.errors import LinnetError
from linnet.nn.frontend import LogMel
from linnet.nn.layers import Pixels
from linnet.nn.zoo.building import refusal, without
from linnet.tasks import Task

LARGEST_SMALL = 64
"""Pixels: images up to here keep their size in the first layers of a network, larger ones shrink at once."""

FRONTS: dict[str, type[LogMel] | type[Pixels]] = {"log_mel": LogMel, "pixels": Pixels}


def build_front(front: Mapping[str, Any]) -> nn.Module:
    """The module that a spec's "front" describes: {"kind", and what the class takes}."""
    return FRONTS[front["kind"]](**without(front, "kind"))


def front_of(task: Task, *, causal: bool = False, stride: int = 1) -> dict[str, Any]:
    """The "front" of a spec for the task's array; `causal` for recordings of which no frame may hear a later one.

    A causal network makes something of every `stride` frames of the front: that is a step of its stream.
    """
    if "image" in task.arrays:
        return {"kind": "pixels"}
    if "audio" not in task.arrays:
        raise refusal("convolutional networks listen to recordings or look at images", task)
    rate = getattr(task, "sample_rate_hz", None)
    if rate is None:
        raise LinnetError("a network for recordings needs the sample rate of the task, but it has none; "
                          "give sample_rate_hz to the task.")
    front = {"kind": "log_mel", "sample_rate_hz": rate, "samples": task.arrays["audio"][1][0], "bands": 40,
             "hop_ms": 10.0, "hops_per_window": 3, "lowest_hz": 60.0}
    if causal:
        return {**front, "normalisation": "running", "hops_per_step": stride}
    return {**front, "normalisation": "below_maximum"}


def heard_so_far(front: Mapping[str, Any]) -> int | None:
    """Over how many steps a causal network's one answer is made: those of the task's window; None for all so far."""
    module = LogMel(**without(front, "kind"))
    return None if module.frames is None else module.frames // front["hops_per_step"]


def picture_of(task: Task) -> tuple[int, int, int]:
    """(height, width, channels) of what the front hands on; recordings are (frames, bands, 1)."""
    front = front_of(task)
    if "audio" in task.arrays and task.arrays["audio"][1][0] is None:
        raise LinnetError("this network listens to a window of one length; the task's recordings are of any length. "
                          "Take a family for whole recordings, or a task with a window.")
    if front["kind"] == "pixels":
        height, width, channels = task.arrays["image"][1]
        assert height is not None
        assert width is not None
        assert channels is not None
        return height, width, channels
    module = build_front(front)
    assert isinstance(module, LogMel)
    assert module.frames is not None
    return module.frames, module.bands, 1


def is_large(task: Task) -> bool:
    """Whether the task's images are of ImageNet's kind rather than of CIFAR's; recordings never are."""
    height, width, _ = picture_of(task)
    return "image" in task.arrays and max(height, width) > LARGEST_SMALL
