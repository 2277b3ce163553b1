from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import extraction, losses_of, membership, traces
from linnet.introspect.privacy.roc import area, caught


def attacked(rng: np.random.Generator, count: int, gap: float) -> tuple[np.ndarray, np.ndarray]:
    """Losses of so many members, and of as many others; members' are lower by the gap."""
    return rng.normal(size=2 * count) - gap * (np.arange(2 * count) < count) + 10, np.arange(2 * count) < count


def test_the_area_is_that_of_scikit_learn_and_a_slice_is_told_apart() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    losses, member = attacked(rng, 500, 0.0)
    rare = np.arange(1000) % 10 == 0
    losses[rare & member] -= 2
    found = membership(losses, member, slices={"rare": rare, "other": ~rare})
    assert found.subjects[0] == "rare"
    groups = found.facts["groups"]
    assert groups["rare"]["auc"] == pytest.approx(metrics.roc_auc_score(member[rare], -losses[rare]))
    assert groups["rare"]["interval"][0] > 0.8
    assert groups["other"]["adjusted_p_value"] > 0.05
    assert "other" not in found.subjects


def test_the_interval_covers_the_true_area() -> None:
    from scipy.special import ndtr

    for gap in (0.0, 1.5):
        truth, covered = ndtr(gap / np.sqrt(2)), 0
        for run in range(400):
            losses, member = attacked(np.random.default_rng([1, run]), 45, gap)
            low, high = area(-losses[member], -losses[~member], None, 0.95).interval
            covered += low <= truth <= high
        assert covered >= 369  # at 95 % fewer than 369 of 400 come in less than 1 of 100 tries


def test_clusters_widen_the_interval_to_what_they_are_worth() -> None:
    losses, member = attacked(np.random.default_rng(2), 40, 0.5)
    once = membership(losses, member).facts["groups"]["all samples"]
    copied = {"losses": np.tile(losses, 4), "is_member": np.tile(member, 4)}
    naive = membership(**copied).facts["groups"]["all samples"]
    honest = membership(**copied, clusters=[str(place) for place in np.tile(np.arange(80), 4)])
    widths = [group["interval"][1] - group["interval"][0]
              for group in (once, naive, honest.facts["groups"]["all samples"])]
    assert widths[1] < 0.6 * widths[0]
    assert widths[2] == pytest.approx(widths[0], rel=0.05)
    assert honest.facts["clusters"] == 80


def test_an_area_of_one_has_an_interval_too() -> None:
    told = area(np.arange(20.0) + 100, np.arange(20.0), None, 0.95)
    assert told.auc == 1
    assert 0.7 < told.interval[0] < 1 == told.interval[1]


def test_what_is_caught_at_few_false_alarms() -> None:
    others = np.arange(200.0)
    told = caught(np.array([197.5, 198.5, 300.0, 5.0]), others, 0.01, 0.95)
    assert told["false_positive_rate"] == 0.01
    assert told["true_positive_rate"] == 0.75  # above 197, which two of 200 exceed
    assert caught(others, others[:50], 0.01, 0.95)["false_positive_rate"] == 0.0


def test_references_take_away_what_is_hard_for_every_model() -> None:
    rng = np.random.default_rng(3)
    losses, member = attacked(rng, 300, 0.8)
    hardness = 5 * rng.normal(size=600)
    references = np.where(rng.random((6, 600)) < 0.5, np.nan, hardness + 0.3 * rng.normal(size=(6, 600)))
    references[0] = hardness
    plain = membership(losses + hardness, member).facts["groups"]["all samples"]["auc"]
    calibrated = membership(losses + hardness, member, references=references).facts["groups"]["all samples"]["auc"]
    assert plain < 0.6 < 0.68 < calibrated


def test_nothing_told_is_said_with_its_numbers_and_slices_that_are_too_small() -> None:
    losses, member = attacked(np.random.default_rng(4), 50, 0.0)
    found = membership(losses, member, slices={"few": np.arange(100) < 5})
    assert len(found) == 0
    assert found.facts["too_small"] == ["few"]
    assert set(found.facts["groups"]) == {"all samples"}


@pytest.mark.parametrize(("arguments", "message"), [
    ({"losses": np.full(40, np.nan)}, "losses"),
    ({"losses": np.zeros((40, 2))}, "is_member"),
    ({"is_member": np.ones(40, dtype=bool)}, "0 others"),
    ({"is_member": np.arange(40) % 2}, "True or False"),
    ({"slices": {"odd": np.ones(3, dtype=bool)}}, "'odd'"),
    ({"references": np.zeros((2, 3))}, "references"),
    ({"references": np.full((2, 40), np.nan)}, "no reference model"),
    ({"clusters": ["a"]}, "cluster"),
    ({"at_rate": 0.0}, "at_rate"),
])
def test_bad_input_is_refused_in_words(arguments: dict[str, Any], message: str) -> None:
    given = {"losses": np.arange(40.0), "is_member": np.arange(40) % 2 == 0} | arguments
    with pytest.raises(LinnetError, match=message):
        membership(given.pop("losses"), given.pop("is_member"), **given)


@pytest.mark.parametrize(("probabilities", "labels"), [
    (np.ones(3), [0, 0, 0]), (np.ones((3, 2)), [0, 1]), (np.ones((2, 2)), [0, 2]), (np.full((2, 2), 3.0), [0, 1]),
    (np.ones((2, 2)), [0.0, 1.0])])
def test_probabilities_that_are_none_are_refused(probabilities: np.ndarray, labels: list[int]) -> None:
    with pytest.raises(LinnetError):
        losses_of(probabilities, labels)


def test_copies_and_near_copies_are_told_and_strangers_seldom() -> None:
    rng = np.random.default_rng(5)
    training, held_out, strangers = (rng.normal(size=(rows, 8)) for rows in (400, 1000, 30))
    shipped = np.concatenate([training[:3] + 1e-12, training[3:6] + 0.02, strangers])
    found = extraction(shipped, training, held_out=held_out, training_ids=[f"t{row}" for row in range(400)])
    assert set(found.subjects[:6]) == {"0", "1", "2", "3", "4", "5"}
    assert found["4"].evidence["training_id"] == "t4"
    assert [found[str(row)].evidence["copy"] for row in range(6)] == [True] * 3 + [False] * 3
    assert found.facts["copies"] == 3
    assert len(extraction(shipped, training)) == 3


def test_strangers_are_told_at_most_as_often_as_said() -> None:
    told = 0
    for run in range(100):
        rng = np.random.default_rng([6, run])
        training, held_out, strangers = (rng.normal(size=(rows, 5)) for rows in (100, 50, 20))
        told += len(extraction(strangers, training, held_out=held_out)) > 0
    assert told <= 12  # at 5 % more than 12 of 100 come in less than 1 of 100 tries


def test_far_from_zero_distances_stay_right() -> None:
    training = np.random.default_rng(7).normal(size=(50, 4)) + 1e8
    assert extraction(training[:5], training).facts["copies"] == 5


@pytest.mark.parametrize(("shipped", "training", "others"), [
    (np.zeros((2, 3)), np.zeros((2, 4)), {}), (np.zeros(3), np.zeros((2, 3)), {}),
    (np.zeros((0, 3)), np.zeros((2, 3)), {}),
    (np.full((2, 3), np.nan), np.zeros((2, 3)), {}), (np.zeros((2, 3)), np.zeros((2, 3)), {"ids": ["one"]}),
    (np.zeros((2, 3)), np.zeros((2, 3)), {"rate": 2.0})])
def test_vectors_that_do_not_go_together_are_refused(shipped: Any, training: Any, others: dict[str, Any]) -> None:
    with pytest.raises(LinnetError):
        extraction(shipped, training, **others)


def test_training_rows_that_are_all_the_same() -> None:
    assert extraction(np.ones((1, 3)), np.ones((4, 3))).facts["copies"] == 1
    assert extraction(np.zeros((1, 3)), np.ones((4, 3))).facts["copies"] == 0


def test_a_file_tells_ids_and_speakers_only_where_a_claim_was_asked_for(tmp_path: Any) -> None:
    import pyarrow as pa

    from linnet import data, evidence, export, nn, runtime, tasks

    rng = np.random.default_rng(8)
    rows = 90
    table = pa.table({"id": [f"clip-{row:03}" for row in range(rows)], "length": rng.normal(size=rows),
                      "word": [["yes", "no"][row % 2] for row in range(rows)],
                      "speaker": [f"person{row % 6}" for row in range(rows)]})
    splits = data.Dataset("words", table, {
        "length": data.ValueColumn(), "word": data.LabelColumn(("no", "yes")), "speaker": data.GroupColumn()}
        ).split(by="speaker", seed=0)
    task = tasks.Classify(splits, input=["length"], target="word", groups=["speaker"])
    file = export.write(nn.zoo.mlp(task, width=4), task, tmp_path / "words.onnx")
    known = {"ids": table["id"].to_pylist(), "speakers": table["speaker"].to_pylist()}

    def metadata() -> str:
        return file.read_bytes().decode("latin-1")

    assert len(traces({"file": metadata()}, known)) == 0
    scores = tasks.evaluate(runtime.load(file), task, splits.test)
    export.prove(file, [evidence.no_worse(scores, scores, margin=0.5)])
    found = traces({"file": metadata()}, known)
    assert found.subjects == ("speakers in file",)  # the population says who was held out
    claim = runtime.load(file).claims[0]
    rows_kept = " ".join(claim.than.unpack())
    assert traces({"rows": rows_kept}, known).subjects == ("ids in rows",)


def test_traces_leaves_out_what_stands_anywhere_by_chance() -> None:
    found = traces({"page": "Ann and Bo were there"}, {"names": ["ann", "bo"]})
    assert found.facts["too_short"] == {"names": 1}
    assert found.items[0].evidence["of"] == 1
    with pytest.raises(LinnetError, match="expected a text"):
        traces({"page": b"bytes"}, {})  # type: ignore[dict-item]
