"""Plan: which layer is to change, and how, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from linnet.errors import LinnetError
from linnet.introspect import Findings


@dataclass(frozen=True)
class Plan:
    """What to change: `remove` names a layer's channels that go, `bits` the precision of weights and activations."""

    remove: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    bits: int | None = None

    def __post_init__(self) -> None:
        if self.bits not in (None, 8):
            raise LinnetError(f"bits must be 8 (or left out for float); got {self.bits!r}.")

    def quantize(self, bits: int = 8) -> Plan:
        """The same plan with weights and activations in so many bits."""
        return replace(self, bits=bits)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        return {"remove": {layer: list(units) for layer, units in self.remove.items()}, "bits": self.bits}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote."""
        return cls({layer: tuple(units) for layer, units in value["remove"].items()}, value["bits"])


def plan(findings: Findings | None = None, *, keep: float = 1.0) -> Plan:
    """A Plan that keeps the share `keep` of each layer's channels, the least redundant ones."""
    if not 0 < keep <= 1:
        raise LinnetError(f"keep is the share of channels that stays, above 0 and at most 1; got {keep!r}.")
    if keep == 1:
        return Plan()
    if findings is None:
        raise LinnetError(f"keep needs findings, which say what can go: plan(introspect.redundancy(...), keep={keep}).")
    if findings.kind != "redundancy":
        raise LinnetError(f"plan needs findings of introspect.redundancy; got findings of kind '{findings.kind}'.")
    remove = {}
    for finding in findings:
        order = finding.evidence["most_redundant_first"]
        remove[finding.subject] = tuple(sorted(order[: len(order) - max(1, round(keep * len(order)))]))
    return Plan(remove)
