"""Sample-ratio check: equal to the formula, exact under the null, and quick where the shares are wrong."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.sequences import SampleRatio, sample_ratio


def test_it_is_the_dirichlet_multinomial_over_the_multinomial() -> None:
    shares, counts = np.array([0.2, 0.3, 0.5]), np.array([31, 22, 60])
    expected = (stats.dirichlet_multinomial.logpmf(counts, 100 * shares, counts.sum())
                - stats.multinomial.logpmf(counts, counts.sum(), shares))
    assert sample_ratio(counts, shares) == pytest.approx(expected, abs=1e-9)


def test_under_the_null_its_mean_is_one_and_an_alarm_over_all_looks_is_rare() -> None:
    hits = np.arange(51)
    e_value = np.exp(sample_ratio(np.stack([hits, 50 - hits], axis=-1), [0.3, 0.7]))
    assert (e_value * stats.binom.pmf(hits, 50, 0.3)).sum() == pytest.approx(1, abs=1e-9)
    treated = np.random.default_rng(1).binomial(50, 0.3, (2000, 200)).cumsum(axis=1)
    counts = np.stack([treated, 50 * np.arange(1, 201) - treated], axis=-1)
    alarms = (sample_ratio(counts, [0.3, 0.7]) >= math.log(20)).any(axis=1).mean()
    assert alarms <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


def test_shares_that_are_two_points_off_are_found_within_30_000_units() -> None:
    treated = np.random.default_rng(2).binomial(30_000, 0.48, 500)
    counts = np.stack([treated, 30_000 - treated], axis=-1)
    assert (sample_ratio(counts, [0.5, 0.5]) >= math.log(1000)).mean() > 0.9


def test_look_by_look_equals_all_looks_at_once() -> None:
    batches = np.random.default_rng(3).poisson(20, (30, 3))
    stream = SampleRatio([0.3, 0.3, 0.4])
    for _ in range(2):
        looks = [float(stream.update(batch)) for batch in batches]
        assert looks == pytest.approx(sample_ratio(batches.cumsum(axis=0), [0.3, 0.3, 0.4]), abs=1e-9)
        stream.reset()


@pytest.mark.parametrize(("counts", "shares", "message"), [
    ([1, 2], [0.5, 0.6], "sum to 1"),
    ([1, 2], [1.0, 0.0], "above 0"),
    ([1], [1.0], "two or more"),
    ([1, 2], [0.5, math.nan], "finite"),
    ([1, -2], [0.5, 0.5], "no count"),
    ([1, math.nan], [0.5, 0.5], "finite"),
    ([1, 2, 3], [0.5, 0.5], "one arm for each share"),
])
def test_bad_input_is_refused_in_words(counts, shares, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        sample_ratio(counts, shares)
    with pytest.raises(LinnetError, match=message):
        SampleRatio(shares).update(counts)
