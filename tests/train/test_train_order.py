from collections import Counter

import numpy as np
import pytest

from linnet import data, tasks
from linnet.errors import LinnetError
from linnet.train.order import batches, groups_of


def test_every_row_once_and_the_same_for_the_same_seed_and_epoch() -> None:
    found = batches(103, 10, seed=1, epoch=2)
    assert sorted(np.concatenate(found).tolist()) == list(range(103))
    assert [len(rows) for rows in found] == [10] * 10 + [3]
    again = batches(103, 10, seed=1, epoch=2)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))
    assert not np.array_equal(found[0], batches(103, 10, seed=1, epoch=3)[0])
    assert not np.array_equal(found[0], batches(103, 10, seed=2, epoch=2)[0])


def test_a_last_batch_of_one_row_is_left_out_but_never_the_only_one() -> None:
    assert [len(rows) for rows in batches(21, 10, seed=0, epoch=0)] == [10, 10]
    assert [len(rows) for rows in batches(1, 10, seed=0, epoch=0)] == [1]


def test_balanced_groups_come_equally_often_and_all_their_rows_do() -> None:
    groups = ["rare"] * 5 + ["common"] * 95
    found = batches(100, 10, seed=0, epoch=0, groups=groups)
    drawn = Counter(np.concatenate(found).tolist())
    assert sum(count for row, count in drawn.items() if row < 5) == 50
    assert {drawn[row] for row in range(5)} == {10}
    assert max(count for row, count in drawn.items() if row >= 5) == 1
    again = batches(100, 10, seed=0, epoch=0, groups=groups)
    assert all(np.array_equal(one, other) for one, other in zip(found, again, strict=True))


def test_similar_lengths_come_together_in_an_order_that_is_random() -> None:
    lengths = np.random.default_rng(0).uniform(1, 10, 1000)
    found = batches(1000, 10, seed=0, epoch=0, lengths=lengths)
    assert sorted(np.concatenate(found).tolist()) == list(range(1000))
    padded = sum(len(rows) * lengths[rows].max() for rows in found) / lengths.sum()
    apart = sum(len(rows) * lengths[rows].max() for rows in batches(1000, 10, seed=0, epoch=0)) / lengths.sum()
    assert padded < 1.1 < 1.5 < apart
    longest = [lengths[rows].max() for rows in found]
    assert abs(np.corrcoef(longest, np.arange(len(longest)))[0, 1]) < 0.3


def test_the_column_to_balance_by(tones: data.Splits, tone_task: tasks.Classify) -> None:
    assert groups_of(tone_task, tones.train, None) is None
    assert groups_of(tone_task, tones.train, "target") == tones.train.values("pitch")
    assert groups_of(tone_task, tones.train, "voice") == tones.train.values("voice")
    with pytest.raises(LinnetError, match="unknown column 'voices'; did you mean 'voice'"):
        groups_of(tone_task, tones.train, "voices")
    with pytest.raises(LinnetError, match="'audio' holds audio"):
        groups_of(tone_task, tones.train, "audio")
