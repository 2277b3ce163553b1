"""Files over engines: who takes part, who is left out and why, and who answers otherwise."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from onnx_files import digits_bytes
from other_engine import add_engine

from linnet import runtime
from linnet.errors import LinnetError
from linnet.runtime.agreement import difference


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "digits.onnx").write_bytes(digits_bytes())
    return tmp_path / "digits.onnx"


def test_every_file_runs_on_every_engine_and_the_fastest_is_found(
        file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_engine(monkeypatch, "again")
    other = file.with_name("other.onnx")
    other.write_bytes(digits_bytes(seed=1))
    found = runtime.bench_engines([file, other], ["onnxruntime", "again", "again"], runs=3, seconds=0)
    assert [f"{one.name} {one.engine}" for one in found] == [
        "digits.onnx onnxruntime", "digits.onnx again", "other.onnx onnxruntime", "other.onnx again"]
    assert [one.largest_difference for one in found] == [None, 0.0, None, 0.0]
    assert found[0].operators["int8"] == {}
    assert "Gemm" in found[0].operators["float"]
    assert runtime.fastest(found).p50_ms == min(one.p50_ms for one in found)
    assert runtime.Bench.from_json(found[1].to_json()) == found[1]


def test_an_engine_that_cannot_is_left_out_with_its_reason(
        file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    add_engine(monkeypatch, "broken", reason="it has no kernel for Gemm.")
    with caplog.at_level(logging.WARNING, "linnet"):
        found = runtime.bench_engines([file], ["broken", "onnxruntime"], runs=1, seconds=0)
    assert [one.engine for one in found] == ["onnxruntime"]
    assert "left out: digits.onnx on broken: it has no kernel for Gemm." in caplog.text
    with pytest.raises(LinnetError, match=r"ran any of the files: digits\.onnx on broken: it has no"):
        runtime.bench_engines([file], ["broken"], runs=1, seconds=0)
    with pytest.raises(LinnetError, match="unknown engine 'brokn'; did you mean 'broken'"):
        runtime.bench_engines([file], ["onnxruntime", "brokn"])


def test_an_engine_that_answers_otherwise_is_said(
        file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    add_engine(monkeypatch, "louder", factor=1.2)
    with caplog.at_level(logging.WARNING, "linnet"):
        *_, louder = runtime.bench_engines([file], ["onnxruntime", "louder"], runs=1, seconds=0)
    assert louder.largest_difference == pytest.approx(0.2, rel=1e-3)
    assert "answers otherwise on louder than on onnxruntime: by 20.0 % of the largest answer" in caplog.text


def test_answers_of_other_forms_and_texts_are_as_far_apart_as_can_be() -> None:
    y = np.array([1.0, -4.0], np.float32)
    assert difference({"y": y}, {"y": y + np.float32(1)}) == 0.25
    assert difference({"y": y}, {"z": y}) == difference({"y": y}, {"y": y[:1]}) == np.inf
    assert difference({"y": np.array(["a"])}, {"y": np.array(["b"])}) == np.inf
    assert difference({"y": np.array(["a"])}, {"y": np.array(["a"])}) == 0
    assert difference({"y": y}, {"y": y * np.float32(np.nan)}) == np.inf
    assert difference({"y": np.zeros(2, np.float32)}, {"y": np.zeros(2, np.float32)}) == 0


def test_what_was_kept_before_operators_were_counted_is_read(file: Path) -> None:
    plain = runtime.bench(file, runs=1, seconds=0).to_json()
    del plain["operators"], plain["largest_difference"]
    assert runtime.Bench.from_json(plain).operators == {}
