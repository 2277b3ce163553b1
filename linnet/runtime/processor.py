"""The name of the processor that this machine has: a latency speaks of one processor only."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

_NAMES = ("model name", "Model", "Hardware")
"""Keys of /proc/cpuinfo that hold a name: on x86; on most ARM boards; on older ARM kernels."""


@cache
def processor_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name from the kernel, or what `platform` says where there is no such file."""
    try:
        lines = cpuinfo.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    names = [said[key] for key in _NAMES if said.get(key)]
    return names[0] if names else platform.processor() or platform.machine() or "unknown"
