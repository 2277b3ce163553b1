"""The user's own metric as A/A: how often the decision rule finds something where there is nothing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.intervals import binomial
from linnet.progress import Progress
from linnet.watch.experiments import checks
from linnet.watch.experiments.analysis import plain
from linnet.watch.experiments.decisions import scale_of
from linnet.watch.experiments.effects import Pair, effect_of, estimates_of, pair_of
from linnet.watch.experiments.gather import Gathered, gather, opened
from linnet.watch.experiments.layout import Layout
from linnet.watch.experiments.moments import ROWS, Aggregate, Sums, moments_of
from linnet.watch.experiments.plan import Experiment, Metric
from linnet.watch.experiments.tables import ARM, TIME, Table

Floats = NDArray[np.float64]

MOST_UNITS = 100_000
"""Of so many units at most the runs are made; more are drawn by chance, and said."""
_AT_ONCE = 100
_FEWEST_UNITS = 20


@dataclass(frozen=True)
class FalsePositives:
    """How often one metric showed a difference at any look, although both arms were the same."""

    metric: str
    rate: float
    interval: tuple[float, float]
    """Of the rate, exact (Clopper-Pearson), at 95 %."""
    naive_rate: float
    """The same of a z-test at every look, as is often done."""
    naive_interval: tuple[float, float]
    units: int
    """Units (or clusters) of the control arm that were shared out anew in every run."""


@dataclass(frozen=True)
class SelfTest:
    """The plan's metrics replayed as A/A on the units of one arm."""

    experiment: Experiment
    arm: str
    runs: int
    looks: int
    seed: int
    nominal: float
    """The rate that the plan allows: 1 minus its level."""
    metrics: tuple[FalsePositives, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps({"schema": "linnet/selftest/v1", **plain(self)}, allow_nan=False, ensure_ascii=False,
                          indent=1)


def selftest(table: Any, experiment: Experiment, *, runs: int = 2000, looks: int = 100, seed: int = 0,
             progress: Progress | None = None) -> SelfTest:
    """Share the units of the control arm out anew, `runs` times, and look `looks` times at each metric.

    Every difference that is then found is a false one. The rate of runs that find any is held against that of a z-test
    at every look. The table is checked as `analyse` does. Intervals are at the plan's level, undivided.

    Assumes: the units of the control arm are like those that will come.
    Source: Kohavi, Tang and Xu, Trustworthy online controlled experiments, Cambridge, 2020 (chapter 19, A/A tests).
    Not for: proving that assignment works: the arms here are made by us. The sample-ratio check of `analyse` does.

    >>> import pyarrow
    >>> plan = Experiment.parse('''{name: sign-up, arm: page, arms: {old: 0.5, new: 0.5},
    ...     metrics: {signed_up: {kind: proportion, value: signed_up, minimum_lift: 0.2}}}''')
    >>> users = pyarrow.table({"page": ["old", "new"] * 2000, "signed_up": [0, 0, 0, 1, 1, 1, 0, 1] * 500})
    >>> found = selftest(users, plan, runs=200).metrics[0]
    >>> found.rate <= 0.05 < found.naive_rate
    True
    """
    if runs < 1 or looks < 1:
        raise LinnetError(f"a self-test needs at least one run and one look; got {runs} and {looks}.")
    tell = progress or (lambda *_: None)
    with opened(table, threads=1) as source:  # drawn alike however many cores there are
        gathered = gather(source, experiment, progress=progress)
        values, notes = _units_of_control(source, experiment, gathered)
    units = len(next(iter(values.values())))
    if units < max(_FEWEST_UNITS, looks):
        raise LinnetError(f"the arm '{experiment.reference}' has {units:,} units; a self-test with {looks} looks needs "
                          f"at least {max(_FEWEST_UNITS, looks)}.")
    layout, items = gathered.layout, moments_of(gathered.layout, gathered.layout.metrics, gathered.grids)
    products = _products(items, values, gathered.sums.shifts, units)
    pairs = {name: _pair(experiment, name) for name in experiment.metrics}
    share = next(iter(pairs.values())).share
    ours, naive = (dict.fromkeys(experiment.metrics, 0) for _ in range(2))
    generator = np.random.default_rng(seed)
    for done in range(0, runs, _AT_ONCE):
        tell(done, runs, "sharing out anew")
        shared = _shared_out(products, min(_AT_ONCE, runs - done), looks, share, generator)
        sums = Sums(dict(zip(items, np.moveaxis(shared, -1, 0), strict=True)), gathered.sums.shifts)
        for name, metric in experiment.metrics.items():
            found = effect_of(sums, layout, name, metric, pairs[name], gathered.grids.get(name, ()))
            ours[name] += int(getattr(found, scale_of(metric)).excludes(0).any(axis=-1).sum())
            naive[name] += int(_z_test(sums, layout, name, metric, pairs[name]).any(axis=-1).sum())
    tell(runs, runs, "done")
    metrics = tuple(_false_positives(name, ours[name], naive[name], runs, units) for name in experiment.metrics)
    return SelfTest(experiment, experiment.reference, runs, looks, seed, 1 - experiment.level, metrics, tuple(notes))


def _pair(plan: Experiment, metric: str) -> Pair:
    """As `analyse` pairs the arms of the metric, with two arms only and at the plan's level."""
    return replace(pair_of(plan, plan.treatments[0], metric), control=0, treatment=1, level=plan.level)


def _units_of_control(table: Table, plan: Experiment, gathered: Gathered) -> tuple[dict[str, Floats], list[str]]:
    """The variables of the control arm's units, in the order of their time."""
    layout, notes = gathered.layout, []
    arms = {checks.arm_of(row): row for row in table.aggregate(layout, (ROWS,), "observations", by_arm=True)}
    control = arms[plan.reference]
    names = list(dict.fromkeys(name for ratio in layout.metrics.values() for name in ratio.names))
    share = MOST_UNITS / int(control[ROWS])
    if share < 1:
        notes.append(f"{MOST_UNITS:,} of the {control[ROWS]:,} units of '{plan.reference}' were drawn by chance.")
    values = table.values(layout, [*names, *([TIME] if layout.time else [])], arm=control[ARM],
                          share=share if share < 1 else None)
    order = np.argsort(values.pop(TIME), kind="stable") if layout.time else slice(None)
    return {name: column[order] for name, column in values.items()}, notes


def _products(items: Sequence[Aggregate], values: Mapping[str, Floats], shifts: Mapping[str, float], units: int
              ) -> Floats:
    """What each unit adds to each aggregate, (units, aggregates)."""
    products = np.ones((units, len(items)))
    for place, item in enumerate(items):
        if item.kind == "at_most":
            products[:, place] = values[item.names[0]] <= item.bound
        for name in item.names if item.kind == "sum" else ():
            products[:, place] *= values[name] - shifts.get(name, 0.0)
    return products


def _shared_out(products: Floats, runs: int, looks: int, share: float, generator: np.random.Generator) -> Floats:
    """Totals of both arms up to each look in every run, (runs, looks, arms, aggregates)."""
    units, items = products.shape
    ends = np.linspace(0, units, looks + 1).round().astype(int)
    totals = np.empty((runs, looks, 2, items))
    for look, (start, end) in enumerate(itertools.pairwise(ends)):
        is_treated = generator.random((runs, end - start), dtype=np.float32) < share
        totals[:, look, 1] = is_treated.astype(np.float64) @ products[start:end]
        totals[:, look, 0] = products[start:end].sum(axis=0) - totals[:, look, 1]
    return np.asarray(totals.cumsum(axis=1))


def _z_test(sums: Sums, layout: Layout, name: str, metric: Metric, pair: Pair) -> NDArray[np.bool_]:
    """Where a z-test finds a difference, as if the look were the only one; a quantile's by counts below one value."""
    from scipy.special import ndtri

    if metric.kind == "quantile" or name in layout.counted:
        value, error = _difference_of_counts(sums, layout, name, metric)
    else:
        first, second, _ = estimates_of(sums, layout.metrics[name], pair)
        value, error = second.value - first.value, np.hypot(first.error, second.error)
    return np.asarray(np.abs(value) > float(ndtri((1 + pair.level) / 2)) * np.where(error > 0, error, np.inf))


def _difference_of_counts(sums: Sums, layout: Layout, name: str, metric: Metric) -> tuple[Floats, Floats]:
    variable, n = layout.metrics[name].numerator, np.maximum(sums.observations, 1.0)
    is_counted = name in layout.counted
    rates = (sums.of(variable) if is_counted else _counts_nearest(sums, variable, float(metric.quantile or 0))) / n
    return rates[..., 1] - rates[..., 0], np.asarray(np.sqrt((rates * (1 - rates) / n).sum(axis=-1)))


def _counts_nearest(sums: Sums, variable: str, quantile: float) -> Floats:
    """The counts below the value of the grid that comes nearest to the quantile of all units."""
    below = [values for item, values in sums.totals.items() if item.kind == "at_most" and item.names == (variable,)]
    everybody = float(sums.observations[0, -1].sum())
    return min(below, key=lambda values: abs(float(values[0, -1].sum()) / everybody - quantile))


def _false_positives(name: str, ours: int, naive: int, runs: int, units: int) -> FalsePositives:
    return FalsePositives(name, ours / runs, binomial(ours, runs), naive / runs, binomial(naive, runs), units)
