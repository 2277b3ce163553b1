"""What the search expects of a plan before it tunes: the cost model for latency, counts for all else."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pretend_start import CHANNELS, PretendStart

from linnet import cost
from linnet.cost import Machine
from linnet.evidence import Ledger
from linnet.shrink import Plan
from linnet.shrink.search import Outcome, Trial, Wish, run
from linnet.shrink.search.carry_out import SLACK, expected
from linnet.shrink.search.start import How
from linnet.shrink.search.trial import Job

WISH = Wish(goal="latency", no_worse=0.01, trials=6, seconds=0.01)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine that takes a millisecond a thousand multiplications in products, a thousand bytes in all else."""
    rates = {"product float plain": (0.0, 1e-3, 0.0, 0.0, 0.0, 0.0),
             "other float plain": (0.0, 0.0, 1e-3, 0.0, 0.0, 0.0)}
    made = Machine("p", "e", {}, {1000: 1e6}, {"float": 1e6, "int8": 1e6}, rates)
    monkeypatch.setattr(cost, "machine", lambda: made)
    monkeypatch.setattr(sys.modules["linnet.cost.predict"], "this_machine", lambda: made)  # a verb has the room's name
    return made


class Counting(PretendStart):
    """Does not have its numbers of multiplications right, and keeps what it was asked to make."""

    made: list[int] = []  # noqa: RUF012

    def count(self, plan: Plan) -> Any:
        return replace(super().count(plan), macs=1)

    def make(self, plan: Plan, path: Path, how: How) -> Any:
        self.made.append(removed(plan))
        return super().make(plan, path, how)


def removed(plan: Plan) -> int:
    return len(plan.methods["remove_channels"]["layers"]["a"])


def searched(folder: Path, **wish: Any) -> Outcome:
    Counting.made.clear()
    return run(Counting(), replace(WISH, **wish), folder, ledger=Ledger(folder.parent / "ledger"))


def test_a_plan_that_the_cost_model_says_is_slow_is_not_tuned(machine: Machine, tmp_path: Path) -> None:
    found = searched(tmp_path / "s", trials=8)
    assert all(trial.predicted_ms == pytest.approx(0.4 * (CHANNELS - removed(trial.job.plan)))
               for trial in found.trials)
    given_up = [trial for trial in found.trials if trial.state == "pruned"]
    assert given_up
    assert not {removed(trial.job.plan) for trial in given_up} & set(Counting.made)
    good = min(trial.predicted_ms or 0 for trial in found.trials if trial.state == "done" and trial.damage <= 0.005)
    assert all((trial.predicted_ms or 0) > SLACK * good for trial in given_up)


def test_size_and_other_engines_go_by_counts(tmp_path: Path) -> None:
    found = searched(tmp_path / "s", goal="size", trials=3)  # no machine is measured for it
    assert {trial.predicted_ms for trial in found.trials} == {None}
    trial = Trial(Job(1, Plan({"remove_channels": {}}), 1), "done", macs=70, parameters=10)
    assert expected(trial, replace(WISH, goal="size")) == 40
    assert expected(trial, replace(WISH, engine="openvino")) == 70
    assert expected(trial, WISH) is None
    assert expected(replace(trial, predicted_ms=2.0), WISH) == 2


def test_trials_of_before_are_read_without_a_prediction() -> None:
    value = Trial(Job(1, Plan({"int8": {}}), 1), "done").to_json()
    del value["predicted_ms"]
    assert Trial.from_json(value).predicted_ms is None
