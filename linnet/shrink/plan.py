"""Plan: what is to change, and how, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from linnet.errors import LinnetError
from linnet.introspect import Findings


@dataclass(frozen=True)
class Plan:
    """Method to its settings: {"remove_channels": {"layers": {"block1": [0, 3]}}, "int8": {"calibration": "mse"}}.

    `shrink.METHODS` names the methods, and the order in which they are carried out whatever their order here. Settings
    are plain JSON; each method checks its own when the plan is applied (`shrink.check` does so at once).
    """

    methods: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def plus(self, method: str, **settings: Any) -> Plan:
        """The same plan with this method too, or with other settings for it."""
        return Plan({**self.methods, method: settings})

    def without(self, method: str) -> Plan:
        """The same plan without this method."""
        return Plan({name: settings for name, settings in self.methods.items() if name != method})

    def quantize(self, bits: int = 8, **settings: Any) -> Plan:
        """The same plan with weights and activations in so many bits after training; `settings` are those of int8."""
        if bits != 8:
            raise LinnetError(f"weights and activations are computed in 8 bits; got {bits!r}. For weights stored in "
                              "fewer, plan.plus('palettize', bits=4).")
        return self.plus("int8", **settings)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        return {name: dict(settings) for name, settings in self.methods.items()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Plan:
        """Read what `to_json` wrote."""
        return cls({name: dict(settings) for name, settings in value.items()})


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
        remove[finding.subject] = sorted(order[: len(order) - max(1, round(keep * len(order)))])
    return Plan().plus("remove_channels", layers=remove)
