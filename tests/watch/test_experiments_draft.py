from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, analyse
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
    ("arm,b\nx\ny,2,3\n", {}, r"line 2 of 'rows.csv' has 1 field, expected 2"),
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
    with pytest.raises(LinnetError, match="the table cannot be read"):
        draft(tmp_path / "a.parquet")


def plan_of(folder: Path, header: str, lines: list[str], **options: str) -> tuple[Experiment, str]:
    (folder / "rows.csv").write_text("\n".join([header, *lines]) + "\n")
    text = draft(folder / "rows.csv", **options)
    return Experiment.parse(text), text


def test_a_country_is_no_arm(tmp_path: Path) -> None:
    lines = [f"{k},{'DE' if k % 2 else 'FR'},{k % 3},{k % 2}" for k in range(40)]
    with pytest.raises(LinnetError, match=r"--arm COLUMN. Columns of a few values: country, age_group, bought; all: "):
        plan_of(tmp_path, "user,country,age_group,bought", lines)
    assert plan_of(tmp_path, "user,country,ab_variant,bought", lines)[0].arm == "ab_variant"
    plan, _ = plan_of(tmp_path, "user,page,size,bought", [line.replace("DE", "Control") for line in lines])
    assert (plan.arm, plan.reference) == ("page", "Control")


@pytest.mark.parametrize(("counts", "shares", "is_equal"), [
    ((492, 500, 8), (0.49, 0.5, 0.01), False), ((510, 490), (0.5, 0.5), True), ((905, 95), (0.9, 0.1), False),
    ((330, 340, 330), (0.3333, 0.3333, 0.3334), True), ((49_000, 51_000), (0.49, 0.51), False)])
def test_shares_are_equal_only_where_chance_explains_what_is_seen(tmp_path: Path, counts: tuple[int, ...],
                                                                  shares: tuple[float, ...], is_equal: bool) -> None:
    arms = [name for name, count in zip("abc", counts, strict=False) for _ in range(count)]  # one after the other
    plan, text = plan_of(tmp_path, "user,arm,x", [f"{k},{arm},{k % 5}" for k, arm in enumerate(arms)])
    assert tuple(plan.arms.values()) == pytest.approx(shares)
    assert ("the planned shares;" in text) == is_equal
    assert ("write the shares that were planned" in text) != is_equal


def test_shares_are_those_of_units_and_not_of_rows(tmp_path: Path) -> None:
    lines = [f"{k},{'old' if k % 2 else 'new'},1.5" for k in range(400)]
    plan, _ = plan_of(tmp_path, "user,arm,x", [*lines, *["1,old,2.5"] * 600])
    assert plan.arms == {"old": 0.5, "new": 0.5}


def test_baselines_are_those_of_the_control_arm_by_unit(tmp_path: Path) -> None:
    lines = [f"u{k // 2},{'old' if k // 2 % 2 else 'new'},{10 + k // 4 % 3 if k // 2 % 2 else 50},{int(k % 8 == 2)}"
             for k in range(800)]
    _, text = plan_of(tmp_path, "user,arm,spent,bought", lines)
    assert "# baseline: 22  " in text  # two rows of each unit are added up
    assert "seen in this table: baseline: 0.5\n" in text
    _, text = plan_of(tmp_path, "user,arm,bought,spent", [f"u{k},{'old' if k % 2 else 'new'},{int(k % 4 == 1)},{k % 9}"
                                                         for k in range(900)])
    assert "# baseline: 0.5        # and what the control shows today; seen in this table" in text
    assert "# spent: {kind: mean, value: spent}        # seen in this table: baseline: 4, deviation: 2.58" in text


@pytest.mark.parametrize(("seconds", "said"), [("", "seconds"), ("000", "milliseconds")])
def test_seconds_since_1970_are_a_time_and_no_metric(tmp_path: Path, seconds: str, said: str) -> None:
    lines = [f"{k},{'old' if k % 2 else 'new'},{1_772_409_600 + k}{seconds},{k % 5}" for k in range(60)]
    plan, text = plan_of(tmp_path, "user,arm,createdAt,x", lines)
    assert (plan.time, list(plan.metrics)) == ("createdAt", ["x"])
    assert f"# {said} since 1970" in text
    assert Experiment.parse(text.replace("# window", "window")).window == (604_800_000 if seconds else 604_800)


@pytest.mark.parametrize(("odd", "said"), [
    ("NULL", "in 2 of 60 rows it holds text, such as 'NULL'; leave the field empty"),
    ("1,234.50", "such as '1,234.50'; write 1234.50"), ("$9.50", r"such as '$9.50'; write 9.50")])
def test_a_text_that_is_nearly_numbers_says_why_it_is_none(tmp_path: Path, odd: str, said: str) -> None:
    lines = [f'{k},{"old" if k % 2 else "new"},{k % 5},"{odd if k < 2 else k}"' for k in range(60)]
    plan, text = plan_of(tmp_path, "user,arm,x,price", lines)
    assert list(plan.metrics) == ["x"]
    assert "# price is not offered: " in text
    assert said in text


def test_a_text_of_many_lines_stays_a_comment(tmp_path: Path) -> None:
    lines = [f'{k},{"old" if k % 2 else "new"},{k % 5},"{"a: [" if k else "b"}"' for k in range(60)]
    lines[0] = '0,new,0,"%\nmetrics: 5"'
    assert list(plan_of(tmp_path, "user,arm,x,price", [*lines, *[f"{k},old,1,{k}" for k in range(200)]])[0].metrics
                ) == ["x"]


def test_a_date_that_reads_both_ways_is_no_time(tmp_path: Path) -> None:
    lines = [f"{k},{'old' if k % 2 else 'new'},{k % 5},{1 + k % 11}/{1 + k % 12}/2026" for k in range(200)]
    plan, text = plan_of(tmp_path, "user,arm,x,day", lines)
    assert plan.time is None
    assert "# day is not offered: it holds text, such as '1/1/2026'; the day or the month may come first" in text


@pytest.mark.parametrize("between", [";", "\t", ","])
@pytest.mark.parametrize("time", ["2026-04-01 10:00:0{}.5 UTC", "2026-04-01T10:00:0{}Z", "2026-04-01 10:00:0{}"])
def test_the_draft_reads_what_the_analysis_reads(tmp_path: Path, between: str, time: str) -> None:
    lines = [f"u{k},{'old' if k % 2 else 'new'},{k % 5},{time.format(k % 10)}".replace(",", between)
             for k in range(400)]
    plan, _ = plan_of(tmp_path, "user,arm,x,at".replace(",", between), lines)
    assert (plan.time, plan.unit, list(plan.metrics)) == ("at", "user", ["x"])
    assert analyse(tmp_path / "rows.csv", plan).looks[-1] == 400
