"""A grid is carried out once: what is there is kept, what is damaged or meant otherwise is done again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from linnet import data, nn, runtime, tasks, train
from linnet.errors import LinnetError
from linnet.shrink.grid import Cell, Tuning, grid, points

OPTIONS = train.Options(batch=16, device="cpu")


@pytest.fixture(scope="module")
def big(tone_task: tasks.Classify, tones: data.Splits) -> nn.Model:
    return train.fit(nn.zoo.dscnn(tone_task, width=16, seed=0), tone_task, tones, epochs=2, options=OPTIONS)


def test_every_combination_becomes_a_point() -> None:
    found = points({
        "mixed": {"keep": {"each": [0.5, 0.75]}, "methods": {"int8": {"calibration": {"each": ["minmax", "mse"]}}}},
        "plain": {"bits": 8}})
    assert [point.name for point in found] == [
        "mixed keep=0.5 calibration=minmax", "mixed keep=0.5 calibration=mse",
        "mixed keep=0.75 calibration=minmax", "mixed keep=0.75 calibration=mse", "plain"]
    assert [point.keep for point in found] == [0.5, 0.5, 0.75, 0.75, 1]
    assert found[1].plan.to_json() == {"int8": {"calibration": "mse"}}
    assert [point.is_tuned for point in found] == [True, True, True, True, False]


@pytest.mark.parametrize(("given", "said"), [
    ({}, "no points"),
    ({"a": {}}, "a: the plan changes nothing"),
    ({"a": {"bit": 8}}, "a: unknown key 'bit'; known: keep, bits, methods"),
    ({"a": {"keep": 0}}, "a: keep is the share"),
    ({"a": {"keep": {"each": []}}}, "a: keep: each is a list of at least one value"),
    ({"a": {"keep": {"each": 3}}}, "a: keep: each is a list"),
    ({"a": {"methods": {"int9": {}}}}, "unknown method 'int9'"),
    ({"a": {"methods": {"int8": {"calibration": {"each": ["minmax", "mad"]}}}}}, "a calibration=mad: plan: int8: cali"),
    ({"a": {"keep": {"each": [0.5, 0.5]}}}, "'a keep=0.5' more than once"),
])
def test_a_wrong_grid_says_what_is_wrong(given: dict[str, dict[str, object]], said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        points(given)


@pytest.mark.slow
def test_what_is_there_is_kept_and_what_changed_is_done_again(
        big: nn.Model, tone_task: tasks.Classify, tones: data.Splits, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = points({"int8": {"bits": 8}, "fewer": {"keep": 0.5}, "wrong": {"methods": {
        "remove_channels": {"layers": {"nowhere": [0]}}}}})

    def carried_out(epochs: int = 1) -> list[Cell]:
        return grid(wanted, big, tone_task, tones, seeds=[0, 1], folder=tmp_path,
                           settings=Tuning(epochs, teacher=True, options=OPTIONS))

    first = carried_out()
    assert [(cell.point, cell.seed) for cell in first] == [
        ("int8", 0), ("fewer", 0), ("fewer", 1), ("wrong", 0), ("wrong", 1)]
    assert [cell.file is not None for cell in first] == [True, True, True, False, False]
    assert "nowhere" in first[3].reason
    files = [cell.file for cell in first if cell.file]
    assert len({runtime.read(file).identity for file in files}) == 3
    assert runtime.load(files[1]).card.parameters < big.parameters_count

    calls: list[str] = []
    room = sys.modules["linnet.shrink.grid"]
    monkeypatch.setattr(room, "apply", lambda *_, **given: calls.append(given["folder"].parent.name))
    assert carried_out() == first
    assert calls == []
    monkeypatch.undo()
    files[0].write_bytes(files[0].read_bytes()[:-100])  # a damaged file, and a cell that was killed
    kept = json.loads((tmp_path / "fewer" / "1" / "cell.json").read_text())
    (tmp_path / "fewer" / "1" / "cell.json").unlink()
    again = carried_out()
    assert [cell.file for cell in again] == [cell.file for cell in first]
    assert again[1] == first[1]
    assert runtime.read(files[0]).identity
    assert json.loads((tmp_path / "fewer" / "1" / "cell.json").read_text())["identity"] == kept["identity"]
    longer = carried_out(epochs=2)
    assert longer[0] == again[0]  # what does not train depends on no number of epochs
    assert longer[1].seconds != again[1].seconds


@pytest.mark.slow
def test_an_interrupt_keeps_what_was_done(big: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                          tmp_path: Path) -> None:
    wanted = points({"int8": {"bits": 8}, "fewer": {"keep": 0.5}})

    def stop(done: int, total: int, text: str) -> None:
        if "epoch 2" in text:
            raise KeyboardInterrupt

    settings = Tuning(3, options=OPTIONS)
    with pytest.raises(KeyboardInterrupt):
        grid(wanted, big, tone_task, tones, folder=tmp_path, settings=settings, progress=stop)
    assert (tmp_path / "int8" / "0" / "cell.json").exists()
    assert (tmp_path / "fewer" / "0" / "checkpoint.safetensors").exists()
    assert not (tmp_path / "fewer" / "0" / "cell.json").exists()
    done = grid(wanted, big, tone_task, tones, folder=tmp_path, settings=settings)
    straight = grid(wanted, big, tone_task, tones, folder=tmp_path / "straight", settings=settings)
    assert [runtime.read(cell.file).identity for cell in done if cell.file] == [
        runtime.read(cell.file).identity for cell in straight if cell.file]
