from __future__ import annotations

import sys

import pytest

from linnet.cli.app import answer


def test_everything_by_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["list"]) == 0
    shown = capsys.readouterr().out
    for expected in ("tasks:\n  assess", "  classify", "  dscnn", "engines:\n  coreml", "  fsdd", "  int8"):
        assert expected in shown


def test_one_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["list", "engines"]) == 0
    assert capsys.readouterr().out.splitlines()[2].startswith("onnxruntime  ")


def test_an_unknown_kind_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert answer(["list", "engins"]) == 3
    assert "did you mean 'engines'?" in capsys.readouterr().err


def test_without_torch_the_rest_is_listed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[:2] == ["linnet", "nn"]]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("linnet.nn", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert answer(["list"]) == 0
    shown = capsys.readouterr().out
    assert 'pip install "linnet[train]"' in shown
    assert "sources:\n" in shown
    assert "  cifar10" in shown
    assert answer(["list", "models"]) == 3
