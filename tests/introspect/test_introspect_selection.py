import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.introspect import SELECTIONS, select
from linnet.introspect.features.knockoffs import gaussian_knockoffs


def planted(samples: int = 400, columns: int = 30, useful: int = 5, seed: int = 0, *,
            alike: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    covariance = alike ** np.abs(np.subtract.outer(np.arange(columns), np.arange(columns)))
    features = rng.multivariate_normal(np.zeros(columns), covariance, samples)
    return features, features[:, :useful].sum(axis=1) + rng.normal(size=samples)


@pytest.mark.parametrize("method", [pytest.param(name, marks=pytest.mark.slow) if name == "permutation" else name
                                    for name in SELECTIONS])
def test_useful_columns_come_first_for_numbers_and_classes(method: str) -> None:
    features, number = planted(alike=0.0)
    features[:, 29] = 4.0
    for target in (number, np.where(number > 0, "high", "low").tolist()):
        found = select(features, target, method=method, count=5)
        assert len({int(name) for name in found.subjects} & set(range(5))) >= 4
        assert found.facts["never_change"] == ["29"]
        assert "29" not in select(features, target, method=method, count=30).subjects


def test_redundant_columns_wait() -> None:
    features, target = planted(alike=0.0, useful=2)
    features[:, 2] = features[:, 0]
    assert set(select(features, target, method="mrmr", count=2).subjects) in ({"0", "1"}, {"2", "1"})


@pytest.mark.slow
@pytest.mark.parametrize("alike", [0.0, 0.6])
def test_knockoffs_keep_their_false_discovery_rate_and_find_most(alike: float) -> None:
    false, found = [], []
    for seed in range(60):
        features, target = planted(300, 40, 10, seed, alike=alike)
        chosen = [int(name) for name in select(features, target, method="knockoffs", rate=0.2, seed=seed).subjects]
        false.append(np.mean([place >= 10 for place in chosen]) if chosen else 0.0)
        found.append(sum(place < 10 for place in chosen) / 10)
    assert np.mean(false) <= 0.2 + 3 * np.std(false) / np.sqrt(60)
    assert np.mean(found) > 0.7


def test_mutual_information_keeps_its_rate_where_columns_are_independent() -> None:
    false = []
    for seed in range(100):
        features, target = planted(300, 40, 3, seed, alike=0.0)
        chosen = [int(name) for name in select(features, target).subjects]
        false.append(np.mean([place >= 3 for place in chosen]) if chosen else 0.0)
    assert np.mean(false) <= 0.05 + 3 * np.std(false) / np.sqrt(100)


def test_knockoffs_have_the_covariance_of_the_columns_and_not_their_own() -> None:
    table, _ = planted(20000, 4, 1, alike=0.6)
    table = (table - table.mean(axis=0)) / table.std(axis=0)
    both = np.cov(np.hstack([table, gaussian_knockoffs(table)]).T)
    np.testing.assert_allclose(both[4:, 4:], both[:4, :4], atol=0.05)
    off = ~np.eye(4, dtype=bool)
    np.testing.assert_allclose(both[:4, 4:][off], both[:4, :4][off], atol=0.05)
    assert (np.diag(both[:4, 4:]) < 0.7).all()


def test_more_columns_than_samples() -> None:
    features, target = planted(60, 90, 3, alike=0.0)
    for method in ("knockoffs", "l1", "mutual_information"):
        assert len(select(features, 5 * target, method=method)) <= 90


def test_what_cannot_be_selected_from_is_refused() -> None:
    features, target = planted()
    with pytest.raises(LinnetError, match="did you mean 'knockoffs'"):
        select(features, target, method="knockofs")
    with pytest.raises(LinnetError, match="the same for every sample"):
        select(features, ["a"] * 400)
    with pytest.raises(LinnetError, match="30 and 399"):
        select(features, target[1:])
    with pytest.raises(LinnetError, match="target holds NaN"):
        select(features, np.where(target > 1, np.nan, target))
    with pytest.raises(LinnetError, match="count between 1 and 30"):
        select(features, target, count=31)
