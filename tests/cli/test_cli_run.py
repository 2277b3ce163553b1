from __future__ import annotations

from pathlib import Path

import pytest

from linnet.cli.app import answer

RECIPE = """\
name: tiny
data: {source: handwritten}
task: {classify: {input: image, target: digit}}
steps:
  big: {fit: {model: {smallcnn: {width: 4}}, epochs: 9}}
  file: {export: {model: big, path: tiny.onnx}}
  proof: {prove: {file: file, claims: [{accuracy_at_least: {bound: 0.99}}]}}
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE)
    return path


@pytest.mark.slow
def test_a_run_from_a_recipe_to_a_report(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    assert answer(["run", str(recipe), "--set", "big.epochs=1", "--folder", str(runs)]) == 1
    shown = capsys.readouterr()
    assert "Fails: at least 99 in 100 answered correctly." in shown.out
    assert f"The report: {runs}/tiny/report.html" in shown.out
    assert "big: epoch 1 of 1" in shown.err
    assert answer(["show", str(runs / "tiny")]) == 0
    assert "✕ Fails" in capsys.readouterr().out


def test_until_stops_early(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--folder", str(tmp_path / "runs")]
    assert answer(["run", str(recipe), "--set", "big.epochs=1", "--until", "big", *where]) == 0
    assert "tiny: nothing was measured on the test part yet." in capsys.readouterr().out


@pytest.mark.parametrize("change", ["big.epochs", "=3"])
def test_a_change_without_key_or_value_is_refused(recipe: Path, change: str,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["run", str(recipe), "--set", change]) == 3
    assert "STEP.KEY=VALUE" in capsys.readouterr().err


def test_a_recipe_is_named_with_its_suffix(recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["run", str(tmp_path / "tiny")]) == 3
    assert f"no such file or directory; did you mean {recipe}?" in capsys.readouterr().err
    assert answer(["run", "."]) == 3
    (tmp_path / "tiny").mkdir()
    assert answer(["run", str(tmp_path / "tiny")]) == 3
    assert f"is a directory; did you mean {recipe}?" in capsys.readouterr().err
    assert answer(["run", str(tmp_path / "gone.yaml")]) == 3
    assert "no such file or directory. A recipe is a YAML file; linnet init writes one." in capsys.readouterr().err


def test_a_folder_without_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["show", str(tmp_path)]) == 3
    assert "there is no run in" in capsys.readouterr().err
