"""Asking Optuna what to try next, given all that was tried: nothing is kept but the trials themselves.

Bergstra et al., Algorithms for hyper-parameter optimization, 2011 (TPE), in its form for several goals (Ozaki et al.,
Multiobjective tree-structured Parzen estimator, 2022). A study is made anew for every question, and its random numbers
come from (seed, number): so a search that was killed asks what it would have asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from linnet.errors import missing_extra
from linnet.shrink.plan import Plan
from linnet.shrink.search.proposals import Draw
from linnet.shrink.search.trial import Trial

_TRIES, _BLIND = 30, 10
"""So often another plan is asked for, where one was tried already; after some, by chance."""
_RANDOM = 5
"""So many trials are drawn blindly at first."""
_BAD = 10.0
"""What a plan that failed is told to have come to."""


@dataclass(frozen=True)
class Asked:
    """A plan and the draws that made it."""

    plan: Plan
    drawn: Mapping[str, Any]


def ask(make: Callable[[Draw, str], Plan], trials: Sequence[Trial], taken: Sequence[Plan], *, goal: str, seed: int,
        first: Sequence[Mapping[str, Any]] = ()) -> Asked | None:
    """The next plan; None where nothing new is found. `taken` are the plans that are under way or were tried.

    `first` are draws for the first questions, in their order.
    """
    number = len(taken)
    known = [plan.to_json() for plan in taken]
    for attempt in range(_TRIES):
        is_first = number < len(first) and attempt == 0
        asked = _ask(make, trials, goal, [seed, number, attempt], first[number] if is_first else {})
        if asked.plan.methods and asked.plan.to_json() not in known:
            return asked
    return None


def _ask(make: Callable[[Draw, str], Plan], trials: Sequence[Trial], goal: str, seeds: list[int],
         first: Mapping[str, Any]) -> Asked:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise missing_extra("optuna", "train") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    seed = int(np.random.default_rng(seeds).integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of experimental parts, which are for us to know
        sampler = optuna.samplers.RandomSampler(seed=seed) if seeds[-1] > _BLIND else optuna.samplers.TPESampler(
            seed=seed, n_startup_trials=_RANDOM, multivariate=True, group=True)
        study = optuna.create_study(directions=["minimize", "minimize"], sampler=sampler)
        for trial in trials:
            if trial.job.kind == "asked" and trial.job.drawn:
                study.add_trial(_told(optuna, trial, _values(trial, goal)))
        if first:
            study.enqueue_trial(dict(first))
        drawing = Drawing(study.ask())
        plan = make(drawing, goal)
    return Asked(plan, drawing.drawn)


def _values(trial: Trial, goal: str) -> list[float]:
    """(share of the goal, damage): a plan that failed is far from both; one that was pruned lost nothing but is big."""
    if trial.state == "done" and goal in trial.share:
        return [trial.share[goal], trial.damage]
    return [_BAD, 1.0]


def _told(optuna: Any, trial: Trial, values: list[float]) -> Any:
    kinds = {name: _distribution(optuna, entry) for name, entry in trial.job.drawn.items()}
    drawn = {name: entry["value"] for name, entry in trial.job.drawn.items()}
    return optuna.trial.create_trial(params=drawn, distributions=kinds, values=values)


def _distribution(optuna: Any, entry: Mapping[str, Any]) -> Any:
    if "options" in entry:
        return optuna.distributions.CategoricalDistribution(entry["options"])
    return optuna.distributions.FloatDistribution(entry["low"], entry["high"], step=entry["step"])


@dataclass
class Drawing:
    """A Draw by Optuna that writes down what was drawn, and from what, as plain JSON."""

    trial: Any
    drawn: dict[str, Any] = field(default_factory=dict)

    def choose(self, name: str, options: Sequence[Any]) -> Any:
        """One of the options."""
        value = self.trial.suggest_categorical(name, list(options))
        self.drawn[name] = {"value": value, "options": list(options)}
        return value

    def number(self, name: str, low: float, high: float, step: float) -> float:
        """A number from low to high."""
        value = float(self.trial.suggest_float(name, low, high, step=step))
        self.drawn[name] = {"value": value, "low": low, "high": high, "step": step}
        return value
