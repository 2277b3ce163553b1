"""One rate: covered at every look; prior and null do what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.sequences import Proportion, proportion, running

RUNS = 400
THREE_ERRORS = 3 * math.sqrt(0.05 * 0.95 / RUNS)  # 0.0327


@pytest.mark.parametrize("rate", [0.5, 0.05, 0.01, 0.001])
def test_the_rate_is_covered_at_every_single_sample(rate: float) -> None:
    successes = (np.random.default_rng(1).random((RUNS, 1000)) < rate).cumsum(axis=1)
    looks = proportion(successes, np.arange(1, 1001), null=rate)
    wrong = looks.excludes(rate).any(axis=1)
    assert wrong.mean() <= 0.05 + THREE_ERRORS
    assert (wrong == (looks.log_e >= math.log(20)).any(axis=1)).all()
    assert running(looks).excludes(rate)[:, -1].mean() == wrong.mean()


def test_it_narrows_where_the_prior_lies() -> None:
    wide, narrow = proportion(95, 100), proportion(95, 100, prior=(95, 5))
    assert wide.low < narrow.low < 0.95 < narrow.high < wide.high


def test_without_trials_nothing_is_excluded_and_without_null_nothing_is_evidence() -> None:
    look = proportion(0, 0)
    assert (look.low, look.high, look.log_e) == (0, 1, 0)
    assert math.isnan(look.estimate)


def test_look_by_look_equals_all_looks_at_once() -> None:
    n = np.random.default_rng(2).integers(0, 30, 20)
    successes = np.random.default_rng(3).binomial(n, 0.7)
    stream = Proportion(null=0.5)
    for _ in range(2):
        looks = [stream.update(*batch) for batch in zip(successes, n, strict=True)]
        together = proportion(successes.cumsum(), n.cumsum(), null=0.5)
        for field in ("estimate", "low", "high", "log_e"):
            assert [float(getattr(look, field)) for look in looks] == pytest.approx(
                getattr(together, field), abs=1e-9, nan_ok=True)
        stream.reset()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: proportion(5, 4), "5 successes among 4 trials"),
    (lambda: proportion(5, [9, 4]), "5 successes among 4 trials"),
    (lambda: proportion(-1, 4), "no count"),
    (lambda: proportion(math.nan, 4), "finite"),
    (lambda: proportion(1, 4, null=1.0), "null must lie"),
    (lambda: proportion(1, 4, prior=(0, 1)), "parameter of prior"),
    (lambda: running(proportion(1, 4)), "no axis of time"),
    (lambda: Proportion().update(3, 2), "3 successes among 2 trials"),
])
def test_bad_input_is_refused_in_words(make, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        make()
