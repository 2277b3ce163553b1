"""Covariates are known before anybody is shown anything, and so alike in all arms; one that is not is refused."""

from __future__ import annotations

from dataclasses import replace

from linnet.errors import LinnetError
from linnet.watch.experiments.effects import compared, estimates_of, pair_of
from linnet.watch.experiments.layout import Layout, Ratio
from linnet.watch.experiments.moments import Sums
from linnet.watch.experiments.plan import Experiment


def check_covariates(plan: Experiment, layout: Layout, sums: Sums, *, alarm: float) -> None:
    """Each covariate's mean is the same in all arms, as far as can be told; else LinnetError.

    All covariates and arms together are refused without a fault with a chance of at most `alarm`, over all looks.
    """
    asked = {name: metric.covariate for name, metric in plan.metrics.items() if metric.covariate}
    level = 1 - alarm / max(len(set(asked.values())) * len(plan.treatments), 1)
    for name, column in asked.items():
        for arm in plan.treatments:
            _check(plan, layout.metrics[name], sums, (name, column, arm), level)


def _check(plan: Experiment, ratio: Ratio, sums: Sums, names: tuple[str, str, str], level: float) -> None:
    name, column, arm = names
    pair = replace(pair_of(plan, arm, name), level=level)
    covariate = Ratio(str(ratio.covariate), ratio.covariate_denominator, None, ratio.covariate_denominator)
    first, second, _ = estimates_of(sums, covariate, pair)
    if compared(first, second, pair)[0].excludes(0).any():
        raise LinnetError(
            f"the covariate '{column}' of the metric '{name}' differs between the arms by more than chance: its mean "
            f"is {first.value[-1]:.4g} in '{plan.reference}' and {second.value[-1]:.4g} in '{arm}'. What was known "
            "before the first exposure is the same in all arms; with this one, CUPED would take part of the effect "
            "away. If it was measured after the exposure, take one from before or leave 'covariate' out of that "
            "metric; if it was not, the arms differed from the start: find out why.")
