"""Distances in blocks are the distances."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from linnet.errors import LinnetError
from linnet.evidence.drift import ConformalDetector, distance_to_nearest, distances


def test_against_the_whole_table(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    new, known = rng.normal(size=(37, 5)), rng.normal(size=(53, 5))
    expected = np.sort(cdist(new, known), axis=1)[:, :4].mean(axis=1)
    np.testing.assert_allclose(distance_to_nearest(new, known, neighbours=4), expected, rtol=1e-12)
    monkeypatch.setattr(distances, "_BLOCK_NUMBERS", 200)
    np.testing.assert_allclose(distance_to_nearest(new, known, neighbours=4), expected, rtol=1e-12)


def test_strange_embeddings_raise_an_alarm_and_usual_ones_do_not() -> None:
    rng = np.random.default_rng(1)
    fit, held_out = rng.normal(size=(300, 16)), rng.normal(size=(300, 16))
    detector = ConformalDetector(distance_to_nearest(held_out, fit))
    assert not detector.update(distance_to_nearest(rng.normal(size=(500, 16)), fit))
    assert detector.update(distance_to_nearest(rng.normal(0.7, 1.2, size=(100, 16)), fit))


@pytest.mark.parametrize(("new", "known", "neighbours", "message"), [
    (np.ones((3, 4)), np.ones((3, 5)), 1, "4 dimensions and the reference 5"),
    (np.ones((3, 4)), np.ones((3, 4)), 4, "from 1 to the 3 rows"),
    (np.ones(4), np.ones((3, 4)), 1, "rows, dimensions"),
    (np.ones((0, 4)), np.ones((3, 4)), 1, "at least one of each"),
    (np.full((3, 4), np.nan), np.ones((3, 4)), 1, "'embeddings' holds nan"),
])
def test_bad_embeddings_are_refused(new, known, neighbours: int, message: str) -> None:
    with pytest.raises(LinnetError, match=message):
        distance_to_nearest(new, known, neighbours=neighbours)
