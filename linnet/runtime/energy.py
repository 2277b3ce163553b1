"""Energy from the machine's own counters, where the system lets them be read: processor, graphics card, battery.

Sources: https://www.kernel.org/doc/html/latest/power/powercap/powercap.html (RAPL), nvmlDeviceGetTotalEnergyConsumption
in https://docs.nvidia.com/deploy/nvml-api, https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-power.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from linnet.errors import unknown

POWERCAP = Path("/sys/class/powercap")
BATTERIES = Path("/sys/class/power_supply")

Reading = list[tuple[int, int]]
"""Microjoules counted so far and where the counter starts again at zero (0: nowhere), of each part."""


def joules_per_call(call: Callable[[], object], *, seconds: float, counters: Path = POWERCAP,
                    sources: Sequence[str] = ("processor", "battery")) -> float | None:
    """The energy that the first readable source counts while calling for so many seconds, divided by the calls.

    "processor" is all packages (RAPL), "gpu" all NVIDIA cards (NVML), "battery" the whole machine while it discharges.
    Whatever else the machine does in that time is counted too. None where no counter can be read, or where it is too
    slow to have moved: a battery tells its charge some times a minute.
    """
    readers = {"processor": lambda: _packages(counters), "gpu": _cards, "battery": _batteries}
    for source in sources:
        if source not in readers:
            raise unknown("source of energy", source, readers)
        before = readers[source]()
        if before:
            return _spent(call, seconds, before, readers[source])
    return None


def _spent(call: Callable[[], object], seconds: float, before: Reading,
           read: Callable[[], Reading | None]) -> float | None:
    calls, stop = 0, time.perf_counter() + seconds
    while not calls or time.perf_counter() < stop:
        call()
        calls += 1
    after = read()
    if after is None or len(after) != len(before):
        return None
    # A counter starts again at zero when it has reached its range; without one it can only have been recharged.
    used = [(end - start) % limit if limit else end - start
            for (start, limit), (end, _) in zip(before, after, strict=True)]
    return sum(used) / 1e6 / calls if sum(used) > 0 and min(used) >= 0 else None


def _packages(folder: Path) -> Reading | None:
    """All processor packages; None where one cannot be read."""
    packages = [one for one in sorted(folder.glob("intel-rapl:*")) if one.name.count(":") == 1]
    try:
        return [(int((one / "energy_uj").read_text()), int((one / "max_energy_range_uj").read_text()))
                for one in packages]
    except (OSError, ValueError):
        return None


def _batteries(folder: Path | None = None) -> Reading | None:
    """What batteries that discharge have given; None where one charges, or does not say."""
    found: Reading = []
    try:
        for one in sorted((folder or BATTERIES).glob("*")):
            if (one / "type").read_text().strip() == "Battery":
                if (one / "status").read_text().strip() != "Discharging":
                    return None
                found.append((-int((one / "energy_now").read_text()) * 3600, 0))  # microwatt hours that are left
    except (OSError, ValueError):
        return None
    return found


def _cards(library: str = "libnvidia-ml.so.1") -> Reading | None:
    """All NVIDIA cards that count their energy; None without a driver, or where one does not."""
    try:
        nvml = ctypes.CDLL(library)
    except OSError:
        return None
    if nvml.nvmlInit_v2() != 0:
        return None
    try:
        number = ctypes.c_uint()
        if nvml.nvmlDeviceGetCount_v2(ctypes.byref(number)) != 0:
            return None
        found: Reading = []
        for place in range(number.value):
            card, millijoules = ctypes.c_void_p(), ctypes.c_ulonglong()
            if (nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(place), ctypes.byref(card)) != 0
                    or nvml.nvmlDeviceGetTotalEnergyConsumption(card, ctypes.byref(millijoules)) != 0):
                return None
            found.append((millijoules.value * 1000, 0))
        return found
    finally:
        nvml.nvmlShutdown()
