import logging
import time

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import Findings, redundancy


def independent(samples: int, units: int) -> np.ndarray:
    return np.random.default_rng(units).normal(size=(samples, units))


def order(responses: np.ndarray) -> list[int]:
    return redundancy({"layer": responses})["layer"].evidence["most_redundant_first"]


def effective(responses: np.ndarray) -> float:
    return redundancy({"layer": responses})["layer"].evidence["effective_units"]


def test_independent_units_all_do_work() -> None:
    assert effective(independent(20000, 8)) == pytest.approx(8, abs=0.05)


def test_copies_are_one_unit_whatever_their_scale_and_offset() -> None:
    unit = independent(500, 1)
    assert effective(np.hstack([unit, 3 * unit + 5, -unit])) == pytest.approx(1)


def test_two_pairs_of_copies_are_two_units() -> None:
    units = independent(50000, 2)
    assert effective(np.hstack([units, units])) == pytest.approx(2, abs=0.01)


def test_one_copy_goes_first_and_the_other_stays_to_the_end_of_its_kind() -> None:
    units = independent(2000, 6)
    found = order(np.hstack([units, units[:, [2]]]))
    assert found[0] == 6
    assert 2 not in found[:2]


def test_dead_units_come_first_and_do_not_hide_copies() -> None:
    units = independent(1000, 4)
    dead = np.zeros((1000, 1))
    responses = np.hstack([dead, units, np.full((1000, 1), 0.3, dtype=np.float32), units[:, [1]]])
    found = redundancy({"layer": responses})["layer"].evidence
    assert found["inactive"] == [0, 5]
    assert found["most_redundant_first"][:3] == [0, 5, 6]
    assert sorted(found["most_redundant_first"]) == list(range(7))


def test_a_sum_of_three_units_is_seen_though_no_pair_is_alike() -> None:
    units = independent(4000, 5)
    responses = np.hstack([units, units[:, :3].sum(axis=1, keepdims=True)])
    assert order(responses)[0] in {0, 1, 2, 5}


def test_a_constant_in_float32_counts_as_inactive_and_a_faint_unit_does_not() -> None:
    responses = np.hstack([np.full((300, 1), 0.1), 1e-5 * independent(300, 1)]).astype(np.float32)
    assert redundancy({"layer": responses})["layer"].evidence["inactive"] == [0]


def test_a_layer_without_any_active_unit() -> None:
    found = redundancy({"layer": np.zeros((10, 3))})["layer"].evidence
    assert found["effective_units"] == 0
    assert found["most_redundant_first"] == [0, 1, 2]
    assert found["explained"] == {"90": 0, "95": 0, "99": 0}


def test_explained_counts_directions() -> None:
    units = independent(50000, 3)
    found = redundancy({"layer": np.hstack([units, units])})["layer"].evidence
    assert found["explained"]["99"] == 3


def test_the_most_redundant_layer_comes_first_and_findings_survive_json() -> None:
    unit = independent(500, 1)
    found = redundancy({"wide": independent(500, 4), "narrow": np.hstack([unit, unit])})
    assert [finding.subject for finding in found] == ["narrow", "wide"]
    assert Findings.from_json(found.to_json()) == found


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_broken_unit_is_named(bad: float) -> None:
    responses = independent(50, 4)
    responses[3, 2] = bad
    with pytest.raises(LinnetError, match="unit 2"):
        redundancy({"conv1": responses})


@pytest.mark.parametrize("shape", [(5,), (1, 4), (5, 0), (2, 3, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(LinnetError, match="samples, units"):
        redundancy({"conv1": np.zeros(shape)})
    with pytest.raises(LinnetError, match=r"at least one layer.* the family has no layers whose channels can be"):
        redundancy({})


def test_too_few_samples_are_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="linnet"):
        redundancy({"conv1": independent(8, 16)})
    assert "8 samples are too few to tell 16 units apart" in caplog.text


def test_a_wide_layer_takes_less_than_a_second() -> None:
    responses = independent(2000, 256) @ independent(256, 256)
    before = time.process_time()
    redundancy({"layer": responses})
    assert time.process_time() - before < 1
