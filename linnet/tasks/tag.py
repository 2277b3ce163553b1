"""Tag: labelled stretches of a text, by one tag a token."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.data.columns import SpansColumn
from linnet.data.tokenizer import Token, Tokenizer
from linnet.errors import LinnetError
from linnet.tasks import inputs as kinds
from linnet.tasks.figures import span_scores
from linnet.tasks.inputs import Options, Tokens, parts_of
from linnet.tasks.inputs.source import check_columns, named
from linnet.tasks.reading import reading
from linnet.tasks.spans import PADDED, Span, likeliest, spans_of, tags_of, units
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

Unit = Literal["word", "token"]
_ENOUGH = 0.99


@dataclass(frozen=True, init=False)
class Tag:
    """Which stretches of a text carry which label: each token is outside, begins a span, or continues one (BIO).

    The first token of a word speaks for the whole word, unless more than one span in a hundred of the training part
    starts or ends within a word: then each token speaks for itself (`unit`). Spans that cannot be expressed, and those
    behind the last token that is read, are counted and said; they count as missed in every figure.
    """

    takes: Tokens
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    unit: Unit

    kind = "tag"
    loss = "token_cross_entropy"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, groups: Sequence[str] = (),
                 **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        column = parts[0].column(target)
        if not isinstance(column, SpansColumn) or column.of != input:
            raise LinnetError(f"Tag answers with spans of the column '{input}'; '{target}' holds "
                              + (f"spans of '{column.of}'." if isinstance(column, SpansColumn) else f"{column.kind}."))
        takes = kinds.choose(parts, input, options, whole=True)
        if not isinstance(takes, Tokens):
            raise LinnetError("Tag names tokens, so it needs a tokenizer; leave tokenizer out, or give one.")
        self._set(takes, target, tuple(groups), _labels(parts, target, column.labels), "word")
        places = [self._places(takes.read(part)) for part in parts]
        self._set(takes, target, self.groups, self.labels, self._unit(parts[0], places[0]))
        for part, found in zip(parts, places, strict=True):
            self._say_lost(part, found)

    def _set(self, takes: Tokens, target: str, groups: tuple[str, ...], labels: tuple[str, ...], unit: Unit) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "labels": labels, "unit": unit}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def input(self) -> str:
        """The column of texts."""
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
        """Token ids."""
        return self.takes.arrays

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the texts."""
        return self.takes.tokenizer

    @property
    def tags(self) -> tuple[str, ...]:
        """What each token may be: outside of all spans, then for each label its first and its following tokens."""
        return ("O", *(f"{place}-{label}" for label in self.labels for place in "BI"))

    @property
    def output(self) -> tuple[str, Shape]:
        """A logit for each tag of each token."""
        return "logits", (self.takes.length, len(self.tags))

    def read(self, dataset: Dataset) -> list[str]:
        """Every text."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[str]) -> Arrays:
        """Texts to token ids."""
        return self.takes.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """Tags (rows, length); -100 on padding and on tokens that do not speak. Unknown labels are refused."""
        rows = self.rows(dataset)
        strange = sorted({label for row in rows for label, _, _ in row} - set(self.labels))
        if strange:
            raise LinnetError(f"column '{self.target}' of the {dataset.part or 'given'} data holds labels that the "
                              f"task does not know: {', '.join(strange[:10])}. It knows: {', '.join(self.labels)}.")
        return self.tagged(self.read(dataset), rows)

    def tagged(self, texts: Sequence[str], rows: Sequence[Sequence[Span]]) -> NDArray[np.int64]:
        """The targets of texts with these spans, by their start: (rows, length)."""
        places = self._places(texts)
        wanted = np.full((len(rows), self.takes.length), PADDED, np.int64)
        for tags, tokens, spans in zip(wanted, places, rows, strict=True):
            found = units(tokens, self.unit)
            tags[[unit.position for unit in found]] = tags_of(found, spans, self.labels)
        return wanted

    def _places(self, texts: Sequence[str]) -> list[list[Token]]:
        return self.takes.tokenizer.places(texts, self.takes.length)

    def rows(self, dataset: Dataset) -> list[list[Span]]:
        """Each row's spans, by their start."""
        return [sorted(((str(span["label"]), int(span["start"]), int(span["end"])) for span in row),
                       key=lambda span: span[1:]) for row in dataset.values(self.target)]

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's spans as JSON, [[label, start, end], ...] in characters of the text, by their start."""
        return [_json(row) for row in self.rows(dataset)]

    def decode(self, outputs: Arrays, samples: Sequence[str] = ()) -> list[str]:
        """The likeliest tags that make sense together, as spans of the texts."""
        logits = outputs["logits"]
        if len(samples) != len(logits):
            raise LinnetError(f"Tag answers with places in texts, so decode needs the texts: decode(outputs, samples); "
                              f"got {len(logits)} rows and {len(samples)} texts.")
        return [_json(row) for row in self.spans(logits, samples)]

    def spans(self, logits: NDArray[Any], texts: Sequence[str]) -> list[list[Span]]:
        """The spans of each text, of logits (rows, length, tags)."""
        found = [units(tokens, self.unit) for tokens in self._places(texts)]
        return [spans_of(row, likeliest(scores[[unit.position for unit in row]]), self.labels)
                for row, scores in zip(found, logits, strict=True)]

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where every span is found with its label, start and end, and no other; else 0."""
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """F1, precision and recall over all spans; right is label, start and end."""
        f1, precision, recall = span_scores([json.loads(a) for a in answers], [json.loads(e) for e in expected])
        return {"slot_f1": f1, "slot_precision": precision, "slot_recall": recall}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "unit": self.unit}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Tag:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("tagging"):
            unit = value["unit"]
            if unit not in ("word", "token"):
                raise ValueError(unit)
            task._set(Tokens.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), unit)
        return task

    def _say_lost(self, part: Dataset, places: Sequence[Sequence[Token]]) -> None:
        rows = self.rows(part)
        every, read = sum(map(len, rows)), sum(map(len, self._within(rows, places)))
        kept = self._kept(rows, places, self.unit)
        if read < every:
            log.warning("%s: %d of %d spans in '%s' lie behind the %d tokens that are read: they cannot be found.",
                        named(part), every - read, every, self.target, self.takes.length)
        if kept < read:
            log.warning("%s: %d of %d spans in '%s' do not meet the edges of %ss: they cannot be found exactly.",
                        named(part), read - kept, every, self.target, self.unit)

    def _unit(self, train: Dataset, places: Sequence[Sequence[Token]]) -> Unit:
        rows = self._within(self.rows(train), places)
        words, read = self._kept(rows, places, "word"), sum(map(len, rows))
        return "word" if words >= _ENOUGH * read or words >= self._kept(rows, places, "token") else "token"

    def _within(self, rows: Sequence[Sequence[Span]], places: Sequence[Sequence[Token]]) -> list[list[Span]]:
        """The spans that end before the last token that is read does."""
        ends = [tokens[-1].end if tokens else 0 for tokens in places]
        return [[span for span in spans if span[2] <= end] for spans, end in zip(rows, ends, strict=True)]

    def _kept(self, rows: Sequence[Sequence[Span]], places: Sequence[Sequence[Token]], unit: Unit) -> int:
        """How many spans come back from their tags as they were."""
        kept = 0
        for tokens, spans in zip(places, rows, strict=True):
            found = units(tokens, unit)
            kept += len(set(spans_of(found, tags_of(found, spans, self.labels), self.labels)) & set(spans))
        return kept


def _json(spans: Sequence[Span]) -> str:
    return json.dumps([list(span) for span in spans], ensure_ascii=False)


def _labels(parts: Sequence[Dataset], target: str, order: Sequence[str]) -> tuple[str, ...]:
    seen = [{str(span["label"]) for row in part.values(target) for span in row} for part in parts]
    found = tuple(label for label in order if label in set().union(*seen))
    missing = [label for label in found if label not in seen[0]]
    if missing:
        raise LinnetError(f"labels of '{target}' without a span in the training part: {', '.join(missing)}. "
                          "Give the training part samples of them, or leave them out with where(...).")
    if not found:
        raise LinnetError(f"column '{target}' holds no span; there is nothing to learn.")
    return found
