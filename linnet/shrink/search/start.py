"""Start: what is to become smaller, as the search sees it; a trained model, or a file that is there already."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from linnet import export, runtime, tasks
from linnet.data import Dataset, Splits
from linnet.data.augment import Augment
from linnet.errors import LinnetError
from linnet.evidence import DataRef, Scores
from linnet.export.graph import to_graph
from linnet.nn import Model
from linnet.progress import Progress
from linnet.shrink.apply import apply
from linnet.shrink.method import Materials
from linnet.shrink.methods import METHODS, check
from linnet.shrink.methods.int8 import Int8
from linnet.shrink.plan import Plan
from linnet.shrink.search.predict import Count, count
from linnet.shrink.search.proposals import FIRST, PROPOSALS, Draw, Look, propose
from linnet.tasks import Predictor, Task
from linnet.tasks.evaluate import data_ref
from linnet.train import Options

Part = Literal["validation", "test"]
STRUCTURAL = ("remove_blocks", "remove_channels", "factorize")
"""Methods that change how much is computed; the others change how it is stored or in how many bits."""

_FEW = 8


@dataclass(frozen=True)
class How:
    """With what a plan is carried out."""

    epochs: int
    seed: int
    folder: Path | None = None
    progress: Progress | None = None


class Start(Protocol):
    """What a search needs of what it starts from."""

    @property
    def name(self) -> str:
        """What files are called."""
        ...

    @property
    def facts(self) -> dict[str, Any]:
        """What trials depend on, as JSON: they are of no use to another start."""
        ...

    @property
    def methods(self) -> tuple[str, ...]:
        """The methods that may be proposed."""
        ...

    @property
    def first(self) -> Sequence[Mapping[str, Any]]:
        """Draws to begin with, before a sampler has anything to learn from; dials that they do not name are drawn."""
        ...

    def propose(self, draw: Draw, goal: str) -> Plan:
        """A plan of these methods, of those that bring something for the goal."""
        ...

    def write(self, path: Path) -> Path:
        """The unchanged file."""
        ...

    def make(self, plan: Plan, path: Path, how: How) -> Mapping[str, float]:
        """Carry the plan out and write the file; the seconds that each part of it took."""
        ...

    def count(self, plan: Plan) -> Count:
        """What a run will compute and a file store, before anything is tuned."""
        ...

    def untuned(self, plan: Plan, seed: int) -> bytes:
        """An ONNX file that takes as long as the plan's will; its answers are not looked at."""
        ...

    def scores(self, path: Path, part: Part) -> Scores:
        """Ask a file."""
        ...

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """By "column value": the ids of its rows, and the reference to them as data of their own."""
        ...


@dataclass(frozen=True)
class ModelStart:
    """A trained model, its task and data. `teacher` is by default the model itself; None in `distil` takes none."""

    model: Model
    task: Task
    data: Splits
    engine: str = "onnxruntime"
    threads: int = 1
    teacher: Predictor | None = None
    augment: Augment | str | None = None
    options: Options | None = None
    counted: dict[str, Count] = field(default_factory=dict, repr=False, compare=False)

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def facts(self) -> dict[str, Any]:
        """Model, task, data and training."""
        augment = self.augment.to_json() if isinstance(self.augment, Augment) else self.augment
        return {"model": self.model.identity, "task": self.task.to_json(), "augment": augment,
                "data": {part: dataset.fingerprint for part, dataset in self.data},
                "options": None if self.options is None else vars(self.options)}

    @property
    def methods(self) -> tuple[str, ...]:
        """All that there are."""
        return tuple(name for name in METHODS if name in PROPOSALS)

    @property
    def first(self) -> Sequence[Mapping[str, Any]]:
        """A ladder from eight bits alone to half of the channels."""
        return FIRST

    @cached_property
    def look(self) -> Look:
        """What proposals may know."""
        return Look(self.model, self.task, self.data)

    def propose(self, draw: Draw, goal: str) -> Plan:
        """A plan of any methods."""
        return propose(draw, self.look, self.methods, goal)

    def write(self, path: Path) -> Path:
        """The model in float."""
        return export.write(self.model, self.task, path, samples=self.data.validation)

    def make(self, plan: Plan, path: Path, how: How) -> Mapping[str, float]:
        """Prepare, tune, finish and export."""
        begin, tuned = time.perf_counter(), needs_tuning(plan)
        more: dict[str, Any] = {"teacher": self.teacher or self.model, "augment": self.augment,
                                "options": self.options} if tuned else {}
        small = apply(plan, self.model, self.task, self.data, epochs=how.epochs, seed=how.seed, folder=how.folder,
                      progress=how.progress, **more)
        if "stopped" in small.notes:
            raise KeyboardInterrupt  # half a tuning is no trial; its checkpoint is taken up the next time
        middle = time.perf_counter()
        export.write(replace(small, name=self.name), self.task, path, samples=self.data.validation)
        return {"tune": middle - begin, "export": time.perf_counter() - middle}

    def count(self, plan: Plan) -> Count:
        """Of the graph, after what changes its structure."""
        structure = _structure(plan)
        key = repr(structure.to_json())
        if key not in self.counted:
            self.counted[key] = count(to_graph(self._prepared(structure, 0)))
        return self.counted[key]

    def untuned(self, plan: Plan, seed: int) -> bytes:
        """Smaller, and in 8 bits where the plan's file will be; ranges of a few samples will do."""
        smaller = self._prepared(_structure(plan), seed)
        narrow = plan.methods.get("int8", plan.methods.get("qat"))
        if narrow is not None:
            settings = Int8(exclude=narrow.get("exclude", []), samples=_FEW)
            smaller = METHODS["int8"].finish(smaller, settings, Materials(self.task, self.data, seed))
        return export.draft(smaller)

    def _prepared(self, structure: Plan, seed: int) -> Model:
        smaller, materials = self.model, Materials(self.task, self.data, seed)
        for name, settings in (check(structure) if structure.methods else {}).items():
            smaller = METHODS[name].prepare(smaller, settings, materials)
        return smaller

    def scores(self, path: Path, part: Part) -> Scores:
        """Every sample of the part."""
        return tasks.evaluate(runtime.load(path, engine=self.engine, threads=self.threads), self.task,
                              getattr(self.data, part))

    def groups(self, part: Part) -> Mapping[str, tuple[Sequence[str], DataRef]]:
        """Every value of the task's groups."""
        return groups_of(self.task, getattr(self.data, part))


def _structure(plan: Plan) -> Plan:
    return Plan({name: settings for name, settings in plan.methods.items() if name in STRUCTURAL})


def groups_of(task: Task, dataset: Dataset) -> Mapping[str, tuple[Sequence[str], DataRef]]:
    """By "column value" of the task's groups: the ids of its rows, and the reference to them."""
    found = {}
    for column in task.groups:
        for value in sorted(set(map(str, dataset.values(column)))):
            some = dataset.where(**{column: value})
            found[f"{column} {value}"] = (some.ids, data_ref(task, some))
    return found


def only(scores: Scores, ids: Sequence[str], data: DataRef) -> Scores:
    """The scores of these rows, as those of the data that they are."""
    rows = {name: place for place, name in enumerate(scores.ids)}
    places = [rows[name] for name in ids]
    return replace(scores, ids=list(ids), data=data, score=scores.score[places],
                   answers=[scores.answers[place] for place in places],
                   targets=[scores.targets[place] for place in places],
                   groups={name: [values[place] for place in places] for name, values in scores.groups.items()},
                   seconds=None if scores.seconds is None else np.asarray(scores.seconds)[places])


def needs_tuning(plan: Plan) -> bool:
    """Whether any of its methods, with its settings, is to be trained."""
    return any(METHODS[name].tunes(settings) for name, settings in check(plan).items())


def refuse_without(methods: Sequence[str]) -> None:
    """LinnetError where nothing could be proposed."""
    if not methods:
        raise LinnetError("there is no method that a search could propose for this model.")
