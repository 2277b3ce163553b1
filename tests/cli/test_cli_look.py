"""linnet look: saves a page, serves it until Ctrl-C, and says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from linnet.cli.app import answer


def test_a_page_is_saved_with_findings_of_a_file(tone_manifest: Path, tmp_path: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    found = {"kind": "odd", "items": [{"subject": "ann_low_0.wav", "statement": "It is odd.", "evidence": {"p": 0.01}}]}
    (tmp_path / "odd.json").write_text(json.dumps(found))
    page = tmp_path / "page.html"
    assert answer(["look", str(tone_manifest), "--findings", str(tmp_path / "odd.json"), "--save", str(page),
                   "--limit", "3"]) == 0
    assert "3 of 150 samples carry what they hold" in capsys.readouterr().out
    assert "It is odd." in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("arguments", "message"), [
    (["nowhere-at-all"], "nowhere-at-all"),
    (["{data}", "--map", "umapp"], "did you mean 'umap'"),
    (["{data}", "--on", "tset"], "did you mean 'test'"),
    (["{data}", "--findings", "gone.json"], "gone.json holds no findings"),
    (["{data}", "--limit", "-1"], "--limit"),
    (["{data}", "--port", "70000"], "--port"),
])
def test_what_is_wrong_is_said(tone_manifest: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                               message: str) -> None:
    assert answer(["look", *(one.format(data=tone_manifest) for one in arguments)]) == 3
    assert message in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_it_serves_until_ctrl_c(tone_manifest: Path) -> None:
    command = [sys.executable, "-c", "from linnet.cli import main; main()", "look", str(tone_manifest), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHONUNBUFFERED": "1"}) as process:
        assert process.stdout
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        page = urllib.request.urlopen(address, timeout=60).read().decode()
        assert "<title>tones" in page
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0
        assert said.rstrip().endswith("ended.")
        assert "Traceback" not in said
