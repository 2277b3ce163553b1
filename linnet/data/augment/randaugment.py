"""RandAugment: some operations an image, drawn from fourteen, all of one strength.

Cubuk et al. 2020, RandAugment, arXiv:1909.13719. Each round every image draws its operation; images with operations
of one kind (moved, through a table, mixed with a filtered self) go through it together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.draws import check_chance, check_range
from linnet.data.augment.images import Images, read_at
from linnet.data.augment.pixels import LUMA, channel_means, coloured
from linnet.errors import LinnetError

Floats = NDArray[np.float32]
_MOVING = ("rotate", "shear_x", "shear_y", "move_x", "move_y")
_TABLES = ("auto_contrast", "equalize", "solarize", "posterize", "brightness", "contrast")
OPERATIONS = ("identity", *_MOVING, *_TABLES, "saturation", "sharpness")
"""Every operation; all are as likely."""


@dataclass(frozen=True)
class RandAugment:
    """`count` operations an image, each of a strength from 0 (nothing) to 1 (the paper's 10), up or down at random."""

    name: ClassVar[str] = "rand_augment"
    count: int = 2
    strength: float = 0.5
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, 0, self.strength)
        check_range(self, self.strength, 1)
        check_chance(self, self.chance)
        if self.count < 1:
            raise LinnetError(f"RandAugment: the count of operations is at least 1; got {self.count}.")

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        happens = rng.random(len(batch)) < self.chance
        changed = batch.copy()
        for _ in range(self.count):
            drawn = np.where(happens, rng.integers(0, len(OPERATIONS), len(batch)), 0)
            signed = (self.strength * rng.choice(np.array([-1, 1]), len(batch))).astype(np.float32)
            names = np.array(OPERATIONS)[drawn]
            for apply, kind in ((_moved, _MOVING), (_through_tables, _TABLES), (_mixed, ("saturation", "sharpness"))):
                rows = np.flatnonzero(np.isin(names, kind))
                if len(rows):
                    changed[rows] = apply(changed[rows], names[rows], signed[rows])
        return changed


def _moved(batch: Images, names: NDArray[np.str_], signed: Floats) -> Images:
    """Turned by up to 30 degrees, sheared by up to 0.3, shifted by up to a third."""
    matrix = np.tile(np.eye(3, dtype=np.float32), (len(batch), 1, 1))
    radians = np.radians(30 * signed) * (names == "rotate")
    matrix[:, 0, 0] = matrix[:, 1, 1] = np.cos(radians)
    matrix[:, 0, 1] = 0.3 * signed * (names == "shear_x") - np.sin(radians)
    matrix[:, 1, 0] = 0.3 * signed * (names == "shear_y") + np.sin(radians)
    matrix[:, 0, 2] = signed / 3 * batch.shape[2] * (names == "move_x")
    matrix[:, 1, 2] = signed / 3 * batch.shape[1] * (names == "move_y")
    return read_at(batch, matrix)


def _through_tables(batch: Images, names: NDArray[np.str_], signed: Floats) -> Images:
    """Each channel of each image through a table (batch, channels, 256) from old to new brightness."""
    rows, channels = len(batch), batch.shape[3]
    ramp = np.arange(256, dtype=np.float32)
    table = np.tile(ramp, (rows, channels, 1))
    strength, factor = np.abs(signed), (1 + 0.9 * signed)[:, None, None]
    for name, make in (("auto_contrast", _full_range), ("equalize", _flat)):
        chosen = np.flatnonzero(names == name)
        if len(chosen):
            table[chosen] = make(batch[chosen])
    is_light = ramp >= 256 * (1 - strength)[:, None, None]
    table = np.where((names == "solarize")[:, None, None] & is_light, 255 - table, table)
    step = np.exp2(np.rint(4 * strength))[:, None, None]
    table = np.where((names == "posterize")[:, None, None], np.floor(table / step) * step, table)
    table = np.where((names == "brightness")[:, None, None], table * factor, table)
    grey = _greys(batch)
    table = np.where((names == "contrast")[:, None, None], (table - grey) * factor + grey, table)
    whole = np.clip(np.rint(table), 0, 255).astype(np.uint8)
    return whole[np.arange(rows)[:, None, None, None], np.arange(channels), batch]


def _mixed(batch: Images, names: NDArray[np.str_], signed: Floats) -> Images:
    """More or less colour, or sharper or softer than it was."""
    ones = np.ones(len(batch), np.float32)
    result = batch.copy()
    hues = names == "saturation"
    if hues.any():
        factor = (ones + 0.9 * signed)[hues]
        result[hues] = coloured(batch[hues], ones[hues], ones[hues], factor, degrees=np.zeros(int(hues.sum())))
    if not hues.all():
        sharp = batch[~hues].astype(np.float32)
        wide = np.pad(sharp, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        height, width = batch.shape[1:3]
        around = sum(wide[:, y:y + height, x:x + width] for y in range(3) for x in range(3))
        soft = (around + 4 * sharp) / 13
        result[~hues] = np.clip(np.rint(sharp + 0.9 * signed[~hues, None, None, None] * (sharp - soft)), 0, 255)
    return result


def _full_range(batch: Images) -> Floats:
    """Tables that take each channel's darkest to 0 and its lightest to 255."""
    low = batch.min(axis=(1, 2)).astype(np.float32)[..., None]
    high = batch.max(axis=(1, 2)).astype(np.float32)[..., None]
    ramp = np.arange(256, dtype=np.float32)
    return np.asarray(np.where(high > low, (ramp - low) * (255 / np.maximum(high - low, 1)), ramp), np.float32)


def _flat(batch: Images) -> Floats:
    """Tables after which each channel has every brightness about as often: its cumulative histogram."""
    rows, height, width, channels = batch.shape
    which = np.arange(rows * channels).reshape(rows, 1, 1, channels) * 256
    counts = np.bincount((which + batch).ravel(), minlength=rows * channels * 256).reshape(rows, channels, 256)
    below = np.cumsum(counts, axis=2)
    first = (counts * (np.arange(256) == batch.min(axis=(1, 2))[..., None])).sum(axis=2, keepdims=True)
    spread = height * width - first
    ramp = np.arange(256)
    return np.asarray(np.where(spread > 0, (below - first) * (255 / np.maximum(spread, 1)), ramp), np.float32)


def _greys(batch: Images) -> Floats:
    """(batch, 1, 1): how bright each image is on average."""
    rows, height, width, channels = batch.shape
    mean = channel_means(batch.reshape(rows, height * width, channels).astype(np.float32))
    grey = mean @ LUMA if channels == 3 else mean.mean(axis=1)
    return np.asarray(grey, np.float32)[:, None, None]
