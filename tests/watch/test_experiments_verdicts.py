import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet
import pytest

from linnet.evidence import sequences
from linnet.evidence.sequences import Estimate
from linnet.watch.experiments import Analysis, Experiment, analyse

Make = Callable[..., Experiment]


def outcome(found: Analysis, metric: str, arm: str = "new") -> Any:
    return next(one for one in found.outcomes if (one.metric, one.arm) == (metric, arm))


def arms(users: pa.Table, upto: int | None = None) -> list[dict[str, np.ndarray]]:
    """The columns of the old and the new arm, of the first users in the order of their day."""
    frame = {name: users[name].to_numpy(zero_copy_only=False) for name in users.column_names}
    order = np.argsort(frame["day"])[:upto]
    return [{name: column[order][frame["arm"][order] == arm] for name, column in frame.items()}
            for arm in ("old", "new")]


def test_looks_are_equally_spaced_in_units_and_end_with_all_of_them(users: pa.Table, plan: Make) -> None:
    found = analyse(users, plan(time="at", looks=30))
    assert np.abs(found.looks - np.arange(200, 6001, 200)).max() <= 3
    assert found.looks[-1] == 6000
    assert found.assignment.counts.sum(axis=1).tolist() == found.looks.tolist()
    assert found.times is not None
    assert found.times[-1] == 5999
    assert (found.time_kind, found.rows) == ("timestamp", 6000)


def test_without_a_time_there_is_one_look(users: pa.Table, plan: Make) -> None:
    found = analyse(users, plan())
    assert (found.looks.tolist(), found.times) == ([6000], None)


@pytest.mark.parametrize("look", [9, 29])
def test_a_proportion_at_a_look_is_the_lift_and_difference_of_the_counts_until_then(
        users: pa.Table, plan: Make, look: int) -> None:
    found = analyse(users, plan("\n  b: {kind: proportion, value: bought, minimum_lift: 0.2}", time="day", looks=30))
    old, new = arms(users, int(found.looks[look]))
    counts = [old["bought"].sum(), new["bought"].sum()]
    lift = sequences.lift(*counts, prior=sequences.lift_prior(0.2))
    difference = sequences.difference(counts[0], len(old["bought"]), counts[1], len(new["bought"]),
                                      prior=sequences.lift_prior(0.2))
    one = outcome(found, "b")
    assert (one.relative.low[look], one.relative.high[look]) == (lift.low, lift.high)
    assert (one.absolute.estimate[look], one.absolute.high[look]) == (difference.estimate, difference.high)
    assert one.control[look] == old["bought"].mean()


@pytest.mark.parametrize(("said", "effect"), [
    ("minimum_effect: 0.02", 0.02), ("minimum_lift: 0.1", 0.09), ("goal: decrease", 0.01),
    ("role: guardrail, goal: increase, margin: 0.03", 0.03),
    ("role: guardrail, goal: increase, margin_lift: 0.1", 0.09)])
def test_a_stated_baseline_bets_on_both_arms_at_once(users: pa.Table, plan: Make, said: str, effect: float) -> None:
    kept = pa.compute.or_(pa.compute.equal(users["arm"], "new"), pa.array(np.arange(users.num_rows) % 3 > 0))
    turned = users.append_column("stayed", pa.compute.invert(users["bought"])).filter(kept)  # 2 to 3
    asked = plan(f"\n  b: {{kind: proportion, value: stayed, baseline: 0.9, {said}}}", arms="{old: 0.4, new: 0.6}")
    counts = [value for arm in arms(turned) for value in (arm["stayed"].sum(), len(arm["stayed"]))]
    found = outcome(analyse(turned, asked), "b").absolute
    expected = sequences.difference(*counts, share=0.6, prior=sequences.difference_prior(effect, 0.9))
    assert [found.low[-1], found.high[-1]] == pytest.approx([float(expected.low), float(expected.high)], abs=1e-9)
    by_lift = sequences.difference(*counts, share=0.6)
    assert found.high[-1] - found.low[-1] < 0.6 * (by_lift.high - by_lift.low)


def test_the_lift_told_is_the_ratio_of_the_rates_told(users: pa.Table, plan: Make) -> None:
    one = outcome(analyse(users, plan("\n  b: {kind: proportion, value: bought}", time="day")), "b")
    old, new = (arm["bought"].mean() for arm in arms(users))
    assert one.relative.estimate[-1] == pytest.approx(new / old - 1)
    known = np.isfinite(one.relative.estimate)
    assert (one.relative.estimate[known] >= one.relative.low[known]).all()
    assert (one.relative.estimate[known] <= one.relative.high[known]).all()


@pytest.mark.parametrize("said", ["", ", minimum_lift: 0.02", ", minimum_effect: 0.01", ", baseline: 0.8"])
def test_a_split_that_is_a_little_off_is_not_taken_for_an_effect(plan: Make, said: str) -> None:
    users = pa.table({"arm": ["old"] * 10_300 + ["new"] * 9_700,
                      "b": [True] * 8_240 + [False] * 2_060 + [True] * 7_760 + [False] * 1_940})
    found = analyse(users, plan(f"\n  b: {{kind: proportion, value: b{said}}}"))
    one = outcome(found, "b")
    assert not found.assignment.alarm  # not sure enough to ring
    assert one.control[-1] == one.treatment[-1] == 0.8
    for track in (one.absolute, one.relative):
        assert track.low[-1] < track.estimate[-1] == 0 < track.high[-1]
    assert one.decision == "undecided"
    assert "the wider of both" in one.method


def test_a_frequent_rate_without_its_baseline_is_told_what_would_decide_sooner(users: pa.Table, plan: Make) -> None:
    turned = users.append_column("stayed", pa.compute.invert(users["bought"]))
    asked = "\n  b: {{kind: proportion, value: {0}{1}}}"
    notes = analyse(turned, plan(asked.format("stayed", ""))).notes
    assert len(notes) == 1
    assert notes[0].startswith("b: so frequent a rate is decided sooner where the plan states 'baseline' and 'minim")
    assert not analyse(turned, plan(asked.format("stayed", ", baseline: 0.9"))).notes
    assert not analyse(turned, plan(asked.format("stayed", ", minimum_lift: 0.1"))).notes
    assert not analyse(turned, plan(asked.format("bought", ""))).notes


def test_a_mean_at_the_last_look_is_that_of_the_sequences(users: pa.Table, plan: Make) -> None:
    found = analyse(users, plan("\n  s: {kind: mean, value: spent, cap: 9}", units=8000))
    old, new = (np.minimum(arm["spent"], 9) for arm in arms(users))
    worth = [float(sequences.units_worth(len(x), *((x**k).sum() for k in (1, 2, 3, 4)))) for x in (old, new)]
    first, second = (Estimate(x.mean(), x.std(ddof=1) / len(x) ** 0.5, float(len(x)), np.asarray(value))
                     for x, value in zip((old, new), worth, strict=True))
    expected = sequences.asymptotic(second.value - first.value, math.hypot(first.error, second.error), 6000,
                                    best_at=8000, worth=min(worth))
    one = outcome(found, "s")
    assert [one.absolute.estimate[-1], one.absolute.low[-1], one.absolute.high[-1]] == pytest.approx(
        [float(expected.estimate), float(expected.low), float(expected.high)], rel=1e-9)
    expected = sequences.relative(first, second, best_at=8000)
    assert one.relative.low[-1] == pytest.approx(float(expected.low), rel=1e-9)


def test_a_covariate_narrows_the_interval_around_the_adjusted_difference(users: pa.Table, plan: Make) -> None:
    with_it = outcome(analyse(users, plan("\n  s: {kind: mean, value: spent, covariate: before}")), "s")
    without = outcome(analyse(users, plan("\n  s: {kind: mean, value: spent}")), "s")
    expected = sequences.adjusted(*(sequences.moments(arm["spent"], arm["before"]) for arm in arms(users)))
    assert with_it.absolute.estimate[-1] == pytest.approx(float(expected.value), rel=1e-9)
    width = [one.absolute.high[-1] - one.absolute.low[-1] for one in (with_it, without)]
    assert width[0] < 0.7 * width[1]


def test_a_ratio_has_the_error_of_the_delta_method(users: pa.Table, plan: Make) -> None:
    one = outcome(analyse(users, plan("\n  c: {kind: ratio, numerator: clicks, denominator: views}")), "c")
    variance = 0.0
    for arm in arms(users):
        rate = arm["clicks"].sum() / arm["views"].sum()
        residual = (arm["clicks"] - rate * arm["views"]) / arm["views"].mean()
        variance += residual.var(ddof=1) / len(residual)
    half = one.absolute.high[-1] - one.absolute.estimate[-1]
    wide = sequences.asymptotic(0, 1, 6000, best_at=10_000).high
    assert half == pytest.approx(float(wide) * variance**0.5, rel=1e-9)


def test_the_interval_of_a_quantile_is_that_of_counts_in_both_arms(users: pa.Table, plan: Make) -> None:
    one = outcome(analyse(users, plan("\n  q: {kind: quantile, value: spent, quantile: 0.8}")), "q")
    assert one.control[-1] == pytest.approx(np.quantile(arms(users)[0]["spent"], 0.8), abs=0.1)
    ends = []
    for arm in arms(users):
        values = np.sort(arm["spent"])
        shares = sequences.proportion(np.arange(1, len(values) + 1), len(values), level=0.975)
        ends.append((values[shares.high <= 0.8].max(), values[shares.low >= 0.8].min()))
    expected = ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]  # each arm at half the error, on every value
    found = one.absolute.low[-1], one.absolute.high[-1]
    assert found[0] <= expected[0]
    assert found[1] >= expected[1]
    assert found == pytest.approx(expected, abs=0.3)  # the grid is coarser than all values
    assert one.relative.low[-1] == pytest.approx(ends[1][0] / ends[0][1] - 1, abs=0.05)


def test_rows_of_a_unit_are_added_up_at_its_first_time(plan: Make) -> None:
    events = pa.table({"arm": ["old"] * 4 + ["new"] * 4, "user": [1, 1, 2, 3, 4, 4, 4, 5],
                       "at": [5, 1, 2, 3, 9, 4, 6, 8], "spent": [1.0, 2.0, None, 5.0, 1.0, 1.0, 2.0, 7.0]})
    found = analyse(events, plan("\n  s: {kind: mean, value: spent}", unit="user", time="at", looks=5))
    one = outcome(found, "s")
    assert found.looks.tolist() == [1, 2, 3, 4, 5]
    assert (one.control[-1], one.treatment[-1]) == (8 / 3, 5.5)
    assert found.times is not None
    assert found.times[0] < 2 <= found.times[1] < 3
    assert found.notes[0] == "1 of 8 rows have no value in 'spent'; they add nothing to their unit."


def test_a_unit_counts_when_its_window_has_passed_with_what_fell_into_it(plan: Make) -> None:
    events = pa.table({"arm": ["old"] * 5 + ["new"] * 5, "user": [1, 1, 1, 2, 3, 4, 4, 5, 6, 6],
                       "at": [0, 9, 11, 2, 95, 0, 10, 1, 80, 100],
                       "spent": [1.0, 2.0, 99.0, 5.0, 1.0, 1.0, 2.0, 7.0, 4.0, 50.0]})
    found = analyse(events, plan("\n  s: {kind: mean, value: spent}", unit="user", time="at", window=10))
    one = outcome(found, "s")
    assert (one.control[-1], one.treatment[-1]) == (4.0, (3 + 7 + 4) / 3)
    assert "1 of 6 units do not count yet: their window has not passed." in found.notes


def test_large_numbers_in_notes_have_their_thousands_apart(plan: Make) -> None:
    events = pa.table({"arm": ["old", "new"] * 2000, "user": list(range(4000)), "at": list(range(4000)),
                       "spent": [None, None, 1.0, 2.0] * 1000})
    notes = analyse(events, plan("\n  s: {kind: mean, value: spent}", unit="user", time="at", window=2000)).notes
    assert notes[0].startswith("2,000 of 4,000 rows have no value")
    assert notes[1].startswith("2,000 of 4,000 units do not count yet") or notes[1].startswith("1,999 of 4,000 units")


def test_clusters_are_the_units_and_their_totals_are_divided_by_their_sizes(users: pa.Table, plan: Make) -> None:
    shop = np.random.default_rng(9).integers(0, 800, users.num_rows)
    shops = users.set_column(users.column_names.index("shop"), "shop", pa.array(shop))
    shops = shops.set_column(0, "arm", pa.array(np.where(shop % 2, "new", "old")))
    found = analyse(shops, plan("\n  s: {kind: mean, value: spent}", cluster="shop"))
    one = outcome(found, "s")
    variance = 0.0
    for arm in arms(shops):
        size, total = (np.bincount(arm["shop"], weights=weights, minlength=800) for weights in (None, arm["spent"]))
        size, total = size[size > 0], total[size > 0]
        residual = (total - arm["spent"].mean() * size) / size.mean()
        variance += residual.var(ddof=1) / len(size)
    assert found.assignment.counts[-1].sum() == 800
    assert found.looks[-1] == 6000
    half = one.absolute.high[-1] - one.absolute.estimate[-1]
    assert half == pytest.approx(float(sequences.asymptotic(0, 1, 800, best_at=10_000, minimum=0).high) * variance**0.5,
                                 rel=1e-9)


def test_values_far_from_zero_lose_no_digits(plan: Make) -> None:
    rng = np.random.default_rng(0)
    noise, arm = rng.normal(size=4000), np.where(rng.random(4000) < 0.5, "old", "new")
    near, far = (outcome(analyse(pa.table({"arm": arm, "x": noise + base}), plan("\n  x: {kind: mean, value: x}")), "x")
                 for base in (0.0, 1e9))
    assert far.absolute.low[-1] == pytest.approx(near.absolute.low[-1], rel=1e-6)


def test_the_same_table_from_a_file_says_the_same(users: pa.Table, plan: Make, tmp_path: Path) -> None:
    pa.parquet.write_table(users.slice(0, 2500), tmp_path / "a.parquet")
    pa.parquet.write_table(users.slice(2500), tmp_path / "b.parquet")
    pa.csv.write_csv(users, tmp_path / "all.csv")
    asked = plan(time="at", looks=10)
    expected = analyse(users, asked).to_json()
    assert analyse(tmp_path / "*.parquet", asked, threads=1).to_json() == expected
    assert analyse(str(tmp_path / "all.csv"), asked).outcomes[0].decision == "holds"


def test_an_alarm_of_the_sample_ratio_leaves_nothing_decided(users: pa.Table, plan: Make) -> None:
    found = analyse(users, plan(arms="{old: 0.6, new: 0.4}", time="at"))
    assert found.assignment.alarm
    assert found.assignment.first_alarm is not None
    assert found.verdicts == {"new": "undecided"}
    assert "The arms did not fill as planned" in found.notes[-1]
    assert not analyse(users, plan(time="at")).assignment.alarm


@pytest.mark.parametrize(("arms", "verdict", "code", "split"), [
    ("{old: 0.6, new: 0.4}", "fails", 1, "broken"), ("{old: 0.5, new: 0.5}", "holds", 0, "as planned")])
def test_verdict_exit_code_and_split_say_the_same_in_json(users: pa.Table, plan: Make, arms: str, verdict: str,
                                                          code: int, split: str) -> None:
    found = analyse(users, plan("\n  b: {kind: proportion, value: bought}", arms=arms))
    content = json.loads(found.to_json())
    assert (found.verdict, found.exit_code) == (verdict, code)
    assert [content[key] for key in ("verdict", "exit_code", "split")] == [verdict, code, split]
    assert "sentence" not in content
    assert "sentence" not in content["outcomes"][0]


def test_three_arms_share_the_error_and_have_a_verdict_each(users: pa.Table, plan: Make) -> None:
    rng = np.random.default_rng(3)
    three = users.set_column(0, "arm", pa.array(np.where(users["arm"].to_numpy(zero_copy_only=False) == "new", "new",
                                                         np.where(rng.random(6000) < 0.5, "old", "other"))))
    found = analyse(three, plan(arms="{old: 0.25, new: 0.5, other: 0.25}"))
    assert set(found.verdicts) == {"new", "other"}
    assert {one.level for one in found.outcomes if one.role == "success"} == {1 - 0.05 / 8}
    assert outcome(found, "bought", "other").units[-1] == found.assignment.counts[-1, [0, 2]].sum()


def test_few_large_values_are_named_where_they_leave_a_mean_undecided(plan: Make) -> None:
    spent = np.ones(4000) + np.arange(4000) // 2 % 2
    spent[:4] = 1e6
    users = pa.table({"arm": ["old", "new"] * 2000, "spent": spent})
    found = analyse(users, plan("\n  s: {kind: mean, value: spent}"))
    assert outcome(found, "s").decision == "undecided"
    assert "a few large values make up its spread" in found.notes[0]
    assert not analyse(users, plan("\n  s: {kind: mean, value: spent, cap: 5}")).notes


def test_the_json_holds_no_number_that_json_has_not(users: pa.Table, plan: Make) -> None:
    content = json.loads(analyse(users, plan(time="at")).to_json())
    assert content["schema"] == "linnet/experiment/v1"
    assert content["verdict"] in ("holds", "fails", "undecided")
    assert content["outcomes"][1]["absolute"]["low"][0] is None
    assert content["experiment"]["metrics"]["spent"]["covariate"] == "before"


@pytest.mark.parametrize(("role", "decision", "code", "said"), [
    ("role: guardrail, margin: 0.03", "fails", 1, "Harm that any look has shown counts"),
    ("minimum_effect: 0.03", "undecided", 2, "There is no one answer")])
def test_what_was_shown_first_and_refuted_later_does_not_ship(plan: Make, role: str, decision: str, code: int,
                                                              said: str) -> None:
    rng, n = np.random.default_rng(0), 40_000
    is_new, time = rng.random(n) < 0.5, np.arange(n)
    effect = np.where(time < 12_000, -0.05, 0.1)
    users = pa.table({"arm": np.where(is_new, "new", "old"), "at": time, "ill": rng.random(n) < 0.2 + is_new * effect})
    found = analyse(users, plan(f"\n  ill: {{kind: proportion, value: ill, goal: decrease, baseline: 0.2, {role}}}",
                                time="at", looks=40))
    one = outcome(found, "ill")
    assert one.absolute.high[11] < 0  # better at first, and worse by more than the margin at last
    assert one.absolute.low[-1] > 0.03
    assert (one.decision, found.exit_code) == (decision, code)
    assert said in found.notes[-1]


@pytest.mark.parametrize(("changes", "is_said"), [
    ({"unit": "user", "time": "at"}, True), ({"unit": "user"}, False), ({"time": "at"}, False),
    ({"unit": "user", "time": "at", "window": 10}, False)])
def test_rows_that_may_still_come_for_units_of_earlier_looks_are_named(plan: Make, changes: dict[str, Any],
                                                                       is_said: bool) -> None:
    events = pa.table({"arm": ["old", "new"] * 40, "user": [k % 40 for k in range(80)], "at": list(range(80)),
                       "spent": [float(k % 7) for k in range(80)]})
    asked = plan("\n  s: {kind: mean, value: spent}", **changes)
    assert any("give a 'window'" in note for note in analyse(events, asked).notes) == is_said
    assert not any("give a 'window'" in note for note in analyse(events.slice(0, 40), asked).notes)
