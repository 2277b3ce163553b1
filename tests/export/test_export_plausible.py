from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from linnet import data, export, tasks
from linnet.errors import LinnetError
from linnet.export.plausible import check


def answering(labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Logits of a model that answers with these labels."""
    return np.eye(classes)[labels] * 5


def table(labels: list[str]) -> data.Dataset:
    import pyarrow as pa

    columns = {"id": [f"r{number}" for number in range(len(labels))], "x": np.arange(float(len(labels))), "y": labels}
    return data.Dataset("rows", pa.table(columns), {"x": data.ValueColumn(), "y": data.label_column(labels)})


def classify(dataset: data.Dataset) -> tasks.Classify:
    return tasks.Classify(dataset, input=["x"], target="y")


def test_a_regressor_of_the_raw_target_is_refused(tmp_path: Path, numbers: data.Splits) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    pytest.importorskip("skl2onnx")
    task = tasks.Regress(numbers, input=["length", "width", "colour"], target="weight", tolerance=2.0)
    rows = task.prepare(task.read(numbers.train))["features"]
    raw = linear_model.LinearRegression().fit(rows, numbers.train.values("weight"))
    with pytest.raises(LinnetError, match=r"(?s)trained on 'weight' itself.*task\.targets\(dataset\).*Nothing was wri"):
        export.adopt(raw, task, tmp_path / "a.onnx", samples=numbers.test)
    assert not (tmp_path / "a.onnx").exists()
    export.adopt(raw, task, tmp_path / "a.onnx", samples=task.prepare(task.read(numbers.test)))


class Brighter(torch.nn.Module):
    """Images (batch, 8, 8, 1) to how bright the left and the right half are."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        left, right = image.float().flatten(1).reshape(-1, 8, 2, 4).mean(dim=(1, 3)).T
        return torch.stack([left, right], dim=1) / 64


def test_labels_in_another_order_are_refused(tmp_path: Path, squares: data.Splits) -> None:
    task = tasks.Classify(squares, input="image", target="side")
    with pytest.raises(LinnetError, match=r"(?s)'left' -> 'right'.*order of the labels.*left, right"):
        export.adopt(Brighter(), task, tmp_path / "a.onnx", samples=squares.test)
    assert not (tmp_path / "a.onnx").exists()


def test_many_labels_in_another_order_are_found_though_none_is_frequent() -> None:
    dataset = table([f"label {number % 60:02}" for number in range(240)])
    task = classify(dataset)
    check(task, answering(task.targets(dataset), 60), dataset)
    with pytest.raises(LinnetError, match=r"0 of 240 rows"):
        check(task, answering((task.targets(dataset) + 7) % 60, 60), dataset)


def test_what_says_nothing_of_the_input_is_refused_where_the_most_frequent_label_is_better() -> None:
    dataset = table(["often"] * 200 + ["seldom"] * 40)
    task = classify(dataset)
    with pytest.raises(LinnetError, match=r"always answering 'often' 200"):
        check(task, answering(np.ones(240, np.int64), 2), dataset)
    check(task, answering(np.zeros(240, np.int64), 2), dataset)


def test_a_weak_but_honest_model_is_taken() -> None:
    random = np.random.default_rng(0)
    dataset = table(["often"] * 220 + ["seldom"] * 20)
    task = classify(dataset)
    alarms = np.concatenate([random.random(220) < 0.4, np.ones(20, bool)]).astype(np.int64)
    check(task, answering(alarms, 2), dataset)
    lone = dataset.take(range(220))
    check(task, answering(alarms[:220], 2), lone)
    check(task, answering(1 - task.targets(dataset.take(range(3))), 2), dataset.take(range(3)))


def test_numbers_that_are_far_off_are_refused_and_weak_ones_taken(numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length"], target="weight", tolerance=2.0)
    right = task.targets(numbers.test).astype(np.float64)
    check(task, right + 0.3, numbers.test)
    check(task, np.zeros_like(right), numbers.test)
    with pytest.raises(LinnetError, match="or its input was not prepared by") as caught:
        check(task, right + 4, numbers.test)
    assert "itself" not in str(caught.value)


def test_rows_without_an_answer_are_not_judged(numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length"], target="weight", tolerance=2.0)
    given = data.Dataset("bare", numbers.test.table.select(["id", "length"]), {"length": data.ValueColumn()})
    check(task, np.full((len(given), 1), 99.0), given)
