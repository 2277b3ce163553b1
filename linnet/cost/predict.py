"""Predict: what a file should take on this machine, layer by layer, beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from linnet.cost.counting import Layer
from linnet.cost.machine import Machine
from linnet.cost.machine import machine as this_machine
from linnet.cost.profiling import layers


@dataclass(frozen=True)
class Cost:
    """The layers of one file as the engine runs them, and the machine that they are judged by."""

    layers: Sequence[Layer]
    machine: Machine

    @property
    def macs(self) -> int:
        """Multiplications of one sample."""
        return sum(layer.macs for layer in self.layers)

    @property
    def predicted_ms(self) -> float:
        """Of one sample, from counts alone."""
        return sum(map(self.machine.predicted_ms, self.layers))

    @property
    def roofline_ms(self) -> float:
        """The least time that this machine could take."""
        return sum(map(self.machine.roofline_ms, self.layers))

    @property
    def measured_ms(self) -> float:
        """The sum of the layers' medians in the engine's profile."""
        return sum(layer.ms for layer in self.layers)

    def rows(self) -> list[dict[str, Any]]:
        """One row a layer, plain JSON; `bound` is what limits it: multiplications, memory, or the call itself."""
        return [{**asdict(layer), "bytes": layer.bytes, "intensity": layer.intensity,
                 "held_by": self.machine.holds(layer.bytes), "roofline_ms": self.machine.roofline_ms(layer),
                 "predicted_ms": self.machine.predicted_ms(layer), "bound": self.machine.bound(layer)}
                for layer in self.layers]


def predict(file: Path | bytes, *, machine: Machine | None = None, runs: int = 20) -> Cost:
    """Counts, predicted and measured time of every layer of an ONNX file, for one sample on one thread.

    `machine` is measured once (some seconds) and kept under $LINNET_STATE. The prediction never looks at the file's own
    times; they stand beside it. Raises LinnetError for a file that onnxruntime cannot run.
    """
    return Cost(layers(file, runs=runs), machine or this_machine())
