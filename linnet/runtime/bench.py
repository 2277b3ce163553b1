"""bench: latency, throughput, memory, size and energy of any ONNX file; files and engines take turns in one run."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import linnet
from linnet.errors import LinnetError, unknown
from linnet.runtime.agreement import differences
from linnet.runtime.artifact import Artifact, read
from linnet.runtime.energy import joules_per_call
from linnet.runtime.engines import ELSEWHERE, ENGINES, start
from linnet.runtime.inputs import random_inputs, varying_samples
from linnet.runtime.latency import Call, processors, take_turns
from linnet.runtime.measured import Bench
from linnet.runtime.processor import processor_name

log = logging.getLogger("linnet")
_THROUGHPUT_BATCH = 32
_THROUGHPUT_RUNS = 5



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
    return _measured([_Pair(file, engine) for file in _files(paths, runs, seconds)], threads=threads, runs=runs,
                     seconds=seconds, seed=seed)


def bench_engines(paths: Sequence[str | Path], engines: Sequence[str], *, threads: int = 1, runs: int = 100,
                  seconds: float = 3.0, seed: int = 0) -> list[Bench]:
    """Measure every file on every engine, all in turns in one run; the first file first, each on the engines in order.

    Which engine and which of several files (float, int8) is fastest differs by network: `fastest` picks by these
    numbers. An engine that is not installed or cannot run a file is said as a warning and left out, and so is one whose
    answers differ from the first engine's. Raises LinnetError for an unknown engine, and where none ran any file.
    """
    for engine in engines:
        if engine not in ENGINES:
            raise unknown("engine", engine, ENGINES)
    pairs, reasons = [], []
    for file in _files(paths, runs, seconds):
        for engine in dict.fromkeys(engines):
            try:
                _load(_Pair(file, engine), threads=threads, batch=1, seed=seed)
                pairs.append(_Pair(file, engine))
            except LinnetError as error:
                reasons.append(f"{file.path.name} on {engine}: {error}")
    if not pairs:
        raise LinnetError("no engine ran any of the files: " + "; ".join(reasons or ["no engine was named"]))
    for reason in reasons:
        log.warning("left out: %s", reason)
    return _measured(pairs, threads=threads, runs=runs, seconds=seconds, seed=seed)


def _measured(pairs: Sequence[_Pair], *, threads: int, runs: int, seconds: float, seed: int) -> list[Bench]:
    single = [_load(pair, threads=threads, batch=1, seed=seed) for pair in pairs]
    apart = differences([str(pair.file.path) for pair in pairs], single)
    timings = take_turns(single, runs=runs, seconds=seconds)
    every = processors()
    batches = [_load(pair, threads=every, batch=_THROUGHPUT_BATCH, seed=seed) for pair in pairs]
    rates = [1 / float(taken.mean()) for taken in take_turns(batches, runs=_THROUGHPUT_RUNS, seconds=seconds / 3)]
    return [Bench(
        name=pair.file.path.name, subject=pair.file.artifact.identity, engine=pair.engine,
        version=call.session.version, processor=processor_name(), threads=threads, seconds=timing,
        throughput_per_second=rate * batch.size, throughput_batch=batch.size, throughput_threads=every,
        peak_memory_mb=_peak_memory_mb(pair, threads=threads),
        size_bytes=pair.file.artifact.size_bytes + pair.file.external_bytes,
        size_without_claims_bytes=pair.file.artifact.size_without_claims_bytes + pair.file.external_bytes,
        energy_joules=joules_per_call(call, seconds=seconds / 3), operators=call.session.operators(call.inputs),
        largest_difference=difference,
    ) for pair, call, timing, batch, rate, difference in zip(pairs, single, timings, batches, rates, apart,
                                                             strict=True)]


def _files(paths: Sequence[str | Path], runs: int, seconds: float) -> list[_File]:
    if not paths or runs < 1 or seconds < 0:
        raise LinnetError(f"bench needs a file, runs of at least 1 and seconds of at least 0; got {len(paths)} files, "
                          f"{runs} runs, {seconds} seconds.")
    return [_File(Path(path), read(path)) for path in paths]


@dataclass(frozen=True)
class _File:
    path: Path
    artifact: Artifact

    @property
    def external_bytes(self) -> int:
        return sum((self.path.parent / name).stat().st_size for name in self.artifact.external_files)


@dataclass(frozen=True)
class _Pair:
    """A file on an engine."""

    file: _File
    engine: str


def _load(pair: _Pair, *, threads: int, batch: int, seed: int) -> Call:
    """The file with inputs of so many samples; of one, where its graph takes no more."""
    file = pair.file
    session = start(file.path, engine=pair.engine, threads=threads)
    samples = varying_samples(file.artifact)
    call = Call(session, random_inputs(session, batch=batch, seed=seed, samples=samples))
    try:
        call()
    except LinnetError:
        if batch == 1:
            raise
        return Call(session, random_inputs(session, seed=seed, samples=samples))
    return call


def _peak_memory_mb(pair: _Pair, *, threads: int) -> float | None:
    if pair.engine in ELSEWHERE:
        return None
    command = [sys.executable, "-P", "-m", "linnet.runtime.memory", str(pair.file.path),
               "--engine", pair.engine, "--threads", str(threads)]
    home = str(Path(linnet.__file__).parent.parent)
    search = os.pathsep.join([home, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": search}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LinnetError(f"the memory of {pair.file.path.name} could not be measured: the process that ran it stopped "
                          f"with {done.returncode}: {done.stderr.strip()[-300:]}")
    return float(json.loads(done.stdout)["bytes"]) / 1e6
