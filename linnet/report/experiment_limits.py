"""What stands beside the figures of an experiment: how sure all of it is, what was assumed, what it does not say."""

from __future__ import annotations

from linnet.report.counting import counted, in_words, listed, percent, plural
from linnet.report.experiment_words import noun, when
from linnet.watch.experiments import Analysis


def control_of_error(analysis: Analysis) -> list[str]:
    """How sure all of it together is, and what looking often costs."""
    plan = analysis.experiment
    success = [name for name, metric in plan.metrics.items() if metric.role == "success"]
    arms = f" in {in_words(len(plan.treatments))} arms" if len(plan.treatments) > 1 else ""
    said = ["The intervals hold at every look together: look as often as you like and stop when you like. A usual test "
            "allows one look, at a time fixed beforehand."]
    if success:
        together = counted(len(success), "success metric") + arms
        said.append(f"All answers on the {together} are {percent(plan.level)} sure together"
                    + (": the error is shared out between them." if len(success) * len(plan.treatments) > 1 else "."))
    if len(success) < len(plan.metrics):
        said.append(f"Each guardrail is {percent(plan.level)} sure by itself{arms and ', over the arms together'}: all "
                    "of them must hold, so a mistake in one cannot make a bad change pass more often than that. That "
                    "one of several is called harmed by mistake may happen more often.")
    said.append("The difference and the lift of a metric each hold by themselves, not both at once; it is decided on "
                "the one that the plan asks about.")
    return [*said, "The check of the split gives a false alarm in one of 1,000 experiments."]


def assumptions(analysis: Analysis) -> list[str]:
    """What must be true for the figures to hold."""
    plan, units = analysis.experiment, noun(analysis.experiment)
    randomised = plural(plan.cluster.replace("_", " ")) if plan.cluster else units
    said = [f"Chance alone decided which of the {randomised} got {_either(list(plan.arms))}, in the planned shares. "
            "The check of the split tests the shares, not the chance.",
            f"What one of the {randomised} does is not changed by what others got."]
    if plan.unit is None:
        said.append("Every row is a unit of its own: no user stands in two rows.")
    if plan.window is not None:
        after = plan.window if isinstance(plan.window, str) else f"{plan.window:g} (in the unit of {plan.time})"
        said.append(f"One of the {units} counts {after} after the first event, with what happened until then.")
    covariates = sorted({metric.covariate for metric in plan.metrics.values() if metric.covariate})
    if covariates:
        said.append(f"{listed(covariates)} {'was' if len(covariates) == 1 else 'were'} known before anybody was shown "
                    "anything. A mean that differs between the arms beyond chance would have been refused.")
    return said + [f"{metric}: {method}." for method, metric in _methods(analysis).items()]


def limits(analysis: Analysis) -> list[str]:
    """What the figures do not say."""
    plan, units = analysis.experiment, noun(analysis.experiment)
    until = f" up to {when(analysis, -1)}" if analysis.times is not None else ""
    said = [f"They speak of {units} like these{until}. What is new wears off, and what is learned comes later: a "
            "difference of the first weeks need not stay.",
            "They say nothing of metrics that are not in the plan, nor of parts of the users. Whoever looks through "
            "many parts will find one that looks different."]
    if any(found.decision == "undecided" for found in analysis.outcomes):
        said.append("Not decided is not the same as no difference: the interval says how large it may still be.")
    if any(found.decision != "undecided" for found in analysis.outcomes):
        said.append("At the moment of a decision the estimate tends to be too large. Plan with the near end of the "
                    "interval.")
    if any(found.role == "guardrail" and found.decision == "holds" for found in analysis.outcomes):
        said.append("A guardrail that is not harmed may be a little worse, by less than its margin.")
    if any(plan.metrics[found.metric].kind == "ratio" for found in analysis.outcomes):
        said.append("A ratio is the sum over all divided by the sum over all: those who do more count for more.")
    return said


def _methods(analysis: Analysis) -> dict[str, str]:
    """Each method with the metrics that it was used for."""
    found: dict[str, list[str]] = {}
    for outcome in analysis.outcomes:
        if outcome.metric not in found.setdefault(outcome.method, []):
            found[outcome.method].append(outcome.metric)
    return {method: listed(metrics) for method, metrics in found.items()}


def _either(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"
