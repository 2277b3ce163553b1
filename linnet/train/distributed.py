"""Several processes that train one model together, as torchrun starts them: `torchrun --nproc-per-node 2 script.py`.

Each process takes its share of the batches of a step, and the gradients are summed; two processes are one that
accumulates the same batches. Batch normalisation sees the batch of its own process; its running statistics are
averaged after each epoch. Only the process of rank 0 writes, judges on the validation part and reports progress.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, distributed, nn

from linnet.errors import LinnetError


@dataclass(frozen=True)
class Group:
    """This process among those that train together."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether it is this process that writes."""
        return self.rank == 0

    def sum(self, tensors: Iterable[Tensor], factor: float) -> float:
        """Replace the tensors by the mean over processes, weighted by each one's `factor`; the sum of the factors."""
        if self.size == 1:
            return factor
        every = list(tensors)
        flat = torch.cat([tensor.flatten() * factor for tensor in every] + [every[0].new_tensor([factor])])
        distributed.all_reduce(flat)
        total = float(flat[-1])
        start = 0
        with torch.no_grad():
            for tensor in every:
                tensor.copy_((flat[start : start + tensor.numel()] / total).view_as(tensor))
                start += tensor.numel()
        return total

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Give all processes the tensors of the first."""
        if self.size > 1:
            for tensor in tensors:
                held = tensor.detach().contiguous()
                distributed.broadcast(held, 0)
                with torch.no_grad():
                    tensor.detach().copy_(held)

    def average_statistics(self, module: nn.Module) -> None:
        """The same running statistics in all processes: their mean."""
        moving = [buffer for buffer in module.buffers() if buffer.is_floating_point()]
        if moving:
            self.sum(moving, 1.0)

    def agree(self, numbers: list[float]) -> list[float]:
        """The first process's numbers, in all of them."""
        if self.size == 1:
            return numbers
        shared = torch.tensor(numbers, dtype=torch.float64, device=_device())
        distributed.broadcast(shared, 0)
        return [float(number) for number in shared]


def join() -> Group:
    """The processes that torchrun started, or this one alone; joined once, and left when Python ends."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size <= 1:
        return Group()
    if not distributed.is_available():
        raise LinnetError("this build of torch cannot train with several processes; start the script without torchrun.")
    if not distributed.is_initialized():
        if torch.cuda.is_available():
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        try:
            distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        except (ValueError, RuntimeError) as error:
            raise LinnetError(f"WORLD_SIZE says that {size} processes train together, but they do not find each other "
                              f"({error}). Start the script with torchrun, or without WORLD_SIZE.") from error
        atexit.register(distributed.destroy_process_group)
    return Group(distributed.get_rank(), distributed.get_world_size())


def _device() -> str:
    return "cuda" if distributed.get_backend() == "nccl" else "cpu"
