"""What an assessment says of each phone beyond its mark: when it was said, whether badly, and what likely instead."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from linnet.speech.pronunciation import likely_instead
from linnet.tasks.assess import Assess
from linnet.tasks.task import Predictor


@dataclass(frozen=True)
class Phone:
    """One phone of a text that was said."""

    phone: str
    mark: float
    at_s: float
    """The middle of it, from the start of the recording."""
    is_bad: bool
    instead: str | None
    """What was likelier said, "" for nothing; None where nothing else was likelier."""


@dataclass(frozen=True)
class Assessed:
    """The marks of a text: the whole, its words, and their phones."""

    total: float
    words: tuple[tuple[float, tuple[Phone, ...]], ...]
    """The mark of each word with its phones."""


def assessed(scorer: Predictor, task: Assess, sample: Any) -> Assessed:
    """Ask about one sample, {"audio": sound, "words": [["HH", "AY"], ...]}; raises LinnetError as the task does."""
    heard = task.takes.hear(sample)
    said = json.loads(task.decode(scorer(task.prepare([heard])), [heard])[0])
    index = {label: number for number, label in enumerate(task.acoustic.labels, 1)}
    names = [phone for word in heard.words for phone in word]
    others = likely_instead(heard.phones, [index[name] for name in names], task.acoustic.labels)
    phones = iter([Phone(name, mark, float(at), mark < task.bad_below, other.said if other.ratio > 0 else None)
                   for name, mark, at, other in zip(names, said["phones"], heard.times, others, strict=True)])
    words = tuple((mark, tuple(next(phones) for _ in word)) for mark, word in zip(said["words"], heard.words,
                                                                                  strict=True))
    return Assessed(said["total"], words)
