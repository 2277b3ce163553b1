"""Classify: one label, one of an ordered scale, or any number of labels, for a recording, an image, a text or a row."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, LabelColumn, Splits
from linnet.data.columns import LabelsColumn, sorted_labels
from linnet.data.tokenizer import Tokenizer
from linnet.errors import LinnetError
from linnet.tasks import inputs as kinds
from linnet.tasks.figures import f1_scores
from linnet.tasks.inputs import Images, Input, Options, Tokens, parts_of
from linnet.tasks.inputs.source import check_columns, named, refuse_answer
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

Choice = Literal["one", "ordered", "many"]
_LOSSES: dict[str, str] = {"one": "cross_entropy", "ordered": "earth_mover", "many": "binary_cross_entropy"}


@dataclass(frozen=True, init=False)
class Classify:
    """Labels for a recording, an image, a text, or a row of a table.

    `Classify(splits, input="audio", target="digit")` reads the labels and what the input needs from the training
    part; `from_json` makes the same task again without data. `input` is a column, or a list of columns of a table;
    the options are those of its kind (`tasks.inputs.Options`). A target of label lists asks for any number of labels
    a sample; `ordered` (true, or the labels from the least to the most) makes a wrong answer worse the farther off
    it is (earth mover's distance, Hou et al. 2016, arXiv:1611.05916).
    """

    takes: Input
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    choice: Choice

    kind = "classify"

    def __init__(self, data: Splits | Dataset, *, input: str | Sequence[str], target: str, groups: Sequence[str] = (),
                 ordered: bool | Sequence[str] = False, **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        choice, labels = _choice(parts, target, ordered)
        takes = kinds.choose(parts, input, options)
        refuse_answer(takes, target)
        self._set(takes, target, tuple(groups), labels, choice)

    def _set(self, takes: Input, target: str, groups: tuple[str, ...], labels: tuple[str, ...],
             choice: Choice) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "labels": labels, "choice": choice}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def loss(self) -> str:
        """By whether one label, one of a scale, or many are asked for."""
        return _LOSSES[self.choice]

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
    def output(self) -> tuple[str, Shape]:
        """One logit a label."""
        return "logits", (len(self.labels),)

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

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded sample, in the order of the rows."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Samples to a batch of input arrays; see the input's own class for what is cut, padded or resized."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[Any]:
        """Each row's label as its index (rows,) int64; for many labels 0 and 1 (rows, labels) float32.

        Labels that the task does not know are refused and listed.
        """
        index = {label: number for number, label in enumerate(self.labels)}
        rows = self._rows(dataset)
        strange = sorted({label for row in rows for label in row} - set(index))
        if strange:
            raise LinnetError(f"column '{self.target}' of the {dataset.part or 'given'} data holds labels that the "
                              f"task does not know: {', '.join(strange[:10])}. It knows: {', '.join(self.labels)}.")
        if self.choice != "many":
            return np.array([index[row[0]] for row in rows], dtype=np.int64)
        wanted = np.zeros((len(rows), len(index)), np.float32)
        for place, row in enumerate(rows):
            wanted[place, [index[label] for label in row]] = 1
        return wanted

    def _rows(self, dataset: Dataset) -> list[list[str]]:
        values = dataset.values(self.target)
        return [list(map(str, value)) for value in values] if self.choice == "many" else [[str(v)] for v in values]

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's label; for many labels their JSON list in the order of the alphabet."""
        return [_listed(row) if self.choice == "many" else row[0] for row in self._rows(dataset)]

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The label with the largest logit; for many labels those whose probability is above one half."""
        del samples
        logits = outputs["logits"]
        if self.choice != "many":
            return [self.labels[number] for number in np.argmax(logits, axis=1)]
        return [_listed(self.labels[number] for number in np.flatnonzero(row > 0)) for row in logits]

    def probabilities(self, outputs: Arrays) -> NDArray[np.float64]:
        """(batch, labels): softmax of the logits, for many labels each one's sigmoid. They are not calibrated."""
        logits = outputs["logits"].astype(np.float64)
        if self.choice == "many":
            return np.asarray(np.exp(-np.logaddexp(0, -logits)))
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the answer is right (many labels: exactly these), else 0."""
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """On a scale that knows every right answer the mean distance in ranks; for many labels micro and macro F1."""
        if self.choice == "ordered":
            rank = {label: number for number, label in enumerate(self.labels)}
            strange = [label for label in expected if label not in rank]
            if strange:
                log.warning("%d of %d right answers are not on the scale (such as '%s'): there is no mean distance.",
                            len(strange), len(expected), strange[0])
                return {}
            distances = [abs(rank[a] - rank[e]) for a, e in zip(answers, expected, strict=True)]
            return {"mean_absolute_error": float(np.mean(distances))}
        if self.choice == "many":
            micro, macro = f1_scores([json.loads(a) for a in answers], [json.loads(e) for e in expected], self.labels)
            return {"micro_f1": micro, "macro_f1": macro}
        return {}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "choice": self.choice}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Classify:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("classification"):
            choice = value["choice"]
            if choice not in _LOSSES:
                raise ValueError(choice)
            task._set(kinds.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), choice)
        return task


def _listed(labels: Any) -> str:
    return json.dumps(sorted(labels), ensure_ascii=False)


def _choice(parts: Sequence[Dataset], target: str, ordered: bool | Sequence[str]) -> tuple[Choice, tuple[str, ...]]:
    column = parts[0].column(target)
    if column.kind not in ("label", "labels", "group"):
        raise LinnetError(f"Classify answers with labels; '{target}' holds {column.kind}. "
                          + ("Use Regress for numbers, or load the column as labels: "
                             f"columns={{'{target}': 'label'}}." if column.kind == "value" else
                             "Use Tag for spans, Transcribe for sequences and texts."))
    if isinstance(column, LabelsColumn):
        if ordered:
            raise LinnetError(f"'{target}' holds lists of labels; only one label a sample can stand on a scale.")
        return "many", _labels(parts, target, column.labels)
    if isinstance(ordered, bool):
        known = column.labels if isinstance(column, LabelColumn) else None
        is_scale = ordered or (isinstance(column, LabelColumn) and column.ordered)
        return "ordered" if is_scale else "one", _labels(parts, target, known)
    seen, scale = _labels(parts, target, None), tuple(map(str, ordered))
    if sorted(seen) != sorted(scale):
        raise LinnetError(f"ordered must name each label of '{target}' once, least first: {', '.join(seen)}; "
                          f"got {', '.join(scale)}.")
    return "ordered", scale


def _labels(parts: Sequence[Dataset], target: str, order: Sequence[str] | None) -> tuple[str, ...]:
    """The labels that occur, in the column's own order; those that the training part lacks are refused."""
    seen = [_seen(part, target) for part in parts]
    every = set().union(*seen)
    found = [label for label in (order or sorted_labels(every)) if label in every]
    missing = [label for label in found if label not in seen[0]]
    if missing:
        raise LinnetError(f"labels of '{target}' without a sample in the training part: {', '.join(missing)}. "
                          "Give the training part samples of them, or leave them out with where(...).")
    if len(found) < 2:
        raise LinnetError(f"column '{target}' holds {len(found)} label(s); a classifier needs at least two.")
    for part, labels in zip(parts[1:], seen[1:], strict=True):
        absent = [label for label in found if label not in labels]
        if absent:
            log.warning("no sample of %s in the %s part: nothing can be said about it there.",
                        ", ".join(absent), named(part))
    return tuple(found)


def _seen(part: Dataset, target: str) -> set[str]:
    values = part.values(target)
    return {str(label) for value in values for label in (value if isinstance(value, list) else [value])}
