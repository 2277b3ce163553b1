"""Data for a file of which nothing is known but its graph: arrays by input name, and what is right, if it is known."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.tasks import Arrays

TARGET, GROUP = "target", "group:"
SHARES: Mapping[str, float] = {"train": 0.25, "validation": 0.25, "test": 0.5}
"""What part of the rows is for ranges, for choosing, and for the certificate."""
_CLOSE = 0.05
Answering = Callable[[Arrays], NDArray[Any]]
"""The first output of a batch."""


@dataclass(frozen=True)
class Samples:
    """Rows of input arrays; `target` has the right classes (rows,), `groups` a word a row.

    Without a target the unchanged file is right by definition, and the score of a sample is the share of its positions
    at which another file gives the same class; of outputs that are no classes, whether all numbers are within a
    twentieth.
    """

    name: str
    arrays: Arrays
    target: NDArray[Any] | None
    groups: Mapping[str, Sequence[str]]
    right: Answering
    """The unchanged file."""
    seed: int = 0

    @property
    def rows(self) -> int:
        """How many there are."""
        return len(next(iter(self.arrays.values())))

    @cached_property
    def parts(self) -> Mapping[str, NDArray[np.int64]]:
        """The rows of each part, drawn by the seed."""
        drawn = np.random.default_rng(self.seed).permutation(self.rows)
        ends = np.cumsum([round(share * self.rows) for share in SHARES.values()])[:-1]
        return dict(zip(SHARES, (np.sort(part) for part in np.split(drawn, ends)), strict=True))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over all rows."""
        digest = hashlib.sha256()
        for name, values in sorted(self.arrays.items()):
            digest.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
            digest.update(np.ascontiguousarray(values).tobytes() if values.dtype != object else repr(
                values.tolist()).encode())
        digest.update(repr(None if self.target is None else self.target.tolist()).encode())
        return digest.hexdigest()

    def some(self, rows: NDArray[np.int64]) -> Arrays:
        """The arrays of these rows."""
        return {name: values[rows] for name, values in self.arrays.items()}

    def scores(self, answering: Answering, part: str, *, subject: str, subject_name: str) -> Scores:
        """Ask about every row of a part."""
        rows = self.parts[part]
        outputs = list(_each(answering, self.some(rows)))
        expected = [str(self.target[row]) for row in rows] if self.target is not None else []
        if self.target is not None:
            answers = [str(int(np.argmax(output))) for output in outputs]
            score = np.array([float(answer == wanted) for answer, wanted in zip(answers, expected, strict=True)])
        else:
            source = list(_each(self.right, self.some(rows)))
            answers, expected = [_said(output) for output in outputs], [_said(output) for output in source]
            score = np.array([_agreement(own, other) for own, other in zip(outputs, source, strict=True)])
        return Scores(self.ids(rows), answers, expected, score, self._ref(part, rows, "samples"), subject,
                      subject_name, metric="accuracy" if self.target is not None else "agreement",
                      groups={name: [values[row] for row in rows] for name, values in self.groups.items()})

    def ids(self, rows: NDArray[np.int64]) -> list[str]:
        """Rows are named by their place."""
        return [str(row) for row in rows.tolist()]

    def grouped(self, part: str) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """By "column value": the rows of a part."""
        found = {}
        for column, values in self.groups.items():
            words = np.array(values)
            for value in sorted(set(values)):
                rows = self.parts[part][words[self.parts[part]] == value]
                if len(rows):
                    found[f"{column} {value}"] = (self.ids(rows), self._ref(part, rows, f"samples of {column} {value}"))
        return found

    def _ref(self, part: str, rows: NDArray[np.int64], what: str) -> DataRef:
        told = json.dumps([self.fingerprint, rows.tolist()])
        return DataRef(population=f"{what} in {self.name}", fingerprint=hashlib.sha256(told.encode()).hexdigest(),
                       rows=len(rows), part=part)


def read_samples(path: Path, inputs: Sequence[str], right: Answering, *, seed: int = 0) -> Samples:
    """Read an .npz: an array for every input, "target" if it is known, "group:NAME" for each column of groups.

    Raises LinnetError for anything else, and for fewer than eight rows.
    """
    if not path.is_file():
        raise LinnetError(f"there is no file {path}; write it with numpy.savez(path, **arrays), by input name: "
                          f"{', '.join(inputs)}.")
    try:
        with np.load(path, allow_pickle=False) as file:
            values = {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError, TypeError, zipfile.BadZipFile, EOFError) as error:
        raise LinnetError(f"{path} is no .npz file of plain arrays; write it with numpy.savez(path, **arrays), by "
                          f"input name: {', '.join(inputs)}; words as text, not as objects.") from error
    known = {*inputs, TARGET, *(name for name in values if name.startswith(GROUP))}
    missing, strange = sorted(set(inputs) - values.keys()), sorted(values.keys() - known)
    if missing or strange:
        raise LinnetError(f"{path.name} must hold an array for each input of the file ({', '.join(inputs)}), and may "
                          f"hold '{TARGET}' and '{GROUP}NAME'; missing: {', '.join(missing) or '(none)'}, not known: "
                          f"{', '.join(strange) or '(none)'}.")
    rows = {name: len(array) if array.ndim else 0 for name, array in values.items()}
    if len(set(rows.values())) != 1 or min(rows.values()) < 8:
        raise LinnetError(f"{path.name} must have the same number of rows in every array, at least 8; it has "
                          f"{', '.join(f'{count} in {name}' for name, count in sorted(rows.items()))}.")
    for name in inputs:
        if values[name].dtype.kind == "f" and not np.isfinite(values[name]).all():
            raise LinnetError(f"array '{name}' of {path.name} holds NaN or infinity; take these rows out.")
    groups = {name.removeprefix(GROUP): [str(value) for value in array] for name, array in values.items()
              if name.startswith(GROUP)}
    return Samples(path.name, {name: values[name] for name in inputs}, values.get(TARGET), groups, right, seed)


def _each(answering: Answering, arrays: Arrays) -> Iterator[NDArray[Any]]:
    """One sample at a time: any file takes that."""
    for row in range(len(next(iter(arrays.values())))):
        yield answering({name: values[row : row + 1] for name, values in arrays.items()})[0]


def _agreement(own: NDArray[Any], other: NDArray[Any]) -> float:
    if own.shape != other.shape:
        return 0.0
    if own.ndim and own.shape[-1] > 1:
        return float((own.argmax(axis=-1) == other.argmax(axis=-1)).mean())
    return float(np.allclose(own, other, rtol=_CLOSE, atol=1e-4))


def _said(output: NDArray[Any]) -> str:
    said = output.argmax(axis=-1) if output.ndim and output.shape[-1] > 1 else np.round(output, 4)
    return json.dumps(said.tolist())
