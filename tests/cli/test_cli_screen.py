from __future__ import annotations

import logging
import sys

import pytest

from linnet.cli import screen


def test_a_log_gets_the_first_and_the_last_step_of_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    report = screen.lines(seconds=3600)
    for done in range(1, 6):
        report(done, 5, f"big: epoch {done}")
    for done in range(1, 6):
        report(done, 5, "small: epoch 1")
    assert capsys.readouterr().err.splitlines() == [
        "big: epoch 1 (1 of 5)", "big: epoch 5 (5 of 5)", "small: epoch 1 (1 of 5)", "small: epoch 1 (5 of 5)"]


def test_a_slow_thing_is_heard_from_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    report = screen.lines(seconds=0)
    for done in range(1, 4):
        report(done, 10, "big")
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_a_terminal_gets_one_bar_a_thing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    with screen.progress() as report:
        for done in range(1, 4):
            report(done, 3, f"big: [epoch] {done}")
        report(1, 7, "small")
    drawn = capsys.readouterr().err
    assert "big: [epoch] 3" in drawn
    assert "100%" in drawn
    assert "small" in drawn


def test_notices_are_shown_while_a_verb_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with screen.notices():
        logging.getLogger("linnet").warning("resampled %d clips", 312)
    assert capsys.readouterr().err == "note: resampled 312 clips\n"
    assert not logging.getLogger("linnet").handlers
