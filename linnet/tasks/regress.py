"""Regress: a number for a recording, an image, a text or a row."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.data.tokenizer import Tokenizer
from linnet.errors import LinnetError
from linnet.tasks import inputs as kinds
from linnet.tasks.inputs import Images, Input, Options, Tokens, parts_of
from linnet.tasks.inputs.source import check_columns, refuse_answer
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")
_DIGITS = 5
"""Answers are written to a hundred-thousandth of the training part's deviation."""


@dataclass(frozen=True, init=False)
class Regress:
    """A number for a sample; right is what lies within `tolerance` of the truth, in the target's own unit.

    The network learns the target less its training mean, divided by its deviation; `decode` turns that back.
    """

    takes: Input
    target: str
    groups: tuple[str, ...]
    tolerance: float
    mean: float
    deviation: float

    kind = "regress"
    loss = "huber"
    labels: tuple[str, ...] = ()

    def __init__(self, data: Splits | Dataset, *, input: str | Sequence[str], target: str, tolerance: float,
                 groups: Sequence[str] = (), **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        kind = parts[0].column(target).kind
        if kind != "value":
            raise LinnetError(f"Regress answers with a number; '{target}' holds {kind}.")
        if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < math.inf:
            raise LinnetError(f"tolerance is how far an answer may be off and still be right, a number at least 0 and "
                              f"in the unit of '{target}'; got {tolerance!r}.")
        values = np.array(parts[0].values(target), np.float64)
        if not np.ptp(values) > 0:  # the deviation of equal numbers is not always 0, but for rounding
            raise LinnetError(f"'{target}' is {values[0]:g} in every training row; there is nothing to learn.")
        takes = kinds.choose(parts, input, options)
        refuse_answer(takes, target)
        self._set(takes, target, tuple(groups), float(tolerance),
                  (float(values.mean()), float(values.std())))

    def _set(self, takes: Input, target: str, groups: tuple[str, ...], tolerance: float,
             scale: tuple[float, float]) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "tolerance": tolerance, "mean": scale[0],
                  "deviation": scale[1], "labels": ()}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def input(self) -> str:
        """The (first) column that goes in."""
        return self.takes.columns[0]

    @property
    def inputs(self) -> tuple[str, ...]:
        """Every column that goes in."""
        return self.takes.columns

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.takes.noun

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Each input array's dtype and shape of one sample."""
        return self.takes.arrays

    @property
    def sample_rate_hz(self) -> int | None:
        """Of recordings; None for anything else."""
        return getattr(self.takes, "sample_rate_hz", None)

    @property
    def tokenizer(self) -> Tokenizer | None:
        """Of texts; None for anything else."""
        return self.takes.tokenizer if isinstance(self.takes, Tokens) else None

    @property
    def samples(self) -> int:
        """Length of the audio window in samples."""
        size = self.arrays["audio"][1][0]
        if size is None:
            raise LinnetError("this task takes recordings of any length; it has no window.")
        return size

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(height, width, channels) of the images."""
        if not isinstance(self.takes, Images):
            raise LinnetError(f"this task takes {self.noun}, not images.")
        return self.takes.shape

    @property
    def output(self) -> tuple[str, Shape]:
        """One standardised number."""
        return "values", (1,)

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded sample, in the order of the rows."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Samples to a batch of input arrays."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.float32]:
        """The standardised numbers (rows, 1)."""
        values = np.array(dataset.values(self.target), np.float64)
        return ((values - self.mean) / self.deviation).astype(np.float32)[:, None]

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's number, written as `decode` writes it."""
        return [self._written(float(value)) for value in dataset.values(self.target)]

    def _written(self, value: float) -> str:
        return repr(round(value, _DIGITS - math.floor(math.log10(self.deviation))) + 0.0)

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The numbers in the target's own unit."""
        del samples
        return [self._written(self.mean + self.deviation * float(value)) for value in outputs["values"][:, 0]]

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the answer is within the tolerance, else 0."""
        limit = self.tolerance + 10.0**-_DIGITS * self.deviation
        return (np.abs(_numbers(answers) - _numbers(expected)) <= limit).astype(np.float64)

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Mean absolute and root mean squared error in the target's unit, share of variance explained, correlation."""
        given, wanted = _numbers(answers), _numbers(expected)
        errors = given - wanted
        found = {"mean_absolute_error": float(np.abs(errors).mean()),
                 "root_mean_squared_error": float(np.sqrt((errors**2).mean()))}
        varies = np.ptp(wanted) > 0
        if varies:
            found["r2"] = 1 - float((errors**2).mean() / wanted.var())
        if varies and np.ptp(given) > 0:
            found["pearson"] = float(np.corrcoef(given, wanted)[0, 1])
        else:
            log.warning("the %s are all the same: there is no correlation to speak of.",
                        "answers" if varies else f"values of '{self.target}'")
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "tolerance": self.tolerance, "mean": self.mean, "deviation": self.deviation}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Regress:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("regression"):
            deviation = float(value["deviation"])
            if not deviation > 0:
                raise ValueError(deviation)
            task._set(kinds.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      float(value["tolerance"]), (float(value["mean"]), deviation))
        return task


def _numbers(written: Sequence[str]) -> NDArray[np.float64]:
    return np.array([float(value) for value in written], np.float64)
