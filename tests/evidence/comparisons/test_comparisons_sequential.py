"""Comparisons at every look: they hold however often one looks, stream as they batch, and find what is there."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from linnet.errors import LinnetError
from linnet.evidence.comparisons import SequentialMcNemar, SequentialPairs, sequential_mcnemar, sequential_pairs

NEEDED = math.log(1 / 0.05)


def monte_carlo_error(share: float, runs: int) -> float:
    return 3 * math.sqrt(share * (1 - share) / runs)


def changes(rng: np.random.Generator, shape: tuple[int, ...], lost: float, gained: float) -> np.ndarray:
    draw = rng.random(shape)
    return (draw > 1 - gained).astype(float) - (draw < lost)


@pytest.mark.parametrize(("worsened", "improved"), [(0, 0), (3, 12), (20, 21)])
def test_the_e_value_is_the_likelihood_averaged_over_the_prior(worsened: int, improved: int) -> None:
    def ratio(share: float) -> float:
        return float(stats.beta.pdf(share, 4, 4) * (2 * share) ** improved * (2 * (1 - share)) ** worsened)

    looks = sequential_mcnemar(worsened, improved)
    assert looks.log_e == pytest.approx(math.log(quad(ratio, 0, 1)[0]), abs=1e-8)


def test_the_interval_is_where_the_e_value_is_small() -> None:
    looks = sequential_mcnemar(10, 30)
    assert looks.low < 0.75 < looks.high
    assert (looks.low > 0.5) == (looks.log_e >= NEEDED)


def test_mcnemar_may_be_looked_at_after_every_sample() -> None:
    """500 runs of 1,000 samples, no difference: at most 0.05 + 0.03 ever say so; the fixed test far more."""
    rng, runs = np.random.default_rng(0), 500
    rows = changes(rng, (runs, 1000), 0.1, 0.1)
    worsened, improved = np.cumsum(rows < 0, axis=1), np.cumsum(rows > 0, axis=1)
    looks = sequential_mcnemar(worsened, improved)
    limit = 0.05 + monte_carlo_error(0.05, runs)
    assert (looks.log_e >= NEEDED).any(axis=1).mean() <= limit
    assert ((looks.low > 0.5) | (looks.high < 0.5)).any(axis=1).mean() <= limit
    fixed = 2 * stats.binom.cdf(np.minimum(worsened, improved), worsened + improved, 0.5)
    assert (fixed <= 0.05).any(axis=1).mean() > 0.2


def test_mcnemar_streams_as_it_batches() -> None:
    rng = np.random.default_rng(1)
    new = rng.integers(0, 5, (2, 30))
    batch, watched = sequential_mcnemar(*np.cumsum(new, axis=1), level=0.9), SequentialMcNemar(level=0.9)
    for _ in range(2):
        watched.reset()
        for at, (worsened, improved) in enumerate(new.T):
            look = watched.update(worsened, improved)
            assert look.log_e == pytest.approx(batch.log_e[at], abs=1e-9)
            assert (look.low, look.high) == pytest.approx((batch.low[at], batch.high[at]), abs=1e-9)


@pytest.mark.parametrize(("question", "truth"), [
    ("better", 0.0), ("no_worse", -0.05), ("equivalent", 0.05), ("equivalent", -0.05)])
def test_pairs_hold_at_the_edge_of_what_is_asked(question: str, truth: float) -> None:
    """300 runs of 600 pairs at the edge: at most 0.05 + 0.038 ever hold, and as many ever fail."""
    rng, runs = np.random.default_rng(2), 300
    lost, gained = 0.06 + max(-truth, 0) / 0.75, 0.06 + max(truth, 0) / 0.75
    rows = changes(rng, (runs, 600), lost, gained) * rng.choice([0.5, 1.0], (runs, 600))
    looks = sequential_pairs(rows, question=question, margin=0.0 if question == "better" else 0.05)
    assert looks.holds[:, -1].mean() <= 0.05 + monte_carlo_error(0.05, runs)
    assert looks.fails[:, -1].mean() <= 0.05 + monte_carlo_error(0.05, runs)


@pytest.mark.parametrize(("question", "margin", "lost", "gained", "expected"), [
    ("better", 0.0, 0.05, 0.2, "holds"), ("better", 0.0, 0.2, 0.05, "fails"),
    ("no_worse", 0.1, 0.05, 0.05, "holds"), ("no_worse", 0.1, 0.4, 0.05, "fails"),
    ("equivalent", 0.1, 0.05, 0.05, "holds"), ("equivalent", 0.1, 0.05, 0.4, "fails"),
    ("equivalent", 0.1, 0.4, 0.05, "fails"), ("equivalent", 0.01, 0.05, 0.05, "undecided"),
])
def test_pairs_find_what_is_there(question: str, margin: float, lost: float, gained: float, expected: str) -> None:
    rows = changes(np.random.default_rng(3), (500,), lost, gained)
    assert sequential_pairs(rows, question=question, margin=margin).verdict == expected


def test_what_was_shown_once_stays_shown() -> None:
    rows = np.concatenate([np.ones(20), -np.ones(200)])
    looks = sequential_pairs(rows, question="better")
    assert looks.holds[19]
    assert looks.holds[-1]
    assert looks.log_for[-1] < 0


def test_evidence_for_one_side_is_evidence_against_the_other_mirrored() -> None:
    rows = np.random.default_rng(4).uniform(-0.4, 0.6, 100)
    there, back = (sequential_pairs(sign * rows, question="better") for sign in (1, -1))
    assert there.log_for == pytest.approx(back.log_against)
    there, back = (sequential_pairs(sign * rows, question="equivalent", margin=0.2) for sign in (1, -1))
    assert there.log_for == pytest.approx(back.log_for)
    assert there.log_against == pytest.approx(back.log_against)


def test_the_wealth_is_a_fair_game_at_the_null() -> None:
    """Over all 3^7 sequences of -1, 0, 1 of a null the e-value is 1 on average, and below 1 further inside."""
    steps = np.array(np.meshgrid(*[[-1.0, 0.0, 1.0]] * 7)).reshape(7, -1).T
    for lost, expected in ((0.3, 1.0), (0.5, None)):
        chance = np.prod(np.where(steps < 0, lost, np.where(steps > 0, 0.3, 0.7 - lost)), axis=1)
        won = np.exp(sequential_pairs(steps, question="better").log_for[:, -1])
        mean = float(chance @ won)
        assert mean == pytest.approx(expected) if expected else mean < 0.9


def test_equivalence_fails_by_the_average_of_both_sides() -> None:
    rows = np.random.default_rng(7).uniform(-0.4, 0.6, 100)
    low, high = (sequential_pairs(sign * rows, question="no_worse", margin=0.2).log_against for sign in (1, -1))
    both = sequential_pairs(rows, question="equivalent", margin=0.2)
    assert both.log_against == pytest.approx(np.logaddexp(low, high) - math.log(2))


@pytest.mark.parametrize(("question", "margin"), [("better", 0.0), ("no_worse", 0.03), ("equivalent", 0.1)])
def test_pairs_stream_as_they_batch(question: str, margin: float) -> None:
    rows = np.random.default_rng(5).uniform(-0.6, 0.7, 90)
    batch, watched = sequential_pairs(rows, question=question, margin=margin), SequentialPairs(question, margin=margin)
    for _ in range(2):
        watched.reset()
        parts = [watched.update(rows[:1]), watched.update(float(rows[1])), watched.update(rows[2:50]),
                 watched.update(rows[50:])]
        assert watched.n == 90
        for name in ("estimate", "log_for", "log_against", "holds", "fails"):
            streamed = np.concatenate([getattr(part, name) for part in parts])
            assert streamed == pytest.approx(getattr(batch, name), abs=1e-9)


def test_leading_axes_are_runs_of_their_own() -> None:
    rows = np.random.default_rng(6).uniform(-1, 1, (2, 3, 40))
    together = sequential_pairs(rows, question="equivalent", margin=0.2)
    alone = sequential_pairs(rows[1, 2], question="equivalent", margin=0.2)
    assert together.log_for[1, 2] == pytest.approx(alone.log_for)
    assert together.holds.shape == rows.shape


@pytest.mark.parametrize(("call", "message"), [
    (lambda: sequential_mcnemar([1, -1], [1, 1]), "'worsened' holds -1, which is no count"),
    (lambda: sequential_mcnemar([1], [0.5]), "'improved' holds 0.5, which is no count"),
    (lambda: SequentialMcNemar(level=1), "level is how sure"),
    (lambda: sequential_pairs([0.5, 1.5], question="better"), "from 0.5 to 1.5; expected from -1 to 1"),
    (lambda: sequential_pairs([0.5, math.nan], question="better"), "'differences' holds nan"),
    (lambda: sequential_pairs(0.5, question="better"), "a single number"),
    (lambda: sequential_pairs([0.5], question="worse"), "unknown question 'worse'"),
    (lambda: sequential_pairs([0.5], question="better", margin=0.1), "'better' is asked against 0"),
    (lambda: sequential_pairs([0.5], question="no_worse", margin=1.0), "differ by at most 1"),
    (lambda: sequential_pairs([0.5], question="equivalent"), "margin is a share, above 0"),
])
def test_what_does_not_fit_is_refused(call, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        call()
