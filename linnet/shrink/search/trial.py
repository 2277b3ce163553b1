"""Trial: one plan that was tried, what it came to, and how it is kept in the search's folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from linnet.errors import DamagedFileError
from linnet.files import replacing
from linnet.shrink.plan import Plan

State = Literal["done", "pruned", "failed"]
Kind = Literal["asked", "longer", "step"]
"""Asked: by the sampler; longer: an earlier plan with more tuning; step: part of the chosen plan, to see its cost."""
FILE = "model.onnx"
_TIE = 1.01
"""What is so little larger is as small."""


@dataclass(frozen=True)
class Job:
    """A trial that is to be carried out."""

    number: int
    plan: Plan
    epochs: int
    drawn: Mapping[str, Any] = field(default_factory=dict)
    """What the sampler drew, by the name of the dial."""
    kind: Kind = "asked"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        return {**asdict(self), "plan": self.plan.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Job:
        """Read what `to_json` wrote."""
        return cls(**{**value, "plan": Plan.from_json(value["plan"])})


@dataclass(frozen=True)
class Trial:
    """What became of a job. Goals and damages are of the validation part; `cost` has an entry a goal that is known."""

    job: Job
    state: State
    reason: str = ""
    """Why it was pruned or failed."""
    cost: Mapping[str, float] = field(default_factory=dict)
    """By goal, in its unit."""
    share: Mapping[str, float] = field(default_factory=dict)
    """By goal, of that of the unchanged file in the same run."""
    damage: float = 0.0
    """By how much the mean score fell; negative where it rose."""
    doubt: float = 0.0
    """The standard error of the damage."""
    groups: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """By "column value": damage and its standard error there."""
    macs: int | None = None
    """Multiplications of a run, counted before tuning."""
    parameters: int | None = None
    """Numbers that are stored, counted before tuning."""
    predicted_ms: float | None = None
    """By the cost model, where latency on onnxruntime is the goal: of the untuned file, where a plan needs tuning."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """What the trial took, by part of it."""

    @property
    def worst_group(self) -> tuple[str, float]:
        """The group that lost most, and how much; ("", 0.0) without groups."""
        return max(((name, lost) for name, (lost, _) in self.groups.items()), key=lambda pair: pair[1],
                   default=("", 0.0))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `from_json` reads it back."""
        return {**asdict(self), "job": self.job.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Trial:
        """Read what `to_json` wrote."""
        groups = {name: (float(lost), float(doubt)) for name, (lost, doubt) in value["groups"].items()}
        known = {item.name: value[item.name] for item in fields(cls) if item.name in value}
        return cls(**{**known, "job": Job.from_json(value["job"]), "groups": groups})


def front(trials: Iterable[Trial], goal: str) -> list[Trial]:
    """The trials than which none is both smaller and less damaged, the smallest first; of ties the less damaged."""
    best: list[Trial] = []
    least = 0.0
    for trial in sorted((one for one in trials if one.state == "done" and goal in one.cost),
                        key=lambda one: (one.cost[goal], one.damage, one.job.number)):
        if best and trial.damage >= best[-1].damage:
            continue
        if best and trial.cost[goal] <= least * _TIE:
            best[-1] = trial
        else:
            best.append(trial)
            least = trial.cost[goal]
    return best


@dataclass(frozen=True)
class Store:
    """The folder of a search: one folder a trial, with its job, its file and, in the end, its trial.json."""

    folder: Path

    def place(self, number: int) -> Path:
        """The folder of a trial."""
        return self.folder / "trials" / f"{number:04d}"

    def file(self, trial: Trial) -> Path:
        """The file that a trial made."""
        return self.place(trial.job.number) / FILE

    def trials(self) -> list[Trial]:
        """All that were finished, in the order of their numbers; what a kill left half done is not among them."""
        places = sorted((self.folder / "trials").glob("*/trial.json"))
        return [Trial.from_json(read_json(place)) for place in places]

    def open_jobs(self) -> list[Job]:
        """Those that were begun and not finished."""
        places = sorted((self.folder / "trials").glob("*/job.json"))
        return [Job.from_json(read_json(place)) for place in places if not (place.parent / "trial.json").exists()]

    def begin(self, job: Job) -> Path:
        """The trial's folder, with its job written down: what is killed is taken up again."""
        write_json(self.place(job.number) / "job.json", job.to_json())
        return self.place(job.number)

    def end(self, trial: Trial) -> Trial:
        """Keep the trial; its training's checkpoint is needed no more."""
        place = self.place(trial.job.number)
        (place / "checkpoint.safetensors").unlink(missing_ok=True)
        write_json(place / "trial.json", trial.to_json())
        return trial

    def forget(self, number: int) -> None:
        """Take a trial out, with all that it left."""
        shutil.rmtree(self.place(number), ignore_errors=True)


def with_seconds(trial: Trial, **seconds: float) -> Trial:
    """The trial with these parts of its time too."""
    return replace(trial, seconds={**trial.seconds, **{name: round(value, 3) for name, value in seconds.items()}})


def write_json(path: Path, value: Mapping[str, Any] | Sequence[Any]) -> None:
    """A readable JSON file, whole or not there."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The value of a JSON file; DamagedFileError where it cannot be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DamagedFileError(f"{path} cannot be read: {error}. Delete {path.parent} and search again.") from error
