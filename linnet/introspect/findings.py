"""Findings: what introspection saw, each with its evidence; deciding comes later, in a Plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing that was seen. `evidence` holds plain numbers, strings and lists (it is written as JSON)."""

    subject: str
    """What it is about: a layer, a pair of labels, a sample."""
    statement: str
    """What was seen, in one sentence."""
    evidence: Mapping[str, Any]


@dataclass(frozen=True)
class Findings:
    """A list of findings of one kind ("redundancy", "confusions"), the most important first.

    `facts` are plain JSON about the look as a whole: what was asked of how many, the rate that is kept, what could not
    be looked at. No items and its facts say "looked, and found nothing".
    """

    kind: str
    items: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def subjects(self) -> tuple[str, ...]:
        """What the findings are about, in their order."""
        return tuple(item.subject for item in self.items)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, subject: str) -> Finding:
        for item in self.items:
            if item.subject == subject:
                return item
        raise KeyError(subject)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        items = [{"subject": i.subject, "statement": i.statement, "evidence": dict(i.evidence)} for i in self.items]
        return {"kind": self.kind, "items": items} | ({"facts": dict(self.facts)} if self.facts else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Findings:
        """Read what `to_json` wrote."""
        return cls(value["kind"], tuple(Finding(**item) for item in value["items"]),
                   value.get("facts", {}))
