"""Images of one size."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Media, odd
from linnet.data.media import probe_image
from linnet.errors import LinnetError
from linnet.tasks.inputs.source import named
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Images:
    """Images brought to one size: {"image": (batch, height, width, channels) uint8}."""

    column: str
    shape: tuple[int, int, int]
    """(height, width, channels)"""

    kind: ClassVar[str] = "images"
    noun: ClassVar[str] = "images"
    takes: ClassVar[tuple[str, ...]] = ("size",)

    @classmethod
    def choose(cls, parts: Sequence[Dataset], column: str, *, size: int | Sequence[int] | None = None) -> Self:
        """The most frequent size of the training part, or (height, width) as given; colour where any of it has colour.

        What is resized or converted is said, part by part.
        """
        found = [Counter(_shapes(part, column)) for part in parts]
        sizes: Counter[tuple[int, int]] = Counter()
        for shape, count in found[0].items():
            sizes[shape[:2]] += count
        (height, width), channels = sizes.most_common(1)[0][0], max(shape[2] for shape in found[0])
        if size is not None:
            height, width = _given(size)
        for part, shapes in zip(parts, found, strict=True):
            other = sum(count for shape, count in shapes.items() if shape[:2] != (height, width))
            if other:
                log.warning("%s: %d of %d images are not %d x %d: they are resized.", named(part), other, len(part),
                            height, width)
            converted = sum(count for shape, count in shapes.items() if shape[2] != channels)
            if converted:
                log.warning("%s: %d of %d images are %s: they are converted to %s.", named(part), converted, len(part),
                            *_colours(channels))
        return cls(column, (height, width, channels))

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of images."""
        return (self.column,)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """One array of bytes."""
        return {"image": ("uint8", self.shape)}

    def read(self, dataset: Dataset) -> list[Media]:
        """Every decoded image."""
        return dataset.decode(self.column)

    def prepare(self, samples: Sequence[Media]) -> Arrays:
        """Images of another size are resized; grey becomes colour by repeating it, colour grey by its luminance."""
        fitted = [_fit(picture, self.shape) for picture in samples]
        given = [np.shape(picture) for picture in samples if not isinstance(picture, Audio)]
        odd.note(f"images are not {self.shape[0]} x {self.shape[1]}: they are resized",
                 sum(shape[:2] != self.shape[:2] for shape in given), of=len(given))
        grey_or_colour, wanted = _colours(self.shape[2])
        odd.note(f"images are {grey_or_colour}: they are converted to {wanted}",
                 sum(shape[2:] != self.shape[2:] for shape in given), of=len(given))
        return {"image": np.stack(fitted)}

    def to_json(self) -> dict[str, Any]:
        """Column and shape."""
        return {"kind": self.kind, "column": self.column, "shape": list(self.shape)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        height, width, channels = map(int, value["shape"])
        return cls(str(value["column"]), (height, width, channels))


def _shapes(part: Dataset, column: str) -> list[tuple[int, int, int]]:
    facts = [probe_image(part.file(column, index)) for index in range(len(part))]
    return [(fact.height, fact.width, fact.channels) for fact in facts]


def _given(size: int | Sequence[int]) -> tuple[int, int]:
    sides: list[Any] = list(size) if isinstance(size, list | tuple) else [size, size]
    if len(sides) != 2 or any(isinstance(side, bool) or not isinstance(side, int) or side < 1 for side in sides):
        raise LinnetError(f"size is one number, or (height, width), at least 1 each; got {size!r}.")
    height, width = sides
    return height, width


def _fit(picture: Media, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    if isinstance(picture, Audio) or not isinstance(picture, np.ndarray):
        raise LinnetError("this task takes images; it was given something else.")
    if picture.shape == shape:
        return picture
    channels = picture.shape[2] if picture.ndim == 3 else 0
    if {channels, shape[2]} - {1, 3}:
        raise LinnetError(f"an image is an array of shape {picture.shape}, the task takes {shape}: (height, width, 1) "
                          "is grey, (height, width, 3) is colour; bring it to one of them.")
    from PIL import Image

    image = Image.fromarray(picture[:, :, 0] if channels == 1 else picture)
    if channels != shape[2]:
        image = image.convert("L" if shape[2] == 1 else "RGB")
    if picture.shape[:2] != shape[:2]:
        image = image.resize((shape[1], shape[0]), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.uint8).reshape(shape)


def _colours(channels: int) -> tuple[str, str]:
    """What images of another number of channels are, and what they become."""
    return ("colour", "grey") if channels == 1 else ("grey", "colour")
