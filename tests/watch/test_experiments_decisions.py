from collections.abc import Callable

import numpy as np
import pytest

from linnet.evidence.sequences import Looks
from linnet.watch.experiments import Experiment, Outcome
from linnet.watch.experiments.decisions import decide, scale_of, shows_harm, verdict_of_arm
from linnet.watch.experiments.effects import Effect

Make = Callable[..., Experiment]
METRICS = """
  up: {kind: mean, value: up, minimum_effect: 2}
  down: {kind: mean, value: down, minimum_effect: 2, goal: decrease}
  safe: {kind: mean, value: safe, role: guardrail, goal: increase, margin: 1}
  slow: {kind: mean, value: slow, role: guardrail, margin_lift: 0.1, goal: decrease}
"""


def outcome(plan: Experiment, metric: str, lows: list[float], highs: list[float]) -> Outcome:
    """What is decided where both scales have these intervals."""
    ends = np.array(lows), np.array(highs)
    looks = Looks(np.full(len(lows), 0.2), *ends, np.zeros(len(lows)))
    effect = Effect(np.ones(len(lows)), np.ones(len(lows)), looks, looks, "")
    return decide(plan, metric, "new", effect, np.arange(len(lows)))


@pytest.mark.parametrize(("metric", "interval", "decision"), [
    ("up", (0.1, 5), "holds"), ("up", (-0.1, 5), "undecided"), ("up", (-1, 1.9), "fails"), ("up", (0.1, 1.9), "holds"),
    ("up", (-np.inf, np.inf), "undecided"), ("down", (-5, -0.1), "holds"), ("down", (-1.9, 1), "fails"),
    ("down", (-2.1, 1), "undecided"), ("safe", (-0.9, 3), "holds"), ("safe", (-1.1, 3), "undecided"),
    ("safe", (-5, -1.1), "fails"), ("slow", (-5, 0.09), "holds"), ("slow", (-5, 0.2), "undecided"),
    ("slow", (0.11, 5), "fails")])
def test_each_interval_has_its_decision(plan: Make, metric: str, interval: tuple[float, float], decision: str) -> None:
    assert outcome(plan(METRICS), metric, [interval[0]], [interval[1]]).decision == decision


def test_what_was_decided_at_a_look_stays_decided(plan: Make) -> None:
    found = outcome(plan(METRICS), "up", [-np.inf, -1, 0.2, -0.5], [np.inf, 5, 4, 3])
    assert (found.decision, found.first_decided) == ("holds", 2)
    assert outcome(plan(METRICS), "up", [-1, -1], [5, 5]).first_decided is None


@pytest.mark.parametrize(("metric", "lows", "highs", "decision", "look"), [
    ("safe", [-0.5, -3], [3, -2], "fails", 1), ("safe", [-3, -0.5], [-2, 3], "fails", 0),
    ("slow", [-1, 0.2], [0.05, 1], "fails", 1), ("up", [1, -3], [4, -1], "undecided", None),
    ("up", [-3, 3], [1, 5], "undecided", None), ("up", [-1, 0.5], [1.9, 5], "fails", 0),
    ("up", [0.5, -1], [5, 1.9], "holds", 0), ("down", [-4, 1], [-1, 4], "undecided", None)])
def test_looks_that_contradict_each_other_never_hold(plan: Make, metric: str, lows: list[float], highs: list[float],
                                                     decision: str, look: int | None) -> None:
    found = outcome(plan(METRICS), metric, lows, highs)
    assert (found.decision, found.first_decided) == (decision, look)
    assert found.is_contradicted == (max(lows) > min(highs))


@pytest.mark.parametrize(("said", "scale"), [
    ("", "relative"), ("baseline: 0.1", "relative"), ("baseline: 0.2", "relative"), ("baseline: 0.21", "absolute"),
    ("baseline: 0.1, minimum_effect: 0.01", "absolute"), ("baseline: 0.9, minimum_lift: 0.01", "relative"),
    ("minimum_effect: 0.01", "absolute"),
    ("baseline: 0.9, role: guardrail, goal: increase, margin_lift: 0.1", "relative")])
def test_a_proportion_is_decided_on_the_scale_that_the_plan_alone_names(plan: Make, said: str, scale: str) -> None:
    lines = f"kind: proportion, value: b, {said}".rstrip(", ")
    assert scale_of(plan(f"\n  b: {{{lines}}}").metrics["b"]) == scale


SHOWN = {"holds": {"up": (1, 5), "down": (-5, -1), "safe": (0, 1), "slow": (-1, 0)},
         "fails": {"up": (-1, 1), "down": (-1, 1), "safe": (-5, -2), "slow": (1, 2)},
         "undecided": {"up": (-1, 5), "down": (-5, 1), "safe": (-5, 1), "slow": (-1, 1)},
         "harm": {"up": (-5, -1)}}


@pytest.mark.parametrize(("words", "verdict"), [
    ({"up": "holds", "down": "holds", "safe": "holds"}, "holds"),
    ({"up": "holds", "down": "undecided", "safe": "holds"}, "holds"),
    ({"up": "holds", "down": "fails", "safe": "holds"}, "holds"),
    ({"up": "harm", "down": "holds", "safe": "holds"}, "undecided"),
    ({"up": "holds", "safe": "holds", "slow": "undecided"}, "undecided"),
    ({"up": "holds", "safe": "fails", "slow": "holds"}, "fails"),
    ({"up": "undecided", "safe": "holds"}, "undecided"),
    ({"up": "fails", "down": "undecided"}, "undecided"),
    ({"up": "fails", "down": "fails", "safe": "holds"}, "fails"),
    ({"safe": "holds", "slow": "holds"}, "holds"), ({"safe": "holds", "slow": "undecided"}, "undecided")])
def test_an_arm_needs_a_success_no_harm_and_every_guardrail(plan: Make, words: dict[str, str], verdict: str) -> None:
    found = [outcome(plan(METRICS), name, *([end] for end in SHOWN[word][name])) for name, word in words.items()]
    assert verdict_of_arm(found) == verdict


def test_harm_is_shown_by_either_direction(plan: Make) -> None:
    asked = plan(METRICS)
    for metric, harmful in (("up", (-5, -1)), ("down", (1, 5))):
        assert shows_harm(outcome(asked, metric, [harmful[0]], [harmful[1]]))
        assert not shows_harm(outcome(asked, metric, [-1], [1]))
