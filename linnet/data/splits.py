"""Splits: train, validation and test that do not leak into each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from linnet.data.columns import TextColumn
from linnet.data.leaks import refuse_crossing, say_crossing
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.data.dataset import Dataset


@dataclass(frozen=True, eq=False)
class Splits:
    """Train, validation and test. Raises LinnetError where one is empty, or something of one is in another too.

    What may not cross: an id, the content of a recording or image, and, where `by` is given, a value of that column.
    A text that is in two parts is kept and said: the official parts of text corpora have some.
    """

    train: Dataset
    validation: Dataset
    test: Dataset
    by: str | None = None

    def __post_init__(self) -> None:
        for part, dataset in self:
            if not len(dataset):
                raise LinnetError(f"the {part} part is empty; give it at least one row.")
            if dataset.part != part:
                object.__setattr__(self, part, replace(dataset, part=part))
        refuse_crossing("id", {part: {name: name for name in data.ids} for part, data in self},
                        "If they are different samples, load each part with its own prefix, such as prefix='test/'.")
        refuse_crossing("recording or image", {part: _owners(data) for part, data in self},
                        "A model would be tested on what it has seen: take them out of one part, or call "
                        "dataset.distinct() before splitting.")
        if self.by is not None:
            groups = {part: {str(value): str(value) for value in data.values(self.by)} for part, data in self}
            refuse_crossing(self.by, groups, f"Split by whole groups: dataset.split(by='{self.by}').")
        for name in [name for name, column in self.train.columns.items() if isinstance(column, TextColumn)]:
            say_crossing(name, {part: _texts(data, name) for part, data in self})

    def __iter__(self) -> Iterator[tuple[str, Dataset]]:
        yield from (("train", self.train), ("validation", self.validation), ("test", self.test))


def _owners(dataset: Dataset) -> dict[str, str]:
    """Content digest to the id that holds it."""
    return {digest: name for index, name in enumerate(dataset.ids) for digest in dataset.contents(index).values()}


def _texts(dataset: Dataset, column: str) -> dict[str, str]:
    """Text to the id that holds it."""
    return dict(zip(dataset.values(column), dataset.ids, strict=True)) if column in dataset.columns else {}
