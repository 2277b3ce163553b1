"""Measuring a file beside the one it came from: they take turns, so that a busy machine slows them alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from linnet.errors import LinnetError
from linnet.runtime.artifact import read
from linnet.runtime.energy import joules_per_call
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs, varying_samples
from linnet.runtime.latency import Call, take_turns

_RUNS = 30


@dataclass(frozen=True)
class Measured:
    """By goal, in its unit; a goal that cannot be measured here is missing."""

    cost: dict[str, float]


def measure(paths: Sequence[Path], *, engine: str, threads: int, seconds: float, energy: bool) -> list[Measured]:
    """Latency (median, ms), size (KB, without claims) and, if asked, energy (mJ a run) of files that take turns."""
    files = [read(path) for path in paths]
    calls = []
    for path, file in zip(paths, files, strict=True):
        session = start(path, engine=engine, threads=threads)
        calls.append(Call(session, random_inputs(session, samples=varying_samples(file))))
    timings = take_turns(calls, runs=_RUNS, seconds=seconds)
    found = []
    for call, file, timing in zip(calls, files, timings, strict=True):
        cost = {"latency": float(1000 * np.median(timing)), "size": file.size_without_claims_bytes / 1000}
        joules = joules_per_call(call, seconds=seconds / 2) if energy else None
        found.append(Measured(cost if joules is None else {**cost, "energy": 1000 * joules}))
    return found


def check_energy(path: Path, *, engine: str) -> None:
    """Raise LinnetError where no counter tells what a run uses."""
    found = measure([path], engine=engine, threads=1, seconds=0.05, energy=True)[0]
    if "energy" not in found.cost:
        raise LinnetError("energy cannot be measured here: no counter can be read (see `linnet bench`). Search with "
                          "--goal latency, which energy mostly follows, or on a machine with a counter.")


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Processes of one search measure one after another."""
    with (folder / ".measuring").open("w") as lock:
        try:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX)
        except (ModuleNotFoundError, OSError):  # Windows and some network drives have no such lock
            pass
        yield
