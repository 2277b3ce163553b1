from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, Metric

GOOD = "{kind: proportion, value: bought}"


def test_a_plan_is_read_from_a_file_and_says_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("name: page\narm: arm\narms: {no: 0.25, yes: 0.75}\n"
                    "metrics:\n  sales: {kind: mean, value: sales}\n")
    plan = Experiment.load(file)
    assert (plan.reference, plan.treatments, plan.looks, plan.level) == ("no", ("yes",), 100, 0.95)
    assert plan.metrics["sales"] == Metric(kind="mean", value="sales")


def test_a_missing_file_and_a_wrong_one_are_named(tmp_path: Path) -> None:
    with pytest.raises(LinnetError, match=r"the plan '.*none\.yaml' cannot be read"):
        Experiment.load(tmp_path / "none.yaml")
    (tmp_path / "plan.yaml").write_text("[1, 2]")
    with pytest.raises(LinnetError, match=r"plan\.yaml: A plan is a mapping"):
        Experiment.load(tmp_path / "plan.yaml")


def test_everything_wrong_is_said_at_once_with_the_nearest_key() -> None:
    with pytest.raises(LinnetError) as caught:
        Experiment.parse("{nam: x, arm: a, arms: {a: 0.5, b: 0.6}, level: 2, metrics: {s: {kind: mean, valu: s}}}")
    said = str(caught.value)
    assert said.startswith("5 errors in the plan:")
    for part in ("nam: unknown key, did you mean 'name'?", "add up to 1.1", "level", "name: missing",
                 "metrics.s.valu: unknown key, did you mean 'value'?"):
        assert part in said


@pytest.mark.parametrize(("metric", "message"), [
    ("{kind: ratio, value: x}", "a ratio has the columns 'numerator' and 'denominator'"),
    ("{kind: mean, numerator: x, denominator: y}", "a mean has the column 'value'"),
    ("{kind: mean, value: x, share: true}", "'share' belongs to a ratio"),
    ("{kind: quantile, value: x}", "a quantile says which"),
    ("{kind: mean, value: x, quantile: 0.5}", "a quantile says which"),
    ("{kind: quantile, value: x, quantile: 1.5}", "less than 1"),
    ("{kind: proportion, value: x, covariate: y}", "takes no covariate"),
    ("{kind: mean, value: x, covariate: x}", "known beforehand"),
    ("{kind: proportion, value: x, cap: 3}", "'cap' belongs to a mean or a ratio"),
    ("{kind: mean, value: x, minimum_effect: 1, minimum_lift: 0.1}", "not both"),
    ("{kind: mean, value: x, minimum_effect: -1}", "greater than 0"),
    ("{kind: mean, value: x, role: guardrail}", "a guardrail says how much worse it may be"),
    ("{kind: mean, value: x, margin: 1}", "belong to a guardrail"),
    ("{kind: mean, value: x, role: guardrail, margin: 1}", "a guardrail says which way is good"),
    ("{kind: mean, value: x, minimum_effect: 1%}", "m.minimum_effect: write 0.01"),
    ("{kind: mean, value: x, minimum_lift: .5}", "m.minimum_lift: write 0.5"),
    ("{kind: mean, value: x, baseline: '1,234.5'}", "m.baseline: expected a number such as 0.05"),
    ("{kind: proportion, value: x, baseline: 5}", "lies between 0 and 1"),
    ("{kind: proportion, value: x, minimum_effect: 1}", "two rates differ by less than 1"),
    ("{kind: proportion, value: x, baseline: 0.9, minimum_lift: 2}", "the effect or margin comes to 1.8"),
    ("{kind: proportion, value: x, role: guardrail, margin: 5}", "the effect or margin comes to 5"),
    ("{kind: median, value: x}", "'proportion', 'mean', 'ratio' or 'quantile'"),
])
def test_a_metric_that_makes_no_sense_is_refused(metric: str, message: str) -> None:
    with pytest.raises(LinnetError, match="1 error in the plan") as caught:
        Experiment.parse(f"{{name: x, arm: a, arms: {{a: 0.5, b: 0.5}}, metrics: {{m: {metric}}}}}")
    assert message in str(caught.value)


@pytest.mark.parametrize(("changes", "message"), [
    ({"arms": "{a: 1.0}"}, "at least two arms"),
    ({"arms": "{a: 0, b: 1}"}, "between 0 and 1; not so a: 0"),
    ({"control": "c"}, "control 'c' is not among the arms"),
    ({"window": "soon", "unit": "u", "time": "t"}, "such as '7 days'"),
    ({"window": "7 days"}, "a window needs"),
    ({"window": "7d", "unit": "u", "time": "t"}, "got '7d'; write '7 days'"),
    ({"window": "36h", "unit": "u", "time": "t"}, "write '36 hours'"),
    ({"window": "0", "unit": "u", "time": "t"}, "a window is longer than nothing; got 0"),
    ({"window": "0 days", "unit": "u", "time": "t"}, "a window is longer than nothing; got 0 days"),
    ({"window": "-1", "unit": "u", "time": "t"}, "a window is longer than nothing"),
    ({"window": "1e999", "unit": "u", "time": "t"}, "finite"),
    ({"arms": "[a, b]"}, "each arm with its planned share, such as arms: {a: 0.5, b: 0.5}"),
    ({"arms": "[{a: 0.5}, {b: 0.5}]"}, "such as arms: {old: 0.5, new: 0.5}"),
    ({"arms": "{a: 50%, b: 50%}"}, "arms.a: write 0.5"),
    ({"level": "95%"}, "level: write 0.95"),
    ({"looks": "20.0"}, "looks: expected a whole number such as 20"),
    ({"until": "5"}, "until needs the column 'time'"),
    ({"unit": "a"}, "the column 'a' cannot be two of arm, unit"),
    ({"looks": "0"}, "looks"),
    ({"metrics": "{}"}, "metrics"),
    ({"cluster": "c", "metrics": "{m: {kind: quantile, value: x, quantile: 0.5}}"}, "whole clusters"),
])
def test_a_plan_that_makes_no_sense_is_refused(changes: dict[str, str], message: str) -> None:
    lines = {"name": "x", "arm": "a", "arms": "{a: 0.5, b: 0.5}", "metrics": f"{{m: {GOOD}}}", **changes}
    with pytest.raises(LinnetError) as caught:
        Experiment.parse("\n".join(f"{key}: {value}" for key, value in lines.items()))
    assert message in str(caught.value)


def test_arms_have_the_names_that_yaml_gives_them(plan: Callable[..., Experiment]) -> None:
    assert list(plan(arms="{0: 0.5, true: 0.5}").arms) == ["0", "true"]


def test_a_window_is_a_number_of_the_time_columns_unit(plan: Callable[..., Experiment]) -> None:
    assert plan(unit="user", time="at", window="1.5 days").window_length == 129600
    assert plan(unit="user", time="at", window="7").window_length == 7


def test_success_metrics_share_the_error_and_guardrails_only_over_the_arms(plan: Callable[..., Experiment]) -> None:
    three = plan(arms="{a: 0.4, b: 0.3, c: 0.3}")
    assert three.level_of("bought") == pytest.approx(1 - 0.05 / 8)
    assert three.level_of("time") == pytest.approx(1 - 0.05 / 2)


def test_a_smallest_effect_is_known_on_both_scales_where_the_baseline_is() -> None:
    metric = Metric(kind="proportion", value="x", minimum_effect=0.01, baseline=0.05)
    assert (metric.effect, metric.lift) == (0.01, pytest.approx(0.2))
    assert Metric(kind="proportion", value="x", minimum_effect=0.01).lift is None


def test_a_guardrail_keeps_the_way_that_it_names() -> None:
    up = Metric(kind="mean", value="x", role="guardrail", goal="increase", margin=1.0)
    assert Metric.model_validate(up.model_dump(exclude_defaults=True)) == up
    assert Metric(kind="mean", value="x").goal == "increase"
