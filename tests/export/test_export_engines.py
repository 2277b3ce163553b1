"""Files for engines that take no ONNX: whose they are, what they answer, and what is said where one cannot be made."""

from __future__ import annotations

import json
import platform
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from linnet import data, export, nn, runtime, tasks
from linnet.errors import LinnetError
from linnet.export.engines import CONVERTERS, convert
from linnet.nn import Encoding
from linnet.runtime.engines import COMPANIONS, start
from linnet.runtime.engines.companion import Facts

NEEDS = {"executorch": "executorch", "coreml": "coremltools"}


def needed(engine: str) -> None:
    if find_spec(NEEDS[engine]) is None:
        pytest.skip(f'needs: pip install "linnet[{engine}]"')


@pytest.fixture(scope="module")
def small(squares: data.Splits) -> tuple[nn.Model, tasks.Classify]:
    task = tasks.Classify(squares, input="image", target="side")
    return nn.zoo.smallcnn(task, seed=0), task


@pytest.fixture
def file(small: tuple[nn.Model, tasks.Classify], tmp_path: Path) -> Path:
    return export.write(*small, tmp_path / "small.onnx")


def test_every_engine_without_onnx_has_a_converter() -> None:
    assert CONVERTERS.keys() == COMPANIONS.keys()


@pytest.mark.slow
def test_executorch_answers_as_the_model_and_says_what_runs_in_eight_bits(
        small: tuple[nn.Model, tasks.Classify], file: Path, squares: data.Splits) -> None:
    needed("executorch")
    model, task = small
    images = task.prepare(task.read(squares.validation))
    made = convert(model, file, engine="executorch", samples=images)
    assert made == file.with_suffix(".pte")
    loaded = runtime.load(file, engine="executorch")
    np.testing.assert_allclose(loaded(images)["logits"], model(images)["logits"], atol=1e-3)
    assert loaded.session.operators(images)["int8"] == {}
    with pytest.raises(LinnetError, match="expected uint8"):
        loaded({"image": images["image"].astype(np.float32)})
    narrow = replace(model, encoding=Encoding(bits=8), calibration=images)
    convert(narrow, file, engine="executorch", samples=images)
    found = runtime.load(file, engine="executorch").session.operators(images)
    assert found["int8"]["convolution"] >= 1
    assert "convolution" not in found["float"]
    again = export.write(replace(model, name="another"), task, file)
    with pytest.raises(LinnetError, match=r"small\.pte was made for another file"):
        start(again, engine="executorch")


@pytest.mark.slow
def test_a_package_for_coreml_is_made_inspected_and_said_not_to_run_here(
        small: tuple[nn.Model, tasks.Classify], file: Path) -> None:
    needed("coreml")
    import coremltools

    made = convert(small[0], file, engine="coreml")
    package = coremltools.models.MLModel(str(made), skip_model_load=True)
    facts = Facts.read(json.loads(package.user_defined_metadata["linnet"]), made,
                       runtime.read(file).identity)
    assert facts.inputs == start(file).inputs
    assert facts.operators["float"]["conv"] >= 1
    if platform.system() != "Darwin":
        with pytest.raises(LinnetError, match="runs on macOS only"):
            start(file, engine="coreml")


def test_another_models_file_and_sizes_that_vary_are_refused(
        small: tuple[nn.Model, tasks.Classify], file: Path, tunes: data.Splits) -> None:
    model, _ = small
    with pytest.raises(LinnetError, match="was not written from model"):
        convert(replace(model, spec={**model.spec, "family": "another"}), file, engine="executorch")
    with pytest.raises(LinnetError, match="unknown engine that takes no ONNX 'executorc'; did you mean 'executorch'"):
        convert(model, file, engine="executorc")


def test_a_file_of_another_is_not_run(tmp_path: Path) -> None:
    said = {"identity": "a", "inputs": {"x": {"dtype": "float32", "shape": [2]}}, "outputs": {}, "operators": {}}
    assert Facts.read(said, tmp_path / "m.pte", "a").inputs["x"].shape == (None, 2)
    assert Facts.read(said, tmp_path / "m.pte", None).outputs == {}
    with pytest.raises(LinnetError, match=r"m\.pte was made for another file"):
        Facts.read(said, tmp_path / "m.pte", "b")
    with pytest.raises(LinnetError, match="does not say what it takes"):
        Facts.read({"identity": "a"}, tmp_path / "m.pte", "a")


@pytest.mark.parametrize("engine", sorted(COMPANIONS))
def test_what_is_missing_is_named(engine: str, request: pytest.FixtureRequest) -> None:
    needed(engine)
    file: Path = request.getfixturevalue("file")
    with pytest.raises(LinnetError, match=r"takes no ONNX, and there is no small\."):
        start(file, engine=engine)
    with pytest.raises(LinnetError, match="Give the ONNX file's path"):
        start(file.read_bytes(), engine=engine)
