"""The corrections hold under simulation, at fixed seeds; a stated Monte Carlo error is three standard deviations."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores, comparisons, many
from linnet.evidence.many import against

DATA = DataRef(population="samples", fingerprint="f" * 64, rows=0)


def scores(right: np.ndarray, name: str = "model", *, data: DataRef = DATA) -> Scores:
    ids = [f"s{row}" for row in range(len(right))]
    return Scores(ids, ["a"] * len(ids), ["a"] * len(ids), np.asarray(right, dtype=np.float64), data, name, name)


def correlated(rng: np.random.Generator, shares: list[float], n: int) -> np.ndarray:
    """Right and wrong answers (sides, n) that hang together through how hard each sample is."""
    hard = rng.normal(0, 1, n)
    noise = rng.normal(0, 1, (len(shares), n))
    return (0.8 * hard + 0.6 * noise < stats.norm.ppf(shares)[:, None]).astype(np.float64)


def monte_carlo_error(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def test_holm_errs_anywhere_at_most_as_often_as_it_says() -> None:
    """Three true null hypotheses beside a false one, 1,000 runs: at most 0.05 + 0.021 of them err."""
    rng, runs, wrong, found = np.random.default_rng(0), 1000, 0, 0
    for _ in range(runs):
        right = correlated(rng, [0.8, 0.8, 0.8, 0.8, 0.9], 300)
        adjusted = many.holm([comparisons.sign_flip(side[None], right[:1]) for side in right[1:]])
        wrong += min(adjusted[:3]) <= 0.05
        found += adjusted[3] <= 0.05
    assert wrong / runs <= 0.05 + monte_carlo_error(0.05, runs)
    assert found / runs > 0.9


@pytest.mark.slow
def test_the_intervals_cover_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four sides against one, 250 runs of 70 samples: all four cover in at least 0.90 less 0.057 of the runs."""
    monkeypatch.setattr(against, "paired_difference", cache(against.paired_difference))
    shares = [0.80, 0.80, 0.84, 0.77, 0.70]
    rng, runs, level = np.random.default_rng(1), 250, 0.9
    covered = alone = 0
    for _ in range(runs):
        right = correlated(rng, shares, 70)
        sides = {str(number): [scores(side, str(number))] for number, side in enumerate(right)}
        found = many.compare(sides, against="0", level=level)
        truths = [share - shares[0] for share in shares[1:]]
        inside = [one.interval[0] <= truth <= one.interval[1] for one, truth in zip(found, truths, strict=True)]
        covered += all(inside)
        alone += inside[0]
    assert covered / runs >= level - monte_carlo_error(level, runs)
    assert alone / runs >= 0.95  # each by itself covers at 1 - 0.1 / 4


@pytest.mark.parametrize(("n", "before_seeds"), [(60, 1), pytest.param(200, 3, marks=pytest.mark.slow)])
def test_averages_over_seeds_cover(n: int, before_seeds: int) -> None:
    """800 runs at 0.95: the share that covers is 0.95 or more, less 0.023 for the Monte Carlo error."""
    rng, runs = np.random.default_rng(2), 800
    shift = 0.5
    hard = rng.normal(2, 3, 200_000)
    truth = float((1 / (1 + np.exp(-hard - shift)) - 1 / (1 + np.exp(-hard))).mean())
    covered, wide = 0, 0.0
    for _ in range(runs):
        hard = rng.normal(2, 3, n)
        after = (rng.random((3, n)) < 1 / (1 + np.exp(-hard - shift))).astype(float)
        before = (rng.random((before_seeds, n)) < 1 / (1 + np.exp(-hard))).astype(float)
        low, high = many.averaged_difference(after, before, 0.95)
        covered += low <= truth <= high
        wide += (high - low) / runs
    assert covered / runs >= 0.95 - monte_carlo_error(0.95, runs)
    assert wide < 4 * 1.96 * math.sqrt(0.15 / n)


def test_more_seeds_of_the_same_make_it_narrower() -> None:
    rng = np.random.default_rng(4)
    chances = rng.choice([0.5, 1.0], 300)
    after, before = ((rng.random((6, 300)) < chances).astype(float) for _ in range(2))
    few, all_ = (many.averaged_difference(after[:k], before[:k]) for k in (2, 6))
    assert all_[1] - all_[0] < 0.8 * (few[1] - few[0])


def test_under_fifty_samples_averages_say_nothing() -> None:
    right = np.ones((3, against.MINIMUM_SAMPLES - 1))
    assert many.averaged_difference(right, 0 * right) == (-1.0, 1.0)


def test_words_follow_from_the_intervals() -> None:
    rng = np.random.default_rng(5)
    first, same, better, worse = correlated(rng, [0.7, 0.7, 0.95, 0.4], 400)
    sides = {"a": [scores(first)], "b": [scores(same)], "c": [scores(better)], "d": [scores(worse)]}
    found = many.compare(sides, against="a")
    assert [difference.word for difference in found] == ["no difference shown", "better", "worse"]
    assert found[1].estimate == pytest.approx(better.mean() - first.mean())
    assert found[1].interval[0] <= found[1].estimate <= found[1].interval[1]
    assert (found[1].worsened, found[1].improved) == (((first > better).sum()), (better > first).sum())


def test_the_more_comparisons_the_wider_each_interval() -> None:
    first, second, third = correlated(np.random.default_rng(6), [0.8, 0.82, 0.8], 300)
    sides = {"a": [scores(first)], "b": [scores(second)]}
    alone = many.compare(sides, against="a")[0]
    together = many.compare({**sides, "c": [scores(third)]}, against="a")[0]
    assert together.interval[0] < alone.interval[0] < alone.interval[1] < together.interval[1]
    assert together.adjusted_p_value >= alone.adjusted_p_value


def test_rows_are_paired_by_id_whatever_their_order() -> None:
    first, second = correlated(np.random.default_rng(7), [0.8, 0.6], 90)
    given = scores(second)
    turned = Scores(given.ids[::-1], given.answers, given.targets, given.score[::-1], DATA, "b", "b")
    assert many.compare({"a": [scores(first)], "b": [given]}, against="a") == many.compare(
        {"a": [scores(first)], "b": [turned]}, against="a")


def test_seeds_tell_their_spread_apart() -> None:
    assert many.Seeds((0.9,)).deviation is None
    assert many.Seeds((0.9, 0.92, 0.94)).deviation == pytest.approx(0.02)
    assert many.Seeds((0.9, 0.92, 0.94)).mean == pytest.approx(0.92)


def test_what_does_not_fit_is_refused() -> None:
    right = np.ones(60)
    with pytest.raises(LinnetError, match="at least two sides"):
        many.compare({"a": [scores(right)]}, against="a")
    with pytest.raises(LinnetError, match="unknown reference 'c'"):
        many.compare({"a": [scores(right)], "b": [scores(right)]}, against="c")
    with pytest.raises(LinnetError, match=r"only one of them has s59"):
        many.compare({"a": [scores(right)], "b": [scores(right[:59])]}, against="a")
    other = DATA.model_copy(update={"fingerprint": "e"})
    with pytest.raises(LinnetError, match="different data"):
        many.compare({"a": [scores(right)], "b": [scores(right, data=other)]}, against="a")
    with pytest.raises(LinnetError, match="have no rows"):
        many.compare({"a": [scores(right[:0])], "b": [scores(right[:0])]}, against="a")
    with pytest.raises(LinnetError, match="has no scores"):
        many.compare({"a": [scores(right)], "b": []}, against="a")


def test_graded_scores_are_compared_by_their_means() -> None:
    rng = np.random.default_rng(8)
    first = rng.beta(4, 2, 400)
    better, same = np.clip(first + rng.normal(0.1, 0.05, 400), 0, 1), np.clip(first + rng.normal(0, 0.05, 400), 0, 1)
    found = many.compare({"a": [scores(first)], "b": [scores(better)], "c": [scores(same)]}, against="a")
    assert [difference.word for difference in found] == ["better", "no difference shown"]
    assert {difference.method for difference in found} == {against.GRADED}
    assert found[0].interval == comparisons.paired_mean_difference(better - first, 0.975)
    assert found[0].p_value == comparisons.sign_flip(better, first) == 1e-4
    assert (found[0].worsened, found[0].improved) == ((better < first).sum(), (better > first).sum())


def test_several_seeds_of_graded_scores_are_averaged() -> None:
    rng = np.random.default_rng(9)
    first, second = rng.random((2, 100)), rng.random((3, 100))
    found = many.compare({"a": [scores(row) for row in first], "b": [scores(row) for row in second]}, against="a")[0]
    assert found.interval == comparisons.paired_mean_difference(second.mean(axis=0) - first.mean(axis=0), 0.95)
    assert found.p_value == comparisons.sign_flip(second, first)


def test_one_graded_side_leaves_the_others_exact() -> None:
    rng = np.random.default_rng(10)
    first, second = correlated(rng, [0.7, 0.8], 200)
    sides = {"a": [scores(first)], "b": [scores(second)], "c": [scores(rng.random(200))]}
    assert [found.method for found in many.compare(sides, against="a")] == [against.EXACT, against.GRADED]
