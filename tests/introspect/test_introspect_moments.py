import tracemalloc
from collections.abc import Iterator

import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import Moments, principal, redundancy


def rows(count: int = 900, columns: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, columns)) @ rng.normal(size=(columns, columns))


def of(*chunks: np.ndarray) -> Moments:
    moments = Moments()
    for chunk in chunks:
        moments.update(chunk)
    return moments


@pytest.mark.parametrize("offset", [0.0, 5.0, 1e4, 1e8])
def test_any_chunks_give_the_covariance_of_the_whole_at_any_offset(offset: float) -> None:
    table = rows(9000)
    found = of(*np.split(table + offset, [1, 2, 500, 8999]))
    expected = np.cov(table.T, bias=True)
    assert found.count == 9000
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(found.mean, table.mean(axis=0) + offset, rtol=1e-13, atol=1e-7)


def test_one_pass_sums_break_where_moments_do_not() -> None:
    table = rows() + 1e8
    naive = table.T @ table / len(table) - np.outer(table.mean(axis=0), table.mean(axis=0))
    assert np.abs(naive - np.cov(rows().T, bias=True)).max() > 1
    assert np.abs(of(table).covariance - np.cov(rows().T, bias=True)).max() < 1e-6


def test_a_drifting_stream_keeps_its_digits() -> None:
    table = rows(20000) + np.linspace(0, 1e6, 20000)[:, None]
    np.testing.assert_allclose(of(*np.split(table, 40)).covariance, np.cov(table.T, bias=True), rtol=1e-9)


def test_merging_is_as_if_one_had_seen_all() -> None:
    table = rows(3000) + 1e3
    first, second = of(table[:100]), of(table[100:])
    first.merge(second)
    first.merge(Moments())
    empty = Moments()
    empty.merge(first)
    for found in (first, empty):
        assert found.count == 3000
        np.testing.assert_allclose(found.covariance, np.cov(table.T, bias=True), rtol=1e-8)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.int32, bool])
def test_other_numbers_are_taken_as_they_are(dtype: type) -> None:
    table = (10 * rows()).astype(dtype)
    np.testing.assert_allclose(of(table).covariance, np.cov(table.T.astype(float), bias=True), rtol=1e-4, atol=1e-4)


def test_memory_does_not_grow_with_the_rows() -> None:
    def peak(count: int) -> int:
        def chunks() -> Iterator[dict[str, np.ndarray]]:
            rng = np.random.default_rng(0)
            for _ in range(count):
                yield {"layer": rng.normal(size=(200, 32))}

        tracemalloc.start()
        redundancy(chunks())
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(2)
    assert peak(300) < 1.1 * peak(100)


def test_rows_that_do_not_fit_are_refused() -> None:
    with pytest.raises(LinnetError, match="call update first"):
        _ = Moments().covariance
    moments = of(rows())
    with pytest.raises(LinnetError, match="6 columns so far; got 5"):
        moments.update(rows(columns=5))
    with pytest.raises(LinnetError, match="cannot merge 5 columns"):
        moments.merge(of(rows(columns=5)))
    for bad in (np.zeros(3), np.zeros((2, 0)), np.array([["a"]])):
        with pytest.raises(LinnetError, match="must be numbers"):
            Moments().update(bad)


def test_redundancy_of_chunks_is_that_of_all_samples() -> None:
    table = rows(600, 12).astype(np.float32)
    whole = redundancy({"a": table, "b": table[:, :3]})
    chunked = redundancy({"a": part, "b": part[:, :3]} for part in np.array_split(table, 7))
    for layer in ("a", "b"):
        assert chunked[layer].evidence["most_redundant_first"] == whole[layer].evidence["most_redundant_first"]
        assert chunked[layer].evidence["effective_units"] == pytest.approx(whole[layer].evidence["effective_units"])
        assert chunked[layer].evidence["samples"] == 600


def test_redundancy_is_right_at_an_offset() -> None:
    table = rows(800)
    near, far = (redundancy({"a": table + offset})["a"].evidence for offset in (0, 1e8))
    assert far["effective_units"] == pytest.approx(near["effective_units"], rel=1e-5)
    assert far["inactive"] == []


def test_chunks_that_do_not_fit_are_refused() -> None:
    table = rows()
    with pytest.raises(LinnetError, match="the same layers"):
        redundancy([{"a": table}, {"b": table}])
    with pytest.raises(LinnetError, match="the same samples"):
        redundancy([{"a": table, "b": table[:5]}])
    with pytest.raises(LinnetError, match="at least one layer"):
        redundancy(iter([]))


def test_principal_directions_are_those_of_the_singular_values() -> None:
    table = rows(5000, 8) + 100
    found = principal(iter(np.array_split(table, 9)), 3)
    _, sizes, directions = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(found.directions), np.abs(directions[:3]), atol=1e-8)
    np.testing.assert_allclose(found.variances, sizes[:3] ** 2 / 5000)
    np.testing.assert_allclose(found.explained, (sizes**2 / (sizes**2).sum())[:3])
    np.testing.assert_allclose(found.transform(table), (table - table.mean(axis=0)) @ found.directions.T, atol=1e-9)


def test_principal_directions_in_single_precision_at_an_offset() -> None:
    table = (rows(5000, 8) + 3e3).astype(np.float32)
    found = principal(table, 2)
    exact = (table.astype(float) - table.mean(axis=0, dtype=float)) @ found.directions.T
    assert found.transform(table).dtype == np.float32
    np.testing.assert_allclose(found.transform(table), exact, atol=2e-5)


def test_principal_directions_of_bad_rows_are_refused() -> None:
    with pytest.raises(LinnetError, match="1 to 6 principal directions; got 7"):
        principal(rows(), 7)
    with pytest.raises(LinnetError, match=r"\(rows, 6\); got \(2, 5\)"):
        principal(rows(), 2).transform(np.zeros((2, 5)))
    with pytest.raises(LinnetError, match="unit 1"):
        principal(np.array([[0.0, np.nan], [1.0, 2.0]]), 1)
    assert principal(np.ones((4, 2)), 1).explained.tolist() == [0.0]
