"""How long a run takes: loaded files take turns, so that whatever slows the machine slows them alike."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.runtime.engines import Session
from linnet.runtime.processor import processor_name
from linnet.tasks import Arrays

_WARM_UP_RUNS, _WARM_UP_SECONDS = 10, 1.0


@dataclass(frozen=True)
class Call:
    """One file with inputs of its own, ready to run."""

    session: Session
    inputs: Arrays

    @property
    def size(self) -> int:
        """How many samples go in at once."""
        shapes = [array.shape for array in self.inputs.values()]
        return int(shapes[0][0]) if shapes and shapes[0] else 1

    @property
    def last_run_ns(self) -> int | None:
        """How long the last run took by the engine's own clock, where it runs in another process and has one."""
        return getattr(self.session, "last_run_ns", None)

    def __call__(self) -> Arrays:
        return self.session.run(self.inputs)


def take_turns(calls: Sequence[Callable[[], object]], *, runs: int, seconds: float) -> list[NDArray[np.float64]]:
    """Seconds of every run, one array a call, after a few that do not count; each round starts with another call.

    Until `seconds` a call have passed, yet never fewer than `runs` rounds.
    """
    for call in calls:
        _warm_up(call)
    taken: list[list[int]] = [[] for _ in calls]
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        stop = time.perf_counter() + seconds * len(calls)
        while (rounds := len(taken[0])) < runs or time.perf_counter() < stop:
            for turn in range(len(calls)):
                place = (rounds + turn) % len(calls)
                begin = time.perf_counter_ns()
                calls[place]()
                passed = time.perf_counter_ns() - begin
                taken[place].append(getattr(calls[place], "last_run_ns", None) or passed)
    finally:
        if was_enabled:
            gc.enable()
    return [np.array(nanoseconds) / 1e9 for nanoseconds in taken]


def _warm_up(call: Callable[[], object]) -> None:
    """At least one run, then as many as ten runs and one second allow."""
    stop = time.perf_counter() + _WARM_UP_SECONDS
    for _ in range(_WARM_UP_RUNS):
        call()
        if time.perf_counter() > stop:
            return


def conditions(engine: str, version: str, threads: int) -> dict[str, str]:
    """What a latency depends on, as a claim keeps it."""
    return {"engine": engine, "version": version, "processor": processor_name(), "threads": str(threads)}


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
