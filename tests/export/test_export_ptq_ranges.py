"""Ranges of activations, against their definitions in plain numpy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from linnet.export.ptq.grids import Grid
from linnet.export.ptq.ranges import LEVELS, Histogram, information_lost, mse, read_ranges, without_peaks


def seen(values: np.ndarray) -> Iterator[dict[str, np.ndarray]]:
    for part in np.array_split(values, 8):
        yield {"a": part.astype(np.float32)}


def found(values: np.ndarray, calibration: str) -> tuple[float, float]:
    return read_ranges(lambda: seen(values), calibration)["a"]


def error(values: np.ndarray, low: float, high: float) -> float:
    return float(np.mean((values - Grid.over((low, high)).values(values.astype(np.float32))) ** 2))


NORMAL = np.random.default_rng(0).standard_normal(100_000)
HEAVY = np.concatenate([NORMAL[:20_000], [40.0]])


def test_minmax_is_the_smallest_and_the_largest_and_holds_zero() -> None:
    assert found(np.array([-1.0, 2, 3] * 8), "minmax") == (-1, 3)
    assert found(np.array([2.0, 3] * 8), "minmax") == (0, 3)
    assert found(np.array([-2.0, -3] * 8), "minmax") == (-3, 0)


def test_a_percentile_leaves_out_its_share_of_the_values() -> None:
    low, high = found(NORMAL, "percentile")
    outside = np.mean((low > NORMAL) | (high < NORMAL))
    assert 2e-5 < outside <= 1e-4
    low, high = found(np.abs(NORMAL), "percentile")
    assert low == 0
    assert np.mean(np.abs(NORMAL) > high) <= 1e-4
    assert np.mean(np.abs(NORMAL) > high * 0.97) > 1e-4


@pytest.mark.parametrize("values", [NORMAL[:30_000], HEAVY, np.abs(HEAVY), -np.abs(HEAVY)])
def test_mse_finds_the_least_error_of_all_ranges(values: np.ndarray) -> None:
    low, high = found(values, "mse")
    own = error(values, low, high)
    others = [error(values, values.min() * a, values.max() * b)
              for a in np.linspace(0.05, 1, 25) for b in np.linspace(0.05, 1, 25)]
    assert own <= min(others) * 1.1
    assert own <= error(values, values.min(), values.max()) * 1.001


def test_one_far_value_is_cut_off_by_entropy_but_a_uniform_range_is_not() -> None:
    even = np.linspace(-1, 1, 40_000)
    low, high = found(even, "entropy")
    assert high - low > 1.9
    assert found(HEAVY, "entropy")[1] < 20


def test_a_value_that_repeats_does_not_decide_alone() -> None:
    """As in a network that hears silence for half a second: each channel answers one number."""
    values = np.abs(NORMAL)
    silence = np.full(20_000, 0.401)
    _, without = found(values, "entropy")
    _, high = found(np.concatenate([values, silence]), "entropy")
    assert high == pytest.approx(without, rel=0.05)


def test_only_peaks_are_flattened() -> None:
    counts = np.zeros(2048)
    counts[100:200] = 10
    counts[[150, 1000]] = 5000, 7
    flat = without_peaks(Histogram(np.linspace(0, 1, 2049), counts)).counts
    assert (flat[150], flat[1000]) == (20, 7)
    np.testing.assert_array_equal(np.delete(flat, 150), np.delete(counts, 150))


def test_information_lost_is_the_divergence_of_what_256_levels_say() -> None:
    counts = np.array([5.0, 0, 3, 2, 1, 9] * 100)
    histogram = Histogram(np.linspace(0, 6, 601), counts)
    p, q = counts.copy(), np.zeros(600)
    levels = np.clip(np.round(histogram.middles / 6 * 255), 0, 255).astype(int)
    for level in range(LEVELS):
        held = (levels == level) & (counts > 0)
        if held.any():
            q[held] = counts[held].sum() / held.sum()
    p, q = p / p.sum(), q / q.sum()
    real = p > 0
    assert information_lost(histogram, 0, 6) == pytest.approx(float(np.sum(p[real] * np.log(p[real] / q[real]))))


def test_values_that_are_all_zero_have_a_range() -> None:
    for calibration in ("minmax", "percentile", "mse", "entropy"):
        low, high = found(np.zeros(64), calibration)
        assert low == 0 <= high < 1e-6


def test_a_grid_holds_zero_and_rounds_halves_to_the_even_level() -> None:
    grid = Grid.over((-1.0, 3.0))
    assert grid.values(np.zeros(1, np.float32)) == 0
    assert Grid.over((2.0, 3.0)).zero == 0
    assert Grid.over((-3.0, -2.0)).zero == 255
    exact = Grid.over((0.0, 255.0))
    assert exact.integers(np.array([0.5, 1.5, 2.5, 300, -9], np.float32)).tolist() == [0, 2, 2, 255, 0]


def test_mse_of_a_histogram_is_that_of_its_middles() -> None:
    histogram = Histogram(np.linspace(-4, 4, 2049), np.histogram(NORMAL, np.linspace(-4, 4, 2049))[0].astype(float))
    low, high = mse(histogram)
    assert -4 <= low < -3
    assert 3 < high <= 4
