"""What a column of a dataset holds: sounds, images, labels, groups, or plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

Kind = Literal["audio", "image", "label", "group", "value"]


@dataclass(frozen=True)
class AudioColumn:
    """Recordings, decoded when asked."""

    kind: ClassVar[Kind] = "audio"


@dataclass(frozen=True)
class ImageColumn:
    """Images, decoded when asked."""

    kind: ClassVar[Kind] = "image"


@dataclass(frozen=True)
class LabelColumn:
    """What may be asked for: strings out of `labels`, which stay the same when rows are taken away."""

    labels: tuple[str, ...]
    kind: ClassVar[Kind] = "label"


@dataclass(frozen=True)
class GroupColumn:
    """What samples have in common (speaker, writer, room): strings by which to split and to tell results apart."""

    kind: ClassVar[Kind] = "group"


@dataclass(frozen=True)
class ValueColumn:
    """Numbers."""

    kind: ClassVar[Kind] = "value"


Column = AudioColumn | ImageColumn | LabelColumn | GroupColumn | ValueColumn


def label_column(values: Iterable[str]) -> LabelColumn:
    """The label column of these values; whole numbers in numeric order, anything else in that of the alphabet.

    >>> label_column(["10", "9", "9"]).labels
    ('9', '10')
    """
    names = set(values)
    numeric = all(name.isascii() and name.isdigit() for name in names)
    return LabelColumn(tuple(sorted(names, key=lambda name: (int(name) if numeric else 0, name))))
