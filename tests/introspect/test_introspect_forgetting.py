from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores, verdict_of
from linnet.introspect import forgetting, forgetting_claims


def scored(answers: np.ndarray, targets: np.ndarray, name: str = "model", **groups: Any) -> Scores:
    ids = [f"s{row}" for row in range(len(targets))]
    data = DataRef(population="clips", fingerprint="0" * 64, rows=len(targets))
    return Scores(ids, answers.tolist(), targets.tolist(), (answers == targets).astype(float), data, name * 4,
                  subject_name=name, groups={key: [str(value) for value in values] for key, values in groups.items()})


def sides(lost: float, rows: int = 600) -> tuple[Scores, Scores]:
    """All right before; after, a share of the zeros is answered as 1."""
    rng = np.random.default_rng(0)
    targets = np.array(["0", "1", "2"])[np.arange(rows) % 3]
    after = np.where((targets == "0") & (rng.random(rows) < lost), "1", targets)
    voice = rng.choice(["low", "high"], rows)
    return scored(targets, targets, "big", voice=voice), scored(after, targets, "small", voice=voice)


def test_the_class_that_was_forgotten_comes_first_and_then_every_changed_sample() -> None:
    before, after = sides(0.2)
    found = forgetting(before, after)
    changed = [name for name, one, other in zip(before.ids, before.answers, after.answers, strict=True) if one != other]
    assert "target=0" in found.subjects[:3]
    assert set(found.subjects[-len(changed):]) == set(changed)
    assert found.facts["worst"] == "target=0"
    assert found.facts["lost"] == len(changed) == found.facts["changed"]
    part = found["target=0"].evidence
    assert part["interval"][0] < part["difference"] < part["interval"][1] < 0
    assert found.facts["parts"]["target=1"]["interval"][1] >= 0
    assert found[changed[0]].evidence == {"before": "0", "after": "1", "target": "0", "effect": "lost", "groups": {
        "voice": before.groups["voice"][before.ids.index(changed[0])]}}


def test_rows_in_another_order_say_the_same() -> None:
    before, after = sides(0.2)
    turned = replace(after, ids=after.ids[::-1], answers=after.answers[::-1], targets=after.targets[::-1],
                     score=after.score[::-1], groups={name: values[::-1] for name, values in after.groups.items()})
    assert forgetting(before, turned) == forgetting(before, after)


def test_nothing_changed_is_said_so() -> None:
    before, _ = sides(0.2)
    found = forgetting(before, replace(before, subject="other"))
    assert len(found) == 0
    assert (found.facts["changed"], found.facts["all"]["difference"]) == (0, 0.0)


@pytest.mark.slow
def test_parts_are_told_falsely_in_at_most_a_twentieth_of_the_runs() -> None:
    told = 0
    for run in range(60):
        rng = np.random.default_rng([1, run])
        targets = rng.choice(list("abcd"), 240)
        one, other = (np.where(rng.random(240) < 0.2, "x", targets) for _ in range(2))
        voices = rng.integers(0, 3, 240)
        found = forgetting(scored(one, targets, voice=voices), scored(other, targets, voice=voices))
        told += any(name in found.facts["parts"] for name in found.subjects)
    assert told <= 8  # at 5 % more than 8 of 60 come in less than 1 of 100 tries


def test_of_several_seeds_the_modal_answer_counts() -> None:
    targets = np.array(["0", "1"] * 40)
    right, wrong = targets.copy(), targets.copy()
    wrong[0] = "1"
    after = [scored(wrong, targets), scored(right, targets), scored(wrong, targets)]
    found = forgetting([scored(right, targets)] * 3, after)
    assert found.subjects == ("s0",)
    assert found.facts["seeds"] == 3
    assert found.facts["all"]["difference"] == pytest.approx(-2 / 3 / 80)
    once = forgetting([scored(right, targets)] * 3, [scored(right, targets)] * 2 + [scored(wrong, targets)])
    assert once.facts["changed"] == 0
    assert once.facts["lost"] == 1


def test_clusters_make_the_interval_wider() -> None:
    before, after = sides(0.3)
    speakers = [str(row // 30) for row in range(600)]
    before, after = (replace(side, groups={"speaker": speakers}) for side in (before, after))
    alone, together = (forgetting(before, after, clusters=by).facts["all"]["interval"] for by in (None, "speaker"))
    assert together != alone


def test_probabilities_say_how_far_an_answer_moved() -> None:
    before, after = sides(0.2)
    old = np.full((600, 3), 0.1)
    old[:, 0] = 0.8
    new = np.where((np.array(after.answers) != np.array(before.answers))[:, None], [[0.1, 0.8, 0.1]], old)
    found = forgetting(before, after, probabilities=(old, new))
    told = found[found.subjects[-1]].evidence
    assert told["divergence_nats"] == pytest.approx(0.7 * np.log(8))
    assert told["margin_before"] == pytest.approx(0.7)
    assert 0 < found.facts["mean_divergence_nats"] < told["divergence_nats"]


def test_stability_on_harder_samples_is_told_beside_that_on_these() -> None:
    found = forgetting(*sides(0.05), shifted=sides(0.9))
    stability = found.facts["stability"]
    assert stability["shifted"]["rate"] > 5 * stability["here"]["rate"]
    assert stability["shifted"]["interval"][0] < stability["shifted"]["rate"] < stability["shifted"]["interval"][1]


def test_the_claims_fail_where_a_part_was_forgotten_that_the_whole_hides() -> None:
    before, after = sides(0.04, rows=3000)
    pairs = list(zip(before.ids, before.targets, strict=True))
    parts = {f"target {value}": ([name for name, target in pairs if target == value],
                                 DataRef(population=f"clips of {value}", fingerprint=value * 64, rows=1000))
             for value in "012"}
    whole = forgetting_claims(before, after, margin=0.03)
    assert verdict_of(whole) == "holds"
    claims = forgetting_claims(before, after, margin=0.03, part_margin=0.01, parts=parts)
    assert [claim.verdict for claim in claims] == ["holds", "fails", "holds", "holds"]
    assert claims[1].data is not None
    assert claims[1].data.population == "clips of 0"
    assert claims[1].n == 1000


@pytest.mark.parametrize(("arguments", "message"), [
    ({"clusters": "voise"}, "did you mean 'voice'"),
    ({"probabilities": (np.ones((3, 2)), np.ones((3, 2)))}, "600 samples"),
    ({"probabilities": (np.full((600, 2), np.nan), np.ones((600, 2)))}, "NaN"), ({"level": 2}, "level")])
def test_bad_input_is_refused_in_words(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        forgetting(*sides(0.1), **arguments)


def test_other_samples_or_numbers_of_seeds_are_refused() -> None:
    before, after = sides(0.1)
    with pytest.raises(LinnetError, match="not asked the same samples"):
        forgetting(before, sides(0.1, rows=300)[1])
    with pytest.raises(LinnetError, match="2 seeds before and 1 after"):
        forgetting([before, before], after)
    with pytest.raises(LinnetError, match="have no scores"):
        forgetting_claims(before, after, margin=0.1, parts={"x": (["nobody"], before.data)})
    with pytest.raises(LinnetError, match="no rows"):
        forgetting(scored(np.array([], str), np.array([], str)), scored(np.array([], str), np.array([], str)))


def test_a_class_of_one_and_targets_that_are_all_different() -> None:
    targets = np.array([f"text {row}" for row in range(30)])
    answers = np.where(np.arange(30) == 3, "other", targets)
    found = forgetting(scored(targets, targets), scored(answers, targets))
    assert found.subjects == ("s3",)
    assert found.facts["parts"] == {}
    assert found.facts["worst"] is None
