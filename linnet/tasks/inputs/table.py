"""Rows of a table: numbers standardised, labels and groups as one column a value."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from linnet.data import Dataset, LabelColumn, ValueColumn
from linnet.errors import LinnetError, unknown
from linnet.tasks.inputs.source import named
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class Number:
    """A column of numbers, less the training part's mean and divided by its deviation."""

    column: str
    mean: float
    deviation: float

    def feature(self, value: Any) -> list[float]:
        """One number; raises LinnetError for what is none."""
        if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not math.isfinite(value):
            raise LinnetError(f"column '{self.column}' takes numbers; it was given {value!r:.60}.")
        return [(float(value) - self.mean) / self.deviation]


@dataclass(frozen=True)
class Category:
    """A column of names: 1 at the place of the row's name, else 0."""

    column: str
    names: tuple[str, ...]

    def feature(self, value: Any) -> list[float]:
        """As many numbers as there are names; raises LinnetError for another name."""
        if str(value) not in self.names:
            raise LinnetError(f"column '{self.column}': the task does not know '{value}'. "
                              f"It knows: {', '.join(self.names[:20])}.")
        return [float(str(value) == name) for name in self.names]


@dataclass(frozen=True)
class Features:
    """Rows: {"features": (batch, n) float32}, the features in the order of the columns."""

    fields: tuple[Number | Category, ...]

    kind: ClassVar[str] = "features"
    noun: ClassVar[str] = "rows"
    takes: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def choose(cls, parts: Sequence[Dataset], columns: Sequence[str]) -> Self:
        """Means, deviations and names from the training part; names that it lacks are refused."""
        return cls(tuple(_field(parts, column) for column in columns))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that go in."""
        return tuple(field.column for field in self.fields)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """One array of numbers."""
        return {"features": ("float32", (len(self.names),))}

    @property
    def names(self) -> tuple[str, ...]:
        """What each feature is: "age", "colour=red"."""
        return tuple(name for field in self.fields for name in (
            [field.column] if isinstance(field, Number) else [f"{field.column}={value}" for value in field.names]))

    def read(self, dataset: Dataset) -> list[dict[str, Any]]:
        """Every row as {column: value}."""
        values = [dataset.values(column) for column in self.columns]
        return [dict(zip(self.columns, row, strict=True)) for row in zip(*values, strict=True)]

    def prepare(self, samples: Sequence[Mapping[str, Any]]) -> Arrays:
        """Rows to features. Raises LinnetError for a column that is missing, and for cells that are no numbers."""
        rows = [[number for field in self.fields for number in field.feature(_cell(sample, field.column))]
                for sample in samples]
        return {"features": np.array(rows, np.float32)}

    def to_json(self) -> dict[str, Any]:
        """Each column with its mean and deviation, or its names."""
        return {"kind": self.kind, "fields": [
            {"column": field.column, "mean": field.mean, "deviation": field.deviation} if isinstance(field, Number)
            else {"column": field.column, "names": list(field.names)} for field in self.fields]}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(tuple(Category(str(field["column"]), tuple(map(str, field["names"]))) if "names" in field
                         else Number(str(field["column"]), float(field["mean"]), float(field["deviation"]))
                         for field in value["fields"]))


def _cell(sample: Any, column: str) -> Any:
    if not isinstance(sample, Mapping):
        raise LinnetError(f"this task takes rows such as {{'{column}': ...}}; it was given {type(sample).__name__}.")
    if column not in sample:
        raise LinnetError(f"a row has no '{column}'; it has {', '.join(map(str, sample)) or 'nothing'}.")
    return sample[column]


def _field(parts: Sequence[Dataset], column: str) -> Number | Category:
    kind, values = parts[0].column(column), parts[0].values(column)
    if isinstance(kind, ValueColumn):
        return _number(column, values)
    if kind.kind not in ("label", "group"):
        raise unknown("kind of feature", kind.kind, ("value", "label", "group"))
    names = {str(value) for value in values}
    for part in parts[1:]:
        strange = sorted({str(value) for value in part.values(column)} - names)
        if strange:
            raise LinnetError(f"{named(part)}: column '{column}' holds {', '.join(strange[:10])}, which the training "
                              "part lacks. Give the training part rows of them, or leave the column out.")
    if isinstance(kind, LabelColumn):
        return Category(column, tuple(label for label in kind.labels if label in names))
    return Category(column, tuple(sorted(names)))


def _number(column: str, values: Sequence[Any]) -> Number:
    numbers = np.array(values, np.float64)
    if not np.ptp(numbers):  # the deviation of equal numbers is not always 0, but for rounding
        log.warning("column '%s' is %g in every training row: nothing can be learnt from it.", column, numbers[0])
        return Number(column, float(numbers[0]), 1.0)
    return Number(column, float(numbers.mean()), float(numbers.std()))
