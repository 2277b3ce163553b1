from __future__ import annotations

import re
from dataclasses import replace

import pytest
from experiment_values import reckoning, self_test

from linnet.report import rehearsal

KEEPS, BREAKS, OPEN = (0.021, 0.0152, 0.0283), (0.08, 0.0688, 0.0926), (0.049, 0.04, 0.0594)


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_self_test_beside_the_usual_test() -> None:
    said = rehearsal.false_positives(self_test({"understood": KEEPS, "ordered": OPEN}))
    assert flat(said).startswith("2,000 experiments in which nothing is different: 10,000 users of old, shared "
                                 "out anew by chance, each looked at 100 times. A difference may be shown in 5 in 100")
    lines = [re.split(r" {2,}", line) for line in said.splitlines() if line.startswith(("✓", "?", "✕"))]
    assert lines == [["✓", "understood", "2.1 %", "1.52 to 2.83", "34 %", "32.00 to 36.00"],
                     ["?", "ordered", "4.9 %", "4.00 to 5.94", "34 %", "32.00 to 36.00"]]
    assert said.endswith("wait_ms has no A/A here.")


@pytest.mark.parametrize(("rates", "code"), [
    ({"a": KEEPS}, 0), ({"a": KEEPS, "b": BREAKS, "c": OPEN}, 1), ({"a": KEEPS, "b": OPEN}, 2), ({}, 2),
    ({"a": (0.04, 0.03, 0.05)}, 0), ({"a": (0.06, 0.05, 0.07)}, 2)])
def test_the_exit_code_of_a_self_test(rates: dict[str, tuple[float, float, float]], code: int) -> None:
    assert rehearsal.exit_code(self_test(rates)) == code


def test_intervals_of_rates_are_rounded_outwards() -> None:
    assert "1.51 to 2.84" in rehearsal.false_positives(self_test({"a": (0.021, 0.015199, 0.028301)}))


def test_a_reckoning() -> None:
    said = rehearsal.stopping(reckoning())
    assert flat(said).startswith("1,000 experiments a metric, as planned, in which the difference is just the smallest")
    lines = [re.split(r" {2,}", line) for line in said.splitlines() if "(new)" in line]
    assert lines == [["understood (new)", "0.50 points", "97.4 % ± 1.0", "9,120", "8,800", "25,000", "7,700"],
                     ["wait_ms (new)", "none", "100.0 % ± 0.0", "2,210", "2,000", "25,000", "1,400"]]
    assert said.endswith("ordered says no smallest effect.")


def test_a_reckoning_of_nothing_says_why() -> None:
    said = rehearsal.stopping(replace(reckoning(), stopping=()))
    assert "on average after" not in said
    assert said.endswith("ordered says no smallest effect.")
