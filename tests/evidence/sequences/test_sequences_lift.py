"""Relative lift: exact under every look, for random assignment and for fixed batches, and never out of step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.sequences import Lift, lift, lift_prior

RUNS, LOOKS = 2000, 100
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0146


@pytest.mark.parametrize(("rate", "batch"), [(0.5, 10), (0.05, 100), (0.01, 100), (0.001, 1000)])
def test_no_effect_is_excluded_at_any_of_100_looks_in_at_most_5_of_100_runs(rate: float, batch: int) -> None:
    successes = np.random.default_rng(1).binomial(batch, rate, (2, RUNS, LOOKS)).cumsum(axis=2)
    wrong = lift(*successes, prior=lift_prior(0.2)).excludes(0).any(axis=1).mean()
    assert wrong <= 0.05 + THREE_ERRORS


def test_a_lift_of_a_half_is_covered_at_all_looks_by_unequal_arms_whose_rates_drift() -> None:
    rng = np.random.default_rng(2)
    rate = 0.02 + 0.015 * np.sin(np.arange(LOOKS) / 5)
    control = rng.binomial(160, rate, (RUNS, LOOKS)).cumsum(axis=1)
    treatment = rng.binomial(40, 1.5 * rate, (RUNS, LOOKS)).cumsum(axis=1)
    assert lift(control, treatment, share=0.2, prior=lift_prior(0.3)).excludes(0.5).any(axis=1).mean() <= (
        0.05 + THREE_ERRORS)


@pytest.mark.parametrize("share", [0.5, 0.2])
def test_by_exact_reckoning_a_look_at_every_success_is_wrong_in_at_most_5_of_100(share: float) -> None:
    left, wrong = np.ones(1), 0.0  # the chance of each count of hits, of runs that were never wrong
    for total in range(1, 801):
        left = np.append(left, 0) * (1 - share) + np.append(0, left) * share
        hits = np.arange(total + 1)
        is_wrong = lift(total - hits, hits, share=share, prior=lift_prior(0.5)).excludes(0)
        wrong += left[is_wrong].sum()
        left[is_wrong] = 0
    assert 0.03 < wrong <= 0.05
    assert wrong + left.sum() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("rate", [0.9, 0.3, 0.01])
def test_in_a_batch_of_fixed_sizes_the_mean_of_the_e_value_is_at_most_one_and_at_random_it_is_one(rate: float) -> None:
    control, treatment = np.meshgrid(np.arange(31), np.arange(11), indexing="ij")
    chance = stats.binom.pmf(control, 30, rate) * stats.binom.pmf(treatment, 10, rate)
    e_value = np.exp(lift(control, treatment, share=0.25, prior=lift_prior(0.4)).log_e)
    assert (e_value * chance).sum() <= 1 + 1e-12
    total = 12
    hits = np.arange(total + 1)
    by_chance = np.exp(lift(total - hits, hits, share=0.25, prior=lift_prior(0.4)).log_e)
    assert (by_chance * stats.binom.pmf(hits, total, 0.25)).sum() == pytest.approx(1, abs=1e-9)


def test_an_effect_of_the_planned_size_is_found_within_the_numbers_to_reach() -> None:
    arms = np.random.default_rng(3).binomial(250, [[[0.05]], [[0.06]]], (2, RUNS, LOOKS)).cumsum(axis=2)
    found = lift(*arms, prior=lift_prior(0.01 / 0.05)).excludes(0)
    is_found = found.any(axis=1)
    assert is_found.mean() >= 0.97 - 3 * math.sqrt(0.97 * 0.03 / RUNS)
    assert np.where(is_found, found.argmax(axis=1) + 1, LOOKS).mean() * 250 <= 9500


@given(control=st.integers(0, 10**5), treatment=st.integers(0, 10**5), share=st.sampled_from([0.1, 0.5, 0.8]))
def test_interval_and_evidence_agree_and_arms_are_alike(control: int, treatment: int, share: float) -> None:
    looks = lift(control, treatment, share=share, prior=lift_prior(0.2))
    assert bool(looks.excludes(0)) == bool(looks.log_e >= math.log(20)) or abs(looks.log_e - math.log(20)) < 1e-6
    turned = lift(treatment, control, share=1 - share, prior=lift_prior(0.2))
    assert (turned.high == math.inf) == (looks.low == -1)
    if looks.low > -1 + 1e-8:
        assert (1 + looks.low) * (1 + turned.high) == pytest.approx(1, rel=1e-6)
    if control and treatment:
        assert looks.low < looks.estimate < looks.high


def test_where_nothing_was_seen_nothing_is_excluded() -> None:
    nothing, one_arm = lift(0, 0), lift(0, 50)
    assert (nothing.low, nothing.high, nothing.log_e) == (-1, math.inf, pytest.approx(0, abs=1e-12))
    assert math.isnan(nothing.estimate)
    assert one_arm.high == math.inf
    assert one_arm.low > 0


def test_look_by_look_equals_all_looks_at_once() -> None:
    batches = np.random.default_rng(4).poisson(20, (2, 30))
    stream = Lift(share=0.4, prior=lift_prior(0.1))
    for _ in range(2):
        looks = [stream.update(*batch) for batch in batches.T]
        together = lift(*batches.cumsum(axis=1), share=0.4, prior=lift_prior(0.1))
        for field in ("estimate", "low", "high", "log_e"):
            assert [float(getattr(look, field)) for look in looks] == pytest.approx(getattr(together, field), abs=1e-9)
        stream.reset()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_the_prior_peaks_at_the_planned_lift_and_at_its_inverse_whatever_the_share(share: float) -> None:
    betas = lift_prior(0.25).betas(share)
    centres = [a / (a + b) for a, b in zip(betas.a, betas.b, strict=True)]
    lifts = [centre * (1 - share) / ((1 - centre) * share) - 1 for centre in centres]
    assert lifts == pytest.approx([0.25, 1 / 1.25 - 1, 0, 0])
    assert sum(betas.weights) == pytest.approx(1)
    total = 2000
    planned = round(total * float(centres[0]))
    assert lift(total - planned, planned, share=share, prior=lift_prior(0.25)).log_e > (
        lift(total - planned, planned, share=share, prior=lift_prior(3.0)).log_e)


def test_each_metric_may_have_its_own_minimum() -> None:
    both = lift([100, 200], [120, 260], prior=lift_prior([0.1, 0.5]))
    for metric, least in enumerate((0.1, 0.5)):
        alone = lift([100, 200][metric], [120, 260][metric], prior=lift_prior(least))
        assert both.log_e[metric] == pytest.approx(alone.log_e, abs=1e-12)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: lift(-1, 3), "no count"),
    (lambda: lift([5, math.nan], 3), "expected finite numbers"),
    (lambda: lift(5, math.inf), "expected finite numbers"),
    (lambda: lift(5, 3.5), "no count"),
    (lambda: lift(5, "many"), "no numbers"),
    (lambda: lift(5, 3, share=1.0), "share must lie"),
    (lambda: lift(5, 3, level=95), "level is how sure"),
    (lambda: lift_prior(0.0), "minimum_lift is"),
    (lambda: lift_prior(math.nan), "minimum_lift is"),
    (lambda: Lift().update(4, -1), "totals that fall"),
])
def test_bad_input_is_refused_in_words(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
