"""From a table and a plan to an Analysis."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from linnet.evidence import Verdict, sequences
from linnet.progress import Progress
from linnet.watch.experiments.analysis import Analysis, Assignment, Outcome
from linnet.watch.experiments.covariates import check_covariates
from linnet.watch.experiments.decisions import FREQUENT, decide, verdict_of_arm
from linnet.watch.experiments.effects import effect_of, pair_of, worth_of
from linnet.watch.experiments.gather import Gathered, gather, opened
from linnet.watch.experiments.plan import Experiment

ALARM = 0.001
"""How often the sample-ratio check rings without a fault, at most; and how often a sound covariate is refused."""


def analyse(table: Any, experiment: Experiment, *, threads: int | None = None, progress: Progress | None = None
            ) -> Analysis:
    """Hold a table against the plan. `table` is a path (Parquet, CSV, a glob), a pyarrow Table or an Ibis table.

    Rows of a unit are added up first, and its time is that of its first row. `threads` is for DuckDB (None: as many as
    there are). Raises LinnetError where the table is not what the plan says: a missing column, an arm that the plan
    does not know, a unit in two arms, a value that is no number, a row after the end, a covariate that differs between
    the arms.

    A change passes by mistake on some success metric, or over one guardrail that is harmed, each with a chance of at
    most 1 - level. That some guardrail fails by mistake is held for each of them only, not for all together.

    Assumes: units (or clusters, where those were randomised) are independent and fell to the arms by chance, in the
        planned shares; what a unit did is counted whole from its first row on. Without a window late units have had
        less time, in all arms alike; and where rows still come in for units of earlier looks, those looks are remade
        with them each time this is run: one decision, at the last of the runs, keeps its error; stopping at the
        first of many runs that decides need not.
    Source: the sequences of `linnet.evidence.sequences`; success metrics share the error by Bonferroni, guardrails
        each keep it, as all of them must pass (Berger, Technometrics, 1982; Schultzberg, Ankargren and Frånberg,
        Risk-aware product decisions in A/B tests with multiple metrics, 2024).
    Not for: effects on other units than those that were shown something (markets, networks), unless whole clusters
        were randomised; comparing users who chose their arm.

    >>> import pyarrow
    >>> plan = Experiment.parse('''{name: sign-up, arm: page, arms: {old: 0.5, new: 0.5},
    ...     metrics: {signed_up: {kind: proportion, value: signed_up, minimum_lift: 0.2}}}''')
    >>> users = pyarrow.table({"page": ["old", "new"] * 2000, "signed_up": [0, 0, 0, 1, 1, 1, 0, 1] * 500})
    >>> analyse(users, plan).verdicts
    {'new': 'holds'}
    """
    with opened(table, threads=threads) as source:
        gathered = gather(source, experiment, progress=progress)
    assignment = _assignment(gathered, experiment)
    if not assignment.alarm:  # which says already that nothing can be trusted
        check_covariates(experiment, gathered.layout, gathered.sums, alarm=ALARM)
    outcomes = tuple(_outcome(gathered, experiment, name, arm)
                     for arm in experiment.treatments for name in experiment.metrics)
    verdicts: dict[str, Verdict] = {
        arm: "undecided" if assignment.alarm else verdict_of_arm([one for one in outcomes if one.arm == arm])
        for arm in experiment.treatments}
    notes = (*gathered.notes, *_heavy(gathered, experiment), *_frequent(gathered, experiment),
             *_late(gathered, experiment), *([assignment.sentence] if assignment.alarm else []),
             *map(_over_time, outcomes))
    looks = gathered.clock
    return Analysis(experiment, gathered.units.sum(axis=1), None if looks is None else np.array(looks.ends),
                    gathered.time_kind, gathered.rows, outcomes, assignment, verdicts,
                    tuple(filter(None, notes)))


def _outcome(gathered: Gathered, plan: Experiment, name: str, arm: str) -> Outcome:
    pair = pair_of(plan, arm, name)
    effect = effect_of(gathered.sums, gathered.layout, name, plan.metrics[name], pair, gathered.grids.get(name, ()))
    return decide(plan, name, arm, effect, gathered.units[:, pair.control] + gathered.units[:, pair.treatment])


def _assignment(gathered: Gathered, plan: Experiment) -> Assignment:
    counts = np.rint(gathered.sums.observations).astype(np.int64)
    planned = np.array(list(plan.arms.values()))
    log_e = sequences.sample_ratio(counts, planned / planned.sum())
    threshold = math.log(1 / ALARM)
    rings = log_e >= threshold
    first = int(np.argmax(rings)) if rings.any() else None
    seen = ", ".join(f"{arm} {100 * count / counts[-1].sum():.1f} % (planned {100 * share:.1f} %)"
                     for arm, count, share in zip(plan.arms, counts[-1], planned, strict=True))
    said = f"The arms filled as planned: {seen}." if first is None else (
        f"The arms did not fill as planned: {seen}. Something puts units into arms other than chance, or loses them; "
        "nothing else in this experiment can be trusted until it is found.")
    return Assignment(tuple(plan.arms), tuple(plan.arms.values()), counts, log_e, threshold, first, said)


def _heavy(gathered: Gathered, plan: Experiment) -> list[str]:
    """The metrics of which a few values make up the spread, so that nothing can be said of their means yet."""
    notes = []
    for name, metric in plan.metrics.items():
        if metric.kind == "quantile" or name in gathered.layout.counted:
            continue
        worth = float(worth_of(gathered.sums, gathered.layout.metrics[name])[-1].min())
        if worth < sequences.MINIMUM_WORTH:
            notes.append(f"{name}: a few large values make up its spread; an arm is worth {worth:.0f} units of equal "
                         f"weight, and {sequences.MINIMUM_WORTH:.0f} are needed before its mean is spoken of. More "
                         "units help, or a 'cap' in the plan.")
    return notes


def _frequent(gathered: Gathered, plan: Experiment) -> list[str]:
    """The frequent proportions of which the plan says too little to decide them soon; it changes no decision here."""
    notes = []
    for name in filter(gathered.layout.counted.__contains__, plan.metrics):
        metric, counts = plan.metrics[name], gathered.sums.of(gathered.layout.metrics[name].numerator)[-1]
        is_open = metric.baseline is None and metric.minimum_lift is None and metric.margin_lift is None
        if is_open and counts.sum() > FREQUENT * gathered.sums.observations[-1].sum():
            more = " and 'minimum_effect'" if metric.role == "success" and metric.minimum_effect is None else ""
            notes.append(f"{name}: so frequent a rate is decided sooner where the plan states 'baseline'{more}. Do so "
                         "in the next plan; in this one, after its data were seen, it would no longer be a plan.")
    return notes


def _late(gathered: Gathered, plan: Experiment) -> list[str]:
    """What to say where what a unit does later changes looks that are past."""
    is_late = plan.unit is not None and plan.time is not None and plan.window is None
    if not is_late or gathered.rows <= int(gathered.units[-1].sum()):
        return []
    return ["Units have several rows, and the plan has no window: rows that still come in change earlier looks. Before "
            "you run this again and again and stop at the first decision, give a 'window'; or let only the last run, "
            "planned beforehand, decide."]


def _over_time(outcome: Outcome) -> str:
    """What to say where the looks contradict each other, or the last one alone would not decide what was decided."""
    track = outcome.absolute if outcome.scale == "absolute" else outcome.relative
    low, high = (track.low, track.high) if outcome.goal == "increase" else (-track.high, -track.low)
    if outcome.is_contradicted:
        rule = "Harm that any look has shown counts, so it fails" if outcome.role == "guardrail" else \
            "There is no one answer, so it is undecided"
        return (f"{outcome.metric} in {outcome.arm}: look {int(low.argmax()) + 1:,} shows the opposite of look "
                f"{int(high.argmin()) + 1:,}, which one effect that stays the same cannot do. {rule}; find out what "
                "changed in between.")
    if outcome.first_decided is None:
        return ""
    still = low[-1] > outcome.bounds[0] if outcome.decision == "holds" else high[-1] < outcome.bounds[1]
    return "" if still else (f"{outcome.metric} in {outcome.arm} was decided at look {outcome.first_decided + 1:,}; "
                             "the last look alone would not decide it. It stands, but look for a change over time.")
