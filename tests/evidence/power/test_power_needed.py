"""The search, and what the answer says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linnet.evidence.power import Needed, smallest
from linnet.evidence.power.needed import in_100


@given(st.integers(1, 10**7), st.integers(1, 1000))
def test_the_smallest_that_decides(edge: int, start: int) -> None:
    assert smallest(lambda n: n >= edge, start) == max(edge, start)


def test_nothing_decides() -> None:
    assert smallest(lambda n: False, 3) is None


def test_sentences() -> None:
    none = str(Needed(None, "samples", 0.0, 0.95, "of it"))
    assert none == "No number of samples within reach suffices to be 95 % sure of it."
    clusters = str(Needed(12, "clusters", 0.8999, 0.9, "of it", 480))
    assert clusters == "12 clusters (480 samples) suffice in 89 of 100 tries to be 90 % sure of it."


@pytest.mark.parametrize(("share", "words"), [(0.8, "80 in 100"), (0.001, "0.1 in 100"), (0.999, "99.9 in 100")])
def test_shares_in_words(share: float, words: str) -> None:
    assert in_100(share) == words
