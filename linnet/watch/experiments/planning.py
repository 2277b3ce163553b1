"""Before anybody is shown anything: how often the plan would decide, and after how many units."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError
from linnet.evidence.power import stopping_time
from linnet.evidence.sequences import Estimate
from linnet.watch.experiments.analysis import plain
from linnet.watch.experiments.decisions import better, bounds_of, scale_of, settled
from linnet.watch.experiments.effects import Effect, Pair, compared, effect_of, pair_of
from linnet.watch.experiments.layout import Layout, layout_of
from linnet.watch.experiments.moments import ROWS, Sums, moment
from linnet.watch.experiments.plan import Experiment, Metric
from linnet.watch.experiments.sizes import Expected, expected, lacks

Floats = NDArray[np.float64]

_TIMES_FIXED = 4
_KURTOSIS = 3.0


@dataclass(frozen=True)
class Stopping:
    """One metric at its smallest effect worth having: how often it is decided, and when. Units are of both arms."""

    metric: str
    arm: str
    effect: float
    """In the metric's own unit, with its sign; 0 for a guardrail, which is asked where nothing has changed."""
    power: float
    """The share of runs in which it holds by the last look."""
    power_error: float
    """The Monte Carlo standard error of it."""
    expected_units: float
    """Units until it is decided on average; undecided runs count up to the last look."""
    median_units: float
    last_look: int
    fixed_units: int
    """What a test with one look at the end needs for a power of 80 %, for comparison."""


@dataclass(frozen=True)
class Power:
    """What the plan can decide, metric by metric and arm by arm."""

    experiment: Experiment
    runs: int
    looks: int
    seed: int
    stopping: tuple[Stopping, ...]
    notes: tuple[str, ...]

    def to_json(self) -> str:
        """Everything as JSON."""
        return json.dumps({"schema": "linnet/power/v1", **plain(self)}, allow_nan=False, ensure_ascii=False, indent=1)


def power(experiment: Experiment, *, runs: int = 1000, seed: int = 0) -> Power:
    """Simulate the plan at each metric's smallest effect, with the very decisions of `analyse`.

    The plan says the `baseline`, the smallest effect (or margin), for means and ratios the `deviation`, and the `units`
    it expects; without those the last look is at four times what one look would need. Without a time there is one look.
    Raises LinnetError where the plan says too little about every metric.

    Assumes: the baseline and deviation are near the truth; means and ratios are near normal.
    Source: simulation with the sequences of `linnet.evidence.sequences`; counted by `power.stopping_time`.
    Not for: quantiles, whose power depends on the whole distribution: replay old data with `selftest` for those.

    >>> plan = Experiment.parse('''{name: sign-up, arm: page, time: at, arms: {old: 0.5, new: 0.5}, units: 50000,
    ...     metrics: {signed_up: {kind: proportion, value: signed_up, baseline: 0.05, minimum_effect: 0.01}}}''')
    >>> found = power(plan, runs=200).stopping[0]
    >>> found.power > 0.9 and found.expected_units < 25000
    True
    """
    if runs < 1:
        raise LinnetError(f"a simulation needs at least one run; got {runs}.")
    looks, stopping, notes = experiment.looks if experiment.time else 1, [], []
    for arm in experiment.treatments:
        for name in experiment.metrics:
            missing = lacks(experiment, name)
            if missing:
                notes.append(f"{name}: {missing}")
                continue
            stopping.append(_stopping(experiment, name, arm, (runs, looks, seed)))
    if not stopping:
        raise LinnetError("the plan says too little to reckon with: " + "; ".join(dict.fromkeys(notes)))
    return Power(experiment, runs, looks, seed, tuple(stopping), tuple(dict.fromkeys(notes)))


def _stopping(plan: Experiment, name: str, arm: str, simulation: tuple[int, int, int]) -> Stopping:
    metric, layout, (runs, looks, seed) = plan.metrics[name], layout_of(plan), simulation
    truth = expected(plan, name, arm)
    pair, both = pair_of(plan, arm, name), plan.arms[plan.reference] + plan.arms[arm]
    last = max(looks, round(plan.units * both) if plan.units else _TIMES_FIXED * truth.fixed_units)
    units = np.linspace(0, last, looks + 1)[1:].round()
    pair, generator = replace(pair, control=0, treatment=1), np.random.default_rng(seed)
    if name in layout.counted:
        effect = _counted(layout, name, metric, (truth, units, pair), (runs, generator))
    else:
        effect = _estimated(truth, units, pair, (runs, generator))
    low, high = better(getattr(effect, scale_of(metric)), metric)
    bounds = bounds_of(metric)
    stops = stopping_time((low > bounds[0]) | (high < bounds[1]), units)
    rate = float(settled(low, high, metric).holds.mean())
    return Stopping(name, arm, truth.treatment - truth.control, rate, float(np.sqrt(rate * (1 - rate) / runs)),
                    stops.mean, min(stops.quantiles[1], float(last)), int(last), truth.fixed_units)


def _counted(layout: Layout, name: str, metric: Metric, setting: tuple[Expected, Floats, Pair],
             draw: tuple[int, np.random.Generator]) -> Effect:
    """Units fall to the arms by chance and succeed by chance; (runs, looks)."""
    truth, units, pair = setting
    runs, generator = draw
    new = np.diff(units, prepend=0.0).astype(np.int64)
    treated = generator.binomial(new, pair.share, (runs, len(new)))
    n = np.stack([new - treated, treated], axis=-1)
    hits = generator.binomial(n, np.array([truth.control, truth.treatment]))
    variable = layout.metrics[name].numerator
    totals = {ROWS: n.cumsum(axis=1).astype(np.float64), moment(variable): hits.cumsum(axis=1).astype(np.float64)}
    return effect_of(Sums(totals, {}), layout, name, metric, pair)


def _estimated(truth: Expected, units: Floats, pair: Pair, draw: tuple[int, np.random.Generator]) -> Effect:
    """Means of normal numbers, look by look, with the planned shares of the units; (runs, looks)."""
    runs, generator = draw
    found = []
    sides = zip((truth.control, truth.treatment), truth.deviations, (1 - pair.share, pair.share), strict=True)
    for value, deviation, share in sides:
        n = np.maximum(units * share, 1.0)
        noise = generator.normal(size=(runs, len(n))) * np.sqrt(np.diff(n, prepend=0.0))
        mean = value + deviation * noise.cumsum(axis=1) / n
        found.append(Estimate(mean, np.broadcast_to(deviation / np.sqrt(n), mean.shape),
                              np.broadcast_to(n, mean.shape), np.broadcast_to(n / _KURTOSIS, mean.shape)))
    absolute, relative = compared(found[0], found[1], pair)
    return Effect(found[0].value, found[1].value, absolute, relative, "")


