from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest

from linnet.errors import LinnetError
from linnet.watch.experiments import Experiment, analyse
from linnet.watch.experiments.covariates import check_covariates
from linnet.watch.experiments.layout import layout_of
from linnet.watch.experiments.moments import Sums, moments_of

Make = Callable[..., Experiment]
METRIC = "\n  s: {kind: mean, value: y, covariate: x}"


def users(*, touched: float, seed: int = 0) -> pa.Table:
    """An effect of 0.5, and a covariate that the treatment has moved by a part of it."""
    rng, n = np.random.default_rng(seed), 4000
    is_new, before = rng.random(n) < 0.5, rng.normal(10, 2, n)
    return pa.table({"arm": np.where(is_new, "new", "old"), "y": before + 0.5 * is_new, "at": np.arange(n),
                     "shop": np.arange(n) // 4 * 2 + is_new,
                     "x": before + touched * 0.5 * is_new + rng.normal(0, 0.5, n)})


@pytest.mark.parametrize("changes", [{}, {"time": "at", "looks": 20}, {"cluster": "shop"}])
def test_a_covariate_that_the_treatment_has_touched_is_refused(plan: Make, changes: dict[str, object]) -> None:
    found = analyse(users(touched=0), plan(METRIC, **changes)).outcomes[0]
    assert found.absolute.estimate[-1] == pytest.approx(0.5, abs=0.05)
    with pytest.raises(LinnetError) as caught:
        analyse(users(touched=1), plan(METRIC, **changes))
    said = str(caught.value)
    assert said.startswith("the covariate 'x' of the metric 's' differs between the arms by more than chance: its mean")
    assert "leave 'covariate' out" in said


def test_where_the_split_is_broken_that_is_said_and_not_the_covariate(plan: Make) -> None:
    assert analyse(users(touched=1), plan(METRIC, arms="{old: 0.6, new: 0.4}")).assignment.alarm


@pytest.mark.parametrize("share", [0.5, 0.1])
@pytest.mark.parametrize("draw", [lambda rng, n: rng.normal(size=n), lambda rng, n: rng.exponential(size=n),
                                  lambda rng, n: rng.poisson(0.3, n).astype(float)])
def test_one_that_was_known_before_is_hardly_ever_refused(plan: Make, share: float, draw: Callable[..., np.ndarray]
                                                          ) -> None:
    """At an alarm level of 0.05, at which 200 runs tell: the level of `analyse` is 50 times stricter."""
    asked = plan(METRIC, time="at", arms=f"{{old: {1 - share}, new: {share}}}")
    rng, layout, refused = np.random.default_rng(1), layout_of(asked), 0
    items = moments_of(layout, layout.metrics, {})
    names = layout.metrics["s"].numerator, layout.metrics["s"].covariate
    for _ in range(200):
        x, is_new = draw(rng, 5000), rng.random(5000) < share
        values = {names[1]: x, names[0]: x + rng.normal(size=5000)}
        is_in = np.stack([~is_new, is_new], axis=1)
        totals = {item: (np.prod([values[name] for name in item.names], axis=0)[:, None] * is_in if item.names
                         else is_in.astype(float)).cumsum(axis=0)[49::50] for item in items}
        try:
            check_covariates(asked, layout, Sums(totals, {}), alarm=0.05)
        except LinnetError:
            refused += 1
    assert refused <= 200 * 0.05
