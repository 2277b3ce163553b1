from typing import Any

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.introspect import slices
from linnet.introspect.slices.confirm import weighted_holm
from linnet.introspect.slices.suggest import chances


def scored(wrong: np.ndarray, **groups: Any) -> Scores:
    ids = [f"s{row}" for row in range(len(wrong))]
    data = DataRef(population="rows", fingerprint="0" * 64, rows=len(wrong))
    named = {name: [str(value) for value in values] for name, values in groups.items()}
    return Scores(ids, ["a"] * len(wrong), ["a"] * len(wrong), 1.0 - wrong, data, "0" * 64, groups=named)


def planted(rng: np.random.Generator, rows: int = 2000, rate: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    is_bad = np.arange(rows) < 0.1 * rows
    return is_bad, (rng.random(rows) < np.where(is_bad, rate, 0.1)).astype(float)


def test_a_planted_value_is_found_with_its_numbers_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    is_bad, wrong = planted(rng)
    scores = scored(wrong, site=np.where(is_bad, "north", rng.choice(["south", "east"], 2000)))
    found = slices(scores, attributes={**scores.groups, "length": rng.normal(size=2000)}, paired=False)
    assert found.subjects == ("site=north",)
    told = found.items[0].evidence
    inside = {scores.ids[row] for row in np.flatnonzero(is_bad)}
    assert set(told["examples"]) <= {scores.ids[row] for row in np.flatnonzero(wrong)} & inside
    assert told["interval"][0] < told["error_rate"] < told["interval"][1]
    assert told["rows"] + told["rest_rows"] == found.facts["confirmation_rows"] == 1000
    assert told["rows_in_both_halves"] == 200
    assert told["gap_interval"][0] > 0
    assert found.facts["candidates"] == 7


def test_groups_and_targets_are_the_candidates_where_none_are_given() -> None:
    is_bad, wrong = planted(np.random.default_rng(1))
    assert slices(scored(wrong, voice=is_bad)).subjects == ("voice=True",)


def test_a_pair_of_columns_that_is_bad_only_together() -> None:
    rng = np.random.default_rng(2)
    left, night = rng.random(4000) < 0.3, rng.random(4000) < 0.3
    wrong = (rng.random(4000) < np.where(left & night, 0.5, 0.1)).astype(float)
    attributes = {"camera": np.where(left, "left", "right"), "time": np.where(night, "night", "day")}
    assert "camera=left & time=night" in slices(scored(wrong), attributes=attributes).subjects
    assert "camera=left & time=night" not in slices(scored(wrong), attributes=attributes, paired=False).subjects


@pytest.mark.parametrize("is_cluster", [True, False])
def test_a_planted_region_of_features(is_cluster: bool) -> None:
    rng = np.random.default_rng(3)
    is_bad, wrong = planted(rng)
    # a blob of its own, or a place in a line along which nothing separates
    place = 8.0 * is_bad if is_cluster else np.where(is_bad, rng.uniform(0.4, 0.5, 2000), rng.uniform(-1, 1, 2000))
    features = np.stack([place, np.full(2000, 7.0)], axis=1)
    found = slices(scored(wrong), attributes={}, features=features)
    members = np.isin([f"s{row}" for row in range(2000)], found.items[0].evidence["members"])
    assert (members & is_bad).sum() >= 0.5 * max(members.sum(), is_bad.sum() * is_cluster)
    assert members.sum() >= 20
    assert found.facts["constant_features"] == 1


def test_what_is_told_was_judged_on_rows_that_suggested_nothing() -> None:
    # errors only in discovery rows: striking there, absent in the others, so nothing may be told
    from linnet.evidence.many import halves

    rng = np.random.default_rng(4)
    site = rng.choice(["north", "south", "east"], 1000)
    discovery, confirmation = halves([f"s{row}" for row in range(1000)], seed=0)
    wrong = (rng.random(1000) < 0.1).astype(float)
    wrong[(site == "north") & discovery] = 1.0
    wrong[(site == "north") & confirmation] = 0.0
    found = slices(scored(wrong, site=site))
    assert "site=north" in found.facts["suggested"]
    assert len(found) == 0


def test_false_slices_are_told_in_at_most_a_twentieth_of_the_runs() -> None:
    told = 0
    for run in range(200):
        rng = np.random.default_rng([5, run])
        wrong = (rng.random(600) < 0.1).astype(float)
        masks = {str(place): rng.random(600) < 0.1 for place in range(60)}
        told += len(slices(scored(wrong), attributes=masks, paired=False, seed=run)) > 0
    assert told <= 17  # at 5 % more than 17 of 200 come in 1 of 100 tries


def test_clusters_stay_whole_and_are_what_is_counted() -> None:
    told = {None: 0, "speaker": 0}
    for run in range(40):
        rng = np.random.default_rng([6, run])
        speaker = rng.permutation(np.arange(800) % 20)
        wrong = (rng.random(800) < rng.beta(0.5, 4.5, 20)[speaker]).astype(float)
        masks = {str(place): (rng.random(20) < 0.2)[speaker] for place in range(40)}
        for clusters in told:
            found = slices(scored(wrong, speaker=speaker), attributes=masks, clusters=clusters, paired=False, seed=run)
            told[clusters] += len(found) > 0
            assert found.facts["clusters"] == (None if clusters is None else 20)
    assert told[None] > 20
    assert told["speaker"] <= 6


def test_weighted_holm_is_holm_where_weights_are_alike() -> None:
    from linnet.evidence.many import holm

    p_values = np.array([0.01, 0.04, 0.03, 0.5])
    assert weighted_holm(p_values, np.ones(4)) == pytest.approx(holm(p_values.tolist()))
    assert weighted_holm(np.array([0.04, 0.9]), np.array([1.0, 0.0001]))[0] == pytest.approx(0.04, rel=1e-3)


def test_quick_chances_by_cluster_are_near_the_exact_ones() -> None:
    from linnet.evidence.many.slice_tests import by_cluster

    rng = np.random.default_rng(7)
    clusters = np.repeat(np.arange(10), 80)
    wrong = (rng.random(800) < rng.beta(1, 9, 10)[clusters]).astype(float)
    masks = rng.random((5, 800)) < 0.3
    exact = by_cluster(wrong, masks, clusters, alpha=0.05, seed=0)
    assert chances(masks, wrong, clusters) == pytest.approx(exact, abs=0.02)


def test_the_same_seed_says_the_same_and_names_are_those_of_the_ids() -> None:
    rng = np.random.default_rng(8)
    _, wrong = planted(rng)
    features = rng.normal(size=(2000, 3))
    features[:200] += 6
    once, again = (slices(scored(wrong), attributes={}, features=features, seed=1) for _ in range(2))
    assert once == again
    assert all("around sample s" in name for name in once.facts["suggested"] if name.startswith("around"))


@pytest.mark.parametrize(("arguments", "message"), [
    ({"attributes": {"site": ["a"]}}, "has 1 rows"),
    ({"attributes": {"site": np.zeros((100, 2))}}, "one value a sample"),
    ({"features": np.zeros((3, 2))}, "expected \\(100, columns\\)"),
    ({"features": np.full((100, 2), np.nan)}, "NaN or infinity"),
    ({"clusters": "spaker"}, "did you mean 'speaker'"),
    ({"clusters": ["one"] * 100}, "cannot be split"),
    ({"level": 1.5}, "level"),
    ({"seed": -1}, "seed"),
])
def test_bad_input_is_refused_in_words(arguments: dict[str, Any], message: str) -> None:
    wrong = (np.arange(100) % 5 == 0).astype(float)
    with pytest.raises(LinnetError, match=message):
        slices(scored(wrong, speaker=np.arange(100) % 12), **arguments)


def test_graded_scores_and_no_rows_are_refused() -> None:
    with pytest.raises(LinnetError, match="right"):
        slices(scored(np.full(50, 0.5)))
    with pytest.raises(LinnetError, match="no rows"):
        slices(scored(np.zeros(0)))


def test_nothing_to_see_is_no_error() -> None:
    constant = {"site": ["one"] * 60, "gain": np.full(60, np.nan), "missing": [None] * 60}
    found = slices(scored((np.arange(60) % 4 == 0).astype(float)), attributes=constant, features=np.ones((60, 4)))
    assert len(found) == 0
    assert found.facts["columns_without_candidates"] == ["site", "gain", "missing"]
    assert found.facts["constant_features"] == 4
    assert len(slices(scored(np.zeros(60), site=np.arange(60) % 2))) == 0
    assert len(slices(scored(np.ones(60), site=np.arange(60) % 2), features=np.eye(60))) == 0
    assert len(slices(scored(np.array([1.0, 0.0, 1.0])), features=np.random.default_rng(0).normal(size=(3, 9)))) == 0
