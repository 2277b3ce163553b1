from __future__ import annotations

import json
from pathlib import Path

import pytest
from onnx_files import BANDS_HZ, tones_bytes
from proven_file import proven_file

from linnet import data, runtime, tasks
from linnet.cli.app import answer

COMPARE = ("compare", "--seconds", "0")


@pytest.fixture
def files(tmp_path: Path, tone_task: tasks.Classify, tones: data.Splits, monkeypatch: pytest.MonkeyPatch) -> Path:
    """good.onnx with claims; bad.onnx, and narrow0.onnx, narrow1.onnx without."""
    monkeypatch.chdir(tmp_path)
    proven_file(tmp_path / "good.onnx", tone_task, tones)
    bands = {"bad": {"middle": (200.0, 260.0)}, "narrow0": {"low": (270.0, 300.0)}, "narrow1": {"low": (270.0, 285.0)}}
    for name, changed in bands.items():
        (tmp_path / f"{name}.onnx").write_bytes(tones_bytes(tone_task, bands_hz=BANDS_HZ | changed))
    return tmp_path


def test_a_table_on_the_rows_of_the_first_file_s_claims(files: Path, tones: data.Splits,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    assert answer([*COMPARE, "good.onnx", "bad.onnx"]) == 0
    shown = capsys.readouterr()
    assert f"On {len(tones.test)} recordings" in shown.out
    assert "bad is worse" in " ".join(shown.out.split())
    assert "latency of 2 files in turns" in shown.err


def test_the_file_with_claims_need_not_be_the_first(files: Path, tones: data.Splits,
                                                    capsys: pytest.CaptureFixture[str]) -> None:
    assert answer([*COMPARE, "bad.onnx", "good.onnx"]) == 0
    assert f"On {len(tones.test)} recordings" in capsys.readouterr().out


def test_seeds_rows_and_all_that_can_be_written(files: Path, tone_manifest: Path,
                                                capsys: pytest.CaptureFixture[str]) -> None:
    assert answer([*COMPARE, "good.onnx", "narrow=narrow0.onnx,narrow1.onnx", "bad.onnx", "--data", str(tone_manifest),
                   "--where", "voice=ann", "--where", "voice=bob", "--against", "bad.onnx", "--json",
                   "--latex", "t.tex", "--svg", "p.svg", "--page", "page.html"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["reference"] == "bad"
    assert found["data"]["rows"] == 60
    assert [side["name"] for side in found["sides"]] == ["good", "narrow", "bad"]
    assert len(found["sides"][1]["accuracies"]) == 2
    assert r"\toprule" in (files / "t.tex").read_text()
    assert (files / "p.svg").read_text().startswith("<svg")
    assert "<svg" in (files / "page.html").read_text()


def test_every_row(files: Path, tone_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer([*COMPARE, "good.onnx", "bad.onnx", "--data", str(tone_manifest), "--all-rows", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"]["rows"] == 150


@pytest.mark.parametrize(("arguments", "said"), [
    (["good.onnx", "bad.onnx", "--where", "voice"], "--where takes COLUMN=VALUE"),
    (["good.onnx", "bad.onnx", "--where", "voice=ann", "--all-rows"], "contradict"),
    (["good.onnx", "bad.onnx", "--against", "god"], "did you mean 'good'"),
    (["good.onnx"], "at least two sides"),
    (["a=good.onnx", "a=bad.onnx"], "'a' is given twice"),
    (["good.onnx", "nowhere.onnx"], "there is no file nowhere.onnx"),
    (["bad.onnx", "narrow0.onnx"], "bad.onnx, narrow0.onnx carry no claim about data"),
    (["good.onnx", "bad.onnx", "--data", "nowhere.csv"], "there is no folder or file 'nowhere.csv'"),
])
def test_what_is_wrong_is_said(files: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                               said: str) -> None:
    assert answer([*COMPARE, *arguments]) == 3
    assert said in capsys.readouterr().err


def test_two_files_of_one_name(files: Path, tone_manifest: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "other").mkdir()
    (files / "other" / "good.onnx").write_bytes((files / "bad.onnx").read_bytes())
    assert answer([*COMPARE, "good.onnx", "other/good.onnx", "--json"]) == 0
    assert [side["name"] for side in json.loads(capsys.readouterr().out)["sides"]] == ["good.onnx", "other/good.onnx"]


def test_stopping_is_no_crash(files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runtime, "compare", stop)
    assert answer([*COMPARE, "good.onnx", "bad.onnx"]) == 130
    assert "stopped" in capsys.readouterr().err
