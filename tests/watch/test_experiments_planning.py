import json
from collections.abc import Callable

import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, power

Make = Callable[..., Experiment]
POINT = "\n  b: {kind: proportion, value: b, baseline: 0.05, minimum_lift: 0.2}"


def test_one_point_at_five_per_cent_is_found_as_soon_as_it_was_promised(plan: Make) -> None:
    found = power(plan(POINT, time="at", units=50000), runs=1000).stopping[0]
    assert (found.last_look, found.effect) == (50000, pytest.approx(0.01))
    assert found.power > 0.96
    assert found.expected_units < 2 * 10_500
    assert found.median_units <= found.expected_units
    assert found.fixed_units == pytest.approx(2 * 8158, rel=0.02)


def test_the_power_of_one_look_is_below_that_of_the_fixed_test(plan: Make) -> None:
    found = power(plan(POINT, units=16314), runs=2000).stopping[0]
    assert 0.4 < found.power < 0.8
    assert found.expected_units == found.last_look == 16314


@pytest.mark.parametrize("metric", [
    "{kind: mean, value: x, baseline: 10, deviation: 5, minimum_effect: 0.2}",
    "{kind: mean, value: x, baseline: 10, deviation: 5, minimum_lift: 0.02, goal: decrease}",
    "{kind: ratio, numerator: x, denominator: y, baseline: 10, deviation: 5, role: guardrail, "
    "goal: increase, margin: 0.2}",
    "{kind: mean, value: x, baseline: 10, deviation: 5, role: guardrail, margin_lift: 0.02, goal: decrease}"])
def test_means_and_ratios_are_decided_within_four_times_the_fixed_size(plan: Make, metric: str) -> None:
    found = power(plan(f"\n  m: {metric}", time="at"), runs=400).stopping[0]
    assert found.fixed_units == pytest.approx(4 * (1.96 + 0.8416) ** 2 * 25 / 0.2**2, rel=0.001)
    assert found.last_look == 4 * found.fixed_units
    assert found.power > 0.95
    assert found.fixed_units < found.expected_units < 2 * found.fixed_units


def test_no_effect_is_found_about_never(plan: Make) -> None:
    """The smallest effect asked of a sample that is far too small for it."""
    found = power(plan("\n  m: {kind: mean, value: x, baseline: 10, deviation: 5, minimum_effect: 0.001}", time="at",
                       units=5000), runs=1000).stopping[0]
    assert found.power < 0.05


def test_every_arm_and_metric_is_told_of_and_what_is_missing_is_named(plan: Make) -> None:
    found = power(plan(POINT + "\n  m: {kind: mean, value: x}\n  q: {kind: quantile, value: x, quantile: 0.5}",
                       arms="{a: 0.4, b: 0.3, c: 0.3}"), runs=20)
    assert [(one.arm, one.metric) for one in found.stopping] == [("b", "b"), ("c", "b")]
    assert found.notes == ("m: the plan lacks baseline and deviation and one of minimum_effect and minimum_lift",
                           "q: the power of a quantile depends on the whole distribution and is not reckoned")
    assert json.loads(found.to_json())["schema"] == "linnet/power/v1"


@pytest.mark.parametrize(("metric", "message"), [
    ("{kind: mean, value: x}", "the plan says too little to reckon with: m: the plan lacks baseline"),
    ("{kind: proportion, value: x, baseline: 0.95, minimum_effect: 0.1}", "leads to a rate of 1.05"),
    ("{kind: mean, value: x, baseline: 0, deviation: 1, minimum_lift: 0.1}", "needs a baseline above 0; got 0"),
])
def test_what_cannot_be_reckoned_is_refused(plan: Make, metric: str, message: str) -> None:
    with pytest.raises(LinnetError) as caught:
        power(plan(f"\n  m: {metric}"))
    assert message in str(caught.value)
    with pytest.raises(LinnetError, match="at least one run"):
        power(plan(POINT), runs=0)
