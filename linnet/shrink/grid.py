"""A grid of methods and budgets on one model: every point is carried out with every seed, once, and kept."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from linnet import __version__, export, introspect
from linnet.data import Splits
from linnet.errors import LinnetError
from linnet.evidence import canonical_json
from linnet.files import replacing
from linnet.nn import Model
from linnet.progress import Progress
from linnet.runtime import artifact
from linnet.shrink.apply import apply
from linnet.shrink.methods import METHODS, check
from linnet.shrink.plan import Plan, plan
from linnet.tasks import Predictor, Task
from linnet.train import Options

log = logging.getLogger("linnet")
EACH = "each"
"""The key under which a grid lists the values of a setting."""


@dataclass(frozen=True)
class Point:
    """One way to make the model smaller: the share of channels to keep, and a plan of further methods."""

    name: str
    keep: float
    plan: Plan

    @property
    def is_tuned(self) -> bool:
        """Whether it trains, so that its seed matters."""
        settings = check(self.plan).items() if self.plan.methods else ()
        return self.keep < 1 or any(METHODS[name].tunes(given) for name, given in settings)


@dataclass(frozen=True)
class Cell:
    """A point carried out with one seed: its file, or why there is none, and what it cost."""

    point: str
    seed: int
    file: Path | None
    reason: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Tuning:
    """How every point is carried out: the keywords of `shrink.apply`."""

    epochs: int = 10
    teacher: bool = False
    """Whether the model itself teaches the smaller ones."""
    augment: str | list[dict[str, Any]] | None = None
    options: Options | None = None


def points(given: Mapping[str, Mapping[str, Any]]) -> list[Point]:
    """The points of a grid; where a value is {"each": [...]}, one point for each of the values, in every combination.

    >>> [point.name for point in points({"fewer": {"keep": {"each": [0.75, 0.5]}}, "int8": {"bits": 8}})]
    ['fewer keep=0.75', 'fewer keep=0.5', 'int8']

    An entry has the keys of a recipe's plan: `keep`, `bits`, `methods`. Raises LinnetError for an entry that changes
    nothing, or that no method knows.
    """
    found = [_point(name, entry) for title, spread in given.items() for name, entry in _spread(title, spread)]
    names = [point.name for point in found]
    for name in names:
        if names.count(name) > 1:
            raise LinnetError(f"the grid has '{name}' more than once; give every entry a name of its own.")
    if not found:
        raise LinnetError("the grid has no points; give at least one, such as {int8: {bits: 8}}.")
    return found


def _spread(title: str, given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every combination of what is listed under EACH, named by what was chosen."""
    places = list(_places(given))
    for place, values in places:
        if not isinstance(values, list) or not values:
            raise LinnetError(f"grid: {title}: {'.'.join(place)}: each is a list of at least one value.")
    for chosen in itertools.product(*(values for _, values in places)):
        entry = json.loads(json.dumps(given))
        for (place, _), value in zip(places, chosen, strict=True):
            *way, last = place
            target = entry
            for step in way:
                target = target[step]
            target[last] = value
        said = [f"{place[-1]}={value}" for (place, _), value in zip(places, chosen, strict=True)]
        yield " ".join([title, *said]), entry


def _places(given: Any, way: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(given, Mapping):
        if set(given) == {EACH}:
            yield way, given[EACH]
            return
        for key, value in given.items():
            yield from _places(value, (*way, str(key)))


def _point(name: str, entry: Mapping[str, Any]) -> Point:
    wrong = sorted(set(entry) - {"keep", "bits", "methods"})
    if wrong:
        raise LinnetError(f"grid: {name}: unknown key '{wrong[0]}'; known: keep, bits, methods.")
    try:
        made = Plan.from_json(entry.get("methods") or {})
        made = made.quantize(entry["bits"]) if entry.get("bits") else made
        keep = entry.get("keep", 1)
        if isinstance(keep, bool) or not isinstance(keep, int | float) or not 0 < keep <= 1:
            raise LinnetError(f"keep is the share of channels that stays, above 0 and at most 1; got {keep!r}.")
        if made.methods or keep == 1:
            check(made)
    except LinnetError as error:
        raise LinnetError(f"grid: {name}: {error}") from error
    return Point(name, float(keep), made)


def grid(wanted: Sequence[Point], model: Model, task: Task, data: Splits, *, seeds: Sequence[int] = (0,),
         settings: Tuning | None = None, folder: str | Path, progress: Progress | None = None) -> list[Cell]:
    """Carry out every point with every seed, each in a folder of its own below `folder`, and write its file there.

    A cell that is there already is not done again, a training that was stopped goes on where it was; points that do
    not train have one cell. A point that cannot be carried out keeps its reason and stops no other. Ctrl-C raises
    KeyboardInterrupt after what is under way was kept.
    """
    work = _Work(model, task, data, settings or Tuning(), Path(folder))
    wishes = [(point, seed) for point in wanted for seed in (seeds if point.is_tuned else seeds[:1])]
    cells = []
    for number, (point, seed) in enumerate(wishes):
        if progress:
            progress(number, len(wishes), f"{point.name}, seed {seed}")
        inner = None if progress is None else partial(_named, progress, point.name)
        cells.append(work.cell(point, seed, inner))
    return cells


def _named(progress: Progress, name: str, done: int, total: int, text: str) -> None:
    progress(done, total, f"{name}: {text}")


@dataclass(frozen=True)
class _Work:
    model: Model
    task: Task
    data: Splits
    settings: Tuning
    folder: Path
    found: list[introspect.Findings] = field(default_factory=list)

    def cell(self, point: Point, seed: int, progress: Progress | None) -> Cell:
        home = self.folder / re.sub(r"[^A-Za-z0-9_.=-]+", "-", point.name) / str(seed)
        key = self._key(point, seed)
        kept = _kept(home, key)
        if kept is not None:
            return kept
        home.mkdir(parents=True, exist_ok=True)
        (home / "cell.json").unlink(missing_ok=True)
        start = time.perf_counter()
        try:
            file, reason = self._carried_out(point, seed, home, progress), ""
        except LinnetError as error:
            log.warning("%s, seed %d: %s", point.name, seed, error)
            file, reason = None, str(error)
        cell = Cell(point.name, seed, file, reason, round(time.perf_counter() - start, 2))
        digest = artifact.read(file).identity if file else ""
        with replacing(home / "cell.json") as partial_file:
            plain = {**asdict(cell), "file": file.name if file else None, "key": key, "identity": digest}
            partial_file.write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
        return cell

    def _carried_out(self, point: Point, seed: int, home: Path, progress: Progress | None) -> Path:
        teacher: Predictor | None = self.model if self.settings.teacher and point.is_tuned else None
        tuned: dict[str, Any] = {"augment": self.settings.augment, "options": self.settings.options,
                                 "teacher": teacher} if point.is_tuned else {}
        smaller = apply(self._plan(point), self.model, self.task, self.data, epochs=self.settings.epochs, seed=seed,
                        folder=home, progress=progress, **tuned)
        if point.is_tuned and "stopped" in smaller.notes:
            raise KeyboardInterrupt
        return export.write(replace(smaller, name=point.name), self.task, home / "model.onnx",
                            samples=self.data.validation)

    def _plan(self, point: Point) -> Plan:
        if point.keep == 1:
            return point.plan
        if not self.found:
            seen = self.model.responses(self.task, self.data.validation, layers=self.model.removable)
            self.found.append(introspect.redundancy(seen))
        return Plan({**plan(self.found[0], keep=point.keep).methods, **point.plan.methods})

    def _key(self, point: Point, seed: int) -> str:
        """A hash of all that the cell depends on."""
        tuning = asdict(self.settings) if point.is_tuned else {}
        facts = [point.plan.to_json(), point.keep, seed, tuning, self.model.identity, self.task.to_json(),
                 [part.fingerprint for part in (self.data.train, self.data.validation)], __version__]
        return hashlib.sha256(canonical_json(json.loads(json.dumps(facts, default=str))).encode()).hexdigest()


def _kept(home: Path, key: str) -> Cell | None:
    """The cell that lies there, where it was made of the same and its file is whole."""
    try:
        said = json.loads((home / "cell.json").read_text(encoding="utf-8"))
        file = home / said["file"] if said["file"] else None
        if said["key"] != key or (file and artifact.read(file).identity != said["identity"]):
            return None
        return Cell(said["point"], said["seed"], file, said["reason"], said["seconds"])
    except (OSError, ValueError, KeyError, LinnetError):
        return None
