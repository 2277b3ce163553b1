"""The verdicts on attribution maps: what adds up, what the answer hangs on, what depends on what was learned."""

from __future__ import annotations

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import Findings, attribution


def test_maps_that_add_up_are_no_finding_and_the_worst_of_the_others_comes_first() -> None:
    found = attribution.completeness([1.0, 2.2, 0.0, 5.0], [1.005, 2.0, 0.0, 4.0], ids=["a", "b", "c", "d"])
    assert found.subjects == ("d", "b")
    assert found.facts["verdict"] == "fails"
    assert found.facts["largest_error"] == pytest.approx(0.25)
    assert found.facts["like_baseline"] == 1
    assert attribution.completeness([1.0], [1.005]).facts["verdict"] == "holds"


def test_something_attributed_where_nothing_was_gained_is_wholly_wrong_and_plain_json() -> None:
    found = attribution.completeness([0.5], [0.0])
    assert found.subjects == ("0",)
    assert found["0"].evidence["error"] is None
    assert Findings.from_json(found.to_json()) == found


def curves(advantage: float, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    random = rng.uniform(0.3, 0.7, (count, 9))
    moved = advantage + rng.normal(0, 0.05, (count, 9))
    return (random - moved).clip(0, 1), (random + moved).clip(0, 1), random


KEPT = [share / 10 for share in range(1, 10)]


def test_maps_that_beat_chance_hold_and_those_that_lose_to_it_are_said() -> None:
    found = attribution.faithfulness(*curves(0.25, 60), kept=KEPT)
    assert (found.items, found.facts["verdict"]) == ((), "holds")
    found = attribution.faithfulness(*curves(-0.25, 60), kept=KEPT)
    assert found.subjects == ("deletion", "insertion")
    assert found.facts["verdict"] == "fails"
    assert "does not change the answer faster" in found["deletion"].statement


def test_too_few_samples_are_undecided() -> None:
    found = attribution.faithfulness(*curves(0.1, 3), kept=KEPT)
    assert found.facts["verdict"] == "undecided"
    assert "more samples are needed" in found["insertion"].statement


def test_maps_that_mean_nothing_pass_a_test_of_faithfulness_in_few_runs() -> None:
    held = sum(attribution.faithfulness(*curves(0.0, 20, seed), kept=KEPT).facts[part]["verdict"] == "holds"
               for seed in range(100) for part in ("deletion", "insertion"))
    assert held <= 10  # each side is exact at 2.5 %


def maps(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, 8, 8))


def test_maps_of_an_untrained_network_that_look_the_same_are_said() -> None:
    trained = maps(60, 0)
    found = attribution.sanity(trained, {"all weights": trained + 0.1 * maps(60, 1)})
    assert "would look the same from an untrained network" in found["sanity"].statement
    assert found.facts["verdict"] == "fails"
    found = attribution.sanity(trained, {"head": trained, "all weights": maps(60, 1)})
    assert (len(found), found.facts["verdict"]) == (0, "holds")
    assert found.facts["stages"]["head"] == pytest.approx(1)


def test_the_sizes_count_so_that_a_map_turned_around_is_the_same() -> None:
    assert attribution.sanity(maps(60, 0), {"all": -maps(60, 0)}).facts["verdict"] == "fails"


def test_constant_maps_are_like_no_other_and_texts_have_maps_of_any_length() -> None:
    found = attribution.sanity([[1.0, 1.0], [0.1, 0.5, 0.2]], {"all": [[1.0, 2.0], [0.1, 0.5, 0.2]]})
    assert found.facts["similarity"] == pytest.approx(0.5)
    assert found.facts["constant_maps"] == 1
    assert found.facts["verdict"] == "undecided"


def test_together_they_say_which_failed() -> None:
    found = attribution.together(attribution.completeness([1.0], [2.0]),
                                 attribution.sanity(maps(9, 0), {"a": maps(9, 1)}),
                                 attribution.faithfulness(*curves(0.25, 60), kept=KEPT))
    assert found.kind == "attribution"
    assert found.facts["failed"] == ["completeness"]
    assert set(found.facts["tests"]) == {"completeness", "sanity", "faithfulness"}
    assert "take more nodes" in found.facts["warnings"][0]


@pytest.mark.parametrize(("call", "said"), [
    (lambda: attribution.completeness([np.nan], [1.0]), "NaN or infinite"),
    (lambda: attribution.completeness([], []), "at least one sample"),
    (lambda: attribution.completeness([1.0, 2.0], [1.0]), "2 sums for 1 gains"),
    (lambda: attribution.completeness([1.0], [1.0], ids=["a", "b"]), "2 ids for 1 samples"),
    (lambda: attribution.completeness([1.0], [1.0], tolerance=2), "tolerance is a share"),
    (lambda: attribution.faithfulness([[0.1]], [[0.1]], [[0.1]], kept=[0.1, 0.2]), "must be of one shape"),
    (lambda: attribution.sanity([[1.0]], {}), "at least one randomised"),
    (lambda: attribution.sanity([[1.0]], {"a": []}), "0 maps of 'a' for 1 samples"),
    (lambda: attribution.sanity([[1.0, 2.0]], {"a": [[1.0]]}), "must have one shape"),
    (lambda: attribution.sanity([[1.0]], {"a": [[1.0]]}, limit=1), "between 0 and 1"),
])
def test_bad_input_is_said(call: object, said: str) -> None:
    with pytest.raises(LinnetError, match=said):
        call()  # type: ignore[operator]
