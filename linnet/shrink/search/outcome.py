"""Outcome: what a search came to, in words and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from linnet.evidence import Verdict
from linnet.shrink.plan import Plan
from linnet.shrink.search.certify import Certificate, Tested, changed, safety
from linnet.shrink.search.trial import Trial
from linnet.shrink.search.wish import Wish


@dataclass(frozen=True)
class Step:
    """What one method of the chosen plan brought, on top of those before it; measured on validation."""

    method: str
    cost: float
    """Of the goal, in its unit, with this method and those before it."""
    damage: float


@dataclass(frozen=True)
class Outcome:
    """The trials and their front, what was certified of it, and the file, if there is one."""

    wish: Wish
    folder: Path
    base: Mapping[str, float]
    """By goal: what the unchanged file costs."""
    trials: tuple[Trial, ...]
    front: tuple[Trial, ...]
    sequence: tuple[int, ...]
    """The trials to be certified, in the order that was stated before the test part was looked at."""
    certificate: Certificate = field(repr=False)
    chosen: Tested | None = field(repr=False)
    file: Path | None
    steps: tuple[Step, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Holds: a smaller file is certified. Fails: none is good enough. Undecided: the data are too few to say."""
        if self.chosen is not None:
            return "holds"
        last = self.certificate.tested[-1:]
        return "undecided" if last and last[0].verdict == "undecided" and not self.certificate.certified else "fails"

    @property
    def nearest(self) -> Trial | None:
        """Without a choice: the point of the front that came nearest to the wish."""
        if self.chosen is not None or not self.front:
            return None
        good = [trial for trial in self.front if safety(trial, self.wish) > 0]
        if good:
            return min(good, key=lambda trial: trial.cost[self.wish.goal])
        return max(self.front, key=lambda trial: safety(trial, self.wish))

    @property
    def changed(self) -> list[Mapping[str, str]]:
        """The samples, of the data that the search never saw, that the chosen file answers otherwise than before."""
        if self.chosen is None or self.certificate.before is None:
            return []
        return changed(self.certificate.before, self.chosen.scores)

    @property
    def sentence(self) -> str:
        """What came out, in one or two sentences."""
        goal, unit = self.wish.goal, self.wish.unit
        if self.chosen is not None:
            trial = self.chosen.candidate.trial
            return (f"{words(trial.job.plan)}: {goal} {trial.cost[goal]:.3g} {unit} instead of {self.base[goal]:.3g} "
                    f"({trial.share[goal]:.2f} of it). {self.chosen.claims[0].statement}")
        nearest = self.nearest
        if nearest is None:
            reasons = sorted({trial.reason for trial in self.trials})
            return f"None of {len(self.trials)} trials gave a file. {' '.join(reasons[:3])}"
        return f"{self._why_not} Nearest: {told(nearest, self.wish)}."

    @property
    def _why_not(self) -> str:
        last = self.certificate.tested[-1:]
        unproven = [claim for claim in (last[0].claims if last else ()) if not claim.holds]
        if unproven and not self.certificate.certified:
            reason = unproven[0].reason or unproven[0].statement
            return f"Nothing was certified, on data that the search never saw: {reason}"
        limit = "" if self.wish.at_most is None else f" at most {self.wish.at_most:g} {self.wish.unit} and"
        return (f"No plan of {len(self.trials)} is{limit} smaller than the unchanged file "
                f"({self.base[self.wish.goal]:.3g} {self.wish.unit}) and good enough on validation.")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "wish": self.wish.to_json(), "verdict": self.verdict, "sentence": self.sentence,
            "base": dict(self.base), "file": None if self.file is None else self.file.name,
            "chosen": None if self.chosen is None else self.chosen.candidate.trial.to_json(),
            "nearest": None if self.nearest is None else self.nearest.to_json(),
            "front": [trial.to_json() for trial in self.front], "sequence": list(self.sequence),
            "steps": [vars(step) for step in self.steps], "look": self.certificate.look,
            "claims": [claim.model_dump(mode="json", exclude={"than": {"rows"}})
                       for one in self.certificate.tested for claim in one.claims],
            "changed": [dict(row) for row in self.changed],
            "trials": [trial.to_json() for trial in self.trials]}


def words(plan: Plan) -> str:
    """A plan in a few words: "remove_channels (48 of its channels), int8 (mse)"."""
    return ", ".join(f"{name}{_settings(settings)}" for name, settings in plan.methods.items())


def _settings(settings: Mapping[str, Any]) -> str:
    said = []
    for name, value in settings.items():
        if name == "layers" and isinstance(value, Mapping):
            said.append(f"{sum(map(len, value.values()))} channels of {len(value)} layers")
        elif isinstance(value, list) and value:
            said.append(" + ".join(map(str, value)) if len(value) <= 3 else f"{name}: {len(value)}")
        elif isinstance(value, str):
            said.append(value)
        elif value not in (None, [], {}):
            said.append(f"{name} {value}")
    return f" ({', '.join(said)})" if said else ""


def told(trial: Trial, wish: Wish) -> str:
    """A trial in a line."""
    name, lost = trial.worst_group
    worst = f", {100 * lost:.1f} in {name}" if name else ""
    return (f"trial {trial.job.number}, {words(trial.job.plan)}: {wish.goal} {trial.cost[wish.goal]:.3g} {wish.unit} "
            f"({trial.share[wish.goal]:.2f}), {100 * trial.damage:.1f} points lost on validation{worst}")


def in_order(trials: Sequence[Trial]) -> tuple[Trial, ...]:
    """By their numbers."""
    return tuple(sorted(trials, key=lambda trial: trial.job.number))
