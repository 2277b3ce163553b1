"""Memory over time: of one run, layer by layer; and of a process that answers one sample after another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from linnet.cost.profiling import sizes_of
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs

_STATUS = Path("/proc/self/statm")
_PAGE_BYTES = 4096


@dataclass(frozen=True)
class Moment:
    """After an operator: which one, and the bytes of the values that are still needed."""

    name: str
    live_bytes: int


def over_layers(file: Path | bytes) -> list[Moment]:
    """The bytes of activations that must be kept after each operator of one run, inputs and outputs counted.

    What an engine holds is at least the largest of these, beside the weights.
    """
    graph, names, sizes = sizes_of(file)
    last = {value: place for place, node in enumerate(graph.graph.node) for value in node.input}
    last |= {value.name: len(graph.graph.node) for value in graph.graph.output}
    live = {value.name: sizes[value.name] for value in graph.graph.input if value.name in sizes}
    moments = []
    for place, node in enumerate(graph.graph.node):
        live |= {value: sizes.get(value, 0) for value in node.output if value}
        moments.append(Moment(names[node.name], sum(live.values())))
        live = {value: size for value, size in live.items() if last.get(value, -1) > place}
    return moments


def over_time(file: Path | bytes, *, samples: int = 200, every: int = 10) -> list[int]:
    """Bytes that this process holds after every so many answers of a stream; [] where the system does not say.

    A row that keeps rising is memory that the engine never gives back.
    """
    session = start(file)
    inputs = random_inputs(session)
    held = []
    for answered in range(samples):
        session.run(inputs)
        if answered % every == every - 1 and _STATUS.exists():
            held.append(int(_STATUS.read_text().split()[1]) * _PAGE_BYTES)
    return held
