from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_files import convolutions_bytes, digits_bytes

from linnet.cli.app import answer

MINE = """\
import numpy as np
from linnet import data, nn, tasks

def model():
    splits = data.load("handwritten").split(seed=0)
    task = tasks.Classify(splits, input="image", target="digit")
    return nn.zoo.smallcnn(task, width=8, seed=0), task, splits

def nothing():
    return 3

def breaks():
    return {}["weights"]

words = "no function"
"""


@pytest.fixture
def bare(tmp_path: Path) -> list[str]:
    """A file of which nothing is known, and arrays for it."""
    (tmp_path / "plain.onnx").write_bytes(convolutions_bytes())
    images = np.random.default_rng(1).standard_normal((400, 3, 8, 8)).astype(np.float32)
    np.savez(tmp_path / "x.npz", image=images)
    return ["shrink", str(tmp_path / "plain.onnx"), "--samples", str(tmp_path / "x.npz"), "--goal", "size",
            "--seconds", "0.01", "--trials", "2", "--folder", str(tmp_path / "s")]


def test_a_bare_file_and_a_wish_that_cannot_be_granted(
        bare: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert answer([*bare, "--no-worse", "0.05"]) == 0
    shown = capsys.readouterr()
    assert "trial 1, int8 (minmax): size" in shown.err
    assert "What each step brought and cost" in shown.out
    assert f"The file: {tmp_path / 's' / 'plain-small.onnx'}" in shown.out
    assert (tmp_path / "s" / "front.svg").read_text().startswith("<svg")
    assert json.loads((tmp_path / "s" / "result.json").read_text())["verdict"] == "holds"
    assert answer([*bare, "--no-worse", "0.05", "--at-most", "1"]) == 1  # the trials are those of before
    shown = capsys.readouterr()
    assert "Nearest: trial" in shown.out
    assert "trial 1" not in shown.err
    assert "No file was written." in shown.out


def test_what_cannot_be_started_from_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: str) -> str:
        assert answer(["shrink", *arguments]) == 3
        return capsys.readouterr().err

    (tmp_path / "bare.onnx").write_bytes(digits_bytes())
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("1 / 0")
    (tmp_path / "notes.txt").write_text("no")
    assert "there is nothing at" in refused(str(tmp_path / "gone"))
    assert "is no ONNX file" in refused(str(tmp_path / "notes.txt"))
    assert "--samples FILE.npz" in refused(str(tmp_path / "bare.onnx"))
    assert "there is no model in" in refused(str(tmp_path))
    assert "did you mean 'latency'" in refused(str(tmp_path), "--goal", "latencies")
    assert "has no function 'words'" in refused(f"{tmp_path / 'mine.py'}:words")
    assert "must return (model, task, splits); it returned int" in refused(f"{tmp_path / 'mine.py'}:nothing")
    assert "mine.py:breaks cannot be run: KeyError: 'weights'" in refused(f"{tmp_path / 'mine.py'}:breaks")
    (tmp_path / "run" / "big").mkdir(parents=True)
    (tmp_path / "run" / "big" / "model.safetensors").write_bytes(b"")
    assert f"is a whole run: give one of its steps; there is a model in: {tmp_path}/run/big" in refused(
        str(tmp_path / "run"))
    assert f"run/bgi; there is a model in: {tmp_path}/run/big" in refused(str(tmp_path / "run" / "bgi"))
    assert "cannot be run: ZeroDivisionError" in refused(f"{tmp_path / 'broken.py'}:model")
    assert "there is no file" in refused(f"{tmp_path / 'none.py'}:model")


@pytest.mark.slow
def test_a_function_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    code = answer(["shrink", f"{tmp_path / 'mine.py'}:model", "--goal", "size", "--no-worse", "0.2", "--trials", "2",
                   "--epochs", "1", "--seconds", "0.01", "--folder", str(tmp_path / "s")])
    assert code == 0
    assert "int8" in capsys.readouterr().out
