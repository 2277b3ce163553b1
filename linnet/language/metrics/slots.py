"""Slots and entities: found, missed, made up, or found with another value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from linnet.errors import LinnetError, unknown
from linnet.language.metrics.labels import Counts, Groups, grouped, summed

Slot = Sequence[Any]
"""(type, value), or (type, start, end) as `tasks.Tag` answers."""
Equal = Callable[[Any, Any], bool]


@dataclass(frozen=True)
class SlotCounts:
    """One type of slot. An expected slot is right, mismatched (its type was answered, with another value) or missed."""

    counts: Counts
    mismatched: int
    made_up: int
    """Utterances without this type in which it was answered all the same."""
    without: int
    """Utterances in which this type was not expected."""

    @property
    def missed(self) -> int:
        """Expected slots without an answer of their type."""
        return self.counts.expected - self.counts.right - self.mismatched

    def to_json(self) -> dict[str, Any]:
        """Figures and counts; a rate of nothing is None."""
        expected = self.counts.expected
        return {**self.counts.to_json(), "mismatched": self.mismatched, "missed": self.missed,
                "false_positive_rate": self.made_up / self.without if self.without else None,
                "false_negative_rate": self.missed / expected if expected else None,
                "mismatch_rate": self.mismatched / expected if expected else None}


@dataclass(frozen=True)
class SlotReport:
    """Each type's figures in alphabetical order, each group's, and those over all."""

    types: tuple[SlotCounts, ...]
    groups: tuple[Counts, ...]

    @property
    def total(self) -> Counts:
        """The sums over all types: `total.f1` is the micro F1 that papers call slot F1."""
        return summed("all", [one.counts for one in self.types])

    def to_json(self) -> dict[str, Any]:
        """Everything, by name."""
        return {"f1": self.total.f1, "precision": self.total.precision, "recall": self.total.recall,
                "types": [one.to_json() for one in self.types], "groups": [one.to_json() for one in self.groups]}


def slot_report(answers: Sequence[Sequence[Slot]], expected: Sequence[Sequence[Slot]], *,
                groups: Groups | None = None, aliases: Mapping[str, str] | None = None,
                equal: Mapping[str, Equal] | None = None) -> SlotReport:
    """Compare the slots of each utterance; one is right where its type and its value are, and counts once.

    `equal` says for a type when two values are the same (a date in two notations), else they must be equal.
    `aliases` maps types to the one that they count as; `groups` names sets of types.

    >>> found = slot_report([[("city", "oslo"), ("day", "monday")]], [[("city", "Oslo"), ("dish", "rice")]],
    ...                     equal={"city": lambda one, other: one.lower() == other.lower()})
    >>> found.total.f1, [(one.counts.name, one.missed, one.made_up) for one in found.types]
    (0.5, [('city', 0, 0), ('day', 0, 1), ('dish', 1, 0)])
    """
    if len(answers) != len(expected):
        raise LinnetError(f"every utterance has its answered and its expected slots; got {len(answers)} rows of "
                          f"answers and {len(expected)} expected ones.")
    said, true = ([_by_type(row, aliases) for row in rows] for rows in (answers, expected))
    names = sorted({name for row in (*said, *true) for name in row})
    for name in equal or ():
        if name not in names:
            raise unknown("type of slot", name, names)
    types = tuple(_counted(name, said, true, (equal or {}).get(name)) for name in names)
    return SlotReport(types, grouped([one.counts for one in types], groups))


def _by_type(row: Sequence[Slot], aliases: Mapping[str, str] | None) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for slot in row:
        if isinstance(slot, str) or len(slot) < 2:
            raise LinnetError(f"a slot is (type, value) or (type, start, end); got {slot!r:.60}.")
        name = str(slot[0])
        found.setdefault((aliases or {}).get(name, name), []).append(slot[1] if len(slot) == 2 else tuple(slot[1:]))
    return found


def _counted(name: str, said: Sequence[Mapping[str, list[Any]]], true: Sequence[Mapping[str, list[Any]]],
             equal: Equal | None) -> SlotCounts:
    sums = Counter[str]()
    for row, truth in zip(said, true, strict=True):
        given, wanted = row.get(name, []), truth.get(name, [])
        right = _matches(given, wanted, equal)
        sums.update(right=right, answered=len(given), expected=len(wanted), without=int(not wanted),
                    mismatched=min(len(given), len(wanted)) - right, made_up=int(bool(given) and not wanted))
    return SlotCounts(Counts(name, sums["right"], sums["answered"], sums["expected"]), sums["mismatched"],
                      sums["made_up"], sums["without"])


def _matches(given: Sequence[Any], wanted: Sequence[Any], equal: Equal | None) -> int:
    """How many of the wanted values were given, each at most once."""
    left, right = list(given), 0
    for value in wanted:
        place = next((place for place, one in enumerate(left) if (equal(one, value) if equal else one == value)), None)
        if place is not None:
            del left[place]
            right += 1
    return right
