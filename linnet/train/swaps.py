"""Texts in which slots hold other values: those that other training texts have in slots of the same label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.tasks import Tag, Task, Understand
from linnet.tasks.spans import Span
from linnet.train.options import Options


@dataclass(frozen=True)
class Swaps:
    """The training texts with their spans, and every value that was seen of each label, as often as it was seen."""

    task: Tag | Understand
    texts: Sequence[str]
    spans: Sequence[Sequence[Span]]
    intents: Sequence[str]
    values: dict[str, list[str]]
    share: float

    def __call__(self, rows: NDArray[np.int64], rng: np.random.Generator) -> tuple[list[str], NDArray[Any]]:
        """These rows, `share` of their slots with another value, and their targets."""
        found = [swapped(self.texts[row], self.spans[row], self.values, self.share, rng) for row in rows.tolist()]
        texts, spans = [text for text, _ in found], [row for _, row in found]
        if isinstance(self.task, Tag):
            return texts, self.task.tagged(texts, spans)
        return texts, self.task.tagged(texts, [self.intents[row] for row in rows.tolist()], spans)


def swapped(text: str, spans: Sequence[Span], values: dict[str, list[str]], share: float,
            rng: np.random.Generator) -> tuple[str, list[Span]]:
    """The text with each slot's value drawn anew with probability `share`, and where its slots lie now.

    >>> swapped("fly to rome", [("city", 7, 11)], {"city": ["new york"]}, 1.0, np.random.default_rng(0))
    ('fly to new york', [('city', 7, 15)])
    """
    made, moved, last = "", [], 0
    for label, start, end in spans:
        value = str(rng.choice(values[label])) if rng.random() < share else text[start:end]
        made += text[last:start]
        moved.append((label, len(made), len(made) + len(value)))
        made, last = made + value, end
    return made + text[last:], moved


def pool(task: Task, train: Dataset, options: Options) -> Swaps | None:
    """What is swapped, where the options ask for it; LinnetError for a task without slots."""
    if not options.swaps:
        return None
    if not isinstance(task, Tag | Understand):
        raise LinnetError(f"swaps exchanges the values of slots; the task '{task.kind}' has none. Leave swaps out.")
    tag = task if isinstance(task, Tag) else task.tag
    texts, spans = task.read(train), tag.rows(train)
    values: dict[str, list[str]] = {}
    for text, row in zip(texts, spans, strict=True):
        for label, start, end in row:
            values.setdefault(label, []).append(text[start:end])
    intents = [] if isinstance(task, Tag) else [str(value) for value in train.values(task.target)]
    return Swaps(task, texts, spans, intents, values, options.swaps)
