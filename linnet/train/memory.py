"""Memory that does not suffice, and how much was taken."""

from __future__ import annotations

import sys

import torch

_SAID_BY_THE_PROCESSOR = ("can't allocate memory", "not enough memory", "DefaultCPUAllocator")


def is_exhausted(error: BaseException) -> bool:
    """Whether torch found no memory, on an accelerator or on the processor."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID_BY_THE_PROCESSOR)


def free(device: torch.device) -> None:
    """Give back what torch holds in reserve."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


def peak_bytes(device: torch.device) -> int | None:
    """The most that was taken so far: of the accelerator, or of the process; None where nobody knows."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
