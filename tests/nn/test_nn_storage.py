"""A saved model is the same model, and a broken file is said to be one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from linnet import nn, tasks
from linnet.errors import DamagedFileError, LinnetError


@pytest.fixture
def model(tone_task: tasks.Classify) -> nn.Model:
    rows = np.random.default_rng(0).uniform(-1, 1, (3, 2400)).astype(np.float32)
    history = ({"epoch": 1, "train_loss": 0.5},)
    fresh = nn.zoo.dscnn(tone_task, width=4, seed=2)
    return replace(fresh, encoding=nn.Encoding(bits=8), calibration={"audio": rows}, history=history, notes={"seed": 2})


def test_everything_comes_back(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path / "run" / "model")
    loaded = nn.load(tmp_path / "run" / "model")
    assert loaded.identity == model.identity
    assert (loaded.name, loaded.bits, loaded.history, loaded.notes) == (model.name, 8, model.history, {"seed": 2})
    assert loaded.calibration is not None
    assert model.calibration is not None
    np.testing.assert_array_equal(loaded.calibration["audio"], model.calibration["audio"])
    np.testing.assert_array_equal(loaded(model.calibration)["logits"], model(model.calibration)["logits"])
    assert [path.name for path in (tmp_path / "run" / "model").iterdir()] == ["model.safetensors"]


def test_saving_again_replaces_and_forgets_the_calibration(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path)
    nn.save(replace(model, encoding=nn.Encoding(), calibration=None), tmp_path)
    assert nn.load(tmp_path).calibration is None


def test_a_missing_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=r"there is no model in .*model\.safetensors is missing"):
        nn.load(tmp_path)


def test_a_file_that_is_cut_off_is_said(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DamagedFileError, match="cannot be read as a saved model"):
        nn.load(tmp_path)


def test_a_changed_weight_is_said(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path)
    path = tmp_path / "model.safetensors"
    content = bytearray(path.read_bytes())
    with safe_open(path, framework="np") as file:
        bias = file.get_tensor("weights.head.bias").tobytes()
    place = bytes(content).index(bias)
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(DamagedFileError, match="were changed after they were saved"):
        nn.load(tmp_path)


@pytest.mark.parametrize("facts", [[], {"schema": "linnet/model/v1"}, {"schema": "other"}])
def test_another_description_is_refused(facts: object, tmp_path: Path) -> None:
    save_file({"x": np.zeros(1)}, tmp_path / "model.safetensors", metadata={"model": json.dumps(facts)})
    with pytest.raises(DamagedFileError, match="does not describe a model of schema 'linnet/model/v2'"):
        nn.load(tmp_path)


def test_safetensors_of_something_else_are_refused(tmp_path: Path) -> None:
    save_file({"x": np.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(DamagedFileError, match="cannot be read as a saved model"):
        nn.load(tmp_path)


def test_a_model_that_cannot_be_written_is_said_and_the_old_one_survives(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path)
    (tmp_path / "model.safetensors.partial").mkdir()
    with pytest.raises(LinnetError, match="cannot be written"):
        nn.save(replace(model, name="other"), tmp_path)
    assert nn.load(tmp_path).name == model.name


def test_a_model_of_the_schema_before_is_read(model: nn.Model, tmp_path: Path) -> None:
    nn.save(model, tmp_path)
    file = tmp_path / "model.safetensors"
    with safe_open(file, framework="np") as opened:
        facts = json.loads(opened.metadata()["model"])
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    del facts["encoding"]
    save_file(arrays, file, metadata={"model": json.dumps({**facts, "schema": "linnet/model/v1", "bits": 8})})
    assert nn.load(tmp_path).encoding == nn.Encoding(bits=8)
