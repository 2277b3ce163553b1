from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment
from linnet.watch.experiments.draft import draft

START = datetime.datetime(2026, 3, 2)


def written(folder: Path, name: str = "events.parquet", **columns: Any) -> Path:
    table = pa.table({
        "customer_id": [1, 2, 3, 4], "at": [START + datetime.timedelta(days=day) for day in range(4)],
        "variant": ["b", "control", "b", "control"], "bought": [True, False, True, True],
        "spent": [3.5, 0.0, 1.25, 9.0], "spent_before": [1.0, 2.0, 3.0, 4.0], "city": ["x", "y", "z", "x"],
        **columns})
    path = folder / name
    (pa.csv.write_csv if path.suffix == ".csv" else pa.parquet.write_table)(table, path)
    return path


@pytest.mark.parametrize("name", ["events.parquet", "events.csv"])
def test_the_roles_of_columns_are_guessed(tmp_path: Path, name: str) -> None:
    text = draft(written(tmp_path, name))
    plan = Experiment.parse(text)
    assert (plan.arm, plan.unit, plan.time, plan.name) == ("variant", "customer_id", "at", "events")
    assert (plan.reference, plan.arms) == ("control", {"control": 0.5, "b": 0.5})
    assert plan.metrics["bought"].kind == "proportion"
    assert "# spent: {kind: mean, value: spent, covariate: spent_before}" in text
    assert "city" not in text


def test_what_stands_ready_as_comments_is_a_plan_too(tmp_path: Path) -> None:
    text = draft(written(tmp_path))
    active = "\n".join(line.replace("  # spent", "  spent", 1) for line in text.splitlines())
    assert Experiment.parse(active).metrics["spent"].covariate == "spent_before"


def test_a_mean_names_its_covariate_and_its_spread(tmp_path: Path) -> None:
    text = draft(written(tmp_path, bought=["no", "no", "yes", "no"]), arm="variant")
    assert Experiment.parse(text).metrics["spent"].covariate == "spent_before"
    assert "# deviation:" in text


def test_named_columns_are_taken(tmp_path: Path) -> None:
    path = written(tmp_path, day=[1, 2, 3, 4], shop=["p", "q", "p", "q"])
    plan = Experiment.parse(draft(path, arm="shop", unit="city", time="day"))
    assert (plan.arm, plan.unit, plan.time) == ("shop", "city", "day")


def test_shares_of_three_arms_add_up(tmp_path: Path) -> None:
    plan = Experiment.parse(draft(written(tmp_path, variant=["a", "b", "c", "a"])))
    assert sum(plan.arms.values()) == pytest.approx(1)
    assert list(plan.arms) == ["a", "b", "c"]


@pytest.mark.parametrize(("values", "line"), [([0, 1, 1, 0], "# minimum_effect: 0.01        # one point: the smallest"),
                                              ([0.5, 1, 7, 2], "# minimum_lift: 0.05        # the smallest change")])
def test_what_is_a_yes_or_no_is_asked_in_points(tmp_path: Path, values: list[float], line: str) -> None:
    assert line in draft(written(tmp_path, bought=values))


def test_names_that_yaml_would_misread_are_quoted(tmp_path: Path) -> None:
    path = written(tmp_path, "odd name.parquet", variant=[True, False, True, False], **{"no": [1, 0, 1, 1]})
    plan = Experiment.parse(draft(path).replace('  # "no"', '  "no"'))
    assert plan.name == "odd name"
    assert plan.metrics["no"].value == "no"
    assert plan.arms == {"false": 0.5, "true": 0.5}


def test_without_unit_and_time_the_plan_says_so(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("arm,amount\nx,1.5\ny,2\n")
    text = draft(path)
    assert Experiment.parse(text).unit is None
    assert "every row counts as a unit of its own" in text
    assert "without a time there is one look" in text


def test_a_pattern_reads_the_first_file(tmp_path: Path) -> None:
    written(tmp_path, "part-0.parquet")
    assert Experiment.parse(draft(tmp_path / "part-*.parquet")).arm == "variant"


@pytest.mark.parametrize(("text", "options", "said"), [
    ("a,b\n1.5,2.5\n3.5,4.5\n", {}, "no column of .* looks like the one that says who was shown what"),
    ("a,b\n1.5,2.5\n3.5,4.5\n", {"arm": "c"}, "unknown column 'c'"),
    ("arm,b\nx,2.5\nx,4.5\n", {"arm": "arm"}, "the column 'arm' holds 1 different values"),
    ("a,b\n1,2.5\n2,4.5\n3,1\n4,1\n5,1\n6,1\n7,1\n", {"arm": "a"}, "holds more than 6 different values"),
    ("arm,word\nx,hello\ny,you\n", {}, "has no column of numbers or of true and false"),
    ("arm,b\n", {}, "holds no rows"),
    ("arm,b\nx\ny,2,3\n", {}, "cannot be read as csv"),
])
def test_what_cannot_be_drafted_is_said(tmp_path: Path, text: str, options: dict[str, str], said: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(text)
    with pytest.raises(LinnetError, match=said):
        draft(path, **options)


def test_a_file_that_is_not_there_or_no_parquet(tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match="there is no file"):
        draft(tmp_path / "nowhere.parquet")
    (tmp_path / "a.parquet").write_text("no parquet")
    with pytest.raises(LinnetError, match="cannot be read as parquet"):
        draft(tmp_path / "a.parquet")
