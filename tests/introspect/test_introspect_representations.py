import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import cka, inactive, pfa, redundancy


def units(samples: int = 2000, count: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(samples, count))


def gram_cka(x: np.ndarray, y: np.ndarray) -> float:
    """Over samples, as in the paper's definition."""
    centre = np.eye(len(x)) - 1 / len(x)
    k, m = centre @ x @ x.T @ centre, centre @ y @ y.T @ centre
    return float((k * m).sum() / np.linalg.norm(k) / np.linalg.norm(m))


def test_minibatches_give_exactly_the_value_of_all_samples() -> None:
    x = units(300, 7) + 50
    y = np.tanh((x - 50) @ units(7, 5, seed=1)) - 3
    found = cka({"x": part_x, "y": part_y} for part_x, part_y in zip(
        np.array_split(x, 11), np.array_split(y, 11), strict=True))
    assert found["x & y"].evidence["cka"] == pytest.approx(gram_cka(x, y), rel=1e-9)
    assert found.facts["samples"] == 300


def test_a_rotated_layer_is_the_same_and_independent_layers_are_chance() -> None:
    x = units(4000, 6)
    turned = 3 * x @ np.linalg.qr(units(6, 6, seed=2))[0] + 7
    found = cka({"x": x, "turned": turned, "other": units(4000, 6, seed=5)})
    assert found.subjects[0] == "x & turned"
    assert found["x & turned"].evidence["cka"] == pytest.approx(1)
    other = found["x & other"].evidence
    assert other["cka"] == pytest.approx(other["by_chance"], rel=0.5)


def test_two_models_are_compared_layer_by_layer() -> None:
    x = units(500, 4)
    found = cka({"a": x[:, :2], "b": x[:, 2:]}, {"a": 2 * x[:, :2], "c": x})
    assert {item.subject for item in found} == {"a & a", "a & c", "b & a", "b & c"}
    assert found["a & a"].evidence["cka"] == pytest.approx(1)


def test_a_layer_that_never_changes_is_alike_to_nothing() -> None:
    found = cka({"x": units(50), "dead": np.full((50, 3), 2.0) + 1e-15 * units(50, 3)})
    assert found["x & dead"].evidence["cka"] == 0
    assert found.facts["never_change"] == ["dead"]


def test_cka_of_other_samples_is_refused() -> None:
    with pytest.raises(LinnetError, match="the same samples"):
        cka({"a": units(5)}, {"a": units(6)})
    with pytest.raises(LinnetError, match="ended before the other"):
        cka([{"a": units(5)}, {"a": units(5)}], [{"a": units(5)}])
    with pytest.raises(LinnetError, match="look at fewer layers"):
        cka({"a": np.zeros((2, 10_000)), "b": np.zeros((2, 10_000))})
    with pytest.raises(LinnetError, match="unit 3"):
        cka({"a": units(5), "b": np.where(np.arange(8) == 3, np.nan, units(5))})


def test_silent_units_are_counted_over_chunks() -> None:
    table = np.maximum(units(1000, 5), 0)
    table[:, 1] = 0
    table[:, 3] = 0
    table[7, 3] = 2.0
    found = inactive(({"a": part, "b": np.abs(units(len(part), 2)) + 1} for part in np.array_split(table, 3)),
                     share=0.99)
    seen = found["a"].evidence
    assert found.subjects == ("a",)
    assert seen["never"] == [1]
    assert seen["rarely"] == [3]
    np.testing.assert_allclose(seen["silent_share"], (table == 0).mean(axis=0))
    counts = (table == 0).sum(axis=1)
    assert (seen["mean_inactive"], seen["sd_inactive"]) == pytest.approx((counts.mean(), counts.std()))
    assert found.facts["mean_inactive"]["b"] == 0


def test_nothing_silent_is_said_and_broken_units_too() -> None:
    table = units(40, 3)
    table[2, 1] = np.nan
    found = inactive({"a": table})
    assert not len(found)
    assert found.facts["broken"] == {"a": [1]}
    with pytest.raises(LinnetError, match="share"):
        inactive({"a": table}, share=0)
    with pytest.raises(LinnetError, match="samples, units"):
        inactive({"a": np.zeros(3)})
    with pytest.raises(LinnetError, match="3 units so far; got 2"):
        inactive([{"a": table}, {"a": table[:, :2]}])


def test_pfa_keeps_what_holds_the_energy() -> None:
    independent = units(20000, 4)
    found = redundancy({"copied": np.hstack([independent, independent]), "free": independent})
    assert pfa(found, energy=0.99) == {"copied": sorted(found["copied"].evidence["most_redundant_first"][:4])}
    assert {index % 4 for index in range(8) if index not in pfa(found, energy=0.99)["copied"]} == {0, 1, 2, 3}


def test_pfa_by_divergence_goes_from_all_to_one() -> None:
    independent = units(20000, 6)
    found = redundancy({"free": independent, "same": independent[:, [0] * 6],
                        "half": independent[:, [0, 0, 0, 1, 1, 1]]})
    going = pfa(found, recipe="kl")
    assert "free" not in going
    assert len(going["same"]) == 5
    assert len(going["half"]) == 3  # log 2 / log 6 of 6 units, rounded up
    assert len(pfa(redundancy({"dead": np.zeros((9, 3))}))["dead"]) == 2


def test_pfa_refuses_what_it_does_not_know() -> None:
    found = redundancy({"a": units()})
    with pytest.raises(LinnetError, match="did you mean 'energy'"):
        pfa(found, recipe="enrgy")
    with pytest.raises(LinnetError, match="above 0"):
        pfa(found, energy=1.2)
    with pytest.raises(LinnetError, match="'inactive'"):
        pfa(inactive({"a": units()}))
