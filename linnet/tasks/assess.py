"""Assess: how well a text was said, by phone, by word and as a whole."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.data.columns import SequenceColumn, ValueColumn
from linnet.errors import LinnetError, unknown
from linnet.speech.pronunciation import UTTERANCE
from linnet.tasks.inputs import parts_of
from linnet.tasks.inputs.source import check_columns, named
from linnet.tasks.inputs.spoken import Acoustic, Heard, Spoken, by_word
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

LEVELS = ("phones", "words", "total")
"""What each position is given, in the order of the output's columns."""
_BAD = 0.25
"""A phone whose mark is below this share of the best one was said badly: 0.5 of 2."""
_NEAR = 0.1
"""The whole is judged right within this share of the best mark: one of ten points."""
_DIGITS = 3
_EDITS = UTTERANCE.index("edits")
_UNHEARD = 0.9
_STEPS = 200


@dataclass(frozen=True, init=False)
class Assess:
    """The mark of each phone, of each word and of the whole, as experts give them, of a text that was to be said.

    An acoustic model (`acoustic`: a shipped file of the task Transcribe, or any other network as an `Acoustic`) hears
    the recording; the network of this task judges what it heard of each phone. Answers are JSON: {"total": 7.5,
    "words": [9.1, ...], "phones": [1.9, ...]}. A phone counts as bad below `bad_below`, the operating point.
    """

    takes: Spoken
    target: str
    whole: tuple[str, str]
    groups: tuple[str, ...]
    best: tuple[float, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    bad_below: float

    kind = "assess"
    loss = "marks"
    labels: tuple[str, ...] = ()

    def __init__(self, data: Splits | Dataset, *, acoustic: Any, input: str = "audio", target: str = "phone_marks",
                 text: Sequence[str] = ("phones", "word_lengths"), whole: Sequence[str] = ("word_marks", "total"),
                 groups: Sequence[str] = ()) -> None:
        parts = parts_of(data)
        if len(text) != 2 or len(whole) != 2:
            raise LinnetError("text names the columns of the phones and of how many each word has, whole those of the "
                              f"words' marks and of the whole's; got {list(text)} and {list(whole)}.")
        check_columns(parts, [input, *text], target, [*groups, *whole])
        for part in parts:
            _check(part, target, (text[1], whole[0], whole[1]))
        best = (*(max(map(float, _named_marks(parts[0], name))) for name in (target, whole[0])),
                max(float(value) for part in parts for value in part.values(whole[1])))
        values = [_flat(parts[0].values(target)), _flat(parts[0].values(whole[0])),
                  np.array(parts[0].values(whole[1]), np.float64)]
        if any(np.nanstd(level) == 0 for level in values):
            raise LinnetError("every phone, every word or every text has the same mark in the training part; there is "
                              "nothing to learn.")
        takes = Spoken.choose(parts, (input, text[0], text[1]), Acoustic.of(acoustic))
        scale = [(round(float(np.nanmean(level)), 6), round(float(np.nanstd(level)), 6)) for level in values]
        self._set(takes, target, (whole[0], whole[1]), tuple(groups), (best, *zip(*scale, strict=True)), _BAD * best[0])

    def _set(self, takes: Spoken, target: str, whole: tuple[str, str], groups: tuple[str, ...],
             scale: Sequence[Sequence[float]], bad_below: float) -> None:
        best, mean, deviation = map(tuple, scale)
        values = {"takes": takes, "target": target, "whole": whole, "groups": groups, "best": best, "mean": mean,
                  "deviation": deviation, "bad_below": bad_below, "labels": ()}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def acoustic(self) -> Acoustic:
        """Who hears."""
        return self.takes.acoustic

    def hearing_with(self, acoustic: Any) -> Assess:
        """The same task with this acoustic model; raises LinnetError where it is not the one that it was made with."""
        given = Acoustic.of(acoustic)
        if (given.identity, given.labels) != (self.acoustic.identity, self.acoustic.labels):
            raise LinnetError(f"the scorer was made with the acoustic model {self.acoustic.identity[:12]} "
                              f"('{self.acoustic.file}'); this one is {given.identity[:12]}, whose every answer "
                              "means something else. Give that one, or train a scorer with this one.")
        return self._with(takes=_replaced(self.takes, given))

    def _with(self, takes: Spoken | None = None, bad_below: float | None = None) -> Assess:
        made = object.__new__(type(self))
        made._set(takes or self.takes, self.target, self.whole, self.groups, (self.best, self.mean, self.deviation),
                  self.bad_below if bad_below is None else bad_below)
        return made

    @property
    def input(self) -> str:
        """The column of recordings."""
        return self.takes.column

    @property
    def inputs(self) -> tuple[str, ...]:
        """Recordings, their phones, and how many of them each word has."""
        return self.takes.columns

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.takes.noun

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the acoustic model hears."""
        return self.acoustic.sample_rate_hz

    @property
    def vocabulary(self) -> int:
        """How many ids a position may have."""
        return self.takes.vocabulary

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """What was heard at each position, and the phones."""
        return self.takes.arrays

    @property
    def output(self) -> tuple[str, Shape]:
        """For each position the marks of the phone, of its word and of the whole (the first position's), standardised.
        """
        return "values", (1 + self.takes.length, len(LEVELS))

    @property
    def operating(self) -> Mapping[str, float]:
        """Below which mark a phone counts as bad."""
        return {"bad_below": self.bad_below}

    def at(self, **settings: float) -> Assess:
        """The same task with another `bad_below`."""
        for name in settings:
            if name != "bad_below":
                raise unknown("setting of an assessment", name, self.operating)
        value = settings.get("bad_below", self.bad_below)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= self.best[0]:
            raise LinnetError(f"bad_below is a mark from 0 to {self.best[0]:g}; got {value!r}.")
        return self._with(bad_below=float(value))

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, **wanted: Any) -> Assess:
        """With the `bad_below` whose F1 of badly said phones is highest on `dataset`. Nothing else can be wanted."""
        if wanted:
            raise LinnetError(f"an assessment chooses the best F1 of bad phones; got {', '.join(wanted)}.")
        sizes = [list(map(int, row)) for row in dataset.values(self.takes.lengths)]
        rows = np.concatenate([batch["values"] for batch in outputs])
        given = np.concatenate([self._marks(row, size)["phones"] for row, size in zip(rows, sizes, strict=True)])
        truth = _flat(dataset.values(self.target))
        known = ~np.isnan(truth)
        bad = truth[known] < _BAD * self.best[0]
        if not bad.any():
            log.warning("no phone of these data was said badly: there is nothing to choose bad_below by; it stays %g.",
                        self.bad_below)
            return self
        tried = np.unique(np.quantile(given[known], np.linspace(0, 1, _STEPS)).round(_DIGITS))
        return self.at(bad_below=float(max(tried, key=lambda limit: _f1(given[known] < limit, bad))))

    def read(self, dataset: Dataset) -> Sequence[Heard]:
        """Every recording, heard by the acoustic model."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Samples, heard or {"audio": sound, "words": [["HH", "AY"], ...]}, to a batch of arrays."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.float32]:
        """(rows, 1 + length, 3): standardised marks; NaN where a position has none. A word's stands at its phones."""
        wanted = np.full((len(dataset), *_sizes(self.output[1])), np.nan, np.float32)
        columns = (dataset.values(name) for name in (self.target, *self.whole, self.takes.lengths))
        for row, (phones, words, total, lengths) in zip(wanted, zip(*columns, strict=True), strict=True):
            counts = list(map(int, lengths))
            row[1 : 1 + len(phones), 0] = _flat([phones])
            row[1 : 1 + len(phones), 1] = np.repeat(_flat([words]), counts)
            row[0, 2] = total
        standard: NDArray[np.float32] = ((wanted - self.mean) / np.array(self.deviation)).astype(np.float32)
        return standard

    def expected(self, dataset: Dataset) -> list[str]:
        """What the experts gave, as `decode` writes it; null where a phone has no mark."""
        columns = (dataset.values(name) for name in (self.target, *self.whole))
        return [_written({"phones": _flat([phones]), "words": _flat([words]), "total": np.array([total])})
                for phones, words, total in zip(*columns, strict=True)]

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """Marks in the experts' own units, no higher than the best and no lower than 0; all 0 where nothing was heard.

        That is so where what the acoustic model hears without knowing the text needs edits for more than 0.9 of the
        text's phones, as silence does for all. A scorer that only learnt from speech knows no better.
        """
        if len(samples) != len(outputs["values"]):
            raise LinnetError("an assessment's answers are told apart by its samples; give those that were asked.")
        answers = []
        for row, sample in zip(outputs["values"], map(self.takes.hear, samples), strict=True):
            marks = self._marks(row, [len(word) for word in sample.words])
            share = 0.0 if sample.utterance[_EDITS] > _UNHEARD else 1.0
            answers.append(_written({level: share * values for level, values in marks.items()}))
        return answers

    def _marks(self, values: NDArray[np.floating], lengths: Sequence[int]) -> dict[str, NDArray[np.float64]]:
        """By level, from one utterance's outputs (1 + length, 3): a word's mark is the mean over its phones."""
        marks = np.clip(values * np.array(self.deviation) + np.array(self.mean), 0.0, self.best)
        ends = np.cumsum(lengths)
        words = np.add.reduceat(marks[1 : 1 + ends[-1], 1], np.concatenate([[0], ends[:-1]])) / lengths
        return {"phones": marks[1 : 1 + ends[-1], 0], "words": words, "total": marks[:1, 2]}

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the whole's mark is within a tenth of the best mark, such as one of ten points; else 0."""
        limit = _NEAR * self.best[2] + 10.0**-_DIGITS
        pairs = zip(map(json.loads, answers), map(json.loads, expected), strict=True)
        return np.array([float(abs(one["total"] - other["total"]) <= limit) for one, other in pairs])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """Correlation (Pearson) by level, mean squared error of phones, and F1 of the badly said ones."""
        sides = [list(map(json.loads, side)) for side in (answers, expected)]
        found: dict[str, float] = {}
        for level in LEVELS:
            given, wanted = (_flat([row[level] if isinstance(row[level], list) else [row[level]] for row in side])
                             for side in sides)
            known = ~np.isnan(wanted)
            given, wanted = given[known], wanted[known]
            if np.ptp(given) > 0 and np.ptp(wanted) > 0:
                found[f"{level}_pearson"] = float(np.corrcoef(given, wanted)[0, 1])
            else:
                log.warning("the marks of the %s are all the same: there is no correlation to speak of.", level)
            if level == "phones":
                found["phones_squared_error"] = float(((given - wanted) ** 2).mean())
                if (bad := wanted < _BAD * self.best[0]).any():
                    found["bad_phones_f1"] = _f1(given < self.bad_below, bad)
        return found

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs; of the acoustic model its identity and its file's name."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "whole": list(self.whole),
                "groups": list(self.groups), "best": list(self.best), "mean": list(self.mean),
                "deviation": list(self.deviation), "bad_below": self.bad_below}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Assess:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("assessment"):
            words, total = map(str, value["whole"])
            scale = [tuple(map(float, value[name])) for name in ("best", "mean", "deviation")]
            task._set(Spoken.from_json(value["takes"]), str(value["target"]), (words, total),
                      tuple(map(str, value["groups"])), scale, float(value["bad_below"]))
        return task


def _replaced(takes: Spoken, acoustic: Acoustic) -> Spoken:
    from dataclasses import replace

    return replace(takes, acoustic=replace(acoustic, file=takes.acoustic.file or acoustic.file))


def _check(part: Dataset, target: str, others: tuple[str, str, str]) -> None:
    """Raises LinnetError where marks are no numbers, or not as many as there are words and phones."""
    lengths, words, total = others
    for name in (target, words, lengths):
        if not isinstance(part.column(name), SequenceColumn):
            raise LinnetError(f"'{name}' is to hold a list a row, such as the marks ['2.0', '1.8']; it holds "
                              f"{part.column(name).kind}.")
    if not isinstance(part.column(total), ValueColumn):
        raise LinnetError(f"'{total}' is to hold a number a row; it holds {part.column(total).kind}.")
    rows = zip(part.ids, *map(part.values, (target, words, lengths)), strict=True)
    for name, phones, marks, counts in rows:
        if len(marks) != len(counts):
            raise LinnetError(f"{named(part)}: '{name}' has {len(counts)} words and {len(marks)} marks of words.")
        by_word(phones, counts)


def _named_marks(part: Dataset, name: str) -> list[str]:
    column = part.column(name)
    assert isinstance(column, SequenceColumn)
    return [label for label in column.labels if not np.isnan(_number(label))]


def _flat(rows: Sequence[Sequence[Any]]) -> NDArray[np.float64]:
    """The marks of all rows one after another; NaN for what is no number, as the mark of a phone that has none."""
    return np.array([_number(mark) for row in rows for mark in row], np.float64)


def _number(mark: Any) -> float:
    try:
        return float(mark)
    except (TypeError, ValueError):
        return float("nan")


def _sizes(shape: Shape) -> tuple[int, ...]:
    return tuple(size or 0 for size in shape)


def _f1(given: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(2 * (given & truth).sum() / max(1, given.sum() + truth.sum()))


def _written(marks: Mapping[str, NDArray[np.float64]]) -> str:
    lists = {level: [None if np.isnan(mark) else round(float(mark), _DIGITS) + 0.0 for mark in marks[level]]
             for level in LEVELS}
    return json.dumps({"total": lists["total"][0], "words": lists["words"], "phones": lists["phones"]})
