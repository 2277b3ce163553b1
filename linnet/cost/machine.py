"""Machine: what this processor can do, measured once: its roofline, its caches, and the time of each kind of layer.

The roofline (Williams, Waterman, Patterson 2009, https://doi.org/10.1145/1498765.1498785) bounds a layer's time from
below by its multiplications at the best rate seen and its bytes at the speed of the memory that holds them. What
layers take beyond is fitted: time = call + a * multiplications in whole blocks + b * bytes + c * numbers gathered into
windows + d * channels + e * places, none below zero, apart for each kind of layer, precision and layout.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from linnet.cost.counting import Layer
from linnet.cost.probes import probes
from linnet.cost.profiling import layers
from linnet.evidence.ledger import default_folder
from linnet.files import replacing
from linnet.runtime.processor import processor_name

_SCHEMA = 3
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
_SIZES = tuple(2**power for power in (14, 17, 20, 23, 26))
_RUNS = 30

Rates = tuple[float, ...]
"""Milliseconds: of a call, of a multiplication, of a byte, of a number gathered, of a channel, of a place."""
_PARTS = ("the call", "multiplications", "memory", "gathering", "channels", "places")


@dataclass(frozen=True)
class Machine:
    """One processor with one thread under one version of the engine."""

    processor: str
    engine: str
    caches: Mapping[str, int]
    """Bytes by level; empty where the system does not say."""
    bytes_per_ms: Mapping[int, float]
    """How fast memory is copied, by bytes in use: inside each cache and beyond."""
    peak_macs_per_ms: Mapping[str, float]
    """The best rate seen in any probe, by precision."""
    rates: Mapping[str, Rates]
    """By "kind precision layout"."""

    def holds(self, size: int) -> str:
        """The smallest cache that holds so many bytes, or memory."""
        return next((level for level, room in self.caches.items() if size <= room), "memory")

    def roofline_ms(self, layer: Layer) -> float:
        """The least time that the layer can take on this machine."""
        speed = next((self.bytes_per_ms[room] for room in sorted(self.bytes_per_ms) if layer.bytes <= room),
                     self.bytes_per_ms[max(self.bytes_per_ms)])
        return max(layer.macs / self.peak_macs_per_ms[layer.precision], layer.bytes / speed)

    def bound(self, layer: Layer) -> str:
        """What takes most of the predicted time."""
        return _PARTS[int(np.argmax(np.multiply(self._rates(layer), _features(layer))))]

    def predicted_ms(self, layer: Layer) -> float:
        """The time that the layer is expected to take; its measured time is not looked at."""
        return float(np.dot(self._rates(layer), _features(layer)))

    def _rates(self, layer: Layer) -> Rates:
        """Those of its own group, else of the next one that was probed."""
        groups = [_group(layer), f"{layer.kind} {layer.precision} plain", f"{layer.kind} float plain",
                  "other float plain"]
        return next(self.rates[name] for name in groups if name in self.rates)


def machine(*, folder: Path | None = None) -> Machine:
    """This machine, from the state folder where it was measured before (some seconds otherwise)."""
    import onnxruntime

    engine = f"onnxruntime {onnxruntime.__version__}"
    plain = re.sub(r"\W+", "-", f"{processor_name()} {engine}").lower()
    path = (folder or default_folder().parent) / "machines" / f"{plain}.{_SCHEMA}.json"
    try:
        return _read(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError):
        found = measure(engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_text(json.dumps(asdict(found)))
    return found


def measure(engine: str, *, profile: Callable[..., list[Layer]] = layers) -> Machine:
    """Run all probes and fit the rates."""
    seen = [layer for eight_bits in (False, True) for probe in probes(eight_bits)
            for layer in profile(probe.SerializeToString(), runs=_RUNS)]
    groups: dict[str, list[Layer]] = defaultdict(list)
    for layer in seen:
        groups[_group(layer)].append(layer)
    peaks = {precision: max(layer.macs / layer.ms for layer in seen if layer.precision == precision and layer.ms)
             for precision in ("float", "int8")}
    return Machine(processor_name(), engine, _caches(), {size: _copied(size) for size in _SIZES}, peaks,
                   {name: fit(group) for name, group in groups.items()})


def fit(group: Sequence[Layer]) -> Rates:
    """Rates that give these layers' times with the smallest relative errors, none below zero."""
    rows = np.array([_features(layer) for layer in group], np.float64)
    times = np.maximum([layer.ms for layer in group], 1e-3)
    sizes = np.maximum(rows.max(axis=0), 1e-12)
    found, _ = nnls(rows / sizes / times[:, None], np.ones(len(times)))
    return tuple(float(value) for value in found / sizes)


def _group(layer: Layer) -> str:
    return f"{layer.kind} {layer.precision} {layer.layout}"


def _features(layer: Layer) -> Rates:
    return 1.0, float(layer.blocked_macs), float(layer.bytes), float(layer.gathered), float(layer.channels), float(
        layer.places)


def _copied(size: int) -> float:
    """Bytes a millisecond while so many bytes are copied to as many others; the best of some tries."""
    source = np.zeros(size // 2, np.uint8)
    target = np.empty_like(source)
    best, repeats = float("inf"), max(1, 2**23 // size)
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(repeats):
            np.copyto(target, source)
        best = min(best, time.perf_counter() - begin)
    return size * repeats / best / 1000


def _caches(folder: Path = _CACHES) -> dict[str, int]:
    found = {}
    for entry in sorted(folder.glob("index*")):
        try:
            kind, level, size = ((entry / name).read_text().strip() for name in ("type", "level", "size"))
        except OSError:
            continue
        if kind != "Instruction" and size.endswith("K"):
            found[f"L{level}"] = int(size[:-1]) * 1024
    return found


def _read(value: Mapping[str, Any]) -> Machine:
    numbers = {int(size): speed for size, speed in value["bytes_per_ms"].items()}
    rates = {name: tuple(row) for name, row in value["rates"].items()}
    return Machine(**{**value, "bytes_per_ms": numbers, "rates": rates})
