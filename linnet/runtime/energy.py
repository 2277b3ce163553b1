"""Energy from the processor's own counter (RAPL), where the system lets it be read.

Source: https://www.kernel.org/doc/html/latest/power/powercap/powercap.html.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


def joules_per_call(call: Callable[[], object], *, seconds: float, counters: Path = POWERCAP) -> float | None:
    """The energy of all processor packages while calling for so many seconds, divided by the number of calls.

    Whatever else the machine does in that time is counted too. None where no counter can be read.
    """
    packages = [folder for folder in sorted(counters.glob("intel-rapl:*")) if folder.name.count(":") == 1]
    before = _read_all(packages)
    if not before:
        return None
    calls, stop = 0, time.perf_counter() + seconds
    while not calls or time.perf_counter() < stop:
        call()
        calls += 1
    after = _read_all(packages)
    if after is None:
        return None
    # A counter starts again at zero when it has reached its range.
    used = sum((end - start) % limit for (start, limit), (end, _) in zip(before, after, strict=True))
    return used / 1e6 / calls


def _read_all(packages: list[Path]) -> list[tuple[int, int]] | None:
    """Microjoules counted so far and the counter's range, of each package; None where one cannot be read."""
    try:
        return [(int((folder / "energy_uj").read_text()), int((folder / "max_energy_range_uj").read_text()))
                for folder in packages]
    except (OSError, ValueError):
        return None
