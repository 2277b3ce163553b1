"""Understand: what somebody wants and with what, an intent and the slots of a text, from one network."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, LabelColumn, Splits
from linnet.data.tokenizer import Tokenizer
from linnet.errors import LinnetError
from linnet.tasks.classify import Classify
from linnet.tasks.figures import span_scores
from linnet.tasks.inputs import Options
from linnet.tasks.reading import reading
from linnet.tasks.spans import Span
from linnet.tasks.tag import Tag
from linnet.tasks.task import Arrays, Shape


@dataclass(frozen=True, init=False)
class Understand:
    """An intent a text, and its slots, as JSON: {"intent": "GetWeather", "slots": [["city", 16, 20]]}.

    The network answers each token with a logit for each intent, then for each tag of `tag`; those of intents are
    averaged over the tokens. `target` is the column of intents, `slots` that of spans.
    """

    tag: Tag
    target: str
    labels: tuple[str, ...]

    kind = "understand"
    loss = "joint_cross_entropy"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, slots: str, groups: Sequence[str] = (),
                 **options: Unpack[Options]) -> None:
        tag = Tag(data, input=input, target=slots, groups=groups, **options)
        part = data if isinstance(data, Dataset) else data.train
        if not isinstance(part.column(target), LabelColumn):
            raise LinnetError(f"Understand names one intent a text; '{target}' holds {part.column(target).kind}.")
        intents = Classify(data, input=input, target=target, tokenizer=tag.tokenizer, length=tag.takes.length)
        self._set(tag, target, intents.labels)

    def _set(self, tag: Tag, target: str, labels: tuple[str, ...]) -> None:
        for name, value in {"tag": tag, "target": target, "labels": labels}.items():
            object.__setattr__(self, name, value)

    @property
    def takes(self) -> Any:
        """Texts as tokens."""
        return self.tag.takes

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns by which results are told apart."""
        return self.tag.groups

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column of texts."""
        return self.tag.inputs

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.tag.noun

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Token ids."""
        return self.tag.arrays

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the texts."""
        return self.tag.tokenizer

    @property
    def output(self) -> tuple[str, Shape]:
        """For each token a logit for each intent, then for each tag."""
        return "logits", (self.tag.takes.length, len(self.labels) + len(self.tag.tags))

    def read(self, dataset: Dataset) -> list[str]:
        """Every text."""
        return self.tag.read(dataset)

    def prepare(self, samples: Sequence[str]) -> Arrays:
        """Texts to token ids."""
        return self.tag.prepare(samples)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """(rows, 2 + length): how many intents there are, which one it is, a tag a token (-100 does not count)."""
        return self.tagged(self.read(dataset), self._intents(dataset), self.tag.rows(dataset))

    def tagged(self, texts: Sequence[str], intents: Sequence[str], rows: Sequence[Sequence[Span]]
               ) -> NDArray[np.int64]:
        """The targets of texts with these intents and spans. Unknown intents are refused."""
        strange = sorted(set(intents) - set(self.labels))
        if strange:
            raise LinnetError(f"column '{self.target}' holds intents that the task does not know: "
                              f"{', '.join(strange[:10])}. It knows: {', '.join(self.labels)}.")
        head = [[len(self.labels), self.labels.index(intent)] for intent in intents]
        return np.concatenate([np.array(head, np.int64), self.tag.tagged(texts, rows)], axis=1)

    def _intents(self, dataset: Dataset) -> list[str]:
        return [str(value) for value in dataset.values(self.target)]

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's intent and spans, as JSON."""
        return [_json(*pair) for pair in zip(self._intents(dataset), self.tag.rows(dataset), strict=True)]

    def probabilities(self, outputs: Arrays, samples: Sequence[str]) -> NDArray[np.float64]:
        """(batch, intents): softmax of the logits that the tokens have on average. They are not calibrated."""
        is_real = (self.prepare(samples)["tokens"] != 0)[:, :, None]
        logits = (np.asarray(outputs["logits"], np.float64)[:, :, : len(self.labels)] * is_real).sum(axis=1)
        logits /= np.maximum(is_real.sum(axis=1), 1)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def decode(self, outputs: Arrays, samples: Sequence[str] = ()) -> list[str]:
        """The likeliest intent and the likeliest spans of each text."""
        logits = outputs["logits"]
        if len(samples) != len(logits):
            raise LinnetError("Understand answers with places in texts, so decode needs the texts: decode(outputs, "
                              f"samples); got {len(logits)} rows and {len(samples)} texts.")
        best = self.probabilities(outputs, samples).argmax(axis=1)
        rows = self.tag.spans(logits[:, :, len(self.labels) :], samples)
        return [_json(self.labels[number], row) for number, row in zip(best, rows, strict=True)]

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """1 where the intent and every span are right, and no span too many; else 0."""
        return np.array([float(a == e) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """The share of right intents; F1, precision and recall over all slots."""
        said, wanted = ([json.loads(text) for text in texts] for texts in (answers, expected))
        f1, precision, recall = span_scores([one["slots"] for one in said], [one["slots"] for one in wanted])
        right = [one["intent"] == other["intent"] for one, other in zip(said, wanted, strict=True)]
        return {"intent_accuracy": float(np.mean(right)), "slot_f1": f1, "slot_precision": precision,
                "slot_recall": recall}

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "tag": self.tag.to_json(), "target": self.target, "labels": list(self.labels)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Understand:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("understanding"):
            task._set(Tag.from_json(value["tag"]), str(value["target"]), tuple(map(str, value["labels"])))
        return task


def _json(intent: str, spans: Sequence[Span]) -> str:
    return json.dumps({"intent": intent, "slots": [list(span) for span in spans]}, ensure_ascii=False)
