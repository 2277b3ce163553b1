"""Parts by hash: the same for every order, and hardly moved by what is added."""

import random

import pytest

from linnet.data.splitting import assign
from linnet.errors import LinnetError

NAMES = [f"s{number}" for number in range(50)]


def parts(names, **given):
    return assign(names, **({"of": "speaker", "seed": 0, "validation": 0.2, "test": 0.2} | given))


def members(assigned, part):
    return {name for name, where in assigned.items() if where == part}


def test_shares_are_rounded_and_the_order_does_not_matter():
    shuffled = random.Random(1).sample(NAMES, len(NAMES))
    assert parts(NAMES) == parts(shuffled)
    assert [len(members(parts(NAMES), part)) for part in ("train", "validation", "test")] == [30, 10, 10]


def test_another_seed_is_another_split():
    assert parts(NAMES) != parts(NAMES, seed=1)


def test_what_is_added_moves_little_and_never_between_validation_and_test():
    before = parts(NAMES)
    for number in range(20):
        after = parts([*NAMES, f"one more {number}"])
        moved = [name for name in NAMES if before[name] != after[name]]
        assert len(moved) <= 2
        assert all("train" in (before[name], after[name]) for name in moved)


def test_a_stratum_of_one_is_trained_on():
    strata = [name if number < 8 else "many" for number, name in enumerate(NAMES)]
    for seed in range(5):
        assigned = parts(NAMES, strata=strata, seed=seed, validation=5, test=5)
        assert {assigned[name] for name in NAMES[:8]} == {"train"}


@pytest.mark.parametrize("count", [3, 4, 5, 6])
def test_at_least_one_each(count):
    assigned = parts(NAMES[:count])
    assert set(assigned.values()) == {"train", "validation", "test"}


def test_counts_and_names():
    assigned = parts(NAMES, validation=3, test=["s7", "s9"])
    assert members(assigned, "test") == {"s7", "s9"}
    assert len(members(assigned, "validation")) == 3


@pytest.mark.parametrize(("names", "given", "words"), [
    (NAMES[:2], {}, "2 of 'speaker' found, 3 are needed"),
    (NAMES, {"test": 40, "validation": 10}, "50 of 'speaker' found, 51 are needed"),
    (NAMES, {"test": ["s99"]}, "unknown speaker 's99'"),
    (NAMES, {"test": ["s1"], "validation": ["s1"]}, "s1 of 'speaker' would be in validation and in test"),
    (NAMES, {"test": "s1"}, "as a list"), (NAMES, {"test": []}, "as a list"),
    (NAMES, {"test": 0}, "test is a share"), (NAMES, {"test": 1.0}, "test is a share"),
    (NAMES, {"validation": -0.1}, "validation is a share"), (NAMES, {"test": True}, "test is a share"),
    (NAMES[:3], {"test": ["s0", "s1"], "validation": ["s2"]}, "at least one to train on")])
def test_what_cannot_be_split_is_refused(names, given, words):
    with pytest.raises(LinnetError, match=words):
        parts(names, **given)
