"""Energy: whichever counter can be read, and unknown where none can, or where it did not move."""

from __future__ import annotations

import ctypes
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from linnet.errors import LinnetError
from linnet.runtime import energy


def battery(folder: Path, left: int, *, status: str = "Discharging") -> Path:
    for name, text in (("type", "Battery\n"), ("status", f"{status}\n"), ("energy_now", f"{left}\n")):
        (folder / "BAT0").mkdir(exist_ok=True)
        (folder / "BAT0" / name).write_text(text)
    return folder / "BAT0" / "energy_now"


def test_a_battery_counts_what_it_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "BATTERIES", tmp_path)
    left = battery(tmp_path, 1_000_000)
    (tmp_path / "AC").mkdir()
    (tmp_path / "AC" / "type").write_text("Mains")

    def call() -> None:
        left.write_text(str(int(left.read_text()) - 10))

    spent = energy.joules_per_call(call, seconds=0, counters=tmp_path / "none")
    assert spent == pytest.approx(10 * 3600 / 1e6)  # ten microwatt hours in joules


@pytest.mark.parametrize("status", ["Charging", "Full"])
def test_a_battery_that_is_fed_says_nothing(status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "BATTERIES", tmp_path)
    battery(tmp_path, 1_000_000, status=status)
    assert energy.joules_per_call(lambda: None, seconds=0, sources=["battery"]) is None


def test_a_counter_that_did_not_move_is_unknown_and_not_zero(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "BATTERIES", tmp_path)
    battery(tmp_path, 1_000_000)
    assert energy.joules_per_call(lambda: None, seconds=0, sources=["battery"]) is None


class Driver:
    """Two cards that count on with every question; `fails` names a function that answers with an error."""

    def __init__(self, fails: str = "") -> None:
        self.fails, self.asked, self.open = fails, 0, 0

    def __getattr__(self, name: str) -> Any:
        def answer(*given: Any) -> int:
            if name == self.fails:
                return 3
            if name == "nvmlDeviceGetCount_v2":
                given[0]._obj.value = 2
            if name == "nvmlDeviceGetTotalEnergyConsumption":
                self.asked += 1
                given[1]._obj.value = 50 * self.asked
            self.open += {"nvmlInit_v2": 1, "nvmlShutdown": -1}.get(name, 0)
            return 0
        return answer


def test_graphics_cards_count_in_millijoules(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver()
    monkeypatch.setattr(energy, "ctypes", _with(driver))
    spent = energy.joules_per_call(lambda: None, seconds=0, sources=["gpu"])
    assert spent == pytest.approx((150 + 200 - 50 - 100) / 1000)
    assert driver.open == 0


@pytest.mark.parametrize("fails", ["nvmlInit_v2", "nvmlDeviceGetCount_v2", "nvmlDeviceGetTotalEnergyConsumption"])
def test_a_card_that_does_not_count_is_unknown(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(fails)
    monkeypatch.setattr(energy, "ctypes", _with(driver))
    assert energy.joules_per_call(lambda: None, seconds=0, sources=["gpu"]) is None
    assert driver.open == 0


def _with(driver: Driver) -> SimpleNamespace:
    names = ("c_uint", "c_ulonglong", "c_void_p", "byref")
    return SimpleNamespace(CDLL=lambda library: driver, **{name: getattr(ctypes, name) for name in names})


def test_without_a_driver_it_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert energy._cards("libnothing-of-that-name.so") is None


def test_an_unknown_source_is_named() -> None:
    with pytest.raises(LinnetError, match="source of energy 'sun'"):
        energy.joules_per_call(lambda: None, seconds=0, sources=["sun"])
