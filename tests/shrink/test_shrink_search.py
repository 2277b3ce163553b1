import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pretend_start import PretendStart

from linnet.errors import LinnetError
from linnet.evidence import Ledger
from linnet.runtime import read_claims
from linnet.runtime.artifact import read
from linnet.shrink import Plan
from linnet.shrink.search import Outcome, Trial, Wish, front, run, told
from linnet.shrink.search.carry_out import mean_and_error
from linnet.shrink.search.certify import Candidate, certify, order, safety, stairs
from linnet.shrink.search.start import How
from linnet.shrink.search.trial import Job, Store

WISH = Wish(goal="size", no_worse=0.01, trials=9, seconds=0.01)


def trial(number: int, size: float, damage: float, doubt: float = 0.001, **more: Any) -> Trial:
    return Trial(Job(number, Plan({"int8": {}}), 1), "done", cost={"size": size}, share={"size": size / 100},
                 damage=damage, doubt=doubt, **more)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def searched(folder: Path, start: PretendStart | None = None, ledger: Ledger | None = None, **wish: Any) -> Outcome:
    return run(start or PretendStart(), replace(WISH, **wish), folder, ledger=ledger)


def removed(one: Trial) -> int:
    return len(one.job.plan.methods["remove_channels"]["layers"]["a"])


def test_the_smallest_file_that_is_certified_is_written_with_its_claims(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger, worst_group=0.05)
    assert found.verdict == "holds"
    assert found.chosen is not None
    assert found.file is not None
    assert removed(found.chosen.candidate.trial) == 4  # half a point of 2,000 rows; the next loses ten
    claims = [entry.claim for entry in read_claims(read(found.file))]
    assert [claim.verdict for claim in claims] == ["holds"] * 3
    assert [claim.bound for claim in claims] == [-0.01, -0.05, -0.05]
    assert [claim.n for claim in claims] == [2000, 1000, 1000]
    assert found.nearest is None
    assert "instead of" in found.sentence
    assert json.loads((tmp_path / "s" / "result.json").read_text())["verdict"] == "holds"


def test_what_compression_changed_is_listed(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger)
    assert len(found.changed) == 10
    assert found.changed[0] == {"id": "test0", "expected": "right", "before": "right", "after": "wrong",
                                "effect": "worse", "voice": "ann"}


def test_a_group_may_refuse_what_holds_overall(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger, worst_group=0.006)  # 10 rows of 1,000 are all of ann's
    assert found.chosen is None or removed(found.chosen.candidate.trial) < 4


def test_an_impossible_wish_gives_the_nearest_point_and_looks_at_no_test_data(tmp_path: Path, ledger: Ledger) -> None:
    start = PretendStart(lost=(0, *[0.3 + 0.01 * count for count in range(9)]))
    found = searched(tmp_path / "s", start, ledger, no_worse=0.001)
    assert found.verdict == "fails"
    assert found.file is None
    assert found.nearest is not None
    assert removed(found.nearest) == 1
    assert "Nearest: trial" in found.sentence
    assert not list(ledger.folder.glob("*")) or not ledger.folder.exists()


def test_a_size_that_cannot_be_had_names_the_smallest_good_one(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger, at_most=0.1)
    assert found.verdict == "fails"
    assert found.nearest is not None
    assert removed(found.nearest) == 4
    assert "at most 0.1 KB" in found.sentence


def test_too_few_rows_are_undecided(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", PretendStart(rows=100), ledger)
    assert found.verdict == "undecided"
    assert "too few" in found.sentence


def test_trials_are_kept_and_a_search_goes_on_where_it_was_killed(tmp_path: Path, ledger: Ledger) -> None:
    whole = searched(tmp_path / "whole", ledger=ledger)

    class Killed(BaseException):
        pass

    def kill(one: Trial, _front: Any) -> None:
        if one.job.number == 4:
            raise Killed

    with pytest.raises(Killed):
        run(PretendStart(), WISH, tmp_path / "s", ledger=ledger, watch=kill)
    store = Store(tmp_path / "s")
    assert [one.job.number for one in store.trials()] == [1, 2, 3, 4]
    store.begin(Job(5, Plan({"remove_channels": {"layers": {"a": [0, 1, 2]}}}), 3, {}))  # begun, never ended
    (store.place(4) / "trial.json").unlink()
    seen: list[int] = []
    found = run(PretendStart(), WISH, tmp_path / "s", ledger=ledger, watch=lambda one, _: seen.append(one.job.number))
    assert seen[:2] == [4, 5]
    assert len(found.trials) == 9
    again: list[int] = []
    run(PretendStart(), WISH, tmp_path / "s", ledger=ledger, watch=lambda one, _: again.append(one.job.number))
    assert again == []
    assert [one.job.plan for one in whole.trials[:4]] == [one.job.plan for one in found.trials[:4]]


def test_another_model_needs_another_folder(tmp_path: Path, ledger: Ledger) -> None:
    searched(tmp_path / "s", ledger=ledger, trials=1)
    with pytest.raises(LinnetError, match="another model"):
        searched(tmp_path / "s", PretendStart(rows=1000), ledger)
    with pytest.raises(LinnetError, match=r"another setting: epochs 3, not 5, seed 0, not 1; search in another"):
        searched(tmp_path / "s", ledger=ledger, epochs=5, seed=1)
    searched(tmp_path / "s", ledger=ledger, trials=2, no_worse=0.02)  # the same trials, another question


def test_a_plan_that_breaks_is_a_failed_trial_and_says_why(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", PretendStart(breaks=(7, 8, 9)), ledger)
    broken = [one for one in found.trials if one.state == "failed"]
    assert broken
    assert {one.reason for one in broken} == {"ValueError: cannot be made"}
    with pytest.raises(LinnetError, match="none of 3 trials gave a file: ValueError: cannot be made"):
        searched(tmp_path / "none", PretendStart(breaks=tuple(range(10))), ledger, trials=3)


def test_what_fails_three_times_for_one_reason_is_not_tried_on(tmp_path: Path, ledger: Ledger) -> None:
    for _ in range(2):  # taken up again, it ends at once
        with pytest.raises(LinnetError, match="none of 3 trials gave a file: ValueError: cannot be made"):
            searched(tmp_path / "s", PretendStart(breaks=tuple(range(10))), ledger, trials=8)


def test_what_is_predicted_to_be_too_large_is_not_tuned(tmp_path: Path, ledger: Ledger) -> None:
    made: list[int] = []

    class Counting(PretendStart):
        def make(self, plan: Plan, path: Path, how: Any) -> Any:
            made.append(len(plan.methods["remove_channels"]["layers"]["a"]))
            return super().make(plan, path, how)

    found = searched(tmp_path / "s", Counting(), ledger, trials=9)
    pruned = [removed(one) for one in found.trials if one.state == "pruned"]
    assert pruned
    assert not set(pruned) & set(made)
    assert all("predicted to need" in one.reason for one in found.trials if one.state == "pruned")


def test_no_plan_is_tried_twice(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger, trials=30)  # there are nine
    assert len({removed(one) for one in found.trials}) == len(found.trials) >= 8


def test_a_sequence_is_one_look_and_the_next_one_pays(tmp_path: Path, ledger: Ledger) -> None:
    first = searched(tmp_path / "a", ledger=ledger)
    assert first.certificate.look == 1
    assert first.chosen is not None
    assert [one.claims[0].tested_level for one in first.certificate.tested] == pytest.approx(
        [0.96] * len(first.certificate.tested))
    assert searched(tmp_path / "a", ledger=ledger).certificate.look == 1  # the same files: the same look
    start, base = PretendStart(), tmp_path / "a" / "unchanged.onnx"
    others = [Candidate(one, Store(tmp_path / "a").file(one)) for one in first.trials if one.state == "done"][:2]
    second = certify(start, others, base, WISH, ledger=ledger)
    assert second.look > 1
    assert second.tested[0].claims[0].tested_level > 0.99


def test_nothing_after_the_first_failure_is_tested(tmp_path: Path, ledger: Ledger) -> None:
    start, store = PretendStart(), Store(tmp_path)
    plans = [Plan({"remove_channels": {"layers": {"a": list(range(count))}}}) for count in (1, 6, 2)]
    candidates = []
    for number, plan in enumerate(plans):
        start.make(plan, store.place(number) / "model.onnx", How(1, 0))
        candidates.append(Candidate(trial(number, 50 - number, 0.0), store.place(number) / "model.onnx"))
    found = certify(start, candidates, start.write(tmp_path / "base.onnx"), WISH, ledger=ledger)
    assert [one.verdict for one in found.tested] == ["holds", "fails"]
    best = found.best("size")
    assert best is not None
    assert best.candidate is candidates[0]


def test_the_front_holds_what_nothing_beats() -> None:
    points = [trial(1, 50, 0.0), trial(2, 40, 0.01), trial(3, 45, 0.02), trial(4, 30, 0.01), trial(5, 20, 0.3)]
    assert [one.job.number for one in front(points, "size")] == [5, 4, 1]
    ties = [trial(1, 50.0, 0.02), trial(2, 50.1, 0.01), trial(3, 50.4, 0.0), trial(4, 50.6, -0.01)]
    assert [one.job.number for one in front(ties, "size")] == [3, 4]


def test_the_order_is_that_of_certainty() -> None:
    wish = Wish(no_worse=0.01, worst_group=0.05)
    points = [trial(1, 50, 0.009), trial(2, 40, 0.0), trial(3, 30, 0.02),
              trial(4, 20, 0.0, groups={"voice ann": (0.06, 0.01)})]
    assert [one.job.number for one in order(points, wish)] == [2, 1]
    assert safety(points[3], wish) == pytest.approx(-1.0)


def test_what_surely_lost_nothing_is_tested_before_what_seems_to_have_gained() -> None:
    wish = Wish(goal="size", no_worse=0.03)
    sure, gained, larger = trial(1, 71, 0.0, doubt=0.003), trial(2, 60, -0.016, doubt=0.01), trial(3, 80, 0.001)
    assert [one.job.number for one in front([sure, gained], "size")] == [2]
    assert [one.job.number for one in stairs([larger, gained, sure], wish)] == [3, 1, 2]


def test_a_damage_without_a_difference_is_not_certain() -> None:
    mean, doubt = mean_and_error(np.zeros(400))
    assert mean == 0
    assert doubt == pytest.approx(1 / 400)


@pytest.mark.slow
def test_several_processes_find_what_one_does(tmp_path: Path, ledger: Ledger) -> None:
    found = searched(tmp_path / "s", ledger=ledger, workers=2, trials=4)
    assert len(found.trials) == 4
    assert {one.state for one in found.trials} <= {"done", "pruned"}


@pytest.mark.parametrize(("field", "value", "said"), [
    ("goal", "latencie", "did you mean 'latency'"), ("no_worse", 1.5, "no_worse must be at least 0"),
    ("level", 0.2, "level must be"), ("trials", 0, "trials must be at least 1"),
    ("worst_group", -1, "worst_group must be at least 0"), ("workers", 0, "workers must be at least 1")])
def test_a_wish_is_checked(field: str, value: Any, said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        replace(WISH, **{field: value})


def test_energy_without_a_counter_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring = sys.modules["linnet.shrink.search.measure"]  # the room's name is that of its verb, too
    monkeypatch.setattr(measuring, "joules_per_call", lambda *_, **__: None)
    with pytest.raises(LinnetError, match="energy cannot be measured here"):
        searched(tmp_path / "s", goal="energy")


def test_a_trial_in_a_line() -> None:
    said = told(trial(3, 12.0, 0.013, groups={"voice ann": (0.02, 0.01)}), WISH)
    assert said == "trial 3, int8: size 12 KB (0.12), 1.3 points lost on validation, 2.0 in voice ann"
