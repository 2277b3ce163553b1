from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from linnet import data, tasks
from linnet.errors import LinnetError


def values(*numbers: float) -> data.Dataset:
    table = pa.table({"id": [f"v{place}" for place in range(len(numbers))], "x": np.arange(len(numbers), dtype=float),
                      "y": list(map(float, numbers)), "name": ["a"] * len(numbers)})
    return data.Dataset("values", table, {"x": data.ValueColumn(), "y": data.ValueColumn(),
                                          "name": data.label_column(["a"])})


def test_targets_are_standardised_by_the_training_part(numbers: data.Splits) -> None:
    task = tasks.Regress(numbers, input=["length", "width", "colour"], target="weight", tolerance=1.0)
    train = task.targets(numbers.train)
    assert train.shape == (len(numbers.train), 1)
    assert train.dtype == np.float32
    assert abs(train.mean()) < 1e-6
    assert train.std() == pytest.approx(1, abs=1e-6)
    assert task.output == ("values", (1,))
    assert task.labels == ()


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e9])
def test_answers_come_back_in_the_targets_own_unit(scale: float) -> None:
    given = values(*(scale * number for number in (1, 2.5, 4, -3)))
    task = tasks.Regress(given, input="x", target="y", tolerance=0)
    answers = task.decode({"values": task.targets(given)})
    assert answers == task.expected(given)
    assert [float(answer) for answer in answers] == pytest.approx(given.values("y"), rel=1e-4)
    assert task.score(answers, task.expected(given)).all()


def test_right_is_within_the_tolerance() -> None:
    task = tasks.Regress(values(0, 10, 20), input="x", target="y", tolerance=0.1)
    assert task.score(["1.1", "0.9", "1.11", "0.8"], ["1.0"] * 4).tolist() == [1, 1, 0, 0]


def test_errors_in_the_targets_own_unit(caplog: pytest.LogCaptureFixture) -> None:
    task = tasks.Regress(values(0, 10, 20), input="x", target="y", tolerance=1)
    assert task.metrics(["1.0", "3.0"], ["1.0", "5.0"]) == pytest.approx(
        {"mean_absolute_error": 1, "root_mean_squared_error": 2**0.5, "r2": 0.5, "pearson": 1})
    assert set(task.metrics(["2.0", "2.0"], ["1.0", "3.0"])) == {"mean_absolute_error", "root_mean_squared_error", "r2"}
    assert "the answers are all the same" in caplog.text
    assert "pearson" not in task.metrics(["13.37"] * 30, [str(number) for number in range(30)])
    assert set(task.metrics(["2.0"], ["1.0"])) == {"mean_absolute_error", "root_mean_squared_error"}


@pytest.mark.parametrize(("given", "keywords", "message"), [
    (values(1, 2), {"tolerance": None}, "at least 0.*got None"), (values(1, 2), {"tolerance": "3"}, "got '3'"),
    (values(1, 2), {"tolerance": -1}, "at least 0"), (values(1, 2), {"tolerance": float("nan")}, "at least 0"),
    (values(3, 3), {}, "is 3 in every training row"), (values(*[0.1] * 30), {}, "is 0.1 in every training row"),
    (values(1, 2), {"target": "name"}, "'name' holds label"),
    (values(1, 2), {"size": 3}, "unknown option for an input of value 'size'"),
])
def test_what_cannot_be_regressed_is_refused(given: data.Dataset, keywords: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        tasks.Regress(given, **{"input": "x", "target": "y", "tolerance": 1, **keywords})
