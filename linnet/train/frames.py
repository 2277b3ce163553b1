"""Whether a network answers often enough for what is said: counted before the first epoch, not met in its middle."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from linnet.data import Dataset
from linnet.data.leaks import listed
from linnet.errors import LinnetError
from linnet.tasks import Task
from linnet.train.samples import Samples

_SLACK = 3.0
"""Frames by which a straight line through two recordings may be off: what is nearer is counted by the network."""


def check(task: Task, module: nn.Module, dataset: Dataset, samples: Samples, targets: NDArray[np.int64]) -> None:
    """Raises LinnetError where targets (rows, tokens), padded with -1, need more frames than the network answers with.

    Only for the loss "ctc": every token takes a frame, and one of silence stands between two that are equal.
    """
    if task.loss != "ctc" or samples.sizes is None:
        return
    needed = frames_needed(targets)
    least, most = frame_bounds(task, module, samples)
    short = needed > most
    for row in np.flatnonzero((needed > least) & ~short).tolist():
        short[row] = needed[row] > _frames(task, module, samples, row)
    if short.any():
        first, names = int(np.argmax(short)), [dataset.ids[row] for row in np.flatnonzero(short)]
        raise LinnetError(f"{len(names)} of the {len(needed)} recordings of the {dataset.part or 'given'} part are too "
                          f"short for what is said in them: {listed(names)}. In '{names[0]}' the network answers "
                          f"{_frames(task, module, samples, first)} times, and the target takes {needed[first]}. Take "
                          "a network with more frames a second, or these recordings out of the data.")


def frames_needed(targets: NDArray[np.int64]) -> NDArray[np.int64]:
    """(rows,): the tokens of each row of (rows, tokens), and one more for each that equals the one before it.

    >>> frames_needed(np.array([[2, 2, 3], [1, -1, -1]]))
    array([4, 1])
    """
    repeats = (targets[:, 1:] == targets[:, :-1]) & (targets[:, 1:] >= 0)
    return np.asarray((targets >= 0).sum(axis=1) + repeats.sum(axis=1), np.int64)


def frame_bounds(task: Task, module: nn.Module, samples: Samples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Between how many frames the network answers each recording with, from the shortest and the longest one."""
    assert samples.sizes is not None
    shortest, longest = int(np.argmin(samples.sizes)), int(np.argmax(samples.sizes))
    few, many = (_frames(task, module, samples, row) for row in (shortest, longest))
    span = samples.sizes[longest] - samples.sizes[shortest]
    rate = (many - few) / span if span > 0 else 0.0
    expected = few + rate * (samples.sizes - samples.sizes[shortest])
    return expected - _SLACK, expected + _SLACK


@torch.no_grad()
def _frames(task: Task, module: nn.Module, samples: Samples, row: int) -> int:
    """How often the network answers one recording."""
    arrays, device = samples.arrays(np.array([row])), next(module.parameters()).device
    module.eval()
    outputs = module(*(torch.from_numpy(np.ascontiguousarray(arrays[name])).to(device) for name in task.arrays))
    return int(outputs.shape[1])
