from __future__ import annotations

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from experiment_values import LOOKS, PLAN, UNITS, analysis, outcome, plan, track

from linnet.report import experiment, experiment_limits, experiment_words
from linnet.report.experiment_numbers import change, interval, number, places_for, sure, turned
from linnet.watch.experiments import Analysis


def flat(text: str) -> str:
    return " ".join(text.split())


def only(*outcomes: object, **changed: object) -> Analysis:
    return analysis(outcomes=outcomes, **changed)


def test_the_first_sentence_says_who_is_better_by_how_much_and_what_is_not_known() -> None:
    assert experiment.sentence(analysis()) == (
        "On 20,000 users, new is better than old: understood +1.20 points (+0.79 to +1.61). Not harmed: wait_ms. "
        "Not decided: ordered. 95 % sure.")


def test_the_first_sentence_where_nothing_is_decided() -> None:
    open_ = only(outcome("ordered", at=(0.06, 0.063), width=(0.01, 0.2)), verdict="undecided")
    assert experiment.sentence(open_) == (
        "On 20,000 users, it is not decided whether new is better than old. Not decided: ordered. 95 % sure.")


def test_the_first_sentence_where_a_guardrail_is_harmed() -> None:
    harmed = outcome("wait_ms", at=(360.0, 396.0), width=(5.0, 0.02), decision="fails", asked=(-0.05, -0.05))
    said = experiment.sentence(only(harmed, verdict="fails"))
    assert said.startswith("On 20,000 users, new does harm. Harmed: wait_ms +10.0 % (+8.0 to +12.0).")


def test_the_first_sentence_where_it_is_worse() -> None:
    worse = outcome("ordered", at=(0.06, 0.05), width=(0.004, 0.05), decision="fails")
    said = experiment.sentence(only(worse, verdict="fails"))
    assert "new does not do what was asked of it. Worse: ordered -1.00 points (-1.40 to -0.60)." in said


def test_an_interval_that_came_back_is_not_put_beside_the_decision() -> None:
    earlier = outcome("ordered", at=(0.06, 0.063), width=(0.01, 0.2), decision="holds")
    said = experiment.sentence(only(earlier, verdict="holds"))
    assert "new is better than old: ordered (by an earlier look)." in said


def test_an_alarm_leaves_nothing_to_be_said() -> None:
    said = experiment.sentence(analysis(alarm=True, verdict="undecided"))
    assert said == ("On 20,000 users the arms did not fill as planned, so nothing can be said of new against old.")


def test_an_experiment_of_guardrails_alone() -> None:
    kept = outcome("wait_ms", at=(360.0, 361.0), width=(5.0, 0.01), decision="holds", asked=(-0.05, -0.05))
    assert "new does no harm. Not harmed: wait_ms." in experiment.sentence(only(kept, verdict="holds"))


def test_every_arm_gets_its_sentence_and_its_rows() -> None:
    three = plan(PLAN.replace("{old: 0.5, new: 0.5}", "{old: 0.4, new: 0.3, newest: 0.3}"))
    first = outcome("ordered", at=(0.06, 0.07), width=(0.004, 0.05), decision="holds")
    both = only(first, replace(first, arm="newest", decision="undecided", first_decided=None), experiment=three,
                verdicts={"new": "holds", "newest": "undecided"})
    said = experiment.sentence(both)
    assert "new is better than old: ordered" in said
    assert "it is not decided whether newest is better than old" in said
    assert [experiment.cells(both, row)[0] for row in experiment.rows(both)] == ["ordered (new)", "ordered (newest)"]


def test_a_row_of_the_table() -> None:
    found = analysis()
    assert experiment.head(found)[:3] == ["", "old", "new"]
    assert [experiment.cells(found, row) for row in experiment.rows(found)] == [
        ["understood", "88.00 %", "89.20 %", "+1.20 points", "+0.79 to +1.61", "+1.36 %", "+0.89 to +1.84", "97.5 %",
         "better"],
        ["ordered", "6.0 %", "6.3 %", "+0.3 points", "-0.7 to +1.3", "+5 %", "-11 to +22", "97.5 %", "not decided"],
        ["wait_ms", "360", "365", "+5", "-1 to +10", "+1.2 %", "-0.4 to +2.7", "97.5 %", "not harmed"]]


def test_estimates_err_to_the_worse_side_and_intervals_outwards() -> None:
    assert change(0.01267, places=2, scale=2, worse_is_up=False) == "+1.26"
    assert change(0.01267, places=2, scale=2, worse_is_up=True) == "+1.27"
    assert interval(0.01267, 0.01981, places=1, scale=2) == "+1.2 to +2.0"


def test_an_interval_is_never_rounded_across_what_was_asked() -> None:
    assert interval(0.00004, 0.02, places=1, scale=2) == "+0.004 to +2.0"
    assert interval(-0.02, -0.0004, places=1, scale=2) == "-2.0 to -0.04"
    assert interval(-0.02, 0.0499, places=0, scale=2, bound=0.05) == "-2 to +4.99"


def test_what_is_not_known_is_no_number() -> None:
    assert interval(-math.inf, math.inf, places=1, scale=0) == "nothing yet"
    assert interval(-math.inf, 3.0, places=0, scale=0) == "at most +3"
    assert interval(0.5, math.inf, places=1, scale=0) == "at least +0.5"
    assert (number(math.nan, places=1, percentage=True), change(math.inf, places=1, scale=0, worse_is_up=True)) == (
        "", "")
    assert (places_for(math.inf), places_for(0.0)) == (2, 2)
    nothing = replace(outcome("ordered", at=(0.06, 0.07), width=(1.0, 1.0)), control=np.full(LOOKS, np.nan))
    lost = replace(nothing, absolute=track(math.nan, width=math.inf), relative=track(math.nan, width=math.inf))
    (row,) = experiment.rows(only(lost))
    assert (row.difference, row.interval, row.control) == ("", "nothing yet", "")
    assert experiment.told(only(lost), row).startswith("Nothing was measured in one of the arms. Neither")


def test_levels_are_rounded_down() -> None:
    assert [sure(level) for level in (0.95, 1 - 0.05 / 3, 1 - 0.05 / 7)] == ["95 %", "98.33 %", "99.28 %"]


def test_a_bound_is_turned_with_its_goal() -> None:
    wait = outcome("wait_ms", at=(360, 361), width=(1, 0.01))
    assert (turned(wait, -0.05), turned(replace(wait, goal="increase"), -0.05)) == (0.05, -0.05)


@pytest.mark.parametrize(("metric", "at", "width", "decision", "asked", "said"), [
    ("understood", (0.88, 0.892), (0.004, 0.005), "holds", (0.0, 0.0), "Shown to be better."),
    ("understood", (0.88, 0.892), (0.004, 0.005), "holds", (0.0, 0.005),
     "Shown to be better, by the 0.5 points worth having or more."),
    ("understood", (0.88, 0.892), (0.004, 0.005), "holds", (0.0, 0.01),
     "Shown to be better; whether by the 1 point worth having is open."),
    ("understood", (0.88, 0.881), (0.004, 0.005), "undecided", (0.0, 0.0), "Neither better nor worse is shown."),
    ("understood", (0.88, 0.881), (0.01, 0.01), "undecided", (0.0, 0.005),
     "Neither that it is better is shown, nor that it gains less than the 0.5 points worth having."),
    ("understood", (0.88, 0.881), (0.002, 0.005), "fails", (0.0, 0.005),
     "Shown to gain less than the 0.5 points worth having."),
    ("understood", (0.88, 0.87), (0.002, 0.005), "fails", (0.0, 0.005), "Shown to be worse."),
    ("wait_ms", (360.0, 361.0), (5.0, 0.01), "holds", (-0.05, -0.05), "Not worse by the margin of 5 %."),
    ("wait_ms", (360.0, 390.0), (5.0, 0.01), "fails", (-0.05, -0.05), "Worse by more than the margin of 5 %."),
    ("wait_ms", (360.0, 378.0), (5.0, 0.01), "undecided", (-0.05, -0.05),
     "Whether it is worse by the margin of 5 % is open."),
    ("ordered", (0.06, 0.063), (0.01, 0.2), "holds", (0.0, 0.0),
     "Shown to be better. The last look alone would leave it open."),
])
def test_what_a_decision_means(metric: str, at: tuple[float, float], width: tuple[float, float], decision: str,
                               asked: tuple[float, float], said: str) -> None:
    found = outcome(metric, at=at, width=width, decision=decision, asked=asked)  # type: ignore[arg-type]
    assert experiment_words.meaning(plan(), found) == said


def test_looks_that_contradict_each_other_are_said_to() -> None:
    harmed = outcome("wait_ms", at=(360.0, 340.0), width=(5.0, 0.02), decision="fails", asked=(-0.05, -0.05),
                     is_contradicted=True)
    assert experiment_words.meaning(plan(), harmed) == (
        "Worse by more than the margin of 5 % at one look and not so at another: it changes over time, and harm that "
        "any look has shown counts.")
    open_ = outcome("ordered", at=(0.06, 0.05), width=(0.004, 0.04), is_contradicted=True)
    assert "opposite things: it changes over time, and neither" in experiment_words.meaning(plan(), open_)


def test_a_gain_downwards_is_a_gain() -> None:
    faster = plan(PLAN.replace("role: guardrail, goal: decrease, margin_lift: 0.05",
                               "goal: decrease, minimum_effect: 20.0"))
    found = outcome("wait_ms", at=(360.0, 330.0), width=(5.0, 0.01), decision="holds", asked=(0.0, 20.0),
                    experiment=faster)
    assert experiment_words.word(found) == "better"
    assert experiment_words.meaning(faster, found) == "Shown to be better, by the 20 worth having or more."
    little = replace(found, absolute=track(-15.0, width=5.0))
    assert experiment_words.meaning(faster, little) == "Shown to be better; whether by the 20 worth having is open."
    slower = outcome("wait_ms", at=(360.0, 390.0), width=(5.0, 0.01), decision="fails", asked=(0.0, 20.0),
                     experiment=faster)
    assert experiment_words.word(slower) == "worse"


def test_words_of_what_was_decided() -> None:
    small = outcome("understood", at=(0.88, 0.881), width=(0.002, 0.002), decision="fails", asked=(0.0, 0.005))
    assert experiment_words.word(small) == "not enough"
    assert experiment_words.word(replace(small, decision="undecided")) == "not decided"


def test_since_when() -> None:
    found = analysis()
    assert experiment_words.decided(found, found.outcomes[0]) == (
        "decided after 12,400 users who came by 19 March 2026, 12:44")
    assert experiment_words.decided(found, found.outcomes[1]) == ""
    counted = replace(found, times=None, time_kind=None)
    assert experiment_words.decided(counted, found.outcomes[0]) == "decided after 12,400 users"
    numbered = replace(found, times=np.arange(LOOKS) / 2, time_kind="number")
    assert experiment_words.decided(numbered, found.outcomes[0]).endswith("who came by time 15")


@pytest.mark.parametrize(("unit", "said"), [("user_id", "users"), ("user", "users"), ("Visit ID", "Visits"),
                                            ("id", "ids"), (None, "rows"), ("device", "devices")])
def test_units_are_called_by_their_column(unit: str | None, said: str) -> None:
    assert experiment_words.noun(plan(unit=unit, window=None)) == said


def test_the_text_for_a_terminal() -> None:
    said = experiment.text(analysis())
    assert flat(said).startswith("On 20,000 users, new is better than old")
    assert "✓ split        The arms filled as planned." in said
    assert "✓ better       understood: 88.00 % with old, 89.20 % with new: +1.20 points (+0.79 to +1.61, 97.5 %" in said
    assert "? not decided  ordered:" in said
    assert re.search(r"^wait_ms +360 +365 +\+5 +-1 to \+10 +\+1.2 % +-0.4 to \+2.7 +97.5 %  not harmed$", said, re.M)
    assert said.endswith("note: 41 rows had no arm and were left out.")
    broken = experiment.text(analysis(alarm=True))
    assert "✕ split        The arms did not fill as planned." in broken
    assert broken.count("? not trusted") == 3


def test_how_sure_it_is() -> None:
    said = " ".join(experiment_limits.control_of_error(analysis()))
    assert "All answers on the two success metrics are 95 % sure together: the error is shared out" in said
    assert "Each guardrail is 95 % sure by itself:" in said
    assert "That one of several is called harmed by mistake may happen more often." in said
    assert "The difference and the lift of a metric each hold by themselves, not both at once" in said
    alone = plan("{name: a, arm: a, arms: {x: 0.5, y: 0.5}, metrics: {m: {kind: mean, value: m}}}")
    said = " ".join(experiment_limits.control_of_error(analysis(experiment=alone)))
    assert "All answers on the one success metric are 95 % sure together." in said
    assert "guardrail" not in said


def test_what_was_assumed() -> None:
    said = experiment_limits.assumptions(analysis())
    assert said[0].startswith("Chance alone decided which of the users got old or new, in the planned shares.")
    assert "One of the users counts 7 days after the first event, with what happened until then." in said
    assert any(line.startswith("before was known before anybody was shown anything. A mean") for line in said)
    assert said[-3:] == ["understood: the method of a ratio.", "ordered: the method of a proportion.",
                         "wait_ms: the method of a mean."]
    rows = " ".join(experiment_limits.assumptions(analysis(experiment=plan(unit=None, window=None))))
    assert "Every row is a unit of its own" in rows
    assert "window" not in rows
    clustered = experiment_limits.assumptions(analysis(experiment=plan(cluster="shop")))
    assert clustered[1] == "What one of the shops does is not changed by what others got."
    assert "counts 3.5 (in the unit of time) after" in " ".join(
        experiment_limits.assumptions(analysis(experiment=plan(window=3.5))))


def test_what_it_does_not_say() -> None:
    said = " ".join(experiment_limits.limits(analysis()))
    assert "They speak of users like these up to 30 March 2026, 00:00." in said
    assert "Not decided is not the same as no difference" in said
    assert "the estimate tends to be too large" in said
    assert "A guardrail that is not harmed may be a little worse" in said
    assert "A ratio is the sum over all" in said
    only_one = only(outcome("ordered", at=(0.06, 0.07), width=(0.004, 0.05), decision="holds"))
    fewer = " ".join(experiment_limits.limits(only_one))
    assert "Not decided" not in fewer
    assert "ratio" not in fewer
    assert "guardrail" not in fewer


def test_the_values_of_the_tests_are_an_analysis() -> None:
    assert json.loads(analysis().to_json())["verdict"] == "holds"
    assert int(UNITS[-1]) == 20_000
