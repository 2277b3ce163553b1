"""What a file adds to the memory of a process that has imported the engine; run as `python -m linnet.runtime.memory`.

A process of its own, because a peak that was reached stays: here nothing but the file can have reached it.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path

from linnet.runtime.bench import random_inputs
from linnet.runtime.engines import start

_STATUS = Path("/proc/self/status")


def main(arguments: list[str]) -> None:
    """Load the file, run it, and print {"bytes": ...} to standard output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=20)
    given = parser.parse_args(arguments)
    __import__(given.engine)
    before = _reset_peak()
    session = start(given.path, engine=given.engine, threads=given.threads)
    inputs = random_inputs(session)
    for _ in range(given.runs):
        session.run(inputs)
    sys.stdout.write(json.dumps({"bytes": _peak() - before}))


def _reset_peak() -> int:
    """Forget the peak of the imports, where the kernel can, and say how much is in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return _peak()
    return _peak()


def _peak() -> int:
    """Bytes. Linux keeps the peak of this very program; `ru_maxrss` is that of its parent too, if that was larger."""
    if _STATUS.exists():
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main(sys.argv[1:])
