"""Batches, made ahead of time by a thread or by processes while the network learns from the one before."""

from __future__ import annotations

import time
import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from linnet.data import Splits
from linnet.data.augment import STAYING, Augment, Background, generator
from linnet.data.leaks import listed
from linnet.errors import LinnetError
from linnet.tasks import Arrays, Task
from linnet.train import mixing, outsiders
from linnet.train.options import Options
from linnet.train.order import Rows
from linnet.train.samples import Samples
from linnet.train.swaps import Swaps

_AHEAD = 2


class Batch(NamedTuple):
    """One batch: its place in the epoch, input arrays, targets; where samples are blends also what they are made of."""

    number: int
    arrays: dict[str, Tensor]
    targets: Tensor
    others: Tensor | None = None
    """The targets of what each sample was blended with."""
    share: float = 1.0
    """Of the sample's own target."""

    def pieces(self, count: int) -> list[Batch]:
        """The same rows in at most so many batches."""
        places = [rows for rows in torch.arange(len(self.targets)).tensor_split(count) if len(rows)]
        return [Batch(self.number, {name: values[rows] for name, values in self.arrays.items()}, self.targets[rows],
                      None if self.others is None else self.others[rows], self.share) for rows in places]


@dataclass(frozen=True)
class Maker:
    """Makes any batch of any epoch; every random number comes from (seed, epoch, batch)."""

    task: Task
    samples: Samples
    targets: NDArray[Any]
    augment: Augment
    options: Options
    seed: int
    swaps: Swaps | None = None

    def __getitem__(self, wanted: tuple[int, int, Rows]) -> Batch:
        """The batch (epoch, number, rows)."""
        epoch, number, rows = wanted
        rng = generator(seed=self.seed, epoch=epoch, batch=number)
        made, answers = self._made(rows, rng)
        arrays = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in made.items()}
        targets = torch.from_numpy(answers)
        if not (self.options.mixup or self.options.cutmix):
            return Batch(number, arrays, targets)
        arrays, others, share = mixing.mix(arrays, self.options, rng)
        return Batch(number, arrays, targets, targets[others], share)

    def _made(self, rows: Rows, rng: np.random.Generator) -> tuple[Arrays, NDArray[Any]]:
        if self.swaps:
            texts, answers = self.swaps(rows, rng)
            return self.task.prepare(texts), answers
        if not self.options.outsiders:
            return self._arrays(rows, rng), self.targets[rows]
        texts, answers = outsiders.join(self.samples.read(rows), self.targets[rows], task=self.task,
                                        share=self.options.outsiders, rng=rng)
        return self.task.prepare(self.augment.on_texts(texts, rng) if self.augment.steps else texts), answers

    def _arrays(self, rows: Rows, rng: np.random.Generator) -> Arrays:
        if not self.augment.steps:
            return self.samples.arrays(rows)
        if changes_texts(self.task):
            return self.task.prepare(self.augment.on_texts(self.samples.read(rows), rng))
        rate = getattr(self.task, "sample_rate_hz", None)
        arrays = self.samples.arrays(rows)
        return {name: self._changed(values, arrays, rate, rng) if name in ("audio", "image") else values
                for name, values in arrays.items()}

    def _changed(self, values: NDArray[Any], arrays: Arrays, rate: int | None,
                 rng: np.random.Generator) -> NDArray[Any]:
        if "lengths" not in arrays:
            return self.augment(values, rate, rng).astype(values.dtype, copy=False)
        changed, lengths = np.zeros_like(values), arrays["lengths"].reshape(-1)
        for length in np.unique(lengths).tolist():  # no step may use, or leave anything in, the padding behind a sound
            rows = np.flatnonzero(lengths == length)
            changed[rows, :length] = self.augment(np.ascontiguousarray(values[rows, :length]), rate, rng)
        return changed


def changes_texts(task: Task) -> bool:
    """Whether augmentation changes the texts themselves, before they become arrays."""
    return "tokens" in task.arrays or "text" in task.arrays


def check(task: Task, augment: Augment) -> None:
    """Raises LinnetError where augmentation would change what the targets speak of, or has nothing to change."""
    if not augment.steps:
        return
    if changes_texts(task) and task.kind not in ("classify", "regress"):
        raise LinnetError(f"augmentation of texts moves words, and the task '{task.kind}' has an answer a word: they "
                          "would no longer fit. Train without augment.")
    if not changes_texts(task) and not {"audio", "image"} & set(task.arrays):
        raise LinnetError(f"augmentation is for recordings, images and texts; the task's input is "
                          f"{', '.join(task.arrays)}. Train without augment.")
    kind = "text" if changes_texts(task) else "audio" if "audio" in task.arrays else "image"
    augment.check(kind, getattr(task, "sample_rate_hz", None))
    if kind == "audio" and augment.moving and None in task.output[1]:
        raise LinnetError(f"the answer of the task '{task.kind}' follows the sound in time, so nothing may be cut off "
                          f"or moved: not with {', '.join(augment.moving)}. Take the preset 'transcription', or "
                          f"steps out of {', '.join(STAYING)}.")


def check_sounds(data: Splits, augment: Augment) -> None:
    """Raises LinnetError where a background holds recordings that the model is to be judged on."""
    noises: dict[str, str] = {}
    for step in augment.steps:
        if isinstance(step, Background):
            noises |= step.contents
    for part, dataset in data:
        if not noises or part == "train":
            continue
        judged = {digest for index in range(len(dataset)) for digest in dataset.contents(index).values()}
        crossing = sorted(noises[digest] for digest in judged & set(noises))
        if crossing:
            raise LinnetError(f"{len(crossing)} of the {len(noises)} recordings of the background are in the {part} "
                              f"part: {listed(crossing)}. Take them out of the background, or the model is judged on "
                              "sounds that it has heard.")


class Stream:
    """The batches of one epoch after another; `stalled_seconds` is the time that was spent waiting for them."""

    def __init__(self, maker: Maker, *, workers: int, pinned: bool) -> None:
        self._maker, self._workers, self._pinned = maker, workers, pinned
        self._planned = _Planned()
        self._loader: DataLoader[Batch] | None = None
        self.stalled_seconds = 0.0

    def epoch(self, number: int, batches: Sequence[tuple[int, Rows]]) -> Iterator[Batch]:
        """These batches (their place in the epoch, their rows), in this order."""
        self._planned.batches = [(number, place, rows) for place, rows in batches]
        self.stalled_seconds = 0.0
        made = self._by_processes() if self._workers else self._by_a_thread()
        while True:
            start = time.perf_counter()
            batch = next(made, None)
            self.stalled_seconds += time.perf_counter() - start
            if batch is None:
                return
            yield batch

    def close(self) -> None:
        """End the processes."""
        self._loader = None

    def _by_a_thread(self) -> Iterator[Batch]:
        with ThreadPoolExecutor(1) as worker:
            waiting: deque[Future[Batch]] = deque()
            for wanted in self._planned.batches:
                waiting.append(worker.submit(self._maker.__getitem__, wanted))
                if len(waiting) > _AHEAD:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def _by_processes(self) -> Iterator[Batch]:
        if self._loader is None:
            self._loader = DataLoader(self._maker, batch_size=None, sampler=self._planned,  # type: ignore[arg-type]
                                      num_workers=self._workers, prefetch_factor=_AHEAD, persistent_workers=True,
                                      pin_memory=self._pinned)
        with warnings.catch_warnings():
            # Python warns of fork in a process with threads; the workers run no code that those threads could hold.
            warnings.filterwarnings("ignore", message=".*fork.*", category=DeprecationWarning)
            made = iter(self._loader)
        yield from made


class _Planned:
    """The batches of the epoch, in the order in which they are made."""

    def __init__(self) -> None:
        self.batches: list[tuple[int, int, Rows]] = []

    def __iter__(self) -> Iterator[tuple[int, int, Rows]]:
        return iter(self.batches)

    def __len__(self) -> int:
        return len(self.batches)
