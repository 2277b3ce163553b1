"""The halves: disjoint, whole groups, the same for the same seed whatever the order of the rows."""

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence import many

LABELS = [f"speaker {number}" for number in np.random.default_rng(0).integers(0, 30, 400)]


def test_groups_stay_together_and_nothing_is_lost() -> None:
    discovery, confirmation = many.halves(LABELS)
    assert not (discovery & confirmation).any()
    assert (discovery | confirmation).all()
    first, second = ({LABELS[row] for row in np.flatnonzero(mask)} for mask in (discovery, confirmation))
    assert not first & second
    assert len(first) == len(second) == 15


def test_the_order_of_the_rows_changes_nothing_and_the_seed_does() -> None:
    discovery, _ = many.halves(LABELS, seed=3)
    order = np.random.default_rng(1).permutation(len(LABELS))
    assert (many.halves([LABELS[row] for row in order], seed=3)[0] == discovery[order]).all()
    assert (many.halves(LABELS, seed=4)[0] != discovery).any()


def test_another_share_and_never_an_empty_side() -> None:
    discovery, _ = many.halves([str(number) for number in range(100)], share=0.2)
    assert discovery.sum() == 20
    assert many.halves(["a", "b"], share=0.01)[0].sum() == 1
    assert many.halves(["a", "b"], share=0.99)[0].sum() == 1


def test_what_cannot_be_split_is_refused() -> None:
    with pytest.raises(LinnetError, match="1 group cannot be split"):
        many.halves(["a", "a"])
    with pytest.raises(LinnetError, match="share must lie above 0 and below 1"):
        many.halves(["a", "b"], share=1.0)
