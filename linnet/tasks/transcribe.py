"""Transcribe: what is said in a recording, as labels one after another, or as text."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.data.columns import SequenceColumn
from linnet.errors import LinnetError
from linnet.tasks import inputs as kinds
from linnet.tasks.figures import error_rate
from linnet.tasks.inputs import AudioSequence, Options, parts_of
from linnet.tasks.inputs.source import check_columns, named
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

BLANK = 0
"""The output that says nothing; the labels follow it."""
PADDED = -1


@dataclass(frozen=True, init=False)
class Transcribe:
    """The labels (phones, words) or the characters of a recording, in order, without saying when.

    The network answers each frame with a label or with nothing (connectionist temporal classification, Graves et al.
    2006); repeats without a blank between count once. A target of sequences is answered with a JSON list, one of
    texts with a text. Recordings are of any length; those above `seconds`, where given, are refused. An answer scores
    1 where all of it is right, or, `partly`, as much of 1 as of its labels are right.
    """

    takes: AudioSequence
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    is_text: bool
    partly: bool

    kind = "transcribe"
    loss = "ctc"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, groups: Sequence[str] = (),
                 partly: bool = False, **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        if parts[0].column(input).kind != "audio":
            raise LinnetError(f"Transcribe takes recordings; '{input}' holds {parts[0].column(input).kind}.")
        column = parts[0].column(target)
        if column.kind not in ("sequence", "text"):
            raise LinnetError(f"Transcribe answers with labels in order or a text; '{target}' holds {column.kind}.")
        takes = kinds.choose(parts, input, options, whole=True)
        assert isinstance(takes, AudioSequence)
        known = column.labels if isinstance(column, SequenceColumn) else None
        self._set(takes, target, tuple(groups), _labels(parts, target, known),
                  (column.kind == "text", bool(partly)))

    def _set(self, takes: AudioSequence, target: str, groups: tuple[str, ...], labels: tuple[str, ...],
             kinds_of: tuple[bool, bool]) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "labels": labels, "is_text": kinds_of[0],
                  "partly": kinds_of[1]}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def input(self) -> str:
        """The column of recordings."""
        return self.takes.column

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column that goes in."""
        return self.takes.columns

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.takes.noun

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Padded sounds and their lengths."""
        return self.takes.arrays

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the network hears."""
        return self.takes.sample_rate_hz

    @property
    def output(self) -> tuple[str, Shape]:
        """For each frame a logit for nothing, then one a label."""
        return "logits", (None, 1 + len(self.labels))

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded recording."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Sounds padded to the longest, and their lengths."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """1 + each label's index, padded with -1 to the longest row. Unknown labels are refused and listed."""
        index = {label: number for number, label in enumerate(self.labels, 1)}
        rows = [list(row) for row in dataset.values(self.target)]
        strange = sorted({label for row in rows for label in row} - set(index))
        if strange:
            raise LinnetError(f"column '{self.target}' of the {dataset.part or 'given'} data holds what the task does "
                              f"not know: {', '.join(map(repr, strange[:10]))}. It knows: {', '.join(self.labels)}.")
        wanted = np.full((len(rows), max(map(len, rows), default=0)), PADDED, np.int64)
        for place, row in enumerate(rows):
            wanted[place, : len(row)] = [index[label] for label in row]
        return wanted

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's text, or its labels as a JSON list."""
        return [self._said(list(row)) for row in dataset.values(self.target)]

    def _said(self, labels: Sequence[str]) -> str:
        return "".join(labels) if self.is_text else json.dumps(labels, ensure_ascii=False)

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The likeliest label of each frame, repeats once, blanks left out (greedy)."""
        del samples
        frames = np.argmax(outputs["logits"], axis=2)
        is_new = np.ones(frames.shape, bool)
        is_new[:, 1:] = frames[:, 1:] != frames[:, :-1]
        return [self._said([self.labels[number - 1] for number in row[new & (row != BLANK)]])
                for row, new in zip(frames, is_new, strict=True)]

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the whole answer is right, else 0; `partly`: 1 less its error rate, at least 0."""
        if self.partly:
            pairs = [(self._read(a), self._read(e)) for a, e in zip(answers, expected, strict=True)]
            return np.array([max(0.0, 1 - error_rate([a], [e])) for a, e in pairs])
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def _read(self, said: str) -> Sequence[str]:
        labels: Sequence[str] = said if self.is_text else json.loads(said)
        return labels

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Insertions, deletions and substitutions over the number of labels (characters); for texts also of words."""
        if not self.is_text:
            return {"token_error_rate": error_rate([json.loads(a) for a in answers],
                                                   [json.loads(e) for e in expected])}
        return {"token_error_rate": error_rate(answers, expected),
                "word_error_rate": error_rate([a.split() for a in answers], [e.split() for e in expected])}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "is_text": self.is_text, "partly": self.partly}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Transcribe:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("transcription"):
            task._set(AudioSequence.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), (bool(value["is_text"]), bool(value.get("partly", False))))
        return task


def _labels(parts: Sequence[Dataset], target: str, order: Sequence[str] | None) -> tuple[str, ...]:
    """Every label of the data; those that the training part lacks are said, since nobody can learn them."""
    seen = [{label for row in part.values(target) for label in row} for part in parts]
    every = set().union(*seen)
    found = tuple(label for label in (order or sorted(every)) if label in every)
    missing = [label for label in found if label not in seen[0]]
    if missing:
        log.warning("%s never occur in '%s' of the %s part: they cannot be learnt, and count as errors elsewhere.",
                    ", ".join(map(repr, missing)), target, named(parts[0]))
    if not seen[0]:
        raise LinnetError(f"column '{target}' holds nothing in the training part; there is nothing to learn.")
    return found
