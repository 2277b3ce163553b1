"""Precision, recall and F1 of labels such as intents, also for groups of them and under other names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linnet.errors import LinnetError, unknown

Groups = Mapping[str, Sequence[str]]
"""A name to the labels that stand under it: {"smalltalk": ["greet", "thank"], "critical": ["block_card"]}."""


@dataclass(frozen=True)
class Counts:
    """How often a label was right, answered and expected."""

    name: str
    right: int
    answered: int
    expected: int

    @property
    def precision(self) -> float:
        """Of the answers with this label, the share that was right; 0 where there is none."""
        return self.right / self.answered if self.answered else 0.0

    @property
    def recall(self) -> float:
        """Of the samples with this label, the share that was found; 0 where there is none."""
        return self.right / self.expected if self.expected else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 0 where nothing was right."""
        return 2 * self.right / (self.answered + self.expected) if self.right else 0.0

    def to_json(self) -> dict[str, Any]:
        """Figures and counts."""
        return {"name": self.name, "precision": self.precision, "recall": self.recall, "f1": self.f1,
                "right": self.right, "answered": self.answered, "expected": self.expected}


@dataclass(frozen=True)
class LabelReport:
    """Each label's figures in alphabetical order, each group's, and those over all."""

    labels: tuple[Counts, ...]
    groups: tuple[Counts, ...]
    """A group's counts are the sums of its labels': confusions within it count as wrong."""

    @property
    def total(self) -> Counts:
        """The sums over all labels; with one label a sample each of its figures is the accuracy."""
        return summed("all", self.labels)

    @property
    def macro_f1(self) -> float:
        """The mean of the labels' F1: each label weighs the same. Labels only answered, never expected, weigh too."""
        return sum(counts.f1 for counts in self.labels) / len(self.labels) if self.labels else 0.0

    @property
    def weighted_f1(self) -> float:
        """The mean of the labels' F1, each weighed by how often it was expected."""
        of = self.total.expected
        return sum(counts.f1 * counts.expected for counts in self.labels) / of if of else 0.0

    def to_json(self) -> dict[str, Any]:
        """Everything, by name."""
        return {"accuracy": self.total.recall, "macro_f1": self.macro_f1, "weighted_f1": self.weighted_f1,
                "labels": [counts.to_json() for counts in self.labels],
                "groups": [counts.to_json() for counts in self.groups]}


def label_report(answers: Sequence[str], expected: Sequence[str], *, groups: Groups | None = None,
                 aliases: Mapping[str, str] | None = None) -> LabelReport:
    """One label a sample on each side. `aliases` maps names to the one that they count as, on both sides.

    >>> found = label_report(["pay", "oos", "pay"], ["pay", "pay", "bill"], aliases={"bill": "pay"})
    >>> [(counts.name, round(counts.f1, 2)) for counts in found.labels], round(found.weighted_f1, 2)
    ([('oos', 0.0), ('pay', 0.8)], 0.8)
    """
    if len(answers) != len(expected):
        raise LinnetError(f"every sample has one answer and one expected label; got {len(answers)} answers and "
                          f"{len(expected)} expected ones.")
    said, true = renamed(answers, aliases), renamed(expected, aliases)
    given, wanted = Counter(said), Counter(true)
    right = Counter(answer for answer, truth in zip(said, true, strict=True) if answer == truth)
    labels = tuple(Counts(name, right[name], given[name], wanted[name]) for name in sorted({*given, *wanted}))
    return LabelReport(labels, grouped(labels, groups))


def renamed(names: Sequence[str], aliases: Mapping[str, str] | None) -> list[str]:
    """Each name, or the one that it counts as."""
    return [(aliases or {}).get(name, name) for name in names]


def grouped(labels: Sequence[Counts], groups: Groups | None) -> tuple[Counts, ...]:
    """The sums over each group's labels; raises LinnetError for a group of which no label occurs."""
    known = {counts.name: counts for counts in labels}
    for name, members in (groups or {}).items():
        if isinstance(members, str):
            raise LinnetError(f"group '{name}' is a list of labels, such as ['{members}']; got '{members}'.")
        if not set(members) & set(known):
            raise unknown(f"label in group '{name}'", next(iter(members), ""), known)
    return tuple(summed(name, [known[label] for label in dict.fromkeys(members) if label in known])
                 for name, members in (groups or {}).items())


def summed(name: str, counts: Sequence[Counts]) -> Counts:
    """One row for several."""
    return Counts(name, sum(one.right for one in counts), sum(one.answered for one in counts),
                  sum(one.expected for one in counts))
