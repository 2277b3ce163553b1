"""bench: latency, throughput, memory, size and energy of any ONNX file; several files take turns in one run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import linnet
from linnet.errors import LinnetError
from linnet.evidence import Timing
from linnet.runtime.artifact import Artifact, read
from linnet.runtime.energy import joules_per_call
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs, varying_samples
from linnet.runtime.latency import Call, conditions, processors, take_turns
from linnet.runtime.processor import processor_name

_THROUGHPUT_BATCH = 32
_THROUGHPUT_RUNS = 5


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
    peak_memory_mb: float
    """What loading and running the file adds to a process in which the engine already runs; MB = 1,000,000 bytes."""
    size_bytes: int
    """The file as it is, with the files in which it keeps weights, if any."""
    size_without_claims_bytes: int
    energy_joules: float | None
    """A run's share of all that the processor packages used meanwhile; None where no counter can be read."""

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
        plain = {item.name: value[item.name] for item in fields(cls)}
        return cls(**plain | {"seconds": np.array(value["seconds"], dtype=np.float64)})

    def _quantile_ms(self, quantile: float) -> float:
        return float(1000 * np.quantile(self.seconds, quantile))


def bench(path: str | Path, *, engine: str = "onnxruntime", threads: int = 1, runs: int = 100, seconds: float = 3.0,
          seed: int = 0) -> Bench:
    """Measure one ONNX file, with a card or without; see `bench_many`."""
    return bench_many([path], engine=engine, threads=threads, runs=runs, seconds=seconds, seed=seed)[0]


def bench_many(paths: Sequence[str | Path], *, engine: str = "onnxruntime", threads: int = 1, runs: int = 100,
               seconds: float = 3.0, seed: int = 0) -> list[Bench]:
    """Measure several ONNX files; they take turns run by run, so that whatever slows the machine slows them alike.

    Latency: one random sample on `threads` threads, until `seconds` a file have passed, yet never fewer than `runs`
    runs a file. Throughput: batches on all threads that the machine has. Dimensions without a size count as 1; sounds
    of any length last one second.
    """
    if not paths or runs < 1 or seconds < 0:
        raise LinnetError(f"bench needs a file, runs of at least 1 and seconds of at least 0; got {len(paths)} files, "
                          f"{runs} runs, {seconds} seconds.")
    files = [_File(Path(path), read(path)) for path in paths]
    single = [_load(file, engine=engine, threads=threads, batch=1, seed=seed) for file in files]
    timings = take_turns(single, runs=runs, seconds=seconds)
    every = processors()
    batches = [_load(file, engine=engine, threads=every, batch=_THROUGHPUT_BATCH, seed=seed) for file in files]
    rates = [1 / float(taken.mean()) for taken in take_turns(batches, runs=_THROUGHPUT_RUNS, seconds=seconds / 3)]
    return [Bench(
        name=file.path.name, subject=file.artifact.identity, engine=engine, version=call.session.version,
        processor=processor_name(), threads=threads, seconds=timing, throughput_per_second=rate * batch.size,
        throughput_batch=batch.size, throughput_threads=every,
        peak_memory_mb=_peak_memory_mb(file.path, engine=engine, threads=threads),
        size_bytes=file.artifact.size_bytes + file.external_bytes,
        size_without_claims_bytes=file.artifact.size_without_claims_bytes + file.external_bytes,
        energy_joules=joules_per_call(call, seconds=seconds / 3),
    ) for file, call, timing, batch, rate in zip(files, single, timings, batches, rates, strict=True)]


@dataclass(frozen=True)
class _File:
    path: Path
    artifact: Artifact

    @property
    def external_bytes(self) -> int:
        return sum((self.path.parent / name).stat().st_size for name in self.artifact.external_files)


def _load(file: _File, *, engine: str, threads: int, batch: int, seed: int) -> Call:
    """The file with inputs of so many samples; of one, where its graph takes no more."""
    session = start(file.path, engine=engine, threads=threads)
    samples = varying_samples(file.artifact)
    call = Call(session, random_inputs(session, batch=batch, seed=seed, samples=samples))
    try:
        call()
    except LinnetError:
        if batch == 1:
            raise
        return Call(session, random_inputs(session, seed=seed, samples=samples))
    return call


def _peak_memory_mb(path: Path, *, engine: str, threads: int) -> float:
    command = [sys.executable, "-P", "-m", "linnet.runtime.memory", str(path),
               "--engine", engine, "--threads", str(threads)]
    home = str(Path(linnet.__file__).parent.parent)
    search = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": search}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LinnetError(f"the memory of {path.name} could not be measured: the process that ran it stopped with "
                          f"{done.returncode}: {done.stderr.strip()[-300:]}")
    return float(json.loads(done.stdout)["bytes"]) / 1e6
