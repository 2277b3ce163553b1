"""Stakes are set before the number they are laid on: the whole proof rests on it."""

from __future__ import annotations

import numpy as np

from linnet.evidence.sequences.stakes import Spread


def test_stake_and_expectation_do_not_know_the_number_they_are_laid_on_nor_those_after() -> None:
    x = np.random.default_rng(0).random((1, 200))
    for at in (0, 1, 57, 199):
        other = x.copy()
        other[:, at:] = 1 - other[:, at:] / 2
        (mean, before, stake), (new_mean, new_before, new_stake) = (Spread(1, 0.05).update(each) for each in (x, other))
        assert np.array_equal(before[:, :at + 1], new_before[:, :at + 1])
        assert np.array_equal(stake[:, :at + 1], new_stake[:, :at + 1])
        assert mean[0, at] != new_mean[0, at]


def test_stakes_shrink_with_the_spread_that_was_seen() -> None:
    rng = np.random.default_rng(1)
    wide, narrow = (Spread(1, 0.05).update(0.5 + width * (rng.random((1, 500)) - 0.5))[2] for width in (1, 0.1))
    assert narrow[0, -1] > 3 * wide[0, -1]
    assert wide[0, -1] < wide[0, 20]
