"""linnet data profile: the table, the page, drift against another dataset, exit codes, a stop."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from linnet.cli.app import answer

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def folder(tone_manifest: Path, tmp_path: Path) -> Path:
    """Thirty recordings under two labels, one of them broken, one silent."""
    for at, file in enumerate(sorted(tone_manifest.parent.glob("*.wav"))[:30]):
        (tmp_path / "own" / "ab"[at % 2]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / "ab"[at % 2] / f"{at:02}.wav").write_bytes(file.read_bytes())
    (tmp_path / "own" / "a" / "00.wav").write_bytes(b"words")
    soundfile.write(tmp_path / "own" / "b" / "01.wav", np.zeros(2400), 8000)
    return tmp_path / "own"


def test_what_is_wrong_is_said_and_a_broken_file_ends_with_3(folder: Path, capsys: Captured) -> None:
    assert answer(["data", "profile", str(folder)]) == 3
    shown = capsys.readouterr().out
    assert shown.startswith("own: 30 rows\n\nmeasure ")
    assert "audio: WAV PCM_16 8000 Hz mono (29)" in shown
    assert "label: 2 different, 15 rows each" in shown
    assert "audio: silent: 1 of 30 recordings are silent (under -70 dBFS). Such as b/01." in shown
    assert "broken: 'audio' of a/00 cannot be read as a recording" in shown
    assert "groups unlike the others (told without a cause in at most 5 of 100 datasets)\n  nothing" in shown


def test_a_sound_dataset_ends_with_0_and_groups_are_told_apart(tone_manifest: Path, capsys: Captured) -> None:
    given = ["data", "profile", str(tone_manifest), "--columns", "voice=group", "--group", "pitch", "--json"]
    assert answer(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert set(found) == {"profile", "order"}
    assert set(found["profile"]["facts"]["groups"]) == {"pitch"}
    assert {item["subject"] for item in found["order"]["items"]} >= {"pitch", "voice"}


def test_drift_and_near_duplicates_are_asked_for(tone_manifest: Path, folder: Path, capsys: Captured) -> None:
    given = ["data", "profile", str(tone_manifest), "--against", str(folder), "--duplicates", "--json"]
    assert answer(given) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["drift"]["facts"]["names"] == ["own", "tones"]
    assert found["drift"]["facts"]["broken"] == [1, 0]
    assert found["near_duplicates"]["kind"] == "near_duplicates"


def test_the_page_has_histograms_and_what_was_found(folder: Path, tmp_path: Path, capsys: Captured) -> None:
    page = tmp_path / "health.html"
    assert answer(["data", "profile", str(folder), "--against", str(folder), "--page", str(page)]) == 3
    assert f"written: {page}" in capsys.readouterr().err
    text = page.read_text()
    assert text.count("<svg") == 2
    assert "audio.loudness (dBFS)" in text
    assert "one file cannot be used" in text
    assert "recordings are silent (under -70 dBFS)" in text
    assert "By label: medians" in text
    assert "<script" not in text


@pytest.mark.parametrize(("given", "words"), [
    (["--group", "voise"], "did you mean 'voice'"), (["--cluster", "speaker"], "unknown column"),
    (["--against", "no/such.csv"], "is not there"), (["--option", "x"], "expected KEY=VALUE")])
def test_wrong_usage_ends_with_3(given: list[str], words: str, tone_manifest: Path, capsys: Captured) -> None:
    assert answer(["data", "profile", str(tone_manifest), *given]) == 3
    assert words in capsys.readouterr().err


def test_a_stop_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while recordings are read."""
    (tmp_path / "long" / "a").mkdir(parents=True)
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 20)
    first = tmp_path / "long" / "a" / "first.flac"
    soundfile.write(first, noise, 16000)
    for at in range(1500):  # so many that a fast machine is not done before the signal comes
        os.link(first, first.with_name(f"{at}.flac"))
    code = "from linnet.cli import main; main()"
    page = tmp_path / "page.html"
    with subprocess.Popen([sys.executable, "-c", code, "data", "profile", str(tmp_path / "long"), "--page", str(page)],
                          stderr=subprocess.PIPE, text=True, env=dict(os.environ)) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("measuring"):
                break
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
        assert process.wait(60) == 130
    assert rest.splitlines()[-1] == "stopped."
    assert "Traceback" not in rest
    assert not page.exists()
