from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from linnet import data, evidence, export, runtime, tasks
from linnet.errors import LinnetError

lightgbm = pytest.importorskip("lightgbm", reason="the extra 'foreign' is not installed")
pytest.importorskip("onnxmltools", reason="the extra 'foreign' is not installed")

QUIET = {"n_estimators": 12, "num_threads": 1, "verbose": -1, "min_child_samples": 5}


def rows_of(task: tasks.Task, dataset: data.Dataset) -> np.ndarray:
    return task.prepare(task.read(dataset))["features"]


@pytest.mark.parametrize("target", ["size", "colour"])
def test_a_classifier_is_proven_like_our_own(tmp_path: Path, numbers: data.Splits, target: str) -> None:
    columns = ["length", "width", "colour"] if target == "size" else ["length", "width", "weight"]
    task = tasks.Classify(numbers, input=columns, target=target)
    source = lightgbm.LGBMClassifier(**QUIET).fit(rows_of(task, numbers.train), numbers.train.values(target))
    path = export.adopt(source, task, tmp_path / "trees.onnx", samples=numbers.test)
    file = runtime.load(path)
    scores = tasks.evaluate(file, task, numbers.test)
    wanted = source.booster_.predict(rows_of(task, numbers.test))
    wanted = wanted if wanted.ndim == 2 else np.stack([1 - wanted, wanted], axis=1)
    order = [list(source.classes_).index(label) for label in task.labels]
    got = task.probabilities(file(task.prepare(task.read(numbers.test))))
    assert got == pytest.approx(wanted[:, order], abs=1e-5)
    export.prove(path, [evidence.accuracy_at_least(scores, bound=0.4)], require="holds")
    assert runtime.verify(path, data=numbers.test).exit_code == 0
    assert runtime.bench(path, runs=3, seconds=0).p50_ms > 0
    assert file.card.model["family"] == "LightGBM"


def test_a_regressor_and_a_booster(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length", "width", "colour"], target="weight", tolerance=3.0)
    rows, wanted = rows_of(task, numbers.train), task.targets(numbers.train).reshape(-1)
    source = lightgbm.LGBMRegressor(**QUIET | {"n_estimators": 60}).fit(rows, wanted)
    file = runtime.load(export.adopt(source, task, tmp_path / "a.onnx", samples=numbers.test))
    assert tasks.evaluate(file, task, numbers.test).mean > 0.7
    sizes = tasks.Classify(numbers, input=["length", "width", "colour"], target="size")
    booster = lightgbm.train({"objective": "multiclass", "num_class": 3, "verbose": -1, "num_threads": 1},
                             lightgbm.Dataset(rows_of(sizes, numbers.train), sizes.targets(numbers.train)), 12)
    file = runtime.load(export.adopt(booster, sizes, tmp_path / "b.onnx", samples=numbers.test))
    assert tasks.evaluate(file, sizes, numbers.test).mean > 0.7


def test_another_objective_is_refused(tmp_path: Path, numbers: data.Splits) -> None:
    task = tasks.Classify(numbers, input=["length", "width", "colour"], target="size")
    source = lightgbm.LGBMRegressor(**QUIET).fit(rows_of(task, numbers.train), task.targets(numbers.train))
    with pytest.raises(LinnetError, match="was trained for 'regression', the task asks to classify"):
        export.adopt(source, task, tmp_path / "a.onnx")
