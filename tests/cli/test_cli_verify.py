from __future__ import annotations

import json
from pathlib import Path

import pytest
from proven_file import proven_file

from linnet import data, runtime, tasks
from linnet.cli.app import answer


@pytest.fixture
def proven(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits) -> Path:
    return proven_file(tmp_path / "tones.onnx", tone_task, tones)


def test_claims_that_hold_are_zero(proven: Path, tone_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["verify", str(proven), "--data", str(tone_manifest)]) == 0
    first, second, last = capsys.readouterr().out.splitlines()
    assert first.startswith("✓ claim 1 (accuracy_at_least) holds: ")
    assert second.startswith("✓ claim 2 (size_below) holds: ")
    assert last == f"{proven}: 2 of 2 claims hold."


def test_an_edited_claim_is_one(proven: Path, tone_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = runtime.read(proven)
    claims = artifact.metadata["linnet.claims"].replace('"bound":0.5', '"bound":0.9')
    proven.write_bytes(runtime.with_metadata(artifact.content, {"linnet.claims": claims}))
    assert answer(["verify", str(proven), "--data", str(tone_manifest)]) == 1
    assert capsys.readouterr().out.startswith("! claim 1 (accuracy_at_least) was edited: ")


def test_other_data_are_two(proven: Path, tone_manifest: Path, tmp_path: Path,
                            capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "other.csv"
    head, *rows = tone_manifest.read_text().splitlines()
    full = [f"{tone_manifest.parent}/{row}" for row in rows if "_9.wav" not in row]
    other.write_text("\n".join([head, *full]) + "\n")
    assert answer(["verify", str(proven), "--data", str(other)]) == 2
    assert capsys.readouterr().out.startswith("? claim 1 (accuracy_at_least) is undecided: ")


def test_a_damaged_file_is_three(proven: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proven.write_bytes(proven.read_bytes()[:-200])
    assert answer(["verify", str(proven)]) == 3
    assert "tones.onnx" in capsys.readouterr().err


def test_json_holds_the_claims_and_the_exit_code(proven: Path, tone_manifest: Path,
                                                 capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["verify", str(proven), "--data", str(tone_manifest), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["exit_code"] == 0
    assert [result["outcome"] for result in shown["results"]] == ["holds", "holds"]
