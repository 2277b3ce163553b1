"""Labels: the level of the tests, the run length of the alarm, and that changes are found."""

from itertools import product

import numpy as np
import pytest
from scipy import stats

from linnet.errors import LinnetError
from linnet.evidence.drift import LabelDetector, labels_differ, labels_differ_from

SHARES = {"a": 0.6, "b": 0.3, "c": 0.1}


def test_two_samples_agree_with_the_exact_test_of_a_table() -> None:
    ours = labels_differ(["y"] * 6 + ["n"] * 9, ["y"] * 11 + ["n"] * 2, permutations=19_999).p_value
    assert ours == pytest.approx(stats.fisher_exact([[6, 9], [11, 2]]).pvalue, abs=0.006)


def test_the_statistic_is_pearsons() -> None:
    result = labels_differ("aabbbcc", "abbcccccc")
    table = [[2, 3, 2], [1, 2, 6]]
    assert result.statistic == pytest.approx(stats.chi2_contingency(table, correction=False).statistic)


def test_level_with_rows_and_with_clusters() -> None:
    rng, runs, rejected = np.random.default_rng(0), 300, np.zeros(3)
    for run in range(runs):
        rejected[0] += labels_differ(rng.integers(0, 4, 60), rng.integers(0, 4, 80), permutations=99, seed=run
                                     ).p_value <= 0.05
        of = np.repeat(np.arange(24), rng.integers(2, 9, 24))
        labels = (rng.random(len(of)) < rng.beta(1, 1, 24)[of]).astype(int)
        first = of < 10
        groups = of[first].tolist(), of[~first].tolist()
        rejected[1] += labels_differ(labels[first], labels[~first], clusters=groups, permutations=99, seed=run
                                     ).p_value <= 0.05
        rejected[2] += labels_differ(labels[first], labels[~first], permutations=99, seed=run).p_value <= 0.05
    error = (0.05 * 0.95 / runs) ** 0.5
    assert (np.abs(rejected[:2] / runs - 0.05) <= 3 * error + 0.01).all()  # 0.01: the statistic is discrete
    assert (rejected[:2] / runs <= 0.05 + 3 * error).all()
    assert rejected[2] / runs > 0.12


def test_level_against_known_shares() -> None:
    rng, runs = np.random.default_rng(1), 400
    names = list(SHARES)
    p_values = [labels_differ_from(SHARES, rng.choice(names, 40, p=list(SHARES.values())), draws=199, seed=run)
                for run in range(runs)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert np.mean(np.array(p_values) <= 0.05) >= 0.01


def test_known_shares_agree_with_the_enumerated_p_value() -> None:
    expected = np.array([4.0, 2.4, 1.6])
    tables = np.array([(i, j, 8 - i - j) for i, j in product(range(9), repeat=2) if i + j <= 8])
    distance = (np.square(tables - expected) / expected).sum(axis=1)
    chances = stats.multinomial.pmf(tables, 8, expected / 8)
    observed = (np.square(np.array([2, 2, 4]) - expected) / expected).sum()
    exact = chances[distance >= observed - 1e-9].sum()
    ours = labels_differ_from({"a": 0.5, "b": 0.3, "c": 0.2}, "aabbcccc", draws=20_000)
    assert ours == pytest.approx(exact, abs=0.01)


def test_with_the_stated_shares_the_evidence_is_on_average_the_number_of_labels() -> None:
    mean = np.zeros(5)
    for stream in product(SHARES, repeat=5):
        detector = LabelDetector(SHARES, run_length=100)
        path = []
        for label in stream:
            detector.update(label)
            path.append(detector.evidence)
        mean += np.prod([SHARES[label] for label in stream]) * np.array(path)
    np.testing.assert_allclose(mean, np.arange(1, 6), rtol=1e-9)


def test_a_change_is_found_with_its_label_and_reset_forgets() -> None:
    rng = np.random.default_rng(2)
    detector = LabelDetector(SHARES, run_length=10_000)
    assert not detector.update(rng.choice(["a", "b", "c"], 500, p=[0.6, 0.3, 0.1]))
    assert detector.update(rng.choice(["a", "b", "c"], 300, p=[0.5, 0.2, 0.3]))
    assert detector.label == "c"
    assert detector.alarm_at > 500
    detector.reset()
    assert (detector.n, detector.alarm_at, detector.evidence) == (0, None, 0.0)


@pytest.mark.parametrize("shares", [
    {"a": 1.0}, {"a": 0.5, "b": 0.6}, {"a": 0.0, "b": 1.0}, {"a": float("nan"), "b": 0.5},
])
def test_shares_that_are_none_are_refused(shares: dict) -> None:
    with pytest.raises(LinnetError, match="each share above 0, together 1"):
        LabelDetector(shares)


def test_bad_labels_are_refused() -> None:
    with pytest.raises(LinnetError, match="unknown label 'd'"):
        LabelDetector(SHARES).update("d")
    with pytest.raises(LinnetError, match="no labels"):
        labels_differ_from(SHARES, [])
    with pytest.raises(LinnetError, match="got 0 and 3"):
        labels_differ([], "abc")
    with pytest.raises(LinnetError, match="at least 2"):
        LabelDetector(SHARES, run_length=0)
