"""Foreign samples: the stated rates are kept, odd ones are found, and what cannot be judged is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from linnet import introspect
from linnet.errors import LinnetError
from linnet.introspect.foreign import oddness, shrunken_covariance


def classes(random: np.random.Generator, rows: int, units: int = 6) -> tuple[np.ndarray, list[str]]:
    """Rows of three classes that lie apart."""
    labels = random.integers(0, 3, rows)
    return random.normal(0, 1, (rows, units)) + 6 * np.eye(3, units)[labels], [f"c{label}" for label in labels]


def test_samples_like_the_known_ones_are_flagged_at_the_stated_rate() -> None:
    rates = []
    for seed in range(60):
        random = np.random.default_rng(seed)
        reference, labels = classes(random, 80)
        known, same = classes(random, 99)[0], classes(random, 100)[0]
        rates.append(len(introspect.out_of_distribution(reference, same, known=known, labels=labels, rate=0.1)) / 100)
    error = np.std(rates) / np.sqrt(len(rates))
    assert abs(np.mean(rates) - 0.1) <= 3 * error
    assert error < 0.01


def test_the_false_discovery_rate_is_kept_and_most_foreign_ones_are_found() -> None:
    shares, found = [], []
    for seed in range(40):
        random = np.random.default_rng(seed)
        reference, labels = classes(random, 100)
        known, same = classes(random, 400)[0], classes(random, 180)[0]
        asked = np.concatenate([same, random.normal(2, 4, (20, 6))])
        flagged = introspect.out_of_distribution(reference, asked, known=known, labels=labels, rate=0.2,
                                                 promise="false_discoveries").subjects
        shares.append(sum(int(one) < 180 for one in flagged) / max(len(flagged), 1))
        found.append(sum(int(one) >= 180 for one in flagged) / 20)
    assert np.mean(shares) <= 0.2 + 2 * np.std(shares) / np.sqrt(40)
    assert np.mean(found) > 0.8


def test_layers_together_see_what_one_does_not_and_a_finding_says_which() -> None:
    random = np.random.default_rng(0)
    reference = {"first": random.normal(size=(200, 4)), "last": random.normal(size=(200, 4))}
    asked = {"first": random.normal(size=(50, 4)), "last": random.normal(size=(50, 4))}
    asked["first"][7] += 30
    found = introspect.out_of_distribution(reference, asked, rate=0.02, ids=[f"s{row}" for row in range(50)])
    assert found.items[0].subject == "s7"
    assert found.items[0].evidence["layers"]["first"] > 5 > found.items[0].evidence["layers"]["last"]
    assert found.facts["split_reference"]
    assert found.facts["known"] == 100
    assert introspect.Findings.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_constant_columns_more_units_than_rows_and_groups_of_one_are_looked_at() -> None:
    random = np.random.default_rng(0)
    reference = np.hstack([random.normal(size=(30, 60)), np.zeros((30, 2))])
    known, asked = np.hstack([random.normal(size=(40, 60)), np.zeros((40, 2))]), reference[:3] + 0.0
    asked[1, 61] = 100.0
    scores = oddness(reference, asked, [f"c{row}" for row in range(30)])
    assert np.isfinite(scores).all()
    assert introspect.out_of_distribution(reference, asked, known=known).subjects == ("1",)


def test_where_nothing_varies_only_what_differs_is_odd() -> None:
    asked = np.ones((5, 3))
    asked[2] = 4
    assert introspect.out_of_distribution(np.ones((10, 3)), asked, known=np.ones((30, 3))).subjects == ("2",)


def test_rows_with_nan_are_left_out_and_named() -> None:
    random = np.random.default_rng(0)
    asked = random.normal(size=(6, 3))
    asked[4, 1], asked[0] = np.nan, 50
    found = introspect.out_of_distribution(random.normal(size=(100, 3)), asked)
    assert found.facts["left_out"] == ["4"]
    assert found.subjects == ("0",)


@pytest.mark.parametrize(("reference", "asked", "options", "said"), [
    (np.zeros((1, 2)), np.zeros((1, 2)), {"known": np.zeros((50, 2))}, "at least two rows"),
    (np.full((9, 2), np.nan), np.zeros((1, 2)), {}, "nan"),
    (np.zeros((90, 2)), np.zeros((1, 3)), {}, "same layers and units"),
    (np.zeros((90, 2)), {"last": np.zeros((1, 2))}, {}, "same layers and units"),
    (np.zeros((90, 2)), np.zeros((4, 2)), {"rate": 0.001}, "at least 999"),
    (np.zeros((90, 2)), np.zeros((4, 2)), {"promise": "false_alarm"}, "did you mean 'false_alarms'"),
    (np.zeros((90, 2)), np.zeros((4, 2)), {"labels": ["a"]}, "needs its label"),
    (np.zeros((90, 2)), np.zeros((2, 2)), {"ids": ["a", "a"]}, "1 of them different"),
    (np.zeros(90), np.zeros((2, 2)), {}, "rows, units"),
])
def test_what_cannot_be_judged_is_refused(reference: object, asked: object, options: dict[str, object],
                                         said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        introspect.out_of_distribution(reference, asked, **options)  # type: ignore[arg-type]


def test_the_covariance_is_that_of_ledoit_and_wolf() -> None:
    peers = pytest.importorskip("sklearn.covariance")
    rows = np.random.default_rng(0).normal(size=(40, 60)) * np.arange(1, 61)
    rows -= rows.mean(axis=0)
    np.testing.assert_allclose(shrunken_covariance(rows), peers.LedoitWolf(assume_centered=True).fit(rows).covariance_,
                               rtol=1e-9, atol=1e-9)
