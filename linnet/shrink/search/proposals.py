"""What a search may propose: by method, which dials it has and what settings they make; a table that grows.

A method of METHODS without an entry here is never proposed. `Look` says what the model has (layers whose channels can
go, and which of them say the same); it is looked at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from linnet import introspect
from linnet.data import Splits
from linnet.introspect import Findings
from linnet.nn import Model
from linnet.shrink.methods import METHODS
from linnet.shrink.plan import Plan, plan
from linnet.tasks import Task


class Draw(Protocol):
    """Who decides: a sampler, or values that were fixed beforehand."""

    def choose(self, name: str, options: Sequence[Any]) -> Any:
        """One of the options (plain JSON)."""
        ...

    def number(self, name: str, low: float, high: float, step: float) -> float:
        """A number from low to high."""
        ...


@dataclass(frozen=True)
class Look:
    """What proposals may know of the model: never the test part."""

    model: Model
    task: Task
    data: Splits

    @cached_property
    def redundancy(self) -> Findings | None:
        """Which channels say the same; None where none can be removed."""
        layers = self.model.removable
        if not layers:
            return None
        return introspect.redundancy(self.model.responses(self.task, self.data.validation, layers=layers))


Settings = Mapping[str, Any]
Proposal = Callable[[Draw, Look | None], Settings | None]
"""The settings of its method, or None to leave it out. Without a Look there is only a file."""
CALIBRATIONS = ("minmax", "percentile", "mse", "entropy")
REPAIRS: Mapping[str, list[str]] = {"none": [], "bias": ["bias_correction"], "adaround": ["adaround"],
                                    "equalize": ["equalize", "bias_correction"]}


def _remove_channels(draw: Draw, look: Look | None) -> Settings | None:
    if look is None or look.redundancy is None:
        return None
    keep = draw.number("channels", 0.3, 1.0, 0.1)
    found = plan(look.redundancy, keep=min(1.0, round(keep, 3))).methods.get("remove_channels")
    return found if found and any(found["layers"].values()) else None


def _int8(draw: Draw, _look: Look | None) -> Settings | None:
    if not draw.choose("int8", [True, False]):
        return None
    calibration = draw.choose("int8.calibration", list(CALIBRATIONS))
    return {"calibration": calibration, "repairs": REPAIRS[draw.choose("int8.repairs", list(REPAIRS))]}


PROPOSALS: dict[str, Proposal] = {"remove_channels": _remove_channels, "int8": _int8}
"""By method, in the order of METHODS: what to draw for it."""

FIRST: tuple[Mapping[str, Any], ...] = (
    {"channels": 1.0, "int8": True, "int8.calibration": "minmax", "int8.repairs": "none"},
    {"channels": 0.7, "int8": True, "int8.calibration": "minmax", "int8.repairs": "none"},
    {"channels": 0.5, "int8": True, "int8.calibration": "percentile", "int8.repairs": "none"},
)
"""Tried before the sampler has anything to learn from; dials that they do not name are drawn."""

_APART = (("int8", "qat"),)
"""Methods of which only one can be in a plan; the first gives way."""


def propose(draw: Draw, look: Look | None, methods: Sequence[str]) -> Plan:
    """A Plan of these methods, which may be empty."""
    found = {name: settings for name in methods if name in PROPOSALS and name in METHODS
             and (settings := PROPOSALS[name](draw, look)) is not None}
    for first, second in _APART:
        if first in found and second in found:
            del found[first]
    return Plan(found)

