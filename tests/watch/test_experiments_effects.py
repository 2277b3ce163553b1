from collections.abc import Callable

import numpy as np
import pytest

from linnet.evidence import sequences
from linnet.watch.experiments import Experiment
from linnet.watch.experiments.decisions import scale_of
from linnet.watch.experiments.effects import effect_of, pair_of
from linnet.watch.experiments.layout import layout_of
from linnet.watch.experiments.moments import ROWS, Sums, moment

Make = Callable[..., Experiment]


def drawn(rate: float, share: float, *, runs: int = 150, looks: int = 100, units: int = 1000) -> Sums:
    """Units that fall to the second arm with the chance `share`, and succeed alike in both."""
    rng = np.random.default_rng(7)
    treated = rng.binomial(units, share, (runs, looks))
    n = np.stack([units - treated, treated], axis=-1)
    totals = {ROWS: n, moment("v0"): rng.binomial(n, rate)}
    return Sums({item: total.cumsum(axis=1).astype(np.float64) for item, total in totals.items()}, {})


@pytest.mark.parametrize("rate", [0.8, 0.5, 0.1, 0.01])
@pytest.mark.parametrize("said", ["", ", minimum_lift: 0.1", ", minimum_effect: 0.01", ", baseline: {0}"])
def test_a_split_that_is_a_little_off_decides_nothing_before_its_alarm(plan: Make, rate: float, said: str) -> None:
    """0.493 of the units where half are planned: unmended, up to half of the runs decided before the alarm rang."""
    asked = plan(f"\n  b: {{kind: proportion, value: b{said.format(rate)}}}")
    sums, metric = drawn(rate, 0.493), asked.metrics["b"]
    found = effect_of(sums, layout_of(asked), "b", metric, pair_of(asked, "new", "b"))
    is_decided = getattr(found, scale_of(metric)).excludes(0)
    rings = sequences.sample_ratio(sums.observations, [0.5, 0.5]) >= np.log(1000)
    is_early = (is_decided.cumsum(axis=1) > 0) & (rings.cumsum(axis=1) == 0)
    assert is_early.any(axis=1).mean() <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5


def test_where_the_units_do_not_speak_against_the_split_the_exact_sequences_stand_alone(plan: Make) -> None:
    asked = plan("\n  b: {kind: proportion, value: b, baseline: 0.1}")
    sums = drawn(0.1, 0.5, runs=20)
    found = effect_of(sums, layout_of(asked), "b", asked.metrics["b"], pair_of(asked, "new", "b"))
    hits, n = ([total[..., arm] for arm in (0, 1)] for total in (sums.of("v0"), sums.observations))
    lift = sequences.lift(*hits)
    difference = sequences.difference(hits[0], n[0], hits[1], n[1], prior=sequences.difference_prior(0.01, 0.1))
    in_doubt = sequences.sample_ratio(sums.observations, [0.5, 0.5]) > 0
    assert 0 < in_doubt.mean() < 0.1
    for mine, exact in ((found.relative, lift), (found.absolute, difference)):
        assert np.allclose(mine.low[~in_doubt], exact.low[~in_doubt], rtol=0, atol=1e-9)
        assert np.allclose(mine.high[~in_doubt], exact.high[~in_doubt], rtol=0, atol=1e-9)
        assert (mine.low <= exact.low + 1e-9).all()
        assert (mine.high >= exact.high - 1e-9).all()
        assert (mine.low[in_doubt] < exact.low[in_doubt] - 1e-4).any()
