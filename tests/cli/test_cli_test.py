"""linnet test: what it prints, keeps and leaves with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from onnx_files import table_bytes

from linnet import data, tasks
from linnet.cli.app import answer


def model(path: Path, sentences: data.Splits, **words: list[float]) -> Path:
    task = tasks.Classify(sentences, input="text", target="intent", tokenizer="word")
    assert task.tokenizer is not None
    table = np.zeros((task.tokenizer.size, 3))
    for word, row in words.items():
        table[task.tokenizer.tokens.index(word)] = row
    path.write_bytes(table_bytes(task, table))
    return path


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    path = tmp_path / "cases.csv"
    path.write_text("text,expected,group\nsoup,food,eat\nwarm,weather,ask\ntrain,travel,ask\n")
    return path


def test_a_run_is_kept_and_the_next_one_held_against_it(tmp_path: Path, sentences: data.Splits, cases: Path,
                                                        capsys: pytest.CaptureFixture[str]) -> None:
    old = model(tmp_path / "old.onnx", sentences, soup=[3, 0, 0], warm=[0, 3, 0], train=[0, 3, 0])
    assert answer(["test", str(cases), "--model", str(old)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "✕ new and failing: warm: expected 'weather', answered 'travel'", "ask: 1 of 2", "eat: 1 of 1",
        "2 of 3 cases pass."]
    new = model(tmp_path / "new.onnx", sentences, soup=[0, 3, 0], warm=[0, 0, 3], train=[0, 3, 0])
    assert answer(["test", str(cases), "--model", str(new), "--known"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["✕ newly failing: soup: expected 'food', answered 'travel'", "✓ recovered: warm: expected "
                         "'weather', answered 'weather'"]
    assert lines[-1].startswith("2 of 3 cases pass; 1 newly fails and 1 recovered, against old.onnx (")
    assert answer(["test", str(cases), "--model", str(new), "--known"]) == 1, "red until it passes or is accepted"
    assert answer(["test", str(cases), "--model", str(new)]) == 1
    assert answer(["test", str(cases), "--model", str(new), "--known"]) == 0
    capsys.readouterr()
    good = model(tmp_path / "good.onnx", sentences, soup=[3, 0, 0], warm=[0, 0, 3], train=[0, 3, 0])
    assert answer(["test", str(cases), "--model", str(good), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["cases"], shown["passed"], shown["exit_code"]) == (3, 3, 0)
    assert [one["id"] for one in shown["recovered"]] == ["soup"]
    assert shown["against"]["model"] == "new.onnx"


def test_nothing_is_known_without_a_last_run(tmp_path: Path, sentences: data.Splits, cases: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    file, last = model(tmp_path / "m.onnx", sentences, soup=[0, 3, 0]), tmp_path / "kept" / "run.json"
    assert answer(["test", str(cases), "--model", str(file), "--known", "--last", str(last)]) == 2
    assert f"there was no run in {last}" in capsys.readouterr().err
    assert len(json.loads(last.read_text())["cases"]) == 3
    assert not cases.with_name("cases.last.json").exists()


def test_what_cannot_be_read_leaves_with_3(tmp_path: Path, sentences: data.Splits, cases: Path,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    file = model(tmp_path / "m.onnx", sentences, soup=[3, 0, 0])
    assert answer(["test", str(tmp_path / "none.csv"), "--model", str(file)]) == 3
    assert answer(["test", str(cases), "--model", str(cases)]) == 3
    assert answer(["test", str(cases)]) == 3
    cases.with_name("cases.last.json").write_text("{")
    assert answer(["test", str(cases), "--model", str(file)]) == 3
    assert "is no run of cases" in capsys.readouterr().err


def test_many_failures_are_counted(tmp_path: Path, sentences: data.Splits, capsys: pytest.CaptureFixture[str]) -> None:
    file, table = model(tmp_path / "m.onnx", sentences, soup=[3, 0, 0]), tmp_path / "many.csv"
    table.write_text("text,expected\n" + "".join(f"soup {number},travel\n" for number in range(25)))
    assert answer(["test", str(table), "--model", str(file)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert (len(lines), lines[-2:]) == (22, ["✕ new and failing: 5 more", "0 of 25 cases pass."])
