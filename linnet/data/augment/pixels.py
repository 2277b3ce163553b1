"""Augmentation of images pixel by pixel: crops of whole pixels, colours, erased places.

Batches (batch, height, width, channels) uint8 in, the same shape out. Colour needs three channels (red, green, blue);
images with another number of channels change in brightness and contrast only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.draws import check_chance, check_range, uniform
from linnet.data.augment.images import Images
from linnet.errors import unknown

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""How bright red, green and blue are: Rec. ITU-R BT.601."""
_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]], np.float32)
_EDGES = {"reflect": "reflect", "edge": "edge", "black": "constant"}
_FILLS = ("mean", "black", "noise")


@dataclass(frozen=True)
class PaddedCrop:
    """Widened on all sides by this share of height and width, and cut back to its size somewhere.

    `edges` says what the border is made of: "reflect" (the image mirrored), "edge" (its last pixel) or "black".
    Pixels stay as they are. After He et al. 2015, arXiv:1512.03385, section 4.2 (black, 4 pixels of 32).
    """

    name: ClassVar[str] = "padded_crop"
    share: float = 0.125
    edges: str = "reflect"
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, 0, self.share)
        check_range(self, self.share, 0.5)
        check_chance(self, self.chance)
        if self.edges not in _EDGES:
            raise unknown("kind of edges", self.edges, _EDGES)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        rows, height, width, _ = batch.shape
        down, across = min(round(self.share * height), height - 1), min(round(self.share * width), width - 1)
        wide = np.pad(batch, ((0, 0), (down, down), (across, across), (0, 0)),
                      mode=_EDGES[self.edges])  # type: ignore[call-overload]
        happens = rng.random(rows) < self.chance
        top = np.where(happens, rng.integers(0, 2 * down + 1, rows), down)
        left = np.where(happens, rng.integers(0, 2 * across + 1, rows), across)
        windows = np.lib.stride_tricks.sliding_window_view(wide, (height, width), axis=(1, 2))
        return np.ascontiguousarray(windows[np.arange(rows), top, left].transpose(0, 2, 3, 1))


@dataclass(frozen=True)
class Colour:
    """Another camera and another light: brightness, contrast and saturation by a factor, the hue by degrees.

    Each of `brightness`, `contrast`, `saturation` is how far the factor goes from 1 (0.3: from 0.7 to 1.3), `hue` how
    far the colours turn around the grey axis of the YIQ space. All four are one matrix an image.
    """

    name: ClassVar[str] = "colour"
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.3
    hue_degrees: float = 10.0
    chance: float = 0.8

    def __post_init__(self) -> None:
        for far in (self.brightness, self.contrast, self.saturation):
            check_range(self, 0, far)
            check_range(self, far, 1)
        check_range(self, 0, self.hue_degrees)
        check_chance(self, self.chance)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        rows = len(batch)
        happens = rng.random((rows, 1)) < self.chance
        far = np.array([self.brightness, self.contrast, self.saturation])
        drawn = 1 + rng.uniform(-1, 1, (rows, 3)) * far * happens
        degrees = rng.uniform(-self.hue_degrees, self.hue_degrees, rows) * happens[:, 0]
        return coloured(batch, *drawn.T.astype(np.float32), degrees=degrees)


@dataclass(frozen=True)
class Erase:
    """A rectangle of each image taken away: its height and width are each such a share of the image's.

    It may stick out of the image. `fill` is "mean" (the image's mean colour), "black" or "noise". After DeVries and
    Taylor 2017 (Cutout, arXiv:1708.04552) and Zhong et al. 2020 (Random Erasing, arXiv:1708.04896).
    """

    name: ClassVar[str] = "erase"
    low: float = 0.25
    high: float = 0.5
    fill: str = "mean"
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, 0, self.low)
        check_range(self, self.low, self.high)
        check_chance(self, self.chance)
        if self.fill not in _FILLS:
            raise unknown("fill", self.fill, _FILLS)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        rows, height, width, channels = batch.shape
        happens = rng.random(rows) < self.chance
        down = _stretch(rng, height, rows, self.low, self.high)
        down[~happens] = False
        taken = down[:, :, None] & _stretch(rng, width, rows, self.low, self.high)[:, None]
        erased = batch.copy()
        if self.fill == "noise":
            erased[taken] = rng.integers(0, 256, (int(taken.sum()), channels), np.uint8)
        elif self.fill == "black":
            erased[taken] = 0
        else:
            mean = channel_means(batch.reshape(rows, height * width, channels).astype(np.float32))
            erased[taken] = np.repeat(np.rint(mean).astype(np.uint8), np.count_nonzero(taken, axis=(1, 2)), axis=0)
        return erased


def coloured(batch: Images, brightness: NDArray[np.float32], contrast: NDArray[np.float32],
             saturation: NDArray[np.float32], *, degrees: NDArray[np.float64]) -> Images:
    """Images (batch, height, width, channels) with these factors (batch,), their hue turned by degrees (batch,)."""
    rows, height, width, channels = batch.shape
    pixels = batch.reshape(rows, height * width, channels).astype(np.float32)
    scale = (brightness * contrast)[:, None, None]
    if channels == 3:
        grey = channel_means(pixels) @ LUMA
        result = np.matmul(pixels, (scale * _mixing(saturation, degrees)).transpose(0, 2, 1))
    else:
        grey = channel_means(pixels).mean(axis=1)
        result = pixels * scale
    result += (brightness * (1 - contrast) * grey)[:, None, None]
    np.clip(np.rint(result, out=result), 0, 255, out=result)
    return np.asarray(result, np.uint8).reshape(batch.shape)


def channel_means(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """(batch, channels) of (batch, places, channels); ten times as fast as `mean`, which adds channel by channel."""
    return np.asarray(np.ones(pixels.shape[1], np.float32) @ pixels / pixels.shape[1])


def _mixing(saturation: NDArray[np.float32], degrees: NDArray[np.float64]) -> NDArray[np.float32]:
    """(batch, 3, 3): colours pulled away from grey, and turned around the grey axis."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.zeros((len(degrees), 3, 3), np.float32)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = cosine * saturation
    turn[:, 1, 2], turn[:, 2, 1] = -sine * saturation, sine * saturation
    return np.asarray(np.linalg.inv(_TO_YIQ) @ turn @ _TO_YIQ, np.float32)


def _stretch(rng: np.random.Generator, size: int, rows: int, low: float, high: float) -> NDArray[np.bool_]:
    """(batch, size): true where a stretch lies whose middle is anywhere."""
    length = np.rint(uniform(rng, low, high, rows, chance=1.0, else_=0.0) * size)[:, None]
    first = rng.integers(0, size, (rows, 1)) - length // 2
    places = np.arange(size)[None]
    return np.asarray((places >= first) & (places < first + length))
