import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from linnet.errors import LinnetError
from linnet.introspect import concept, probe, responding_units


def planted(samples: int = 300, columns: int = 6, gap: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, samples)
    features = rng.normal(size=(samples, columns))
    features[:, 0] += gap * (labels == 1)
    features[:, 1] += gap * (labels == 2)
    return features, labels


def test_a_probe_reads_what_is_there_and_not_what_is_not() -> None:
    features, labels = planted(gap=4)
    found = probe({"speaks": features, "silent": features[:, 2:]}, labels.tolist())
    assert found.subjects == ("speaks", "silent")
    speaks, silent = (found[name].evidence for name in ("speaks", "silent"))
    assert speaks["accuracy"] > 0.9
    assert speaks["p_value"] == pytest.approx(1 / 21)
    assert speaks["selectivity"] > 0.5
    assert silent["p_value"] > 0.05
    low, high = speaks["interval"]
    assert low < speaks["accuracy"] < high


def test_a_speaker_in_both_parts_would_be_recognised_and_groups_prevent_it() -> None:
    rng = np.random.default_rng(1)
    speakers = np.repeat(np.arange(20), 15)
    labels = (np.arange(20) % 2)[speakers]  # the label says nothing but who speaks
    features = (5 * rng.normal(size=(20, 30)))[speakers] + rng.normal(size=(300, 30))
    assert probe(features, labels).items[0].evidence["accuracy"] > 0.9
    found = probe(features, labels, groups=speakers).items[0].evidence
    assert found["p_value"] > 0.05
    assert found["interval"][1] - found["interval"][0] > 0.2


@pytest.mark.slow
def test_probes_of_noise_claim_no_more_than_their_level() -> None:
    rng = np.random.default_rng(2)
    low = [probe(rng.normal(size=(60, 4)), rng.integers(0, 2, 60), controls=19).items[0].evidence["p_value"] <= 0.05
           for _ in range(200)]
    assert np.mean(low) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_more_columns_than_samples_and_constant_ones() -> None:
    features, labels = planted(80, 200, gap=6)
    features[:, 5] = 3.0
    assert probe(features, labels).items[0].evidence["accuracy"] > 0.5


def test_each_of_a_few_groups_is_a_fold() -> None:
    features, labels = planted(40)
    assert probe(features, labels, groups=np.arange(40) // 2 % 4).facts["folds"] == 4


def test_probes_that_cannot_be_judged_are_refused() -> None:
    features, labels = planted(40)
    with pytest.raises(LinnetError, match="two different labels; got 1"):
        probe(features, [1] * 40)
    with pytest.raises(LinnetError, match="3 or more; got 2"):
        probe(features, labels, groups=np.arange(40) % 2)
    with pytest.raises(LinnetError, match="one sample or group only"):
        probe(features, [0] * 39 + [1])
    with pytest.raises(LinnetError, match="40 samples and there are 39"):
        probe(features, labels[:39])
    with pytest.raises(LinnetError, match="NaN"):
        probe(np.where(features > 1.5, np.nan, features), labels)


def test_a_concept_is_found_with_its_direction() -> None:
    rng = np.random.default_rng(0)
    without = rng.normal(size=(60, 10)) * np.linspace(0.5, 2, 10)
    having = rng.normal(size=(40, 10)) * np.linspace(0.5, 2, 10)
    having[:, 3] += 3
    found = concept(having, without, draws=60)
    assert np.argmax(np.abs(found["concept"].evidence["direction"])) == 3
    assert found["concept"].evidence["direction"][3] > 0
    assert found.facts["auroc"] > 0.9


@pytest.mark.slow
def test_concepts_of_random_splits_are_rarely_found() -> None:
    rng = np.random.default_rng(3)
    found = [len(concept(rng.normal(size=(12, 5)), rng.normal(size=(14, 5)), draws=39)) for _ in range(60)]
    assert np.mean(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_concepts_need_the_same_columns_and_samples() -> None:
    with pytest.raises(LinnetError, match="the same columns; got 3 and 4"):
        concept(np.zeros((9, 3)), np.zeros((9, 4)))
    with pytest.raises(LinnetError, match="at least 5"):
        concept(np.zeros((4, 3)), np.zeros((9, 3)))
    assert not len(concept(np.zeros((9, 3)), np.zeros((9, 3)), draws=20))


def test_units_that_answer_to_a_label_are_named() -> None:
    features, labels = planted(400, 8, gap=1.5)
    found = responding_units([{"layer": features[:150]}, {"layer": features[150:]}], labels)
    assert {"layer[0] & 1", "layer[1] & 2"} <= set(found.subjects)
    assert found["layer[0] & 1"].evidence["auroc"] == pytest.approx(
        mannwhitneyu(features[labels == 1, 0], features[labels != 1, 0]).statistic
        / ((labels == 1).sum() * (labels != 1).sum()))
    assert found.facts["questions"] == 24


def test_areas_have_the_p_values_of_mann_and_whitney_with_ties() -> None:
    from linnet.introspect.representations.concepts import _one_against_rest

    rng = np.random.default_rng(0)
    table, codes = rng.integers(0, 4, (90, 3)).astype(float), rng.integers(0, 2, 90)
    _, p_values = _one_against_rest(table, codes, 2)
    expected = [mannwhitneyu(table[codes == 1, unit], table[codes == 0, unit], method="asymptotic",
                             use_continuity=False).pvalue for unit in range(3)]
    np.testing.assert_allclose(p_values[1], expected, rtol=1e-9)


def test_the_listed_units_keep_their_false_discovery_rate() -> None:
    rates = []
    for seed in range(60):
        features, labels = planted(200, 40, gap=1.2, seed=seed)
        found = responding_units({"layer": features}, labels)
        rates.append(np.mean([int(item.evidence["unit"] > 1) for item in found]) if len(found) else 0)
    assert np.mean(rates) <= 0.05 + 3 * np.std(rates) / np.sqrt(60)


def test_dead_units_answer_to_nothing() -> None:
    assert not len(responding_units({"layer": np.zeros((50, 3))}, [0, 1] * 25))
    with pytest.raises(LinnetError, match="50 samples and there are 4"):
        responding_units({"layer": np.zeros((50, 3))}, [0, 1, 0, 1])
