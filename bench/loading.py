"""What decoding and augmentation cost a training, beside tensors that lie ready: python bench/loading.py.

The same steps of the same network, fed in four ways in turn: with batches made before the clock starts; with samples
decoded once and augmented by the thread; decoded anew each epoch and augmented, by the thread and by one process. The
time of a way is the shortest of its runs, because other work on the machine only ever adds to it.

CPU time is that of one thread: where making a sample takes less of it than learning from one, a second core that has
nothing else to do hides it; on a machine that is busy the two add up.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from linnet import data, nn, tasks, train
from linnet.errors import NotAvailableError
from linnet.train.loading import Batch
from linnet.train.loop import Training, Wanted
from linnet.train.options import Options

WAYS = {"lies ready": ("auto", 0), "decoded once": ("auto", 0), "anew, a thread": ("none", 0),
        "anew, a process": ("none", 1)}


Corpus = tuple[nn.Model, tasks.Task, data.Splits, str]


class Ready:
    """Batches that are there before anybody asks."""

    stalled_seconds = 0.0

    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches

    def epoch(self, number: int, wanted: Sequence[object]) -> Iterator[Batch]:
        """The same batches each epoch."""
        del number, wanted
        return iter(self.batches)


def main() -> None:
    """Print a table a corpus."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=768, help="samples an epoch")
    parser.add_argument("--runs", type=int, default=3, help="epochs of each way, in turn")
    parser.add_argument("--threads", type=int, default=1, help="torch's threads, as in Options.threads")
    arguments = parser.parse_args()
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, threads={arguments.threads}, {arguments.rows} samples "
          f"an epoch, best of {arguments.runs} in turn; load of the machine {os.getloadavg()[0]:.1f}")
    for corpus in (fsdd, cifar10):
        try:
            model, task, splits, augment = corpus()
        except NotAvailableError as error:
            print(f"left out: {error}")
        else:
            table(model, task, splits, augment, arguments)


def fsdd() -> Corpus:
    """Spoken digits, whose augmentation costs as much as their training."""
    digits = data.load("fsdd").split(by="speaker", seed=0)
    task = tasks.Classify(digits, input="audio", target="digit", seconds=1.0)
    return nn.zoo.dscnn(task, width=64, seed=0), task, digits, "speech"


def cifar10() -> Corpus:
    """Photographs, whose training costs much more than anything else."""
    pictures = data.load("cifar10").split(seed=0)
    task = tasks.Classify(pictures, input="image", target="label")
    return nn.zoo.resnet(task, depth=20, seed=0), task, pictures, "photographs"


def table(model: nn.Model, task: tasks.Task, splits: data.Splits, augment: str,
          arguments: argparse.Namespace) -> None:
    """Samples a second of each way, and their share of the first."""
    few = replace(splits, train=splits.train.take(range(arguments.rows)), validation=splits.validation.take(range(2)))
    runs: dict[str, Training] = {}
    making = {}
    for way, (cache, workers) in WAYS.items():
        options = Options(cache=cache, workers=workers, device="cpu", threads=arguments.threads)
        augmentation = train.augmentation(augment if way != "lies ready" else None)
        runs[way] = Training(Wanted(model, task, few, 10**6, 0, None, augmentation, options))
        making[way] = cpu_ms_to_make(runs[way])
    first = runs["lies ready"]
    ready = [first.stream._maker[0, number, rows] for step in first._steps(0) for number, rows in step]
    first.stream = Ready(ready)  # type: ignore[assignment]
    torch.set_num_threads(arguments.threads)
    rows = sum(len(batch.targets) for batch in ready)
    best, learning = dict.fromkeys(runs, float("inf")), float("inf")
    stalled = dict.fromkeys(runs, 0.0)
    for _ in range(arguments.runs + 1):  # one to warm up
        for way, run in runs.items():
            start, cpu = time.perf_counter(), time.thread_time()
            run.epoch(None)
            seconds = time.perf_counter() - start
            learning = min(learning, 1e3 * (time.thread_time() - cpu) / rows)
            if len(run.history) > 1 and seconds < best[way]:
                best[way], stalled[way] = seconds, run.history[-1]["stalled_seconds"] / seconds
    for run in runs.values():
        if not isinstance(run.stream, Ready):
            run.stream.close()
    print(f"\n{splits.train.name}, {model.name}, augment={augment}\nCPU to learn from a sample {learning:.2f} ms")
    print(f"{'':18}{'samples/s':>11}{'share':>8}{'waiting':>9}{'CPU ms to make a sample':>26}")
    for way, seconds in best.items():
        print(f"{way:18}{rows / seconds:11.0f}{best['lies ready'] / seconds:8.2f}{stalled[way]:9.0%}"
              f"{making[way]:26.2f}")


def cpu_ms_to_make(run: Training) -> float:
    """CPU time of one thread for a sample of a batch, the second time."""
    wanted = [pair for step in run._steps(0)[:4] for pair in step]
    for _ in range(2):
        start = time.thread_time()
        made = [run.stream._maker[0, number, rows] for number, rows in wanted]
        spent = time.thread_time() - start
    return 1e3 * spent / sum(len(batch.targets) for batch in made)


if __name__ == "__main__":
    main()
