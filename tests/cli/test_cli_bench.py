from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx_files import digits_bytes
from other_engine import add_engine
from proven_file import proven_file

from linnet import data, tasks
from linnet.cli.app import answer


@pytest.fixture
def proven(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits) -> Path:
    return proven_file(tmp_path / "tones.onnx", tone_task, tones)


def test_two_files_side_by_side(proven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    other = tmp_path / "other.onnx"
    other.write_bytes(digits_bytes())
    assert answer(["bench", str(proven), str(other), "--seconds", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert "ratio" in shown.splitlines()[0]
    assert [line.split("  ")[0].strip() for line in shown.splitlines()[1:8]] == [
        "median ms", "p95 ms", "p99 ms", "answers a second", "peak memory MB", "size bytes", "operators in int8"]
    assert "onnxruntime" in shown.splitlines()[-1]
    assert "energy" in shown.splitlines()[-1]


def test_json_of_a_file_without_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(digits_bytes())
    assert answer(["bench", str(bare), "--seconds", "0.1", "--json"]) == 0
    (one,) = json.loads(capsys.readouterr().out)
    assert one["name"] == "bare.onnx"
    assert one["p50_ms"] > 0


def test_an_unknown_engine_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(digits_bytes())
    assert answer(["bench", str(bare), "--engine", "onnxruntim"]) == 3
    assert "did you mean 'onnxruntime'" in capsys.readouterr().err


def test_several_engines_side_by_side_and_the_fastest_named(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    add_engine(monkeypatch, "again")
    bare = tmp_path / "bare.onnx"
    bare.write_bytes(digits_bytes())
    assert answer(["bench", str(bare), "--engine", "onnxruntime", "--engine", "again", "--seconds", "0.1"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[1].split() == ["onnxruntime", "again", "ratio"]
    assert "operators in int8" in shown
    assert "answers differ by" in shown
    assert "0 %" in shown
    assert "fastest: bare.onnx on " in shown.splitlines()[-1]
