"""Batches whose samples are blends of two: mixup and cutmix. The loss of a blend is the blend of the losses."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from linnet.errors import LinnetError
from linnet.tasks import Task
from linnet.train.losses import MIXABLE
from linnet.train.options import Options


def check(task: Task, options: Options) -> None:
    """Raises LinnetError where the task's samples or its loss cannot be blended."""
    wanted = " and ".join(name for name in ("mixup", "cutmix") if getattr(options, name))
    if not wanted:
        return
    if task.loss not in MIXABLE:
        raise LinnetError(f"{wanted} blends samples of one answer each; the loss of this task is '{task.loss}'. "
                          f"Leave {wanted} out; it is for {', '.join(MIXABLE)}.")
    takes = {"image"} if options.cutmix else {"image", "audio", "features"}
    for name, (_, shape) in task.arrays.items():
        if name not in takes or None in shape:
            raise LinnetError(f"{wanted} is for {' and '.join(sorted(takes))} of one size; the task's input is "
                              f"'{name}' of shape {shape}. Leave {wanted} out.")


def mix(arrays: dict[str, Tensor], options: Options,
        rng: np.random.Generator) -> tuple[dict[str, Tensor], Tensor, float]:
    """The blended batch, the row that each sample was blended with, and the share of its own that is left.

    mixup: a weighted mean (Zhang et al. 2018, arXiv:1710.09412); cutmix: a rectangle (Yun et al. 2019,
    arXiv:1905.04899). With both, each batch has one of them, as a coin falls.
    """
    rows = len(next(iter(arrays.values())))
    others = torch.from_numpy(rng.permutation(rows))
    is_cut = bool(options.cutmix) and (not options.mixup or rng.random() < 0.5)
    alpha = options.cutmix if is_cut else options.mixup
    share = float(rng.beta(alpha, alpha))
    if not is_cut:
        return {name: _blend(values, values[others], share) for name, values in arrays.items()}, others, share
    images = arrays["image"].clone()
    height, width = images.shape[1:3]
    top, bottom = _side(height, share, rng)
    left, right = _side(width, share, rng)
    images[:, top:bottom, left:right] = arrays["image"][others, top:bottom, left:right]
    return {"image": images}, others, 1 - (bottom - top) * (right - left) / (height * width)


def _blend(values: Tensor, others: Tensor, share: float) -> Tensor:
    mixed = share * values.float() + (1 - share) * others.float()
    return mixed.to(values.dtype) if values.is_floating_point() else mixed.round().to(values.dtype)


def _side(size: int, share: float, rng: np.random.Generator) -> tuple[int, int]:
    """From where to where the rectangle goes; it is cut where it would stick out."""
    half, middle = round(size * np.sqrt(1 - share)) / 2, rng.integers(size)
    return int(np.clip(middle - half, 0, size)), int(np.clip(middle + half, 0, size))
