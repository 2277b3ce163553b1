"""Who carries out trials: this process, or several beside it, each with the start loaded once."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from linnet.errors import LinnetError
from linnet.progress import Progress
from linnet.shrink.search.carry_out import Bench
from linnet.shrink.search.start import Start
from linnet.shrink.search.trial import Job, Store, Trial
from linnet.shrink.search.wish import Wish


class Crew(Protocol):
    """Takes jobs and gives trials, in any order."""

    def begin(self, job: Job, limit: float | None, progress: Progress | None) -> None:
        """Take a job."""
        ...

    def next_ended(self) -> Trial:
        """Wait for one."""
        ...


@dataclass
class Alone:
    """This process, one job after the other."""

    bench: Bench
    jobs: list[tuple[Job, float | None, Progress | None]] = field(default_factory=list)

    def begin(self, job: Job, limit: float | None, progress: Progress | None) -> None:
        """Take a job."""
        self.jobs.append((job, limit, progress))

    def next_ended(self) -> Trial:
        """Carry out the first one."""
        return self.bench.carry_out(*self.jobs.pop(0))


@dataclass
class Processes:
    """Processes beside this one; none of them is forked, since engines and torch have threads."""

    pool: ProcessPoolExecutor
    futures: set[Future[Trial]] = field(default_factory=set)

    def begin(self, job: Job, limit: float | None, progress: Progress | None) -> None:
        """Send a job; its progress is not seen from here."""
        del progress
        self.futures.add(self.pool.submit(_carry_out, job, limit))

    def next_ended(self) -> Trial:
        """Wait for any."""
        ended, self.futures = wait(self.futures, return_when=FIRST_COMPLETED)
        first = ended.pop()
        self.futures |= ended
        try:
            return first.result()
        except (KeyboardInterrupt, LinnetError):
            raise
        except Exception as error:
            raise LinnetError(f"a process that carried out trials ended ({type(error).__name__}: {error}). What was "
                              "tried is kept; search again with fewer workers, or with workers=1.") from error


@contextmanager
def crew(bench: Bench, reload: Callable[[], Start] | None) -> Iterator[Crew]:
    """As many as the wish says; processes are ended with the block, however it ends."""
    if bench.wish.workers == 1:
        yield Alone(bench)
        return
    pool = ProcessPoolExecutor(bench.wish.workers, mp_context=multiprocessing.get_context("spawn"), initializer=_ready,
                               initargs=(reload or partial(_given, bench.start), bench.wish, bench.store.folder))
    try:
        yield Processes(pool)
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_HERE: dict[str, Bench] = {}
"""What a process carries out trials with; only ever filled in processes of a crew."""


def _given(start: Start) -> Start:
    return start


def _ready(reload: Callable[[], Start], wish: Wish, folder: Path) -> None:
    import torch

    torch.set_num_threads(1)
    _HERE["bench"] = Bench(reload(), wish, Store(folder))


def _carry_out(job: Job, limit: float | None) -> Trial:
    return _HERE["bench"].carry_out(job, limit)
