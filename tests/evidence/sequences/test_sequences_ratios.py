import numpy as np
import pytest

from linnet.errors import LinnetError
from linnet.evidence.sequences import adjusted, moments
from linnet.evidence.sequences.ratios import adjusted_means, ratio_moments


def columns(n: int, runs: int = 1, seed: int = 0) -> np.ndarray:
    """Numerator, denominator, covariate and its denominator of units, (runs, 4, n)."""
    rng = np.random.default_rng(seed)
    size = rng.poisson(4, (runs, n)) + 1.0
    taste = rng.beta(2, 8, (runs, n))
    return np.stack([rng.binomial(size.astype(int), taste), size, size * taste, size], axis=1).astype(np.float64)


def moments_of(rows: np.ndarray):
    centred = rows - rows.mean(axis=-1, keepdims=True)
    n = rows.shape[-1]
    return ratio_moments(np.full(rows.shape[:-2], float(n)), rows.mean(axis=-1),
                         centred @ np.swapaxes(centred, -1, -2) / (n - 1))


def test_the_error_of_a_ratio_is_that_of_its_residuals() -> None:
    rows = columns(500)[0]
    found = moments_of(rows)
    rate = rows[0].sum() / rows[1].sum()
    residual = (rows[0] - rate * rows[1]) / rows[1].mean()
    assert float(found.mean) == pytest.approx(rate)
    assert float(found.variance) == pytest.approx(residual.var(ddof=1))
    other = (rows[2] - rows[2].sum() / rows[3].sum() * rows[3]) / rows[3].mean()
    assert float(found.covariance) == pytest.approx(np.cov(residual, other)[0, 1])


def test_the_error_is_that_of_repeated_samples() -> None:
    found = moments_of(columns(400, runs=3000))
    rates, errors = found.mean, np.sqrt(found.variance / 400)
    assert np.std(rates) == pytest.approx(errors.mean(), rel=3 / (2 * 3000) ** 0.5)


def test_a_mean_is_a_ratio_over_one() -> None:
    rng = np.random.default_rng(0)
    y, x = rng.normal(size=(2, 100))
    rows = np.stack([y, np.ones(100), x, np.ones(100)])
    found, expected = moments_of(rows), moments(y, x)
    for name, value in vars(expected).items():
        assert float(getattr(found, name)) == pytest.approx(float(value)), name


def test_adjusted_arms_differ_as_adjusted_says() -> None:
    arms = [moments_of(columns(300, seed=seed)[0]) for seed in (1, 2)]
    first, second = adjusted_means(*arms)
    expected = adjusted(*arms)
    assert float(second.value - first.value) == pytest.approx(float(expected.value))
    assert float(np.hypot(first.error, second.error)) == pytest.approx(float(expected.error))
    assert float(expected.error) < float(np.sqrt(sum(arm.variance / arm.n for arm in arms)))


def test_a_ratio_over_nothing_is_nan_and_wrong_shapes_are_refused() -> None:
    found = ratio_moments(10, [1.0, 0.0, 0.0, 1.0], np.zeros((4, 4)))
    assert np.isnan(found.mean)
    assert np.isnan(found.variance)
    with pytest.raises(LinnetError, match="expected four on the last axis"):
        ratio_moments(10, [1.0, 2.0], np.zeros((2, 2)))
