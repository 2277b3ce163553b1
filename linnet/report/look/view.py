"""View: what the explorer shows. One point a sample, what it may be coloured by, and what was found about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.introspect import Findings

Explain = Callable[[Sequence[int]], Sequence[Mapping[str, Any]]]
"""What the answers to the samples at some positions hang on: for each {"tokens": [[text, score], ...]}, or
{"scores": (height, width)} over its picture, with "seen" (height, width) where they lie on another one; a "method"."""

_MOST_NAMES = 5000


@dataclass(frozen=True, eq=False)
class Trait:
    """Something that each sample has and points are coloured by: one of `names`, or without names a number.

    `values` are (n,) positions in `names`, or numbers, NaN where one is not known.
    """

    name: str
    values: NDArray[Any]
    names: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        values = self.values
        if values.ndim != 1 or (self.names is not None and len(values)
                                and not 0 <= int(values.min()) <= int(values.max()) < len(self.names)):
            raise LinnetError(f"trait '{self.name}': values must be (n,) positions in its names, or numbers; got "
                              f"{values.dtype} of shape {values.shape}.")


@dataclass(frozen=True, eq=False)
class View:
    """One page of the explorer. `points` (n, 2) lie where alike samples lie together; a row a sample of `dataset`.

    Where `points` is None (nothing is known to lay them out by), samples are listed without a map.
    """

    title: str
    sentence: str
    dataset: Dataset
    points: NDArray[Any] | None
    traits: Sequence[Trait] = ()
    findings: Sequence[Findings] = ()
    notes: Sequence[str] = ()
    """How the map was made, and what could not be looked at."""
    explain: Explain | None = None
    target: str = "target"
    """The trait that holds the right answers, beside "answer", "right" and "confidence"."""

    def __post_init__(self) -> None:
        rows = len(self.dataset)
        if not rows:
            raise LinnetError("there is nothing to look at: the dataset has no rows.")
        if self.points is not None and (self.points.shape != (rows, 2) or not np.isfinite(self.points).all()):
            raise LinnetError(f"a map needs one point a sample, ({rows}, 2) finite numbers; got {self.points.shape}.")
        for trait in self.traits:
            if len(trait.values) != rows:
                raise LinnetError(f"trait '{trait.name}' has {len(trait.values)} values for {rows} samples.")


def category(name: str, values: Sequence[Any], *, order: Sequence[str] = ()) -> Trait:
    """A trait of names: those in `order` first, others by the alphabet.

    >>> category("digit", ["b", "a", "b"]).values.tolist()
    [1, 0, 1]
    """
    said = [str(value) for value in values]
    seen = set(said)
    names = (*(name for name in order if name in seen), *sorted(seen - set(order)))
    code = {label: at for at, label in enumerate(names)}
    return Trait(name, np.array([code[label] for label in said], np.uint32), names)


def number(name: str, values: Any) -> Trait:
    """A trait of numbers; what is missing or infinite counts as not known."""
    numbers = np.array([np.nan if value is None else value for value in values], np.float64)
    return Trait(name, np.where(np.isfinite(numbers), numbers, np.nan))


def traits_of(dataset: Dataset) -> list[Trait]:
    """What the columns of a dataset give: labels and groups as names, values as numbers."""
    found = []
    for name, column in dataset.columns.items():
        if column.kind == "value":
            found.append(number(name, dataset.values(name)))
        elif column.kind in ("label", "group"):
            made = category(name, dataset.values(name), order=getattr(column, "labels", ()))
            if made.names is not None and len(made.names) <= _MOST_NAMES:
                found.append(made)
    return found
