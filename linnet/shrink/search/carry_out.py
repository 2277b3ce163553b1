"""Carrying out one trial: predict, give up early or make the file, ask it, measure it, keep what was found."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from linnet.errors import LinnetError
from linnet.evidence import Scores
from linnet.progress import Progress
from linnet.shrink.search.measure import measure, one_at_a_time
from linnet.shrink.search.predict import Count, knows_machine, predicted, predicted_ms
from linnet.shrink.search.start import How, Part, Start, needs_tuning
from linnet.shrink.search.trial import FILE, Job, Store, Trial, with_seconds
from linnet.shrink.search.wish import Wish

log = logging.getLogger("linnet")
BASE = "unchanged.onnx"
"""The file of the model as it was, in the search's folder."""
SLACK = 1.15
"""A plan is given up before tuning where it is predicted to need so much more than one that was good enough."""


@dataclass
class Bench:
    """Where trials are carried out: the start, the wish and the folder; the answers of the unchanged file, once."""

    start: Start
    wish: Wish
    store: Store
    before: Scores | None = None

    def carry_out(self, job: Job, limit: float | None, progress: Progress | None = None) -> Trial:
        """The trial, which is kept in the folder. Whatever goes wrong in it is its result, but for a stop by hand.

        `limit` is the least prediction of a plan that was good enough.
        """
        begin, place = time.perf_counter(), self.store.begin(job)
        try:
            trial = self._tried(job, limit, How(job.epochs, self.wish.seed, place, progress))
        except Exception as error:
            said = " ".join(str(error).split()) or type(error).__name__
            is_told = isinstance(error, LinnetError)
            trial = Trial(job, "failed", reason=said if is_told else f"{type(error).__name__}: {said}")
        return self.store.end(with_seconds(trial, all=time.perf_counter() - begin))

    def _tried(self, job: Job, limit: float | None, how: How) -> Trial:
        count = self.start.count(job.plan)
        counted = Trial(job, "done", macs=count.macs, parameters=count.parameters)
        begin, tuned = time.perf_counter(), needs_tuning(job.plan)
        if tuned and job.kind == "asked" and knows_machine(self.wish):
            counted = replace(counted, predicted_ms=predicted_ms(self.start.untuned(job.plan, how.seed)))
        seconds = {"predict": time.perf_counter() - begin}
        needs = expected(counted, self.wish)
        if tuned and job.kind == "asked" and needs is not None and limit is not None and needs > SLACK * limit:
            return with_seconds(replace(counted, state="pruned", reason=f"predicted to need {needs / limit:.2f} times "
                                        "what a plan needs that was good enough; it was not tuned"), **seconds)
        path = self.store.place(job.number) / FILE
        seconds |= self.start.make(job.plan, path, how)
        if not tuned and knows_machine(self.wish):
            counted = replace(counted, predicted_ms=predicted_ms(path))
        begin = time.perf_counter()
        trial = judged(self.start, counted, self._unchanged(), self.start.scores(path, "validation"), "validation")
        seconds["evaluate"], begin = time.perf_counter() - begin, time.perf_counter()
        cost, share = self._measured(job)
        seconds["measure"] = time.perf_counter() - begin
        return with_seconds(replace(trial, cost=cost, share=share), **seconds)

    def _measured(self, job: Job) -> tuple[Mapping[str, float], Mapping[str, float]]:
        """By goal: what the file costs, and that as a share of the unchanged one in the same run."""
        paths = [self.store.folder / BASE, self.store.place(job.number) / FILE]
        with one_at_a_time(self.store.folder):
            base, own = measure(paths, engine=self.wish.engine, threads=self.wish.threads, seconds=self.wish.seconds,
                                energy=self.wish.goal == "energy")
        return own.cost, {goal: own.cost[goal] / base.cost[goal] for goal in own.cost if base.cost.get(goal)}

    def _unchanged(self) -> Scores:
        if self.before is None:
            self.before = self.start.scores(self.store.folder / BASE, "validation")
        return self.before


def expected(trial: Trial, wish: Wish) -> float | None:
    """What a trial is predicted to need, to be compared with others of the same wish; None where nobody said so."""
    if knows_machine(wish):
        return trial.predicted_ms
    return predicted(Count(trial.macs or 0, trial.parameters or 0), trial.job.plan, wish.goal)


def judged(start: Start, trial: Trial, before: Scores, after: Scores, part: Part) -> Trial:
    """The trial with what was lost, over all rows and in each group."""
    lost = dict(zip(before.ids, before.score, strict=True))
    losses = {name: float(lost[name] - score) for name, score in zip(after.ids, after.score, strict=True)}
    damage, doubt = mean_and_error(np.array(list(losses.values())))
    groups = {name: mean_and_error(np.array([losses[row] for row in ids]))
              for name, (ids, _) in start.groups(part).items()}
    return replace(trial, damage=damage, doubt=doubt, groups=groups)


def mean_and_error(losses: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """The mean, and its standard error; one more row that differs is thought of, lest no difference be certainty."""
    rows = len(losses)
    return float(losses.mean()), float(np.sqrt((losses.var() + 1 / rows) / rows))
