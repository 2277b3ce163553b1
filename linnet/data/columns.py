"""What a column of a dataset holds: sounds, images, texts, labels, sequences and spans of them, groups, or values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

from linnet.errors import LinnetError

Kind = Literal["audio", "image", "text", "label", "labels", "sequence", "spans", "group", "value"]


@dataclass(frozen=True)
class AudioColumn:
    """Recordings, decoded when asked."""

    kind: ClassVar[Kind] = "audio"


@dataclass(frozen=True)
class ImageColumn:
    """Images, decoded when asked."""

    kind: ClassVar[Kind] = "image"


@dataclass(frozen=True)
class TextColumn:
    """Sentences and documents, as strings."""

    kind: ClassVar[Kind] = "text"


@dataclass(frozen=True)
class LabelColumn:
    """What may be asked for: strings out of `labels`, which stay the same when rows are taken away.

    Where `ordered` is true, the labels stand in their order, least first (an ordinal scale such as marks).
    """

    labels: tuple[str, ...]
    ordered: bool = False
    kind: ClassVar[Kind] = "label"


@dataclass(frozen=True)
class LabelsColumn:
    """Any number of labels a row, none twice: list<string> out of `labels` (multi-label)."""

    labels: tuple[str, ...]
    kind: ClassVar[Kind] = "labels"


@dataclass(frozen=True)
class SequenceColumn:
    """Labels one after another, such as phones or words: list<string> out of `labels`, repeats allowed."""

    labels: tuple[str, ...]
    kind: ClassVar[Kind] = "sequence"


@dataclass(frozen=True)
class SpansColumn:
    """Labelled stretches of the column `of`, texts or recordings: list<struct<label: string, start, end: int64>>.

    Positions count characters of a text and milliseconds of a recording; `end` is the first that no longer belongs to
    it, and spans do not overlap.
    """

    labels: tuple[str, ...]
    of: str
    kind: ClassVar[Kind] = "spans"


@dataclass(frozen=True)
class GroupColumn:
    """What samples have in common (speaker, writer, room): strings by which to split and to tell results apart."""

    kind: ClassVar[Kind] = "group"


@dataclass(frozen=True)
class ValueColumn:
    """Numbers."""

    kind: ClassVar[Kind] = "value"


Column = (AudioColumn | ImageColumn | TextColumn | LabelColumn | LabelsColumn | SequenceColumn | SpansColumn
          | GroupColumn | ValueColumn)
MEDIA = ("audio", "image")
"""Kinds whose cells are files, decoded when asked."""
LISTS = ("labels", "sequence", "spans")
"""Kinds whose cells are lists."""


def label_column(values: Iterable[str], *, ordered: bool = False) -> LabelColumn:
    """The label column of these values; whole numbers in numeric order, anything else in that of the alphabet.

    Raises LinnetError for labels with spaces around them, and for labels that differ only in upper and lower case.

    >>> label_column(["10", "9", "9"]).labels
    ('9', '10')
    """
    return LabelColumn(sorted_labels(values), ordered)


def sorted_labels(values: Iterable[str], *, by_case: bool = False) -> tuple[str, ...]:
    """Different labels in their order; raises LinnetError for those that are likely the same, written in two ways.

    `by_case`: upper and lower case mean different things, as in alphabets of phones and in words of a text.
    """
    names = set(values)
    stray = sorted(name for name in names if name != name.strip())
    if stray:
        raise LinnetError(f"{len(stray)} labels have spaces around them: {', '.join(map(repr, stray[:10]))}. "
                          "Take the spaces away, or they count as labels of their own.")
    written: dict[str, str] = {}
    twice = [f"'{written[name.casefold()]}' and '{name}'" for name in sorted(names)
             if written.setdefault(name.casefold(), name) != name]
    if twice and not by_case:
        raise LinnetError(f"labels differ only in upper and lower case: {', '.join(twice[:10])}. Write each in one "
                          "way, or they count as labels of their own.")
    numeric = all(name.isascii() and name.isdigit() for name in names)
    return tuple(sorted(names, key=lambda name: (int(name) if numeric else 0, name)))
