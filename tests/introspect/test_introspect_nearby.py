"""The map of neighbours in numpy alone."""

from __future__ import annotations

import numpy as np
import pytest

from linnet import introspect
from linnet.introspect.features import nearby as nearby_


def groups(rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Ten groups in twelve columns, each around its own middle."""
    rng = np.random.default_rng(seed)
    of = rng.integers(10, size=rows)
    return rng.normal(0, 4, (10, 12))[of] + rng.normal(size=(rows, 12)), of


def kept(table: np.ndarray, points: np.ndarray, count: int = 10) -> float:
    """The share of each row's nearest rows that are among its nearest points."""
    near = [np.argsort(((some[:, None] - some) ** 2).sum(axis=2), axis=1)[:, 1:count + 1] for some in (table, points)]
    return float(np.mean([len(set(a) & set(b)) / count for a, b in zip(*near, strict=True)]))


def test_neighbours_stay_near_where_a_rotation_mixes_them() -> None:
    table, of = groups(500)
    mapped, rotated = (introspect.project(table, method=method) for method in ("neighbours", "pca"))
    nearest = np.argsort(((mapped[:, None] - mapped) ** 2).sum(axis=2), axis=1)[:, 1:11]
    assert (of[nearest] == of[:, None]).mean() > 0.99
    assert kept(table, mapped) > kept(table, rotated) + 0.08


def test_one_seed_gives_one_map() -> None:
    table, _ = groups(200)
    one, same, other = (introspect.project(table, method="neighbours", seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_rows_beyond_those_laid_out_join_their_own_group(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nearby_, "_LAID_OUT", 200)
    table, of = groups(1200)
    points = introspect.project(table, method="neighbours")
    nearest = np.argsort(((points[:, None] - points) ** 2).sum(axis=2), axis=1)[:, 1:11]
    assert (of[nearest] == of[:, None]).mean() > 0.95


def test_copies_and_constant_columns_are_laid_out_too() -> None:
    table = np.ones((60, 3))
    table[:30, 0] = 5
    points = introspect.project(table, method="neighbours")
    assert np.isfinite(points).all()
