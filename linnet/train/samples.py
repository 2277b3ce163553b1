"""The samples of one part of the data: decoded once and kept small, or decoded when their turn comes."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from linnet.data import Audio, Dataset
from linnet.errors import DamagedFileError
from linnet.tasks import Arrays, Task

log = logging.getLogger("linnet")
_CHUNK = 4096
_PROBED = 64
_SHARE_OF_MEMORY = 0.25


class Samples(Protocol):
    """What batches are made of: the same arrays for the same rows, whichever way they are kept."""

    @property
    def sizes(self) -> NDArray[np.float64] | None:
        """How long each sample is, in any unit; None where all are of one length."""
        ...

    def read(self, rows: NDArray[np.int64]) -> Sequence[Any]:
        """The decoded samples of these rows; empty where only their arrays were kept."""
        ...

    def arrays(self, rows: NDArray[np.int64]) -> Arrays:
        """The prepared batch of these rows."""
        ...


class Prepared:
    """Arrays of one shape, prepared once."""

    sizes = None

    def __init__(self, arrays: dict[str, torch.Tensor]) -> None:
        self._arrays = arrays

    def read(self, rows: NDArray[np.int64]) -> Sequence[Any]:
        """Nothing: the samples were let go."""
        del rows
        return ()

    def arrays(self, rows: NDArray[np.int64]) -> Arrays:
        """The rows of each array."""
        return {name: values.numpy()[rows] for name, values in self._arrays.items()}


class Decoded:
    """Samples of any length, decoded once; padded a batch at a time."""

    def __init__(self, task: Task, samples: Sequence[Any], *, shared: bool = False) -> None:
        self._task, self._samples = task, _pack(samples, shared)
        self.sizes = np.array([_size(sample) for sample in samples])

    def read(self, rows: NDArray[np.int64]) -> Sequence[Any]:
        """The samples of these rows."""
        return [self._samples[int(row)] for row in rows]

    def arrays(self, rows: NDArray[np.int64]) -> Arrays:
        """The prepared batch of these rows."""
        return self._task.prepare(self.read(rows))


class Undecoded:
    """Samples that are decoded each time they are asked for, because all together would not fit into memory."""

    def __init__(self, task: Task, dataset: Dataset) -> None:
        self._task, self._dataset = task, dataset
        self.sizes = _lengths(task, dataset)

    def read(self, rows: NDArray[np.int64]) -> Sequence[Any]:
        """The samples of these rows, decoded now."""
        once, places = np.unique(rows, return_inverse=True)
        samples = self._task.read(self._dataset.take(once.tolist()))
        return [samples[place] for place in places]

    def arrays(self, rows: NDArray[np.int64]) -> Arrays:
        """The prepared batch of these rows."""
        return self._task.prepare(self.read(rows))


def varies(task: Task) -> bool:
    """Whether the length of an input array differs from batch to batch."""
    return any(None in shape for _, shape in task.arrays.values())


def gather(task: Task, dataset: Dataset, *, as_samples: bool = False, cache: str = "auto",
           workers: int = 0) -> Samples:
    """The dataset's samples, kept if `cache` and the memory allow it; `as_samples` keeps them before `prepare`.

    Worker processes see what is kept without a copy of it: through fork, or where there is none in shared memory.
    """
    shared = workers > 0 and torch.multiprocessing.get_start_method() != "fork"
    is_whole = as_samples or varies(task)
    if cache == "none" or (cache == "auto" and not _fits(task, dataset, is_whole)):
        return Undecoded(task, dataset)
    if is_whole:
        return Decoded(task, [sample for chunk in _chunks(task, dataset) for sample in chunk], shared=shared)
    kept: dict[str, torch.Tensor] = {}
    start = 0
    for chunk in _chunks(task, dataset):
        for name, values in task.prepare(chunk).items():
            if name not in kept:
                kept[name] = _empty((len(dataset), *values.shape[1:]), torch.from_numpy(values[:0]).dtype, shared)
            kept[name].numpy()[start : start + len(values)] = values
        start += len(chunk)
    return Prepared(kept)


def _chunks(task: Task, dataset: Dataset) -> list[Sequence[Any]] | Any:
    """The decoded samples, some thousands at a time, so that decoded and prepared ones are never all there at once."""
    if len(dataset) <= _CHUNK:
        yield task.read(dataset)
        return
    starts = range(0, len(dataset), _CHUNK)
    with ThreadPoolExecutor(1) as worker:
        following = worker.submit(_read, task, dataset, 0)
        for start in starts:
            chunk = following.result()
            if start + _CHUNK < len(dataset):
                following = worker.submit(_read, task, dataset, start + _CHUNK)
            yield chunk


def _read(task: Task, dataset: Dataset, start: int) -> Sequence[Any]:
    try:
        return task.read(dataset.take(range(start, min(start + _CHUNK, len(dataset)))))
    except DamagedFileError:
        return task.read(dataset)  # raises one error that lists the damaged files of all chunks


def _fits(task: Task, dataset: Dataset, is_whole: bool) -> bool:
    """Whether all samples take at most a quarter of the machine's memory; said where they do not."""
    rows = np.linspace(0, len(dataset) - 1, min(_PROBED, len(dataset))).astype(int)
    probe = task.read(dataset.take(sorted(set(rows.tolist()))))
    arrays = {} if is_whole else task.prepare(probe)
    found = sum(_bytes(sample) for sample in probe) if is_whole else sum(values.nbytes for values in arrays.values())
    needed, allowed = found / len(probe) * len(dataset), _SHARE_OF_MEMORY * _memory_bytes()
    if needed > allowed:
        log.warning("the decoded %s part would take %.1f GB, more than a quarter of the memory: its samples are "
                    "decoded anew each epoch. With workers above 0 several processes do that; cache='memory' keeps "
                    "them all.",
                    dataset.part or "given", needed / 1e9)
    return needed <= allowed


def _memory_bytes() -> float:
    try:
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (ValueError, OSError, AttributeError):  # not known everywhere
        return 8e9


def _empty(shape: tuple[int, ...], kind: torch.dtype, shared: bool) -> torch.Tensor:
    empty = torch.empty(shape, dtype=kind)
    return empty.share_memory_() if shared else empty  # type: ignore[no-untyped-call]


def _pack(samples: Sequence[Any], shared: bool) -> Sequence[Any]:
    """Sounds in one block of memory, 16 bits a sample where they were that; anything else as it is."""
    return _Sounds(samples, shared) if samples and all(isinstance(one, Audio) for one in samples) else list(samples)


class _Sounds(Sequence[Audio]):
    """Recordings end to end in one block of memory."""

    def __init__(self, sounds: Sequence[Audio], shared: bool) -> None:
        self._rates = [sound.sample_rate_hz for sound in sounds]
        self._ends = np.cumsum([len(sound.samples) for sound in sounds])
        self._is_short = all(_is_16_bits(sound.samples) for sound in sounds)
        kind = torch.int16 if self._is_short else torch.float32
        self._block = _empty((int(self._ends[-1]),), kind, shared)
        block = self._block.numpy()
        for sound, end in zip(sounds, self._ends, strict=True):
            block[end - len(sound.samples) : end] = sound.samples * 32768 if self._is_short else sound.samples

    def __len__(self) -> int:
        return len(self._rates)

    def __getitem__(self, index: Any) -> Any:
        start = int(self._ends[index - 1]) if index else 0
        samples = self._block.numpy()[start : int(self._ends[index])]
        heard = samples.astype(np.float32) / np.float32(32768) if self._is_short else samples
        return Audio(heard.astype(np.float32, copy=False), self._rates[index])


def _is_16_bits(samples: NDArray[np.float32]) -> bool:
    scaled = samples * 32768
    return bool((scaled == np.rint(scaled)).all() and (scaled < 32768).all())


def _size(sample: Any) -> float:
    return sample.seconds if isinstance(sample, Audio) else float(len(sample))


def _bytes(sample: Any) -> int:
    values = sample.samples if isinstance(sample, Audio) else sample
    return int(getattr(values, "nbytes", 200))


def _lengths(task: Task, dataset: Dataset) -> NDArray[np.float64] | None:
    """Seconds of each recording, from the files' headers; None where the samples are no recordings."""
    from linnet.data import describe_audio

    if not varies(task) or dataset.column(task.inputs[0]).kind != "audio":
        return None
    return np.array(describe_audio(dataset, task.inputs[0]).seconds)
