"""What a plan says of itself: what the arms are taken to show, and how many units one look would need to see it."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from linnet.errors import LinnetError
from linnet.watch.experiments.plan import Experiment, Metric

_USUAL_POWER = 0.8


@dataclass(frozen=True)
class Expected:
    """Both arms as the plan takes them to be, and the units of both for a power of 80 % with one look at the end."""

    control: float
    treatment: float
    deviations: tuple[float, float]
    fixed_units: int


def lacks(plan: Experiment, name: str) -> str:
    """What the plan would have to say for `expected`; empty where it says enough."""
    metric = plan.metrics[name]
    if metric.kind == "quantile":
        return "the power of a quantile depends on the whole distribution and is not reckoned"
    missing = [] if metric.baseline is not None else ["baseline"]
    if metric.deviation is None and not _is_counted(plan, metric):
        missing.append("deviation")
    if metric.role == "success" and metric.minimum_effect is None and metric.minimum_lift is None:
        missing.append("one of minimum_effect and minimum_lift")
    return f"the plan lacks {' and '.join(missing)}" if missing else ""


def expected(plan: Experiment, name: str, arm: str) -> Expected:
    """The smallest effect worth having, or for a guardrail none and its margin; LinnetError where that cannot be."""
    metric = plan.metrics[name]
    control, treatment = _truth(metric, name)
    deviations = ((control * (1 - control)) ** 0.5, (treatment * (1 - treatment)) ** 0.5) \
        if _is_counted(plan, metric) else (float(metric.deviation or 0), float(metric.deviation or 0))
    size = abs(treatment - control) if metric.role == "success" else float(metric.tolerated or 0)
    return Expected(control, treatment, deviations, _fixed_units(plan, name, arm, size, deviations))


def _is_counted(plan: Experiment, metric: Metric) -> bool:
    return metric.kind == "proportion" and plan.cluster is None


def _truth(metric: Metric, name: str) -> tuple[float, float]:
    baseline = float(metric.baseline or 0.0)
    is_relative = metric.minimum_lift is not None or metric.margin_lift is not None
    if is_relative and baseline <= 0:
        raise LinnetError(f"'{name}': a relative effect needs a baseline above 0; got {baseline:g}.")
    size = float(metric.effect or 0.0) if metric.role == "success" else 0.0
    treated = baseline + (size if metric.goal == "increase" else -size)
    if metric.kind == "proportion" and not 0 < treated < 1:
        raise LinnetError(f"'{name}': from a baseline of {baseline:g} the smallest effect leads to a rate of "
                          f"{treated:g}; a rate lies between 0 and 1.")
    return baseline, treated


def _fixed_units(plan: Experiment, name: str, arm: str, size: float, deviations: tuple[float, float]) -> int:
    """By the normal approximation, two-sided at the metric's level."""
    from scipy.special import ndtri

    control, treatment = plan.arms[plan.reference], plan.arms[arm]
    variance = (deviations[0] ** 2 / control + deviations[1] ** 2 / treatment) * (control + treatment)
    return ceil((ndtri((1 + plan.level_of(name)) / 2) + ndtri(_USUAL_POWER)) ** 2 * variance / size**2)
