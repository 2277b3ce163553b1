"""Augmentation that moves pixels: batches (batch, height, width, channels) uint8 in, the same shape out.

Each step is a matrix an image, so that steps that follow each other read the pixels only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from linnet.data.augment.draws import check_chance, check_range, factors, uniform
from linnet.errors import LinnetError

Images = NDArray[np.uint8]


class GeometricStep(Protocol):
    """A step that moves pixels."""

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """(batch, 3, 3): from a place (x, y, 1) in the result, seen from its middle, to the place that is read."""
        ...


@dataclass(frozen=True)
class Move:
    """Up, down, left and right by up to this share of the image's height and width."""

    name: ClassVar[str] = "move"
    share: float = 0.1
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, 0, self.share)
        check_chance(self, self.chance)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        return moved([self], batch, rng)

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """A shift in each direction."""
        rows, height, width = shape[:3]
        matrix = _identities(rows)
        shares = rng.uniform(-self.share, self.share, (rows, 2)) * (rng.random((rows, 1)) < self.chance)
        matrix[:, :2, 2] = shares * (width, height)
        return matrix


@dataclass(frozen=True)
class Rotate:
    """Around the middle, by degrees."""

    name: ClassVar[str] = "rotate"
    low_degrees: float = -10.0
    high_degrees: float = 10.0
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_degrees, self.high_degrees)
        check_chance(self, self.chance)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        return moved([self], batch, rng)

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """A rotation."""
        degrees = uniform(rng, self.low_degrees, self.high_degrees, shape[0], chance=self.chance, else_=0.0)
        matrix = _identities(shape[0])
        cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1] = cosine, -sine, sine, cosine
        return matrix


@dataclass(frozen=True)
class Zoom:
    """Larger (above 1, which crops) or smaller; height and width alike."""

    name: ClassVar[str] = "zoom"
    low: float = 0.9
    high: float = 1.1
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low, self.high, above=0)
        check_chance(self, self.chance)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        return moved([self], batch, rng)

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """A scaling."""
        matrix = _identities(shape[0])
        matrix[:, 0, 0] = matrix[:, 1, 1] = 1 / factors(rng, self.low, self.high, shape[0], chance=self.chance)
        return matrix


@dataclass(frozen=True)
class Flip:
    """Left and right exchanged; for photographs, not for writing."""

    name: ClassVar[str] = "flip"
    chance: float = 0.5

    def __post_init__(self) -> None:
        check_chance(self, self.chance)

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        turned = rng.random(len(batch)) < self.chance
        flipped = batch.copy()
        flipped[turned] = batch[turned, :, ::-1]
        return flipped

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """A mirror."""
        matrix = _identities(shape[0])
        matrix[:, 0, 0] = np.where(rng.random(shape[0]) < self.chance, -1, 1)
        return matrix


@dataclass(frozen=True)
class ResizedCrop:
    """A piece of the image, enlarged to the whole: a share of the area, a width so many times the height's share.

    After Szegedy et al. 2015, Going Deeper with Convolutions, arXiv:1409.4842.
    """

    name: ClassVar[str] = "resized_crop"
    low_area: float = 0.5
    high_area: float = 1.0
    low_aspect: float = 0.75
    high_aspect: float = 1.33
    chance: float = 1.0

    def __post_init__(self) -> None:
        check_range(self, self.low_area, self.high_area, above=0)
        check_range(self, self.low_aspect, self.high_aspect, above=0)
        check_chance(self, self.chance)
        if self.high_area > 1:
            raise LinnetError(f"ResizedCrop: a piece is at most the whole image (1); got {self.high_area}.")

    def __call__(self, batch: Images, sample_rate_hz: int | None, rng: np.random.Generator) -> Images:
        del sample_rate_hz
        return moved([self], batch, rng)

    def matrices(self, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
        """A scaling and a shift that stays inside the image."""
        rows, height, width = shape[:3]
        area = rng.uniform(self.low_area, self.high_area, rows)
        aspect = factors(rng, self.low_aspect, self.high_aspect, rows, chance=1.0)
        shares = np.minimum(np.stack([np.sqrt(area * aspect), np.sqrt(area / aspect)], 1), 1)
        shares[rng.random(rows) >= self.chance] = 1
        matrix = _identities(rows)
        matrix[:, 0, 0], matrix[:, 1, 1] = shares.T
        matrix[:, :2, 2] = rng.uniform(-0.5, 0.5, (rows, 2)) * (1 - shares) * (width - 1, height - 1)
        return matrix


def moved(steps: Sequence[GeometricStep], batch: Images, rng: np.random.Generator) -> Images:
    """Move the pixels of (batch, height, width, channels) through all steps at once.

    Bilinear; where the result looks past an edge it sees the edge's pixel.
    """
    matrix = _identities(len(batch))
    for step in steps:
        matrix = matrix @ step.matrices(batch.shape, rng)
    return read_at(batch, matrix)


def read_at(batch: Images, matrix: NDArray[np.float32]) -> Images:
    """The batch with each image's places read through its matrix (batch, 3, 3)."""
    height, width = batch.shape[1:3]
    middle = np.array([(width - 1) / 2, (height - 1) / 2], np.float32)
    across, down = np.meshgrid(np.arange(width) - middle[0], np.arange(height) - middle[1])
    places = np.stack([across.ravel(), down.ravel(), np.ones(height * width)]).astype(np.float32)
    read = (matrix @ places)[:, :2] + middle[:, None]
    return _read(batch, read[:, 0], read[:, 1]).reshape(batch.shape)


def _read(batch: Images, x: NDArray[np.float32], y: NDArray[np.float32]) -> Images:
    """(batch, places, channels) at places given in pixels."""
    rows, height, width, channels = batch.shape
    np.clip(x, 0, width - 1, out=x)
    np.clip(y, 0, height - 1, out=y)
    left, top = x.astype(np.int32), y.astype(np.int32)
    along, below = (x - left).ravel()[:, None], (y - top).ravel()[:, None]
    pixels = batch.reshape(-1, channels).astype(np.float32)
    upper_left = ((np.arange(rows, dtype=np.int32) * (height * width))[:, None] + top * width + left).ravel()
    right = (left < width - 1).ravel()
    down = np.where((top < height - 1).ravel(), np.int32(width), np.int32(0))
    upper = _between(pixels, upper_left, upper_left + right, along)
    lower = _between(pixels, upper_left + down, upper_left + down + right, along)
    lower -= upper
    lower *= below
    upper += lower
    return np.asarray(np.rint(upper, out=upper), np.uint8).reshape(rows, x.shape[1], channels)


def _between(pixels: NDArray[np.float32], first: NDArray[np.int32], second: NDArray[np.int32],
             share: NDArray[np.float32]) -> NDArray[np.float32]:
    """So much of the way from the first to the second pixels."""
    start = pixels.take(first, axis=0)
    step = pixels.take(second, axis=0)
    step -= start
    step *= share
    start += step
    return start


def _identities(rows: int) -> NDArray[np.float32]:
    return np.tile(np.eye(3, dtype=np.float32), (rows, 1, 1))
