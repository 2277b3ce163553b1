"""Slices: exact p-values, few false ones among many candidates, and a planted one found."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import many
from linnet.evidence.many.slice_tests import by_cluster, by_row


def monte_carlo_error(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def null(rng: np.random.Generator, rows: int = 2000, candidates: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Errors of 10 % and candidates that have nothing to do with them."""
    shares = rng.uniform(0.02, 0.3, candidates)
    return (rng.random(rows) < 0.1).astype(float), rng.random((rows, candidates)) < shares


def speakers(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Errors of 50 speakers who differ, 20 rows each."""
    index = np.repeat(np.arange(50), 20)
    return (rng.random(1000) < rng.beta(1, 9, 50)[index]).astype(float), index


def test_the_p_value_is_that_of_fishers_test() -> None:
    rng = np.random.default_rng(0)
    wrong, masks = null(rng, 200, 5)
    for mask, p_value in zip(masks.T, by_row(wrong, masks.T), strict=True):
        table = [[wrong[mask].sum(), (1 - wrong[mask]).sum()], [wrong[~mask].sum(), (1 - wrong[~mask]).sum()]]
        assert p_value == pytest.approx(stats.fisher_exact(table, alternative="greater").pvalue)


def test_of_300_candidates_that_mean_nothing_none_is_told_in_95_of_100_runs() -> None:
    """40 runs: at most 0.05 + 0.104 tell any; uncorrected there are about 12 a run."""
    rng, runs, told, uncorrected = np.random.default_rng(1), 40, 0, 0
    for _ in range(runs):
        wrong, masks = null(rng)
        told += bool(many.slices(wrong, masks))
        uncorrected += int((by_row(wrong, masks.T) <= 0.05).sum())
    assert told / runs <= 0.05 + monte_carlo_error(0.05, runs)
    assert 9 < uncorrected / runs < 15


def test_a_planted_slice_is_found_with_its_numbers() -> None:
    rng = np.random.default_rng(2)
    wrong, masks = null(rng)
    masks[:, 7] = np.arange(2000) < 200
    wrong[:200] = rng.random(200) < 0.3
    for correction in many.CORRECTIONS:
        best = many.slices(wrong, masks, correction=correction)[0]
        assert (best.name, best.rows, best.errors) == ("7", 200, int(wrong[:200].sum()))
        assert best.error_rate == pytest.approx(wrong[:200].mean())
        assert best.rest_rate == pytest.approx(wrong[200:].mean())
        assert best.p_value <= best.adjusted_p_value <= 0.05


def test_better_slices_are_not_told() -> None:
    wrong = np.repeat([0.0, 1.0, 0.0], [300, 200, 500])
    assert many.slices(wrong, {"fine": np.arange(1000) < 300}) == []


def test_small_candidates_are_left_out_before_they_cost_anything() -> None:
    wrong, mask = np.zeros(100), np.zeros(100, dtype=bool)
    wrong[:25], mask[:25] = 1, True
    mask_of = {f"tiny {number}": np.arange(100) == number for number in range(50)}
    alone, among = many.slices(wrong, {"all": mask}), many.slices(wrong, {"all": mask, **mask_of})
    assert alone == among
    assert alone[0].adjusted_p_value == alone[0].p_value
    assert many.slices(wrong, {"all": mask}, minimum_rows=26) == []
    assert many.slices(wrong, {}) == []


def test_within_clusters_every_way_is_counted() -> None:
    wrong, index = np.array([1.0, 1, 0, 0, 1, 0, 0, 0, 1]), np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    mask = np.array([True, True, False, False, True, False, False, True, True])
    ways = [len(set(first) & {0, 1}) + len({one} & {4})
            for first in combinations(range(4), 2) for one in range(4, 7)]
    expected = np.mean([way >= 3 for way in ways])
    assert by_cluster(wrong, mask[None], index, alpha=0.05, seed=0)[0] == pytest.approx(expected)


def test_whole_clusters_change_places() -> None:
    wrong = np.concatenate([np.ones(8), np.zeros(2), np.ones(7), np.zeros(3), np.zeros(60)])
    index, mask = np.repeat(np.arange(8), 10), np.arange(80) < 20
    found = by_cluster(wrong, mask[None], index, alpha=0.05, seed=0)[0]
    assert found == pytest.approx(1 / 28, abs=0.01)  # the one choice of two speakers of eight that is so bad
    assert by_row(wrong, mask[None])[0] < 1e-9


@pytest.mark.parametrize("whole", [True, False])
def test_clusters_that_differ_make_no_slice_where_rows_would(whole: bool) -> None:
    """60 runs, 20 candidates: at most 0.05 + 0.085 tell any with clusters; far more without."""
    rng, runs, told, naive = np.random.default_rng(3), 60, 0, 0
    for _ in range(runs):
        wrong, index = speakers(rng)
        inside = rng.random((50, 20)) < 0.3 if whole else rng.beta(0.5, 0.5, (50, 20))
        masks = inside[index] if whole else rng.random((1000, 20)) < inside[index]
        told += bool(many.slices(wrong, masks, clusters=index.astype(str).tolist()))
        naive += bool(many.slices(wrong, masks))
    assert told / runs <= 0.05 + monte_carlo_error(0.05, runs)
    assert naive / runs > 0.2


def test_clusters_that_are_bad_are_found() -> None:
    rng = np.random.default_rng(4)
    wrong, index = speakers(rng)
    wrong[index < 12] = rng.random((index < 12).sum()) < 0.5
    masks = {"bad": index < 12, "other": index % 3 == 0, "noisy": rng.random(1000) < 0.4}
    wrong[masks["noisy"]] = np.maximum(wrong[masks["noisy"]], rng.random(masks["noisy"].sum()) < 0.2)
    found = many.slices(wrong, masks, clusters=index.astype(str).tolist())
    assert {one.name for one in found} == {"bad", "noisy"}


def test_one_half_suggests_and_the_other_confirms() -> None:
    """60 runs where the candidates are the errors themselves, seen in the first half: confirmed in few."""
    rng, runs, told = np.random.default_rng(5), 60, 0
    for _ in range(runs):
        wrong = (rng.random(1000) < 0.1).astype(float)
        discovery, _ = many.halves([str(row) for row in range(1000)])
        mask = np.where(discovery, wrong > 0, rng.random(1000) < 0.1)
        told += bool(many.confirmed_slices(wrong, {"seen": mask}))
        assert many.slices(wrong, {"seen": mask})
    assert told / runs <= 0.05 + monte_carlo_error(0.05, runs)


def test_what_is_bad_in_both_halves_is_confirmed() -> None:
    rng = np.random.default_rng(6)
    wrong, masks = null(rng)
    masks[:, 7] = np.arange(2000) % 10 == 0
    wrong[masks[:, 7]] = rng.random(200) < 0.4
    confirmed = many.confirmed_slices(wrong, masks)
    assert [one.name for one in confirmed] == ["7"]
    assert confirmed[0].rows + confirmed[0].rest_rows == 1000
    index = np.repeat(np.arange(200), 10).astype(str).tolist()
    assert [one.name for one in many.confirmed_slices(wrong, masks, clusters=index)] == ["7"]


@pytest.mark.parametrize(("errors", "candidates", "message"), [
    ([0.0, 0.5], {"a": np.array([True, False])}, "must be 1 .wrong. or 0"),
    ([0.0, math.nan], {"a": np.array([True, False])}, "'errors' holds nan"),
    ([], {"a": np.array([True])}, "'errors' has shape"),
    ([0.0, 1.0], {"a": np.array([True])}, "slice 'a' needs True or False for each of 2 rows"),
    ([0.0, 1.0], np.array([[1], [0]]), "slice '0' needs True or False"),
])
def test_what_does_not_fit_is_refused(errors: list[float], candidates, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        many.slices(np.array(errors), candidates)


def test_other_bad_input_is_refused() -> None:
    wrong, mask = np.tile([0.0, 1.0], 30), {"a": np.arange(60) < 30}
    with pytest.raises(LinnetError, match="every row needs one cluster; got 60 rows"):
        many.slices(wrong, mask, clusters=["a", "b"])
    with pytest.raises(LinnetError, match="unknown correction 'none'"):
        many.slices(wrong, mask, correction="none")
    with pytest.raises(LinnetError, match="level is how sure"):
        many.slices(wrong, mask, level=5)
