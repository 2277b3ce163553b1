"""Dependencies: which channels, units and heads of a network can only go together, found by watching one run of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from linnet.errors import LinnetError, unknown
from linnet.nn.tracing import Axis, Kind, Tape, record

Numbers = NDArray[np.int64]
Place = tuple[str, int]
"""A parameter or buffer, and one of its axes."""


@dataclass(frozen=True)
class Group:
    """Units that are cut one by one, each wherever it appears: a channel in all layers that share it, a head."""

    name: str
    """The first layer whose outputs these are."""
    layers: tuple[str, ...]
    """The modules whose parameters become smaller."""
    sets: tuple[int, ...] = field(repr=False)
    """The units, by the number that `Dependencies` knows them by."""
    places: Mapping[Place, Numbers] = field(repr=False)
    """By parameter and axis: (units, positions that each has there)."""
    outputs: Numbers = field(repr=False)
    """(units, positions that each has among the outputs of the layer `name`)."""

    def __len__(self) -> int:
        return len(self.sets)


class Dependencies:
    """What one run of a module showed: its groups, what must stay and why, and what each cut would save.

    Nothing is executed again: sizes and multiplications after a cut follow from the axes that were seen.
    """

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.components = tape.ledger.components()
        self.reasons = tape.ledger.reasons(self.components)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups of two or more units, in the order of the signal."""
        order = {name: place for place, name in enumerate(self.tape.outputs)}
        found = [self._group(sets) for sets in self._alike()]
        return tuple(sorted((group for group in found if group), key=lambda group: order[group.name]))

    @cached_property
    def kept(self) -> dict[str, str]:
        """By layer with parameters: why all of its outputs stay."""
        free = {number for group in self.groups for number in group.sets}
        found = {}
        for name in dict.fromkeys(_owner(entry) for entry in self.tape.state):
            if name not in self.tape.outputs:
                found[name] = "it did not run with these inputs" if name not in self.tape.called else ""
            elif (sets := self.channels(name)) is None or not free.intersection(sets.tolist()):
                found[name] = self._why(sets)
        return {name: reason for name, reason in found.items() if reason}

    def channels(self, layer: str) -> Numbers | None:
        """The set to which each output channel of a layer belongs; None where its outputs have no channels."""
        axis = next((axis for axis in self.tape.outputs.get(layer, ())[1:] if axis.kind is Kind.OPEN), None)
        return None if axis is None else self.components[axis.units]

    def is_skippable(self, layer: str) -> bool:
        """Whether a layer adds what it finds to what it took, so that the rest could do without it."""
        sides = self.tape.entered.get(layer, ()), self.tape.outputs.get(layer, ())
        before, after = ([self.components[axis.units] for axis in side if axis.kind is Kind.OPEN] for side in sides)
        same_size = [len(axis) for axis in sides[0]] == [len(axis) for axis in sides[1]]
        return bool(after) and same_size and len(before) == len(after) and all(map(np.array_equal, before, after))

    def macs(self, going: Collection[int] = ()) -> int:
        """Multiplications for one sample where the sets `going` are cut; those of a front end do not count."""
        left, size = self._left(going), len(self.tape.inputs[0][0])
        return sum(cost.factor * int(np.prod([self._count(axis, left) for axis in cost.axes], dtype=np.int64))
                   for cost in self.tape.costs if cost.module.split(".")[0] != "front") // size

    def kept_positions(self, going: Collection[int]) -> dict[str, list[Numbers]]:
        """By parameter or buffer: the positions along each axis that stay."""
        left = self._left(going)
        return {name: [np.flatnonzero(left[self.components[axis.units]]) for axis in axes]
                for name, axes in self.tape.state.items()}

    def splits(self, going: Collection[int]) -> list[tuple[str, int, int, int]]:
        """(module, stretches before, stretches after, positions in one): heads, as they were taken apart."""
        left = self._left(going)
        return [(module, len(axis), self._count(axis, left), inside) for module, axis, inside in self.tape.splits]

    def disagreement(self, going: Collection[int], after: Tape) -> str | None:
        """The first module of a run after the cut whose output has another shape than follows from this one."""
        left = self._left(going)
        expected = {name: [self._count(axis, left) for axis in axes] for name, axes in self.tape.outputs.items()}
        for name, axes in after.outputs.items():
            if [len(axis) for axis in axes] != expected.get(name):
                return name
        steps = list(zip(self.tape.steps, after.steps, strict=False))
        if any(mine.operator != theirs.operator for mine, theirs in steps):
            return None  # the same values may take another way through memory
        for mine, theirs in steps:
            if [[self._count(axis, left) for axis in axes] for axes in mine.outputs] != [
                    [len(axis) for axis in axes] for axes in theirs.outputs]:
                return mine.module
        return None

    def _left(self, going: Collection[int]) -> NDArray[np.bool_]:
        left = np.ones(int(self.components.max(initial=-1)) + 1, bool)
        left[list(going)] = False
        return left

    def _count(self, axis: Axis, left: NDArray[np.bool_]) -> int:
        return int(left[self.components[axis.units]].sum())

    def _why(self, sets: Numbers | None) -> str:
        reasons = [] if sets is None else [self.reasons[number] for number in sets.tolist() if number in self.reasons]
        return reasons[0] if reasons else "its outputs have no channels of their own" if sets is None else \
            "all of them go together"

    @cached_property
    def _where(self) -> dict[int, dict[Place, list[int]]]:
        """By set: its positions in parameters and buffers."""
        where: dict[int, dict[Place, list[int]]] = defaultdict(lambda: defaultdict(list))
        for name, axes in self.tape.state.items():
            for axis, units in enumerate(axes):
                for position, number in enumerate(self.components[units.units].tolist()):
                    where[number][name, axis].append(position)
        return where

    def _alike(self) -> Iterable[list[int]]:
        """Sets that may go, those together that have as many positions in the same places."""
        open_sets = {number for axes in self.tape.state.values() for axis in axes if axis.kind is Kind.OPEN
                     for number in self.components[axis.units].tolist()}
        found: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for number in sorted(open_sets - set(self.reasons), key=lambda number: min(self._where[number].items())):
            shape = tuple(sorted((place, len(positions)) for place, positions in self._where[number].items()))
            found[shape].append(number)
        return [sets for sets in found.values() if len(sets) > 1]

    def _group(self, sets: list[int]) -> Group | None:
        wanted = set(sets)
        for name in self.tape.outputs:
            channels = self.channels(name)
            if channels is not None and wanted <= set(channels.tolist()):
                break
        else:
            return None
        counts = Counter(channels.tolist())
        if len({counts[number] for number in sets}) != 1:
            return None
        outputs = np.stack([np.flatnonzero(channels == number) for number in sets])
        places = {place: np.array([self._where[number][place] for number in sets]) for place in self._where[sets[0]]}
        layers = dict.fromkeys(_owner(name) for name, _ in places)
        return Group(name, tuple(layers), tuple(sets), places, outputs)


def dependencies(module: nn.Module, inputs: Sequence[Tensor]) -> Dependencies:
    """Run a module once on example inputs (two samples or more, the batch first) and see what depends on what.

    Raises LinnetError where it does not run on them.
    """
    try:
        return Dependencies(record(module, inputs))
    except LinnetError:
        raise
    except (RuntimeError, TypeError, ValueError, IndexError, AttributeError, NotImplementedError) as error:
        shapes = ", ".join(f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}" for tensor in inputs)
        raise LinnetError(f"the module does not run on inputs of {shapes}: {error!r:.300}. Give example inputs as it "
                          "takes them.") from error


def sets_of(found: Dependencies, layer: str, path: str, indices: Iterable[int]) -> set[int]:
    """The sets of these output channels of the layer at `path`; LinnetError where they cannot go."""
    channels = found.channels(path)
    if path not in found.tape.outputs:
        raise unknown("layer", layer, [group.name.removeprefix("layers.") for group in found.groups])
    wanted = sorted(set(indices))
    if channels is None:
        raise LinnetError(f"layer '{layer}' keeps its outputs: they have no channels of their own.")
    outside = [index for index in wanted if not 0 <= index < len(channels)]
    if outside:
        raise LinnetError(f"layer '{layer}' has the channels 0 to {len(channels) - 1}; cannot remove {outside}.")
    going = {int(channels[index]) for index in wanted}
    for number in going:
        if number in found.reasons:
            raise LinnetError(f"layer '{layer}' keeps its channels {np.flatnonzero(channels == number).tolist()}: "
                              f"{found.reasons[number]}.")
    if wanted and len(going) == len(set(channels.tolist())):
        raise LinnetError(f"layer '{layer}' would lose all of its {len(channels)} channels; keep at least one.")
    together = np.flatnonzero(np.isin(channels, list(going))).tolist()
    if together != wanted:
        raise LinnetError(f"layer '{layer}': the channels {wanted} go only together with "
                          f"{sorted(set(together) - set(wanted))}, as the two halves of a gate or the parts of a head "
                          "do. Name all of them.")
    return going


def _owner(name: str) -> str:
    """The module of a parameter; that of the layer itself where its weight is computed from others."""
    return name.rpartition(".")[0].partition(".parametrizations")[0]


_LENGTH = 8000
"""Of an axis that the spec leaves open, in an example: half a second of sound, more than any window."""
_TOKENS = 24


def examples(spec: Mapping[str, Any], *, seed: int = 0) -> list[Tensor]:
    """Two samples of what a network with this spec takes, at random."""
    generator = torch.Generator().manual_seed(seed)
    return [_example(spec, entry, generator) for entry in spec["inputs"]]


def _example(spec: Mapping[str, Any], entry: Mapping[str, Any], generator: torch.Generator) -> Tensor:
    is_text, dtype = entry["name"] == "tokens", getattr(torch, entry["dtype"])
    shape = [2, *((_TOKENS if is_text else _LENGTH) if size is None else size for size in entry["shape"])]
    if entry["name"] == "lengths":
        (sound, *_) = (other["shape"][0] or _LENGTH for other in spec["inputs"] if other is not entry)
        return torch.full(shape, sound, dtype=dtype)
    if dtype.is_floating_point:
        return torch.randn(shape, generator=generator, dtype=dtype) * 0.1
    highest = int(spec.get("vocabulary", 3)) if is_text else 256
    return torch.randint(1 if is_text else 0, highest, shape, generator=generator).to(dtype)
