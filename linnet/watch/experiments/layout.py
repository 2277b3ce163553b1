"""Which numbers of every unit are needed, and how the rows of a unit become one: from the plan, for any database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from linnet.watch.experiments.plan import Experiment, Metric

Combine = Literal["sum", "max"]

ONE = "one"
"""The constant 1: its sum is the number of observations."""
SIZE = "size"
"""How many units a cluster has."""


@dataclass(frozen=True)
class Variable:
    """One number of every observation: a column, and how a unit's rows become one."""

    name: str
    column: str
    combine: Combine
    cap: float | None
    is_binary: bool
    is_covariate: bool


@dataclass(frozen=True)
class Ratio:
    """A metric as a ratio of two sums over observations; a mean is a ratio whose denominator is ONE (or SIZE)."""

    numerator: str
    denominator: str
    covariate: str | None
    covariate_denominator: str

    @property
    def names(self) -> tuple[str, ...]:
        """The variables, each once, without ONE."""
        given = (self.numerator, self.denominator, *((self.covariate, self.covariate_denominator)
                                                     if self.covariate else ()))
        return tuple(name for name in dict.fromkeys(given) if name and name != ONE)


@dataclass(frozen=True)
class Layout:
    """The columns of a table by their part in the experiment, and the variables its metrics need."""

    arm: str
    arms: tuple[str, ...]
    unit: str | None
    time: str | None
    cluster: str | None
    window: float | None
    variables: tuple[Variable, ...]
    metrics: Mapping[str, Ratio]
    counted: frozenset[str]
    """The metrics of which only successes are counted: proportions of units that were randomised one by one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that must be there."""
        keys = (self.arm, self.unit, self.time, self.cluster)
        return tuple(dict.fromkeys([*filter(None, keys), *(variable.column for variable in self.variables)]))

    @property
    def whole(self) -> str:
        """The variable that counts the units of an observation."""
        return ONE if self.cluster is None else SIZE


def layout_of(plan: Experiment) -> Layout:
    """The layout of a plan: each column is read once for each way it is used."""
    seen: dict[tuple[str, Combine, float | None, bool, bool], str] = {}

    def variable(column: str | None, combine: Combine = "sum", cap: float | None = None, *, is_binary: bool = False,
                 is_covariate: bool = False) -> str:
        key = (str(column), combine, cap, is_binary, is_covariate)
        return seen.setdefault(key, f"v{len(seen)}")

    def ratio(metric: Metric) -> Ratio:
        whole = ONE if plan.cluster is None else SIZE
        covariate = variable(metric.covariate, "max", is_covariate=True) if metric.covariate else None
        if metric.kind == "ratio":
            return Ratio(variable(metric.numerator, cap=metric.cap), variable(metric.denominator), covariate, whole)
        is_binary = metric.kind == "proportion"
        return Ratio(variable(metric.value, "max" if is_binary else "sum", metric.cap, is_binary=is_binary), whole,
                     covariate, whole)

    metrics = {name: ratio(metric) for name, metric in plan.metrics.items()}
    variables = tuple(Variable(name, *key) for key, name in seen.items())
    counted = frozenset(name for name, metric in plan.metrics.items()
                        if metric.kind == "proportion" and plan.cluster is None)
    return Layout(plan.arm, tuple(plan.arms), plan.unit, plan.time, plan.cluster, plan.window_length, variables,
                  metrics, counted)
