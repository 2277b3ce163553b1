"""compare: several shipped files on the same rows, each held against one of them; quality beside what it costs.

The files may take different inputs (a sound here, a row of a table there) and come from different frameworks; what
they must share is the question: the same target, the same kind of answer, the same labels.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset
from linnet.errors import LinnetError, unknown
from linnet.evidence import DataRef, Ledger, Look, Scores, canonical_json
from linnet.evidence.many import Difference, Seeds
from linnet.evidence.many import compare as judge
from linnet.progress import Progress
from linnet.runtime import seen
from linnet.runtime.latency import conditions, take_turns
from linnet.runtime.shipped import Shipped
from linnet.tasks import Arrays, Task, evaluate

log = logging.getLogger("linnet")

_TIMED_SAMPLES = 32
_TIMED_ROUNDS = 3
_NAMED_AT_MOST = 6


@dataclass(frozen=True)
class Side:
    """One algorithm: one shipped file, or several that differ by their seed; then numbers are averages over them."""

    name: str
    files: tuple[str, ...]
    subjects: tuple[str, ...]
    """The files' identities."""
    family: str
    """What kind of model it is, as its card says."""
    seeds: Seeds
    metrics: Mapping[str, float]
    """The task's further figures that every file has, by name; empty where the share of right answers says it all."""
    parameters: int
    size_bytes: int
    """Without the claims that the files carry."""
    seconds: NDArray[np.float64] = field(repr=False, compare=False)
    """How long each run took: one sample at a time, the files in turns."""

    @property
    def p50_ms(self) -> float:
        """Half of the runs took at most this long."""
        return float(1000 * np.quantile(self.seconds, 0.5))

    @property
    def p95_ms(self) -> float:
        """19 of 20 runs took at most this long."""
        return float(1000 * np.quantile(self.seconds, 0.95))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, every number in the unit of its name; without the single runs."""
        return {"name": self.name, "files": list(self.files), "subjects": list(self.subjects), "family": self.family,
                "accuracy": self.seeds.mean, "accuracies": list(self.seeds.accuracies),
                "deviation_over_seeds": self.seeds.deviation, "metrics": dict(self.metrics),
                "parameters": self.parameters, "size_bytes": self.size_bytes,
                "p50_ms": self.p50_ms, "p95_ms": self.p95_ms, "runs": len(self.seconds)}


@dataclass(frozen=True)
class Comparison:
    """Every side on the same rows, and the difference of each but the reference from it, in the order of the sides."""

    data: DataRef
    noun: str
    target: str
    reference: str
    level: float
    """Of all intervals together."""
    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]
    conditions: Mapping[str, str]
    """What the latencies depend on: engine, version, processor, threads."""
    looks: int
    """How many files the ledger has seen held against these rows, those of this comparison included."""
    notes: tuple[str, ...] = ()
    """What a reader must know: files whose training may have seen these rows."""

    def side(self, name: str) -> Side:
        """The side of that name."""
        return next(side for side in self.sides if side.name == name)

    def difference(self, name: str) -> Difference | None:
        """The difference of that side from the reference; None for the reference itself."""
        return next((found for found in self.differences if found.name == name), None)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; shares from 0 to 1."""
        return {"data": self.data.model_dump(mode="json"), "target": self.target, "reference": self.reference,
                "level": self.level, "sides": [side.to_json() for side in self.sides],
                "differences": [asdict(found) | {"word": found.word} for found in self.differences],
                "conditions": dict(self.conditions), "looks": self.looks, "notes": list(self.notes)}


def compare(sides: Mapping[str, Sequence[Shipped]], dataset: Dataset, *, against: str | None = None,
            level: float = 0.95, seconds: float = 1.0, progress: Progress | None = None,
            ledger: Ledger | None = None) -> Comparison:
    """Evaluate every file on `dataset` and hold each side against one (default: the first).

    A side is one file, or several seeds of one algorithm. `seconds` is how long each file's latency is measured.
    Looks at the data are recorded in `ledger` (default: the user's own); nothing is looked at where that cannot be.
    Raises LinnetError listing everything in which the files' questions differ, or that the data do not hold.
    """
    reference = next(iter(sides), "") if against is None else against
    if reference not in sides:
        raise unknown("name to compare against", reference, sides)
    if len(sides) < 2:
        raise LinnetError("a comparison needs at least two sides; give another file.")
    files = [file for seeds in sides.values() for file in seeds]
    _check_question(files, dataset)
    _check_seeds(sides)
    ledger = Ledger() if ledger is None else ledger
    ledger.ready()
    notes = tuple(_notes(sides, dataset))
    scores = {name: _evaluated(name, seeds, dataset, progress) for name, seeds in sides.items()}
    _check_expected(scores)
    first = sides[reference][0]
    for one in (one for seeds in scores.values() for one in seeds):
        _record(one, scores[reference][0], ledger)
    differences = judge(scores, against=reference, level=level)
    timings = iter(_timed(files, dataset, seconds, progress))
    return Comparison(
        data=scores[reference][0].data, noun=first.task.noun, target=first.task.target, reference=reference,
        level=level, sides=tuple(_side(name, seeds, scores[name], timings) for name, seeds in sides.items()),
        differences=tuple(differences), conditions=conditions(first.session.engine, first.session.version,
                                                              first.session.threads),
        looks=len(ledger.subjects(dataset.fingerprint)), notes=notes)


def _check_question(files: Sequence[Shipped], dataset: Dataset) -> None:
    """Raise LinnetError for every file that answers another question than the first, or whose columns are not there."""
    first = files[0]
    problems = []
    for file in files:
        missing = sorted({*file.task.inputs, file.task.target, *file.task.groups} - set(dataset.columns))
        if missing:
            problems.append(f"{file.artifact.name} needs the column{'s' * (len(missing) > 1)} {', '.join(missing)}, "
                            f"which '{dataset.name}' has not (it has {', '.join(dataset.columns)})")
        problems += [f"{file.artifact.name} {said}" for said in _differing(file.task, first.task, first.artifact.name)]
    if problems:
        raise LinnetError("these files cannot be compared on these rows:\n  " + "\n  ".join(problems))


def _check_seeds(sides: Mapping[str, Sequence[Shipped]]) -> None:
    """Raise LinnetError where a side counts one file twice: seeds would seem to agree that were never trained."""
    for name, seeds in sides.items():
        identities = [file.identity for file in seeds]
        same = [file.artifact.name for file in seeds if identities.count(file.identity) > 1]
        if same:
            raise LinnetError(f"'{name}' has the same model more than once: {', '.join(same)}. Give each seed's own "
                              "file.")


def _differing(task: Task, first: Task, name: str) -> Iterator[str]:
    """What the task asks otherwise than the first file's; its inputs may differ."""
    for what, mine, other in (("is for the task", task.kind, first.kind), ("answers", task.target, first.target),
                              ("counts as right within", *(getattr(one, "tolerance", None) for one in (task, first)))):
        if mine != other:
            yield f"{what} '{mine}', {name} '{other}'"
    for mine, other, who in ((task, first, "it"), (first, task, name)):
        only = sorted(set(mine.labels) - set(other.labels))
        if only and task.kind == first.kind:
            more = f" and {len(only) - _NAMED_AT_MOST} more" if len(only) > _NAMED_AT_MOST else ""
            yield f"has other labels than {name}: only {who} knows {', '.join(only[:_NAMED_AT_MOST])}{more}"


def _evaluated(name: str, seeds: Sequence[Shipped], dataset: Dataset, progress: Progress | None) -> list[Scores]:
    def said(file: Shipped) -> Progress | None:
        return progress and (lambda done, total, _: progress(done, total, f"{name}: {file.artifact.name}"))

    return [evaluate(file, file.task, dataset, progress=said(file)) for file in seeds]


def _check_expected(scores: Mapping[str, Sequence[Scores]]) -> None:
    """The same rows must have the same right answers, whichever file's task reads them."""
    (first, *_), *_ = scores.values()
    for name, seeds in scores.items():
        for one in seeds:
            if list(one.targets) != list(first.targets):
                row = next(row for row, pair in enumerate(zip(one.targets, first.targets, strict=True))
                           if pair[0] != pair[1])
                raise LinnetError(f"'{name}' takes {one.targets[row]!r} for the right answer to sample "
                                  f"'{one.ids[row]}', the first file {first.targets[row]!r}: they answer in different "
                                  "forms and cannot be compared.")


def _record(scores: Scores, reference: Scores, ledger: Ledger) -> None:
    """Write the look down."""
    than = None if scores is reference else reference.subject
    question = canonical_json({"kind": "compare", "settings": {}, "fingerprint": scores.data.fingerprint, "than": than})
    ledger.record(Look(scores.subject, question, scores.data.fingerprint))


def _timed(files: Sequence[Shipped], dataset: Dataset, seconds: float,
           progress: Progress | None) -> list[NDArray[np.float64]]:
    """Seconds of every run of each file, in turns, one sample at a time: the same samples of the data for all."""
    step = max(1, len(dataset) // _TIMED_SAMPLES)
    some = dataset.take(range(0, len(dataset), step)[:_TIMED_SAMPLES])
    if progress:
        progress(0, 1, f"latency of {len(files)} files in turns")
    calls = [_Cycle(file, [file.task.prepare([sample]) for sample in file.task.read(some)]) for file in files]
    taken = take_turns(calls, runs=_TIMED_ROUNDS * _TIMED_SAMPLES, seconds=seconds)
    if progress:
        progress(1, 1, f"latency of {len(files)} files in turns")
    return taken


class _Cycle:
    """A call that asks the file about one sample after the other, and then from the first on."""

    def __init__(self, file: Shipped, samples: Sequence[Arrays]) -> None:
        self.file, self.samples, self.calls = file, samples, 0

    def __call__(self) -> Arrays:
        self.calls += 1
        return self.file(self.samples[self.calls % len(self.samples)])


def _side(name: str, seeds: Sequence[Shipped], scores: Sequence[Scores],
          timings: Iterator[NDArray[np.float64]]) -> Side:
    metrics = [file.task.metrics(one.answers, one.targets) for file, one in zip(seeds, scores, strict=True)]
    return Side(
        name=name, files=tuple(str(file.path) for file in seeds), subjects=tuple(file.identity for file in seeds),
        family=str(seeds[0].card.model.get("family", "unknown")), seeds=Seeds(tuple(one.mean for one in scores)),
        metrics={key: float(np.mean([found[key] for found in metrics])) for key in metrics[0]
                 if all(key in found for found in metrics)},
        parameters=round(float(np.mean([file.card.parameters for file in seeds]))),
        size_bytes=round(float(np.mean([file.artifact.size_without_claims_bytes for file in seeds]))),
        seconds=np.concatenate([next(timings) for _ in seeds]))


def _notes(sides: Mapping[str, Sequence[Shipped]], dataset: Dataset) -> Iterator[str]:
    """Files that have seen these rows, or may have: they would look better than they are. Said at once as well."""
    for warning in seen.warnings(sides, dataset):
        log.warning("%s", warning)
        yield warning
    trained = {name: {str(dict(file.card.training.get("data") or {}).get("train", "")) for file in seeds}
               for name, seeds in sides.items()}
    silent = [name for name, parts in trained.items() if "" in parts]
    if silent:
        yield f"{', '.join(silent)}: the card does not say on what it was trained; it may have seen these rows."
    if len({fingerprint for parts in trained.values() for fingerprint in parts - {""}}) > 1:
        yield "The files were not all trained on the same data: some may have seen these rows, others not."
