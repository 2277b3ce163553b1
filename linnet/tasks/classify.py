"""Classify: one label, one of an ordered scale, or any number of labels, for a recording, an image, a text or a row."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, LabelColumn, Splits
from linnet.data.columns import LabelsColumn, sorted_labels
from linnet.data.tokenizer import Tokenizer
from linnet.errors import LinnetError, unknown
from linnet.tasks import inputs as kinds
from linnet.tasks.figures import f1_scores
from linnet.tasks.inputs import Images, Input, Options, Tokens, parts_of
from linnet.tasks.inputs.source import check_columns, named, refuse_answer
from linnet.tasks.reading import reading
from linnet.tasks.rejecting import Costs, best_temperature, certified, cheapest, softmax
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

Choice = Literal["one", "ordered", "many"]
_LOSSES: dict[str, str] = {"one": "cross_entropy", "ordered": "earth_mover", "many": "binary_cross_entropy"}


_HALF = 0.5
"""The threshold until one is chosen: likelier than everything else together."""


@dataclass(frozen=True, init=False)
class Classify:
    """Labels for a recording, an image, a text, or a row of a table.

    `Classify(splits, input="audio", target="digit")` reads the labels and what the input needs from the training
    part; `from_json` makes the same task again without data. `input` is a column, or a list of columns of a table;
    the options are those of its kind (`tasks.inputs.Options`). A target of label lists asks for any number of labels
    a sample; `ordered` (true, or the labels from the least to the most) makes a wrong answer worse the farther off
    it is (earth mover's distance, Hou et al. 2016, arXiv:1611.05916).

    `reject` names the answer to what is out of scope, given where the likeliest other label is less likely than
    `threshold`. The training part may have rows of it (then it is learnt as a label too) or not. `temperature` divides
    the logits; `tasks.operate` chooses both from costs (`rejecting.Costs`), or the threshold from an error to be kept
    (`error`, `level`).
    """

    takes: Input
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    choice: Choice
    reject: str | None
    temperature: float
    threshold: float

    kind = "classify"

    def __init__(self, data: Splits | Dataset, *, input: str | Sequence[str], target: str, groups: Sequence[str] = (),
                 ordered: bool | Sequence[str] = False, reject: str | None = None,
                 **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        choice, labels = _choice(parts, target, ordered, reject)
        if reject is not None and choice != "one":
            raise LinnetError(f"'{reject}' can only be answered in place of one label out of several without an order; "
                              f"'{target}' holds {'lists of labels' if choice == 'many' else 'a scale'}.")
        takes = kinds.choose(parts, input, options)
        refuse_answer(takes, target)
        self._set({"takes": takes, "target": target, "groups": tuple(groups), "labels": labels, "choice": choice,
                   "reject": reject, "temperature": 1.0, "threshold": _HALF})

    def _set(self, values: Mapping[str, Any]) -> None:
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
        """The label with the largest logit, or `reject`; for many labels those likelier than one half.

        An empty text among the samples is rejected, whatever the network makes of nothing.
        """
        logits = outputs["logits"]
        if self.choice == "many":
            return [_listed(self.labels[number] for number in np.flatnonzero(row > 0)) for row in logits]
        likeliest = self._likeliest(logits)
        if self.reject is None:
            return likeliest
        empty = [isinstance(sample, str) and not sample.strip() for sample in samples] or [False] * len(likeliest)
        return [label if sure >= self.threshold and not is_empty else self.reject
                for label, sure, is_empty in zip(likeliest, self.confidence(outputs), empty, strict=True)]

    def _likeliest(self, logits: NDArray[Any]) -> list[str]:
        """The label with the largest logit, `reject` not among them."""
        answers = [number for number, label in enumerate(self.labels) if label != self.reject]
        return [self.labels[answers[number]] for number in np.argmax(logits[:, answers], axis=1)]

    def probabilities(self, outputs: Arrays) -> NDArray[np.float64]:
        """(batch, labels): softmax of the logits at the temperature, for many labels each one's sigmoid.

        They are calibrated only where `tasks.operate` chose the temperature.
        """
        if self.choice == "many":
            return np.asarray(np.exp(-np.logaddexp(0, -outputs["logits"].astype(np.float64))))
        return softmax(outputs["logits"], self.temperature)

    def confidence(self, outputs: Arrays) -> NDArray[np.float64]:
        """(batch,): the probability of the likeliest label, `reject` not among them; the threshold is held to it."""
        is_answer = np.array([label != self.reject for label in self.labels])
        return np.asarray(self.probabilities(outputs)[:, is_answer].max(axis=1))

    @property
    def operating(self) -> Mapping[str, float]:
        """The temperature; with `reject` the threshold too. For many labels there is nothing to choose."""
        if self.choice == "many":
            return {}
        return {"temperature": self.temperature} | ({} if self.reject is None else {"threshold": self.threshold})

    def at(self, **settings: float) -> Self:
        """The same task at another temperature or threshold."""
        for name, value in settings.items():
            if name not in self.operating:
                raise unknown("setting", name, self.operating)
            least, most = (0.0, 1.0) if name == "threshold" else (1e-3, 1e3)
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise LinnetError(f"{name} is a number from {least:g} to {most:g}; got {value!r}.")
        task = object.__new__(type(self))
        task._set({**vars(self), **{name: float(value) for name, value in settings.items()}})
        return task

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, *, costs: Mapping[str, float] | None = None,
               error: float | None = None, level: float = 0.95) -> Self:
        """Temperature, and threshold at the lowest cost (`rejecting.Costs`), or the threshold that keeps `error`.

        `error` is the share of wrong answers among those given that is not exceeded, sure at `level`; the temperature
        then stays as it is, since a certified threshold may not rest on rows to which the confidences were fitted.
        """
        if not self.operating or (self.reject is None and (error is not None or costs is not None)):
            raise LinnetError("this task always answers, so there is no threshold to choose: make it with "
                              "reject='<the answer to what is out of scope>'.")
        if error is not None and costs is not None:
            raise LinnetError("give costs, or an error to be kept; both at once would ask for two thresholds.")
        every = {"logits": np.concatenate([batch["logits"] for batch in outputs])}
        expected = self.expected(dataset)
        if error is not None:
            return self.at(threshold=certified(*self._judged(every, expected)[:2], error=error, level=level))
        known = np.array([label in self.labels for label in expected])
        index = [self.labels.index(label) for label in expected if label in self.labels]
        if not index:
            raise LinnetError("no row of this data has a label that the task knows; a temperature cannot be chosen.")
        warm = self.at(temperature=best_temperature(every["logits"][known], np.array(index)))
        return warm if self.reject is None else warm.at(
            threshold=cheapest(*warm._judged(every, expected), _costs(costs or {})))

    def _judged(self, outputs: Arrays, expected: Sequence[str]
                ) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_]]:
        """Each row's confidence, whether its likeliest label is right, and whether it is in scope."""
        right = np.array(self._likeliest(outputs["logits"])) == np.array(expected)
        return self.confidence(outputs), right, np.array([label != self.reject for label in expected])

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the answer is right (many labels: exactly these), else 0."""
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """On a scale that knows every right answer the mean distance in ranks; for many labels micro and macro F1.

        With `reject` the accuracy of what is in scope, where turning down is wrong, and the recall of what is not.
        """
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
        if self.reject is not None:
            return self._by_scope(answers, expected)
        return {}

    def _by_scope(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        right, in_scope = self.score(answers, expected), np.array([label != self.reject for label in expected], bool)
        found = {"in_scope_accuracy": right[in_scope], "out_of_scope_recall": right[~in_scope]}
        return {name: float(values.mean()) for name, values in found.items() if len(values)}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        rejecting = {} if self.reject is None else {"reject": self.reject}
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "choice": self.choice, **rejecting,
                **({"operating": dict(self.operating)} if self._is_set else {})}

    @property
    def _is_set(self) -> bool:
        """Whether the settings differ from those of a fresh task; only then are they written down."""
        return (self.temperature, self.threshold) != (1.0, _HALF)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Classify:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("classification"):
            choice = value["choice"]
            if choice not in _LOSSES:
                raise ValueError(choice)
            reject = value.get("reject")
            task._set({"takes": kinds.from_json(value["takes"]), "target": str(value["target"]),
                       "groups": tuple(map(str, value["groups"])), "labels": tuple(map(str, value["labels"])),
                       "choice": choice, "reject": None if reject is None else str(reject),
                       "temperature": 1.0, "threshold": _HALF})
            return task.at(**value.get("operating", {}))


def _listed(labels: Any) -> str:
    return json.dumps(sorted(labels), ensure_ascii=False)


def _costs(given: Mapping[str, float]) -> Costs:
    known = [field.name for field in fields(Costs)]
    for name in given:
        if name not in known:
            raise unknown("cost", name, [*known, "error", "level"])
    return Costs(**given)


def _choice(parts: Sequence[Dataset], target: str, ordered: bool | Sequence[str],
            reject: str | None = None) -> tuple[Choice, tuple[str, ...]]:
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
        return "ordered" if is_scale else "one", _labels(parts, target, known, reject)
    seen, scale = _labels(parts, target, None), tuple(map(str, ordered))
    if sorted(seen) != sorted(scale):
        raise LinnetError(f"ordered must name each label of '{target}' once, least first: {', '.join(seen)}; "
                          f"got {', '.join(scale)}.")
    return "ordered", scale


def _labels(parts: Sequence[Dataset], target: str, order: Sequence[str] | None,
            reject: str | None = None) -> tuple[str, ...]:
    """The labels that occur, in the column's own order; those that the training part lacks are refused.

    What the training part lacks may be `reject`: then it is no label that is learnt.
    """
    seen = [_seen(part, target) for part in parts]
    every = set().union(*seen) - ({reject} - seen[0])
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
