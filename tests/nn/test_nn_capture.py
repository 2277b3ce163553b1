from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linnet import data, introspect, nn, tasks
from linnet.errors import DamagedFileError, LinnetError
from linnet.nn import Captured, capture


@pytest.fixture(scope="module")
def model(tone_task: tasks.Classify) -> nn.Model:
    return nn.zoo.dscnn(tone_task, width=8, seed=0)


def test_what_is_captured_is_what_responses_gives(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                                  tmp_path: Path) -> None:
    expected = model.responses(tone_task, tones.train)
    found = capture(model, tone_task, tones.train, tmp_path / "a", batch=5)
    chunks = list(found)
    assert found.layers == model.layers
    assert found.ids == tones.train.ids
    assert len(found) == len(tones.train) == sum(len(chunk["stem"]) for chunk in chunks)
    for layer in model.layers:
        np.testing.assert_allclose(np.concatenate([chunk[layer] for chunk in chunks]), expected[layer], atol=1e-5)


def test_looks_read_it_a_chunk_at_a_time(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                         tmp_path: Path) -> None:
    found = capture(model, tone_task, tones.train, tmp_path, layers=["stem", "block5"], batch=7)
    whole = {layer: np.concatenate([chunk[layer] for chunk in found]) for layer in found.layers}
    assert introspect.redundancy(found)["stem"].evidence["effective_units"] == pytest.approx(
        introspect.redundancy(whole)["stem"].evidence["effective_units"], rel=1e-4)
    assert introspect.cka(found).subjects == ("stem & block5",)
    assert introspect.inactive(found).facts["samples"] == len(tones.train)


def test_any_part_of_the_network_can_be_named(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                              tmp_path: Path) -> None:
    found = capture(model, tone_task, tones.validation, tmp_path, layers=["layers.block1.pointwise.conv", "head"])
    (chunk,) = found
    assert chunk["layers.block1.pointwise.conv"].shape == (len(tones.validation), 8)
    np.testing.assert_allclose(chunk["head"], model(tone_task.prepare(tone_task.read(tones.validation)))["logits"],
                               atol=1e-5)


def test_a_stop_loses_nothing_and_the_same_call_goes_on(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                                        tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stop(done: int, total: int, text: str) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        capture(model, tone_task, tones.train, tmp_path / "a", batch=4, progress=stop)
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("*.parquet")}
    assert len(made) == 2
    with pytest.raises(DamagedFileError, match="missing"):
        list(Captured(tmp_path / "a"))
    found = capture(model, tone_task, tones.train, tmp_path / "a", batch=4)
    assert all(path.stat().st_mtime_ns == when for path, when in made.items())
    for resumed, straight in zip(found, capture(model, tone_task, tones.train, tmp_path / "b", batch=4), strict=True):
        for layer in found.layers:
            np.testing.assert_array_equal(resumed[layer], straight[layer])


def test_a_folder_holds_one_capture(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                    tmp_path: Path) -> None:
    capture(model, tone_task, tones.validation, tmp_path, layers=["stem"])
    with pytest.raises(LinnetError, match="layers differ"):
        capture(model, tone_task, tones.validation, tmp_path, layers=["block1"])
    backwards = tones.validation.take(range(len(tones.validation) - 1, -1, -1))
    with pytest.raises(LinnetError, match="order differ"):
        capture(model, tone_task, backwards, tmp_path, layers=["stem"])
    with pytest.raises(LinnetError, match="model differ"):
        capture(nn.zoo.dscnn(tone_task, width=8, seed=1), tone_task, tones.validation, tmp_path, layers=["stem"])


def test_what_is_not_there_is_said(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                   tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match="did you mean 'block1'"):
        capture(model, tone_task, tones.test, tmp_path, layers=["blok1"])
    with pytest.raises(LinnetError, match="at least one layer"):
        capture(model, tone_task, tones.test, tmp_path, layers=[])
    with pytest.raises(LinnetError, match="at least 1"):
        capture(model, tone_task, tones.test, tmp_path, batch=0)
    with pytest.raises(LinnetError, match="no captured responses"):
        len(Captured(tmp_path / "nowhere"))


def test_what_is_no_capture_is_refused_in_words(model: nn.Model, tone_task: tasks.Classify, tones: data.Splits,
                                                tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match="batch"):
        capture(model, tone_task, tones.validation, tmp_path / "a", batch=1.5)
    with pytest.raises(LinnetError, match="layers are several names"):
        capture(model, tone_task, tones.validation, tmp_path / "a", layers="stem")
    (tmp_path / "file").write_text("here")
    with pytest.raises(LinnetError, match="is a file"):
        capture(model, tone_task, tones.validation, tmp_path / "file")
    found = capture(model, tone_task, tones.validation, tmp_path / "b", layers=["stem"])
    assert len(list(Captured(str(tmp_path / "b")))) == len(list(found))
    (tmp_path / "b" / "capture.json").write_text("{")
    with pytest.raises(DamagedFileError, match=r"capture\.json"):
        _ = found.layers
    with pytest.raises(DamagedFileError, match=r"capture\.json"):
        capture(model, tone_task, tones.validation, tmp_path / "b", layers=["stem"])
