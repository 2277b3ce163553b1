"""The search itself: try plans, keep every trial, certify the best of the front, write the file with its claims."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from linnet import __version__, cost
from linnet.errors import LinnetError
from linnet.evidence import Ledger
from linnet.files import alone
from linnet.progress import Progress
from linnet.runtime.artifact import read, write
from linnet.runtime.claims import with_claims
from linnet.shrink.plan import Plan
from linnet.shrink.search import workers
from linnet.shrink.search.asking import ask
from linnet.shrink.search.carry_out import BASE, Bench, expected
from linnet.shrink.search.certify import Candidate, Tested, certify, safety, stairs
from linnet.shrink.search.measure import Measured, check_energy, measure
from linnet.shrink.search.outcome import Outcome, Step, in_order
from linnet.shrink.search.predict import knows_machine
from linnet.shrink.search.start import Start, needs_tuning, refuse_without
from linnet.shrink.search.trial import Job, Store, Trial, front, read_json, write_json
from linnet.shrink.search.wish import Wish

Watch = Callable[[Trial, Sequence[Trial]], None]
"""Told of each trial that ended, with the front as it is then."""
_HOPELESS = 0.15
"""What lost so much more than it may after a short tuning is not tuned longer."""
_SAME = 3
"""So many first trials that fail for one reason end the search: it is the model or the data, not the plan."""


def run(start: Start, wish: Wish, folder: str | Path, *, ledger: Ledger | None = None,
        progress: Progress | None = None, watch: Watch | None = None,
        reload: Callable[[], Start] | None = None) -> Outcome:
    """Search below `folder`, where every trial is kept: a search that was stopped or killed goes on where it was.

    `reload` makes the start anew in another process (for `wish.workers` above 1); without it the start itself is sent
    there. Raises LinnetError where the folder holds the search of another model, data or setting, and where the goal
    cannot be measured here.
    """
    refuse_without(start.methods)
    store = Store(Path(folder))
    with alone(store.folder, "search"):
        search = Search(Bench(start, wish, store), ledger, progress, watch, reload)
        search.prepare()
        search.try_plans()
        search.tune_longer()
        return search.certify()


@dataclass
class Search:
    """One search and its trials so far."""

    bench: Bench
    ledger: Ledger | None
    progress: Progress | None
    watch: Watch | None
    reload: Callable[[], Start] | None
    trials: list[Trial] = field(default_factory=list)

    @property
    def wish(self) -> Wish:
        """What is wanted."""
        return self.bench.wish

    @property
    def store(self) -> Store:
        """Where trials are kept."""
        return self.bench.store

    def prepare(self) -> None:
        """The unchanged file, and what was tried already."""
        start, facts = self.bench.start, self.store.folder / "search.json"
        told = {"start": start.facts, "question": self.wish.question, "version": __version__}
        if facts.exists() and read_json(facts) != _plain(told):
            raise LinnetError(f"{self.store.folder} holds the search of {_another(read_json(facts), _plain(told))}; "
                              "search in another --folder, or delete this one.")
        base = self.store.folder / BASE
        if not facts.exists() or not base.exists():
            start.write(base)
            write_json(facts, told)
        if self.wish.goal == "energy":
            check_energy(base, engine=self.wish.engine)
        if knows_machine(self.wish):
            cost.machine()  # measured before anything else is at work, and by one process
        self.trials = self.store.trials()

    def try_plans(self) -> None:
        """So many trials as are wanted, on so many processes; first those that were begun and not finished."""
        waiting = [job for job in self.store.open_jobs() if job.kind == "asked"]
        stop = time.monotonic() + 60 * (self.wish.minutes if self.wish.minutes is not None else 1e9)
        with workers.crew(self.bench, self.reload) as crew:
            under_way: list[Job] = []
            while True:
                while len(under_way) < self.wish.workers and time.monotonic() < stop:
                    job = self._next(under_way, waiting)
                    if job is None:
                        break
                    under_way.append(job)
                    crew.begin(job, self._limit(), self._named(job))
                if not under_way:
                    break
                trial = crew.next_ended()
                under_way = [job for job in under_way if job.number != trial.job.number]
                self._ended(trial)
        if not any(trial.state == "done" for trial in self.trials):
            reasons = sorted({trial.reason for trial in self.trials})
            raise LinnetError(f"none of {len(self.trials)} trials gave a file: {' | '.join(reasons[:3])}")

    def _is_in_vain(self) -> bool:
        """Whether every trial so far failed for the same reason."""
        reasons = {trial.reason if trial.state == "failed" else "" for trial in self.trials}
        return len(self.trials) >= _SAME and len(reasons) == 1 and "" not in reasons

    def _next(self, under_way: Sequence[Job], waiting: list[Job]) -> Job | None:
        asked = [trial for trial in self.trials if trial.job.kind == "asked"]
        if len(asked) + len(under_way) >= self.wish.trials or self._is_in_vain():
            return None
        if waiting:
            return waiting.pop(0)
        taken = [trial.job.plan for trial in asked] + [job.plan for job in under_way]
        start = self.bench.start
        found = ask(start.propose, self.trials, taken, goal=self.wish.goal, seed=self.wish.seed, first=start.first)
        if found is None:
            return None
        number = self._free([*under_way, *self.store.open_jobs()])
        return Job(number, found.plan, self.wish.epochs, found.drawn)

    def _free(self, under_way: Sequence[Job] = ()) -> int:
        return 1 + max([trial.job.number for trial in self.trials] + [job.number for job in under_way], default=0)

    def _limit(self) -> float | None:
        """The least that a plan was predicted to need that turned out good enough."""
        found = [expected(trial, self.wish) for trial in self.trials
                 if trial.state == "done" and trial.job.kind == "asked" and safety(trial, self.wish) > 0]
        return min((needs for needs in found if needs is not None), default=None)

    def _ended(self, trial: Trial) -> None:
        self.trials.append(trial)
        if self.watch:
            self.watch(trial, front(self.trials, self.wish.goal))

    def _named(self, job: Job) -> Progress | None:
        if self.progress is None or self.wish.workers > 1:
            return None
        return _Named(self.progress, f"trial {job.number}")

    def tune_longer(self) -> None:
        """The most promising plans, tuned for `final_epochs`."""
        if self.wish.final_epochs <= self.wish.epochs:
            return
        hopeful = [trial for trial in front([one for one in self.trials if one.job.kind == "asked"], self.wish.goal)
                   if needs_tuning(trial.job.plan) and trial.damage < self.wish.no_worse + _HOPELESS]
        for trial in hopeful[:self.wish.finalists]:
            self._again(trial.job.plan, self.wish.final_epochs, "longer")

    def _again(self, plan: Plan, epochs: int, kind: Any) -> Trial:
        """The trial of this plan with so much tuning, carried out if there is none yet."""
        wanted = plan.to_json()
        for trial in self.trials:
            is_same = trial.job.plan.to_json() == wanted and trial.state == "done"
            if is_same and (trial.job.epochs == epochs or not needs_tuning(plan)):
                return trial
        begun = [job for job in self.store.open_jobs() if job.plan.to_json() == wanted and job.epochs == epochs]
        job = begun[0] if begun else Job(self._free(self.store.open_jobs()), plan, epochs, kind=kind)
        trial = self.bench.carry_out(job, None, self._named(job))
        self._ended(trial)
        return trial

    def certify(self) -> Outcome:
        """Choose on validation, test on what the search never saw, write the file."""
        found, together, base = self._finally_measured()
        points = front(found, self.wish.goal)
        sequence = self._sequence(together, base)
        candidates = [Candidate(trial, self.store.file(trial)) for trial in sequence]
        certificate = certify(self.bench.start, candidates, self.store.folder / BASE, self.wish, ledger=self.ledger,
                              progress=self.progress)
        best = certificate.best(self.wish.goal)
        outcome = Outcome(self.wish, self.store.folder, base, in_order(found), tuple(points),
                          tuple(trial.job.number for trial in sequence), certificate, best,
                          None if best is None else self._written(best),
                          () if best is None else self._steps(best.candidate.trial, base))
        write_json(self.store.folder / "result.json", outcome.to_json())
        return outcome

    def _sequence(self, found: Sequence[Trial], base: dict[str, float]) -> list[Trial]:
        """Those that were measured together, are small enough and good enough, the safest first."""
        least = base[self.wish.goal] if self.wish.at_most is None else min(base[self.wish.goal], self.wish.at_most)
        return stairs([trial for trial in found if trial.cost[self.wish.goal] <= least
                       and trial.share[self.wish.goal] < 1], self.wish)

    def _finally_measured(self) -> tuple[list[Trial], list[Trial], dict[str, float]]:
        """All trials; those of the front and of the stairs, measured together once more; the same of the base.

        What was measured is kept, so that a kill changes no order.
        """
        path, numbers = self.store.folder / "measured.json", [trial.job.number for trial in self.trials]
        if path.exists() and (kept := read_json(path))["trials"] == numbers and kept["goal"] == self.wish.goal:
            costs = {int(number): cost for number, cost in kept["costs"].items()}
            return *self._with(costs, kept["base"]), kept["base"]
        done = [trial for trial in self.trials if trial.state == "done" and self.wish.goal in trial.cost]
        points = list({trial.job.number: trial for trial in (*front(done, self.wish.goal), *stairs(done, self.wish))}
                      .values())
        measured = self._measure([self.store.folder / BASE, *map(self.store.file, points)])
        base, costs = measured[0].cost, {trial.job.number: one.cost
                                         for trial, one in zip(points, measured[1:], strict=True)}
        write_json(path, {"trials": numbers, "goal": self.wish.goal, "base": base, "costs": costs})
        return *self._with(costs, base), base

    def _measure(self, paths: Sequence[Path]) -> list[Measured]:
        return measure(paths, engine=self.wish.engine, threads=self.wish.threads, seconds=self.wish.seconds,
                       energy=self.wish.goal == "energy")

    def _with(self, costs: dict[int, dict[str, float]],
              base: dict[str, float]) -> tuple[list[Trial], list[Trial]]:
        """All trials with these costs, and those that have one here."""
        found = [replace(trial, cost=costs[trial.job.number], share={
            goal: cost / base[goal] for goal, cost in costs[trial.job.number].items() if base.get(goal)})
            if trial.job.number in costs else trial for trial in self.trials]
        return found, [trial for trial in found if trial.job.number in costs]

    def _written(self, best: Tested) -> Path:
        """The chosen file with its claims, beside the trials."""
        path = self.store.folder / f"{self.bench.start.name}-small.onnx"
        write(path, with_claims(read(best.candidate.file), best.claims))
        return path

    def _steps(self, chosen: Trial, base: dict[str, float]) -> tuple[Step, ...]:
        """The chosen plan method by method; a part that is no model of its own is left out."""
        names, steps = list(chosen.job.plan.methods), [Step("unchanged", base[self.wish.goal], 0.0)]
        for count in range(1, len(names)):
            part = Plan({name: chosen.job.plan.methods[name] for name in names[:count]})
            trial = self._again(part, chosen.job.epochs, "step")
            if trial.state == "done":
                cost = trial.share[self.wish.goal] * base[self.wish.goal]
                steps.append(Step(names[count - 1], cost, trial.damage))
        return (*steps, Step(names[-1], chosen.cost[self.wish.goal], chosen.damage))


@dataclass(frozen=True)
class _Named:
    """Progress that says which trial it is of."""

    progress: Progress
    name: str

    def __call__(self, done: int, total: int, text: str) -> None:
        self.progress(done, total, f"{self.name}: {text}")


def _another(kept: dict[str, Any], now: dict[str, Any]) -> str:
    """What the folder's search differs in."""
    if kept["start"] != now["start"]:
        return "another model or other data"
    old, new = ({**facts["question"], "version": facts["version"]} for facts in (kept, now))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return "another setting: " + ", ".join(f"{name} {old.get(name)}, not {new.get(name)}" for name in names)


def _plain(value: Any) -> Any:
    """As JSON gives it back: lists for tuples."""
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
