"""The shares come back, their intervals cover, and what cannot be told apart is refused."""

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.drift import label_shift

CONFUSION = np.array([[0.9, 0.1, 0.05], [0.05, 0.8, 0.15], [0.05, 0.1, 0.8]])
NAMES = np.array(["a", "b", "c"])
BEFORE, AFTER = np.array([0.4, 0.3, 0.3]), np.array([0.6, 0.3, 0.1])


def rows(rng, shares, n: int, confusion=CONFUSION):
    truth = rng.choice(len(shares), n, p=shares)
    guess = (rng.random(n)[:, None] > confusion.T[truth].cumsum(axis=1)).sum(axis=1)
    return NAMES[truth], NAMES[np.minimum(guess, len(shares) - 1)]


def test_it_inverts_the_confusion_matrix() -> None:
    truth = ["a"] * 10 + ["b"] * 10
    guesses = ["a"] * 9 + ["b"] + ["b"] * 8 + ["a"] * 2
    moved = label_shift(truth * 50, guesses * 50, ["a"] * 55 + ["b"] * 45)
    assert moved.shares == pytest.approx((0.5, 0.5), abs=1e-6)  # 0.9 * 0.5 + 0.2 * 0.5 = 0.55
    assert moved.reference_shares == (0.5, 0.5)
    assert moved.weights == pytest.approx((1, 1), abs=1e-6)
    assert moved.separation == pytest.approx(np.linalg.svd([[0.9, 0.2], [0.1, 0.8]])[1][-1])


@pytest.mark.parametrize("after", [AFTER, np.array([0.97, 0.02, 0.01])])
def test_intervals_cover(after) -> None:
    rng, runs, hits, widths = np.random.default_rng(0), 150, np.zeros(3), np.zeros(3)
    shares = []
    for run in range(runs):
        truth, guesses = rows(rng, BEFORE, 300)
        moved = label_shift(truth, guesses, rows(rng, after, 300)[1], draws=400, seed=run)
        hits += (np.array(moved.low) <= after) & (after <= np.array(moved.high))
        assert sum(moved.shares) == pytest.approx(1, abs=1e-6)
        shares.append(moved.shares)
        widths += (np.array(moved.high) - np.array(moved.low)) / runs
    if min(after) > 0.05:  # the limits 0 and 1 cut nothing off; as wide as the estimates scatter, and not wider
        assert widths == pytest.approx(2 * 1.96 * np.std(shares, axis=0), rel=0.25)
    assert (hits / runs >= 0.95 - 0.06).all()


def test_intervals_of_clusters_cover_and_are_wider() -> None:
    rng, runs, hits, rows_hit = np.random.default_rng(1), 100, np.zeros(3), np.zeros(3)
    for run in range(runs):
        sides = []
        for shares in (BEFORE, AFTER):
            own = [rows(rng, rng.dirichlet(4 * shares), 15) for _ in range(20)]
            sides.append(tuple(np.concatenate(part) for part in zip(*own, strict=True)))
        (truth, guesses), (_, new) = sides
        of = np.repeat(np.arange(20), 15).tolist()
        clustered = label_shift(truth, guesses, new, clusters=(of, of), draws=400, seed=run)
        independent = label_shift(truth, guesses, new, draws=400, seed=run)
        hits += (np.array(clustered.low) <= AFTER) & (np.array(clustered.high) >= AFTER)
        rows_hit += (np.array(independent.low) <= AFTER) & (np.array(independent.high) >= AFTER)
    assert (hits / runs >= 0.87).all()
    assert (rows_hit / runs < 0.87).any()


def test_few_clusters_exclude_nothing() -> None:
    rng = np.random.default_rng(2)
    truth, guesses = rows(rng, BEFORE, 180)
    of = np.repeat(np.arange(9), 20).tolist()
    moved = label_shift(truth, guesses, guesses, clusters=(of, of))
    assert (moved.low, moved.high) == ((0.0,) * 3, (1.0,) * 3)


def test_a_model_that_never_errs_is_still_unsure() -> None:
    moved = label_shift("ab" * 30, "ab" * 30, "a" * 40)
    assert moved.shares == pytest.approx((1, 0), abs=1e-6)
    assert moved.low[0] < 0.97


def test_labels_that_cannot_be_told_apart_are_refused_by_name() -> None:
    rng = np.random.default_rng(3)
    blind = np.array([[0.9, 0.05, 0.05], [0.05, 0.5, 0.5], [0.05, 0.45, 0.45]])
    truth, guesses = rows(rng, BEFORE, 400, blind)
    with pytest.raises(LinnetError, match=r"do not show that the model tells '[bc]' from '[bc]'"):
        label_shift(truth, guesses, guesses)


@pytest.mark.parametrize(("true", "predicted", "new", "options", "message"), [
    ("ab", "abb", "ab", {}, "2 true, 3 predicted, 2 new"),
    ("", "", "ab", {}, "0 true"),
    ("ab", "ab", "", {}, "0 new"),
    ("ab" * 20, "ab" * 20, "abc", {}, "label 'c' is predicted, but no validation row truly has it"),
    ("ab" * 20, "ab" * 20, "ab", {"clusters": ("a", "bb")}, "every row needs a cluster"),
    ("ab" * 20, "ab" * 20, "ab", {"level": 1.0}, "level is how sure"),
])
def test_bad_input_is_refused(true, predicted, new, options: dict, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        label_shift(true, predicted, new, **options)
