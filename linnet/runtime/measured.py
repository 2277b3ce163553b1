"""Bench: what was measured of one file on one engine, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.evidence import Timing
from linnet.runtime.latency import conditions


@dataclass(frozen=True)
class Bench:
    """What was measured of one file. `seconds` has one entry a run of one sample, in the order of the runs."""

    name: str
    subject: str
    """The file's identity."""
    engine: str
    version: str
    processor: str
    threads: int
    seconds: NDArray[np.float64] = field(repr=False, compare=False)
    throughput_per_second: float
    """Samples a second, `throughput_batch` at a time on `throughput_threads` threads."""
    throughput_batch: int
    throughput_threads: int
    peak_memory_mb: float | None
    """What loading and running the file adds to a process in which the engine already runs; MB = 1,000,000 bytes. None
    where the engine runs in processes of its own."""
    size_bytes: int
    """The file as it is, with the files in which it keeps weights, if any."""
    size_without_claims_bytes: int
    energy_joules: float | None
    """A run's share of all that the processor packages used meanwhile; None where no counter can be read."""
    operators: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """"int8" and "float" to the engine's operators and how many of them ran; empty where the engine does not tell."""
    largest_difference: float | None = None
    """From the answers of the first engine that ran this file, as a share of their largest; None for that engine."""

    @property
    def p50_ms(self) -> float:
        """Half of the runs took at most this long."""
        return self._quantile_ms(0.5)

    @property
    def p95_ms(self) -> float:
        """19 of 20 runs took at most this long."""
        return self._quantile_ms(0.95)

    @property
    def p99_ms(self) -> float:
        """99 of 100 runs took at most this long."""
        return self._quantile_ms(0.99)

    @property
    def energy(self) -> str:
        """The energy of a run in words."""
        if self.energy_joules is None:
            return "not measured: no counter can be read"
        return f"{1000 * self.energy_joules:.3g} mJ a run, all that the processor did meanwhile included"

    @property
    def timing(self) -> Timing:
        """What `evidence.latency_below` judges."""
        return Timing(self.seconds, self.subject, self.name, conditions(self.engine, self.version, self.threads))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every number in the unit of its name; `from_json` reads it back."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        said = {"p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "p99_ms": self.p99_ms, "energy": self.energy}
        return {**plain, **said, "seconds": self.seconds.tolist()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Bench:
        """Read what `to_json` wrote."""
        plain = {item.name: value[item.name] for item in fields(cls) if item.name in value}
        return cls(**plain | {"seconds": np.array(value["seconds"], dtype=np.float64)})

    def _quantile_ms(self, quantile: float) -> float:
        return float(1000 * np.quantile(self.seconds, quantile))


def fastest(measured: Sequence[Bench]) -> Bench:
    """The one with the lowest median latency: the file and the engine to ship."""
    return min(measured, key=lambda one: one.p50_ms)
