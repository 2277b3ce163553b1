"""A grid of methods is read whole or refused whole, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from linnet import recipe
from linnet.cli.app import answer
from linnet.errors import LinnetError
from linnet.recipe.methods import read
from linnet.report.front import front

GRID = """
name: small
recipe: digits.yaml
model: big
seeds: [0, 1]
grid:
  int8: {bits: 8}
  fewer: {keep: {each: [0.75, 0.5]}}
"""


def written(folder: Path, text: str) -> Path:
    (folder / "grid.yaml").write_text(text)
    return folder / "grid.yaml"


def test_a_grid_is_read(tmp_path: Path) -> None:
    found = read(written(tmp_path, GRID))
    assert (found.name, found.seeds, found.on, found.engine, found.teacher) == (
        "small", [0, 1], "validation", "onnxruntime", True)


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    text = GRID.replace("seeds: [0, 1]", "sedes: [0]\nengine: onnxruntim\naugment: speach").replace("bits: 8", "bit: 8")
    with pytest.raises(LinnetError) as caught:
        read(written(tmp_path, text))
    for said in ("4 errors in the grid of methods", "sedes", "seeds", "did you mean 'onnxruntime'",
                 "unknown augmentation 'speach'", "unknown key 'bit'"):
        assert said in str(caught.value)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("int8:", "float:", "'float' is the model itself"),
    ("seeds: [0, 1]", "seeds: []", "seeds"),
    (GRID, "[1]", "is a mapping with the keys name, recipe, model, grid"),
])
def test_what_cannot_be_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        read(written(tmp_path, GRID.replace(old, new)))


def test_a_model_that_is_nowhere_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "recipes" / "handwritten.yaml").read_text()
    (tmp_path / "digits.yaml").write_text(text)
    grid = written(tmp_path, GRID.replace("model: big", "model: bigg"))
    assert answer(["bench", "methods", str(grid), "--folder", str(tmp_path / "runs")]) == 3
    assert "'bigg' is neither a step of digits.yaml (it has " in capsys.readouterr().err
    assert answer(["bench", "methods", str(tmp_path / "none.yaml")]) == 3


@pytest.mark.slow
def test_a_grid_ends_with_a_table_a_page_and_the_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).parents[2] / "recipes" / "handwritten.yaml").read_text()
    (tmp_path / "digits.yaml").write_text(text)
    recipe.run(tmp_path / "digits.yaml", until="big", changes={"big.epochs": "1"}, folder=tmp_path / "runs")
    wrong = "  wrong: {methods: {remove_channels: {layers: {nowhere: [1]}}}}\n"
    grid = written(tmp_path, GRID.replace("model: big", f"model: {tmp_path}/runs/handwritten/big") + "epochs: 1\n"
                   + "seconds: 0.05\n")
    grid.write_text(grid.read_text().replace("  fewer: {keep: {each: [0.75, 0.5]}}\n", wrong))
    assert answer(["bench", "methods", str(grid), "--folder", str(tmp_path / "runs")]) == 0
    shown = capsys.readouterr().out
    for said in ("float", "int8", "On the front, beaten by no other in both:", "by size: int8", "Could not be made",
                 "wrong, seed 0: "):
        assert said in shown
    home = tmp_path / "runs" / "small"
    assert {"methods.txt", "methods.json", "methods.html", "float.onnx"} <= {path.name for path in home.iterdir()}


def test_the_front_holds_what_nothing_beats_in_both() -> None:
    rows = [{"c": c, "w": w} for c, w in ((1.0, 1.0), (1.0, 2.0), (2.0, 2.0), (3.0, 5.0), (4.0, 4.0))]
    assert front(rows, cost="c", worth="w") == [rows[1], rows[3]]
    assert front([], cost="c", worth="w") == []
