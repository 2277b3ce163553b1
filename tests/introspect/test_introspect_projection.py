import importlib.util

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import project


def blobs(rows: int = 60, columns: int = 8, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 6 * rng.normal(size=(3, columns))[np.arange(rows) % 3] + rng.normal(size=(rows, columns))


@pytest.mark.parametrize(("rows", "columns"), [(60, 8), (20, 90)])
def test_principal_directions_are_those_of_the_singular_values(rows: int, columns: int) -> None:
    table = blobs(rows, columns) + 1e3
    centred = table - table.mean(axis=0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    found = project(table, dimensions=3)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.abs(found), np.abs(left[:, :3] * sizes[:3]), atol=1e-4)


def test_a_large_table_is_sketched_as_well_as_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = project(blobs(300, 200))
    monkeypatch.setattr("linnet.introspect.features.projection._EXACT", 50)
    np.testing.assert_allclose(project(blobs(300, 200)), exact, atol=1e-3)


@pytest.mark.parametrize("method", ["pca", "random"])
def test_one_seed_gives_one_map_and_keeps_groups_apart(method: str) -> None:
    table = blobs(90, 40)
    found = project(table, method=method, dimensions=5, seed=3)
    np.testing.assert_array_equal(found, project(table, method=method, dimensions=5, seed=3))
    distances = np.linalg.norm(found[:, None] - found[None], axis=2) + np.diag(np.full(90, np.inf))
    assert (distances.argmin(axis=1) % 3 == np.arange(90) % 3).mean() > 0.95


def test_random_maps_keep_distances_on_average() -> None:
    table = np.random.default_rng(0).normal(size=(40, 300))
    found = project(table, method="random", dimensions=30, seed=1)
    before, after = (np.linalg.norm(values[:20] - values[20:], axis=1) for values in (table, found))
    assert np.mean(after / before) == pytest.approx(1, abs=0.1)


def test_constant_columns_lie_in_one_point() -> None:
    assert not project(np.full((5, 3), 7.0)).any()


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(LinnetError, match="did you mean 'pca'"):
        project(blobs(), method="pcaa")
    with pytest.raises(LinnetError, match="1 to 1 dimensions"):
        project(blobs(columns=1))
    broken = blobs()
    broken[4, 1] = np.nan
    with pytest.raises(LinnetError, match="row 4"):
        project(broken)
    with pytest.raises(LinnetError, match="samples, columns"):
        project(np.zeros(5))
    with pytest.raises(LinnetError, match="must be numbers"):
        project(np.array([["a", "b"], ["c", "d"]]))


@pytest.mark.slow
@pytest.mark.parametrize("method", ["umap", "pacmap"])
def test_maps_of_neighbours_keep_groups_together(method: str) -> None:
    pytest.importorskip(method)
    found = project(blobs(90, 60), method=method)
    distances = np.linalg.norm(found[:, None] - found[None], axis=2) + np.diag(np.full(90, np.inf))
    assert (distances.argmin(axis=1) % 3 == np.arange(90) % 3).mean() > 0.95
    np.testing.assert_array_equal(found, project(blobs(90, 60), method=method))
    with pytest.raises(LinnetError, match="more than 15 samples"):
        project(blobs(15), method=method)


@pytest.mark.parametrize(("method", "package"), [("umap", "umap"), ("pacmap", "pacmap")])
def test_a_map_of_neighbours_needs_its_extra(method: str, package: str) -> None:
    if importlib.util.find_spec(package):
        pytest.skip(f"{package} is here")
    with pytest.raises(LinnetError, match=r"linnet\[maps\]"):
        project(blobs(), method=method)
