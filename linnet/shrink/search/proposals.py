"""What a search may propose: by method, which dials it has and what settings they make; a table that grows.

A method of METHODS without an entry here is never proposed. `Look` says what the model has (layers whose channels can
go, and which of them say the same); it is looked at once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from linnet import introspect
from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.introspect import Findings
from linnet.nn import Model, removable_blocks
from linnet.shrink.importance import plan_by_importance
from linnet.shrink.methods import METHODS
from linnet.shrink.plan import Plan
from linnet.shrink.protect import bits_by_layer, exclusions
from linnet.shrink.sensitivity import sensitivity
from linnet.tasks import Task

log = logging.getLogger("linnet")


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

    plans: dict[tuple[float, int], Plan] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def redundancy(self) -> Findings:
        """Which channels say the same."""
        return introspect.redundancy(self.model.responses(self.task, self.data.validation, layers=self.model.removable))

    @cached_property
    def blocks(self) -> tuple[str, ...]:
        """Those that can go as a whole."""
        return tuple(removable_blocks(self.model))

    def by_importance(self, keep: float, blocks: int) -> Plan:
        """The plan that leaves this share of the multiplications; channels in multiples of 8 where that can be."""
        if (keep, blocks) not in self.plans:
            try:
                found = plan_by_importance(self.model, self.task, self.data, keep=keep, blocks=blocks,
                                           multiple=_TOGETHER)
            except LinnetError:  # a network of few channels
                found = plan_by_importance(self.model, self.task, self.data, keep=keep, blocks=blocks)
            self.plans[keep, blocks] = found
        return self.plans[keep, blocks]

    @cached_property
    def rounding(self) -> Findings:
        """What each layer alone loses in 8 bits."""
        return sensitivity(self.model, self.task, self.data.validation, bits=(8,))

    @cached_property
    def palettes(self) -> Findings:
        """What each layer alone loses with palettes."""
        return sensitivity(self.model, self.task, self.data.validation, bits=PALETTES, how="palettize")


Settings = Mapping[str, Any]
PALETTES = (2, 3, 4, 6)
"""Bits of an index."""
CALIBRATIONS = ("minmax", "percentile", "mse", "entropy")
REPAIRS: Mapping[str, list[str]] = {"none": [], "bias": ["bias_correction"], "adaround": ["adaround"],
                                    "equalize": ["equalize", "bias_correction"]}
_TOGETHER = 8
EVERY, SMALLER = ("latency", "size", "energy"), ("size",)


@dataclass(frozen=True)
class Proposal:
    """How to draw a method's settings; None leaves it out. Without a Look there is only a file."""

    draw: Callable[[Draw, Look | None], Settings | None]
    helps: tuple[str, ...] = EVERY
    """The goals for which it can bring something on the engines that there are."""


def _thinner(draw: Draw, look: Look | None) -> Mapping[str, Settings]:
    """Blocks and channels that go, by method: those that matter least for their cost, or those that say the same."""
    how = "no" if look is None or not look.model.removable else draw.choose("thinner", list(THINNER))
    if look is None or how == "no":
        return {}
    if how == "importance":
        blocks = draw.choose("blocks", [0, 1, 2]) if look.blocks else 0
        return look.by_importance(round(draw.number("macs", 0.2, 0.9, 0.1), 3), blocks).methods
    keep = draw.number("channels", 0.3, 0.9, 0.1)
    going = {}
    for finding in look.redundancy:
        order = finding.evidence["most_redundant_first"]
        going[finding.subject] = sorted(order[: len(order) - _kept(len(order), keep)])
    layers = {layer: channels for layer, channels in going.items() if channels}
    return {"remove_channels": {"layers": layers}} if layers else {}


def _remove_blocks(draw: Draw, look: Look | None) -> Settings | None:
    return _thinner(draw, look).get("remove_blocks")


def _remove_channels(draw: Draw, look: Look | None) -> Settings | None:
    return _thinner(draw, look).get("remove_channels")


def _kept(channels: int, share: float) -> int:
    """How many channels stay: a multiple of 8 where there are many, since kernels work on so many at once."""
    if channels < 2 * _TOGETHER:
        return max(1, round(share * channels))
    return max(_TOGETHER, min(channels, _TOGETHER * round(share * channels / _TOGETHER)))


def _factorize(draw: Draw, _look: Look | None) -> Settings | None:
    keep = draw.choose("factorize", [0.0, 0.8, 0.6, 0.4])
    return {"keep": keep} if keep else None


def _sparsify(draw: Draw, _look: Look | None) -> Settings | None:
    share = draw.choose("sparsify", [0.0, 0.5, 0.7, 0.85])
    return {"share": share} if share else None


def _palettize(draw: Draw, look: Look | None) -> Settings | None:
    """The same bits everywhere, or (in decibels) as few in each layer as keep so much signal to noise before tuning."""
    wanted = draw.choose("palettize", [0, *reversed(PALETTES), "12 dB", "18 dB", "24 dB"])
    if not isinstance(wanted, str) or look is None:
        return {"bits": wanted} if wanted else None
    return {"bits": 4, "own_bits": bits_by_layer(look.palettes, sqnr_db=float(wanted.split()[0]))}


def _qat(draw: Draw, _look: Look | None) -> Settings | None:
    return {"bits": 8} if draw.choose("arithmetic", list(ARITHMETIC)) == "qat" else None


def _int8(draw: Draw, look: Look | None) -> Settings | None:
    options = ["int8", "float"] if look is None else list(ARITHMETIC)
    if draw.choose("arithmetic", options) != "int8":
        return None
    settings = {"calibration": draw.choose("int8.calibration", list(CALIBRATIONS)),
                "repairs": REPAIRS[draw.choose("int8.repairs", list(REPAIRS))]}
    if look is not None and (kept := draw.choose("int8.protect", ["nothing", "20 dB", "30 dB"])) != "nothing":
        settings["exclude"] = exclusions(look.rounding, sqnr_db=float(kept.split()[0]))
    return settings


THINNER = ("importance", "redundancy", "no")
"""How channels are chosen that go."""
ARITHMETIC = ("int8", "qat", "float")
"""In what a network computes: eight bits after training, eight bits learned, float."""
PROPOSALS: dict[str, Proposal] = {
    "remove_blocks": Proposal(_remove_blocks), "remove_channels": Proposal(_remove_channels),
    "factorize": Proposal(_factorize),
    "sparsify": Proposal(_sparsify, SMALLER), "palettize": Proposal(_palettize, SMALLER),
    "qat": Proposal(_qat), "int8": Proposal(_int8)}
"""By method, in the order of METHODS: what to draw for it."""

_PLAIN = {"thinner": "no", "blocks": 0, "factorize": 0.0, "sparsify": 0.0, "palettize": 0,
          "int8.calibration": "minmax", "int8.repairs": "none", "int8.protect": "nothing"}
_THINNER = {**_PLAIN, "thinner": "importance"}
FIRST: tuple[Mapping[str, Any], ...] = (
    {**_PLAIN, "arithmetic": "int8"}, {**_THINNER, "arithmetic": "qat", "macs": 0.7},
    {**_THINNER, "arithmetic": "int8", "macs": 0.5}, {**_PLAIN, "arithmetic": "int8", "palettize": 4},
    {**_THINNER, "arithmetic": "int8", "palettize": 4, "macs": 0.7},
    {**_PLAIN, "arithmetic": "int8", "int8.calibration": "mse", "int8.repairs": "adaround"})
"""Tried before the sampler has anything to learn from."""


def propose(draw: Draw, look: Look | None, methods: Sequence[str], goal: str) -> Plan:
    """A Plan of those of these methods that help with the goal; it may be empty.

    Where sensitivity says that what was drawn cannot be kept, nothing is proposed, and another plan is drawn.
    """
    try:
        return Plan({name: settings for name in methods
                     if name in METHODS and name in PROPOSALS and goal in PROPOSALS[name].helps
                     and (settings := PROPOSALS[name].draw(draw, look)) is not None})
    except LinnetError as error:
        log.debug("a plan was not proposed: %s", error)
        return Plan()
