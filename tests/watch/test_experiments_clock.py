import numpy as np
import pytest

from linnet.watch.experiments.clock import Bins, clock


def looks_of(times: np.ndarray, looks: int) -> tuple[list[int], tuple[float, ...], int]:
    """Units of each look, the ends of the looks, and how often the units were counted."""
    calls = []

    def places(bins: Bins) -> np.ndarray:
        return np.clip(np.floor((times - bins.origin) * bins.rate), 0, bins.number - 1).astype(int)

    def count(bins: Bins) -> np.ndarray:
        calls.append(bins)
        return np.bincount(places(bins), minlength=bins.number)

    found = clock(float(times.min()), float(times.max()), looks, count)
    look = np.array(found.look_of_bin)[places(found.bins)]
    assert (np.diff(look[np.argsort(times)]) >= 0).all()
    for number, end in enumerate(found.ends):
        assert (times[look == number] <= end).all()
    return np.bincount(look, minlength=found.looks).tolist(), found.ends, len(calls)


@pytest.mark.parametrize(("times", "most"), [
    (np.random.default_rng(0).random(100_000), 1.1), (np.random.default_rng(0).exponential(size=100_000), 1.6),
    (np.arange(100_000.0) * 7 - 5e6, 1.1)])
def test_looks_have_about_as_many_units(times: np.ndarray, most: float) -> None:
    units, ends, _ = looks_of(times, 50)
    assert len(units) == 50
    assert sum(units) == 100_000
    assert max(units) < most * min(units)
    assert ends[-1] == times.max()


def test_a_strange_time_far_away_does_not_hide_the_others() -> None:
    times = np.append(np.random.default_rng(0).random(50_000) * 1000 + 1.7e9, [0.0, 4e9])
    units, _, calls = looks_of(times, 20)
    assert len(units) == 20
    assert max(units) < 1.25 * min(units)
    assert 2 <= calls <= 4


def test_equal_times_are_one_look_and_no_look_is_empty() -> None:
    units, _, _ = looks_of(np.repeat([1.0, 2.0, 5.0], [10, 500, 40]), 100)
    assert units == [10, 500, 40]


def test_one_time_is_one_look() -> None:
    units, ends, calls = looks_of(np.full(30, 7.0), 10)
    assert (units, ends, calls) == ([30], (7.0,), 0)
