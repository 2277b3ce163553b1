"""Findings: what introspection saw, each with its evidence; deciding comes later, in a Plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    """A list of findings of one kind ("redundancy", "confusions"), the most important first."""

    kind: str
    items: tuple[Finding, ...]

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
        return {"kind": self.kind, "items": items}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Findings:
        """Read what `to_json` wrote."""
        return cls(value["kind"], tuple(Finding(**item) for item in value["items"]))
