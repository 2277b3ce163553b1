"""Bounded means: covered at every number, narrower with less spread, and the same in pieces as at once."""

from __future__ import annotations

import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.sequences import BoundedMean, bounded_mean, proportion

METHODS = ["betting", "empirical_bernstein"]
RUNS = 1000
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0207


def draws(kind: str, shape: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Numbers from 0 to 1 and their true mean."""
    rng = np.random.default_rng(5)
    if kind == "skewed":
        return rng.beta(0.2, 1.8, shape), 0.1
    return (rng.random(shape) < float(kind)).astype(np.float64), float(kind)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["0.5", "0.05", "0.001", "skewed"])
def test_the_mean_is_covered_at_every_single_number(kind: str, method) -> None:
    x, mean = draws(kind, (RUNS, 500))
    looks = bounded_mean(x, method=method, null=mean, points=20)
    assert (looks.log_e >= math.log(20)).any(axis=1).mean() <= 0.05 + THREE_ERRORS
    assert looks.excludes(mean).any(axis=1).mean() <= 0.05 + THREE_ERRORS


@pytest.mark.parametrize("method", METHODS)
def test_in_two_steps_the_mean_of_the_e_value_is_at_most_one(method) -> None:
    values, chances = np.array([0.0, 0.3, 1.0]), np.array([0.5, 0.3, 0.2])
    pairs = np.stack(np.meshgrid(values, values, indexing="ij"), axis=-1).reshape(-1, 2)
    weight = np.outer(chances, chances).ravel()
    e_value = np.exp(bounded_mean(pairs, method=method, null=float(values @ chances), points=10).log_e[:, -1])
    assert (e_value * weight).sum() <= 1 + 1e-12
    if method == "betting":
        assert (e_value * weight).sum() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_it_narrows_and_less_spread_makes_it_narrower(method) -> None:
    rng = np.random.default_rng(6)
    wide = bounded_mean(rng.random(4000), method=method)
    narrow = bounded_mean(0.5 + (rng.random(4000) - 0.5) / 10, method=method)
    width = narrow.high - narrow.low
    assert (np.diff(width) <= 0).all()
    assert width[-1] < 0.005 < 0.03 < wide.high[-1] - wide.low[-1] < 0.05


def test_betting_is_the_narrower_of_the_two_on_skewed_numbers() -> None:
    x, _ = draws("skewed", (40, 500))
    betting, closed = (bounded_mean(x, method=method) for method in METHODS)
    assert (betting.high - betting.low)[:, -1].mean() < (closed.high - closed.low)[:, -1].mean()
    counts = proportion(np.arange(1, 501), np.arange(1, 501))
    assert bounded_mean(np.ones(500)).low[-1] < counts.low[-1]


@pytest.mark.parametrize("method", METHODS)
def test_in_pieces_equals_all_at_once(method) -> None:
    x, _ = draws("skewed", (3, 301))
    together = bounded_mean(x, method=method, null=0.2, points=100)
    stream = BoundedMean(method=method, null=0.2, points=100)
    for row in range(3):
        pieces = [stream.update(x[row, start:stop]) for start, stop in ((0, 1), (1, 1), (1, 200), (200, 301))]
        for field in ("estimate", "low", "high", "log_e"):
            whole = np.concatenate([getattr(piece, field) for piece in pieces])
            assert whole == pytest.approx(getattr(together, field)[row], abs=1e-9)
        stream.reset()


def test_without_null_there_is_no_evidence_and_leading_axes_are_kept() -> None:
    looks = bounded_mean(np.full((2, 3, 4), 0.25), points=10)
    assert looks.low.shape == (2, 3, 4)
    assert (looks.log_e == 0).all()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: bounded_mean([0.5, 1.5]), "from 0 to 1: scale"),
    (lambda: bounded_mean([-0.1, 0.5]), "from 0 to 1: scale"),
    (lambda: bounded_mean([0.5, math.nan]), "finite"),
    (lambda: bounded_mean(0.5), "single number"),
    (lambda: bounded_mean([0.5], method="beting"), "did you mean 'betting'"),
    (lambda: bounded_mean([0.5], points=3), "candidate means"),
    (lambda: bounded_mean([0.5], null=0), "null must lie"),
    (lambda: bounded_mean([0.5], level=0.2), "level is how sure"),
    (lambda: BoundedMean().update([2.0]), "from 0 to 1: scale"),
])
def test_bad_input_is_refused_in_words(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
