"""Bets on both arms at once: fair under every difference, exact at every look, found to the last digit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.sequences import Difference, difference, difference_prior, lift_prior
from linnet.evidence.sequences.balanced_bets import Capital, stakes

RUNS, LOOKS = 300, 30
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0378
PRIOR = difference_prior(0.05, 0.3)


@pytest.mark.parametrize(("control", "treatment"), [(0.3, 0.3), (0.1, 0.9), (0.9, 0.1), (0.02, 0.05), (0.0, 1.0)])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_mean_of_the_capital_is_one_at_random_and_at_most_one_in_fixed_batches(
    control: float, treatment: float, sign: int
) -> None:
    share, delta = 0.25, treatment - control
    a, b = np.meshgrid(np.arange(13), np.arange(5), indexing="ij")
    capital = Capital.of((a, 12 - a, b, 4 - b), stakes(PRIOR, share))
    fixed = stats.binom.pmf(a, 12, control) * stats.binom.pmf(b, 4, treatment)
    assert (np.exp(capital.log(np.full(a.shape, delta), sign)[0]) * fixed).sum() <= 1 + 1e-12
    cells = np.array([(i, j, k, 6 - i - j - k) for i in range(7) for j in range(7 - i) for k in range(7 - i - j)])
    chances = [(1 - share) * control, (1 - share) * (1 - control), share * treatment, share * (1 - treatment)]
    capital = Capital.of(tuple(cells.T), stakes(PRIOR, share))
    value = np.exp(capital.log(np.full(len(cells), delta), sign)[0])
    assert (value * stats.multinomial.pmf(cells, 6, chances)).sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("control", "treatment", "share", "batch"), [
    (0.3, 0.3, 0.5, 100), (0.8, 0.85, 0.2, 100), (0.001, 0.001, 0.5, 1000), (0.3, 0.2, 0.5, 50)])
def test_the_true_difference_is_covered_at_all_looks_though_rates_drift(
    control: float, treatment: float, share: float, batch: int
) -> None:
    rng = np.random.default_rng(5)
    sizes = [round(batch * part) for part in (1 - share, share)]
    drift = 0.1 * np.sin(np.arange(LOOKS) / 3) if 0.15 < control < 0.85 and treatment < 0.85 else 0.0
    arms = [rng.binomial(size, rate + drift, (RUNS, LOOKS)).cumsum(axis=1)
            for size, rate in zip(sizes, (control, treatment), strict=True)]
    n = [size * np.arange(1, LOOKS + 1) for size in sizes]
    looks = difference(arms[0], n[0], arms[1], n[1], share=share, prior=PRIOR)
    assert looks.excludes(treatment - control).any(axis=1).mean() <= 0.05 + THREE_ERRORS


@given(n=st.sampled_from([100, 10**4, 10**8]), parts=st.tuples(st.floats(0, 1), st.floats(0, 1)),
       share=st.sampled_from([0.01, 0.5, 0.9]), baseline=st.sampled_from([0.001, 0.3, 0.999]))
def test_the_ends_are_where_the_capital_is_just_enough(
    n: int, parts: tuple[float, float], share: float, baseline: float
) -> None:
    sizes = round((1 - share) * n), round(share * n)
    first, second = (round(part * size) for part, size in zip(parts, sizes, strict=True))
    looks = difference(first, sizes[0], second, sizes[1], share=share, prior=difference_prior(0.02, baseline))
    capital = Capital.of(tuple(map(np.array, (first, sizes[0] - first, second, sizes[1] - second))),
                         stakes(difference_prior(0.02, baseline), share))
    for end, sign in ((looks.low, 1), (looks.high, -1)):
        if abs(end) < 1:
            assert capital.log(np.asarray(end), sign)[0] >= math.log(40)
            assert capital.log(np.asarray(end + sign * 2e-10), sign)[0] < math.log(40)
    assert -1 <= looks.low <= looks.estimate <= looks.high <= 1
    assert bool(looks.excludes(0)) <= bool(looks.log_e >= math.log(20))


def test_capital_falls_as_the_difference_grows() -> None:
    delta = np.linspace(-1, 1, 2001)
    for counts in ((30, 70, 40, 60), (0, 100, 5, 95), (100, 0, 90, 10)):
        capital = Capital.of(tuple(np.full(2001, count) for count in counts), stakes(PRIOR, 0.4))
        for sign in (1, -1):
            value, slope = capital.log(delta, sign)
            assert (np.diff(value) * sign <= 0).all()
            numeric = np.diff(value) / np.diff(delta)
            # but for the few steps across a kink, where a centre leaves the range from 0 to 1
            assert np.isclose(numeric, (slope[1:] + slope[:-1]) / 2, rtol=0.03, atol=0.1).mean() > 0.99


@pytest.mark.parametrize(("rate", "ratio"), [(0.05, 0.95), (0.5, 0.85), (0.8, 0.5)])
def test_it_is_narrower_than_by_the_lift(rate: float, ratio: float) -> None:
    n, hits, more = 10_000, round(rate * 10_000), round((rate + 0.01) * 10_000)
    bets = difference(hits, n, more, n, prior=difference_prior(0.01, rate))
    by_lift = difference(hits, n, more, n, prior=lift_prior(0.01 / rate))
    assert bets.high - bets.low < ratio * (by_lift.high - by_lift.low)


def test_a_baseline_far_off_costs_width_and_no_more() -> None:
    right, wrong = (difference(5000, 10_000, 5300, 10_000, prior=difference_prior(0.02, baseline))
                    for baseline in (0.5, 0.01))
    assert right.low > 0
    assert wrong.high - wrong.low < 2 * (right.high - right.low)


def test_look_by_look_equals_all_looks_at_once() -> None:
    rng = np.random.default_rng(6)
    n = rng.integers(100, 200, 20)
    new = rng.binomial(n, 0.3), n, rng.binomial(n, 0.5), n
    stream = Difference(prior=PRIOR)
    looks = [stream.update(*batch) for batch in zip(*new, strict=True)]
    together = difference(*(values.cumsum() for values in new), prior=PRIOR)
    for field in ("estimate", "low", "high", "log_e"):
        assert [float(getattr(look, field)) for look in looks] == pytest.approx(getattr(together, field), abs=1e-9)


def test_where_nothing_was_seen_nothing_is_excluded() -> None:
    nothing = difference(0, 0, 0, 0, prior=PRIOR)
    assert (nothing.low, nothing.high, nothing.log_e) == (-1, 1, pytest.approx(0, abs=1e-12))
    assert math.isnan(nothing.estimate)


@pytest.mark.parametrize(("given", "message"), [
    ((0.0, 0.5), "minimum_effect must be"),
    ((1.0, 0.5), "below 1"),
    ((0.1, 0.0), "baseline must lie"),
    ((0.1, math.nan), "baseline must lie"),
])
def test_a_prior_that_is_none_is_refused_in_words(given: tuple[float, float], message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        difference_prior(*given)
