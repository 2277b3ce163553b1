"""Verify: whether two recordings are of one speaker, whoever that is."""

from __future__ import annotations

import base64
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.errors import LinnetError, unknown
from linnet.evidence.thresholds import false_accept_threshold
from linnet.speech.speakers import Plda, Trials, all_pairs, equal_error_rate, minimum_cost, similarities
from linnet.tasks import inputs as kinds
from linnet.tasks.inputs import AudioSequence, Options, parts_of
from linnet.tasks.inputs.source import check_columns, named
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

BESIDE = 80
"""Values that a network may say beside how a voice points to speakers, such as what it sounds like on average."""


@dataclass(frozen=True, init=False)
class Verify:
    """A voice for a recording; two voices are of one speaker where their similarity is above the threshold.

    The network learns the speakers of the training part, each along a direction of its own (`labels`); others are
    known by where they lie between those. The answer is the voice as text: what `voices` reads, and `similarity`
    compares. `plda` turns what the network says into voices whose similarity is a log likelihood ratio; without it,
    similarity is the cosine. Both it and the threshold are the operating point, chosen on data (`tasks.operate`).
    """

    takes: AudioSequence
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    plda: Plda | None
    threshold: float | None

    kind = "verify"
    loss = "angular_margin"
    answers_are_compared = True
    """An answer is a voice: nobody can write down the right one beforehand. It is right by what it is alike to."""

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, groups: Sequence[str] = (),
                 **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        if parts[0].column(input).kind != "audio":
            raise LinnetError(f"Verify listens to recordings; '{input}' holds {parts[0].column(input).kind}.")
        if parts[0].column(target).kind not in ("label", "group"):
            raise LinnetError(f"Verify compares speakers, a column of labels or groups; '{target}' holds "
                              f"{parts[0].column(target).kind}.")
        takes = kinds.choose(parts, input, options, whole=True)
        assert isinstance(takes, AudioSequence)
        self._set(takes, target, tuple(groups), _speakers(parts, target), None, None)

    def _set(self, takes: AudioSequence, target: str, groups: tuple[str, ...], labels: tuple[str, ...],
             plda: Plda | None, threshold: float | None) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "labels": labels, "plda": plda,
                  "threshold": threshold}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _with(self, plda: Plda | None, threshold: float | None) -> Verify:
        task = object.__new__(Verify)
        task._set(self.takes, self.target, self.groups, self.labels, plda, threshold)
        return task

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Verify) and self.to_json() == other.to_json()

    def __hash__(self) -> int:
        return hash((self.takes, self.target, self.labels, self.threshold))

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
        """A value a speaker of the training part, how much the voice points there; and what else there is to say."""
        return "voice", (len(self.labels) + BESIDE,)

    @property
    def operating(self) -> Mapping[str, float]:
        """The threshold of similarity, where one was chosen."""
        return {} if self.threshold is None else {"threshold": self.threshold}

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded recording."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Sounds padded to the longest, and their lengths."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """(rows,): the speaker's index; -1, -2, ... for those who are not in the training part."""
        index = {label: number for number, label in enumerate(self.labels)}
        names = self.expected(dataset)
        strangers = {name: -1 - place for place, name in enumerate(sorted(set(names) - set(index)))}
        return np.array([(index | strangers)[name] for name in names], np.int64)

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's speaker."""
        return [str(value) for value in dataset.values(self.target)]

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The voices, as base64 of their float32 values."""
        del samples
        rows = np.asarray(outputs["voice"], np.float64)
        if self.plda is None:
            length = np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            rows = np.column_stack([rows / length, np.zeros(len(rows))])
        else:
            rows = self.plda.voices(rows)
        return [base64.b64encode(row.astype("<f4").tobytes()).decode() for row in rows]

    def voices(self, answers: Sequence[str]) -> NDArray[np.float64]:
        """The answers as rows (recordings, size); raises LinnetError for text that is no voice."""
        try:
            rows = [np.frombuffer(base64.b64decode(answer, validate=True), "<f4") for answer in answers]
            return np.stack(rows).astype(np.float64)
        except ValueError as error:
            raise LinnetError(f"these are no voices as this task answers with ({error}).") from error

    def similarity(self, answers: Sequence[str], others: Sequence[str] | None = None) -> NDArray[np.float64]:
        """How alike two voices are, (answers, others): a log likelihood ratio with a `plda`, else the cosine."""
        return similarities(self.voices(answers), None if others is None else self.voices(others))

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """Of each recording's pairs with all others, how many are decided rightly; one half for each kind of pair.

        Without a threshold: the share of couples, a pair of one speaker and one of two, of which the right one is more
        alike (the area under the curve). 1 where a recording has pairs of one kind only, and no threshold to fail.
        """
        names = np.asarray(expected)
        alike, same = self.similarity(answers), names[:, None] == names
        np.fill_diagonal(alike, np.nan)
        return np.array([self._right(row[wanted & ~np.isnan(row)], row[~wanted])
                         for row, wanted in zip(alike, same, strict=True)])

    def _right(self, own: NDArray[np.float64], others: NDArray[np.float64]) -> float:
        if self.threshold is not None:
            right = [side.mean() for side in (own > self.threshold, others <= self.threshold) if len(side)]
            return float(np.mean(right)) if right else 1.0
        if not len(own) or not len(others):
            return 1.0
        ranked = np.sort(others)
        below = np.searchsorted(ranked, own, side="left") + np.searchsorted(ranked, own, side="right")
        return float(below.mean() / 2 / len(others))

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Equal error rate, least cost at 1 % genuine pairs (minDCF), over all pairs; and what the threshold does."""
        trials = self.trials(answers, expected)
        if not 0 < trials.is_genuine.sum() < len(trials.scores):
            log.warning("there are no two recordings of one speaker, or no two speakers: nothing to verify.")
            return {}
        found = {"equal_error_rate": equal_error_rate(trials), "least_error_cost": minimum_cost(trials)}
        if self.threshold is not None:
            found |= {"false_accept_error_rate": float((trials.impostors > self.threshold).mean()),
                      "false_reject_error_rate": float((trials.genuine <= self.threshold).mean())}
        return found

    def trials(self, answers: Sequence[str], expected: Sequence[str]) -> Trials:
        """Every pair of recordings once."""
        return all_pairs(self.similarity(answers), np.asarray(expected))

    def at(self, **settings: float) -> Verify:
        """The same task at another `threshold`."""
        for name in settings:
            if name != "threshold":
                raise unknown("setting", name, ["threshold"])
        if not settings:
            return self
        threshold = settings["threshold"]
        if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not math.isfinite(threshold):
            raise LinnetError(f"a threshold of similarity is a finite number; got {threshold!r}.")
        return self._with(self.plda, float(threshold))

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, *, dimensions: int | None = None,
               false_accepts: float | None = None, level: float = 0.95) -> Verify:
        """The same task, with one of the two.

        `dimensions`: how voices are compared is learned from these recordings (the training part, best with other
        speakers than those that the network learned from): PLDA in so many dimensions. `false_accepts`: the lowest
        threshold that accepts at most this share of pairs of new speakers, sure at `level` over speakers (validation);
        raises LinnetError with what is wanting where so few speakers cannot certify any.
        """
        if (dimensions is None) == (false_accepts is None):
            raise LinnetError("choose one thing at a time: dimensions=60 on the training part learns how voices are "
                              "compared, false_accepts=0.01 on the validation part the threshold.")
        names = self.expected(dataset)
        if dimensions is not None:
            return self._with(Plda.fit(np.concatenate([batch["voice"] for batch in outputs]), names,
                                       dimensions=dimensions), None)
        assert false_accepts is not None
        trials = self.trials([voice for batch in outputs for voice in self.decode(batch)], names)
        strange = ~trials.is_genuine
        found = false_accept_threshold(trials.scores[strange], trials.first[strange], trials.second[strange],
                                       rate=false_accepts, level=level)
        if found.threshold is None:
            raise LinnetError(f"no threshold can be certified on {named(dataset)}: {found.wanting}")
        return self._with(self.plda, found.threshold)

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "plda": None if self.plda is None else _written(self.plda),
                "threshold": self.threshold}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Verify:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("verification"):
            threshold = value["threshold"]
            if threshold is not None and not math.isfinite(threshold):
                raise ValueError(threshold)
            task._set(AudioSequence.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), None if value["plda"] is None else _plda(value["plda"]),
                      None if threshold is None else float(threshold))
        return task


_FIELDS = ("first", "first_offset", "second", "second_offset", "between")


def _written(plda: Plda) -> dict[str, Any]:
    """Each array as its shape and base64 of float32."""
    arrays = {name: np.asarray(getattr(plda, name), "<f4") for name in _FIELDS}
    return {name: [list(values.shape), base64.b64encode(values.tobytes()).decode()] for name, values in arrays.items()}


def _plda(value: Mapping[str, Any]) -> Plda:
    arrays = {name: np.frombuffer(base64.b64decode(value[name][1], validate=True), "<f4").reshape(value[name][0])
              for name in _FIELDS}
    return Plda(**{name: values.astype(np.float64) for name, values in arrays.items()})


def _speakers(parts: Sequence[Dataset], target: str) -> tuple[str, ...]:
    found = sorted({str(value) for value in parts[0].values(target)})
    if len(found) < 2:
        raise LinnetError(f"'{target}' is {found[0] if found else 'nobody'} in every training row; a network learns to "
                          "tell speakers apart from at least two.")
    for part in parts[1:]:
        names = [str(value) for value in part.values(target)]
        if len(set(names)) < 2 or len(set(names)) == len(names):
            log.warning("%s: %d recordings of %d speakers; verification is judged on pairs of one speaker and of two, "
                        "and one kind is missing.", named(part), len(names), len(set(names)))
    return tuple(found)
