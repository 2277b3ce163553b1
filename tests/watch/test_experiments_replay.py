import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, selftest
from linnet.watch.experiments.effects import Pair, effect_of, pair_of

Make = Callable[..., Experiment]
TYPICAL = """
  bought: {kind: proportion, value: bought, minimum_lift: 0.2}
  spent: {kind: mean, value: spent, covariate: before, cap: 40}
  clicks: {kind: ratio, numerator: clicks, denominator: views}
  typical: {kind: quantile, value: spent, quantile: 0.8}
"""


def test_the_plans_rule_keeps_its_error_and_looking_with_a_z_test_does_not(users: pa.Table, plan: Make) -> None:
    found = selftest(users, plan(TYPICAL, time="day"), runs=400, seed=1)
    assert [one.metric for one in found.metrics] == ["bought", "spent", "clicks", "typical"]
    for one in found.metrics:
        assert one.interval[0] <= 0.05  # the rate is not shown to be above what the plan allows
        assert one.rate <= 0.05 + 3 * (0.05 * 0.95 / 400) ** 0.5
        assert one.naive_rate > 0.2
    assert (found.nominal, found.arm, found.looks) == (pytest.approx(0.05), "old", 100)
    assert 2900 < found.metrics[0].units < 3100


def test_bets_on_both_arms_keep_their_error_at_shares_that_differ(users: pa.Table, plan: Make) -> None:
    turned = users.append_column("stayed", pa.compute.invert(users["bought"]))
    asked = ("\n  a: {kind: proportion, value: bought, baseline: 0.1, minimum_effect: 0.02}"
             "\n  b: {kind: proportion, value: stayed, baseline: 0.5}")
    for one in selftest(turned, plan(asked, arms="{old: 0.7, new: 0.3}"), runs=200, seed=4).metrics:
        assert one.rate <= 0.05 + 3 * (0.05 * 0.95 / 200) ** 0.5
        assert one.naive_rate > 0.2


def test_one_look_with_a_z_test_keeps_its_error(users: pa.Table, plan: Make) -> None:
    found = selftest(users, plan(TYPICAL), runs=1000, looks=1, seed=2)
    for one in found.metrics:
        assert one.naive_rate == pytest.approx(0.05, abs=3.5 * (0.05 * 0.95 / 1000) ** 0.5)


def test_every_metric_is_replayed_as_it_is_analysed(users: pa.Table, plan: Make, monkeypatch: pytest.MonkeyPatch
                                                    ) -> None:
    asked = plan("\n  a: {kind: mean, value: spent, baseline: 5, deviation: 4, minimum_effect: 0.1}"
                 "\n  b: {kind: mean, value: seconds, baseline: 1000, deviation: 1, minimum_effect: 0.5}")
    seen: dict[str, float] = {}

    def noted(sums: Any, layout: Any, name: str, metric: Any, pair: Pair, grid: Any) -> Any:
        seen[name] = pair.best_at
        return effect_of(sums, layout, name, metric, pair, grid)

    monkeypatch.setattr("linnet.watch.experiments.replay.effect_of", noted)
    selftest(users, asked, runs=1)
    assert seen == {name: pair_of(asked, "new", name).best_at for name in ("a", "b")}
    assert seen["a"] != seen["b"]


def test_a_difference_that_is_there_by_order_of_time_is_found_in_no_run(users: pa.Table, plan: Make) -> None:
    """Sharing out anew leaves no trend between the arms, however strong it is over time."""
    rising = users.append_column("rising", users["day"])
    found = selftest(rising, plan("\n  r: {kind: mean, value: rising}", time="day"), runs=200)
    assert found.metrics[0].rate < 0.1


def test_the_same_seed_gives_the_same_and_another_does_not(users: pa.Table, plan: Make) -> None:
    asked = plan("\n  b: {kind: proportion, value: bought}")
    first, again, other = (selftest(users, asked, runs=50, seed=seed).metrics[0].naive_rate for seed in (1, 1, 2))
    assert first == again != other


def test_more_units_than_are_needed_are_drawn_and_said(users: pa.Table, plan: Make, monkeypatch: pytest.MonkeyPatch
                                                       ) -> None:
    monkeypatch.setattr("linnet.watch.experiments.replay.MOST_UNITS", 1000)
    found = selftest(users, plan("\n  b: {kind: proportion, value: bought}"), runs=10)
    assert 850 < found.metrics[0].units < 1150
    assert found.notes[0].startswith("1,000 of the ")


def test_it_is_written_as_json_and_tells_how_far_it_is(users: pa.Table, plan: Make) -> None:
    told: list[tuple[int, int, str]] = []
    found = selftest(users, plan("\n  b: {kind: proportion, value: bought}"), runs=250,
                     progress=lambda *news: told.append(news))
    assert json.loads(found.to_json())["metrics"][0]["metric"] == "b"
    assert told[-1] == (250, 250, "done")


def test_too_few_units_or_runs_are_refused(users: pa.Table, plan: Make) -> None:
    asked = plan("\n  b: {kind: proportion, value: bought}")
    with pytest.raises(LinnetError, match="at least one run and one look; got 0 and 100"):
        selftest(users, asked, runs=0)
    with pytest.raises(LinnetError, match="units; a self-test with 100 looks needs at least 100"):
        selftest(users.slice(0, 100), asked)
