"""What the explorer shows of a run, of a shipped file, or of data alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet import data, introspect, runtime, tasks
from linnet.data import Dataset
from linnet.errors import DamagedFileError, LinnetError, unknown
from linnet.evidence import DataRef, Scores
from linnet.introspect import Findings
from linnet.progress import Progress
from linnet.recipe import store
from linnet.recipe.explaining import explainer
from linnet.recipe.likeness import described
from linnet.recipe.verbs import VERBS
from linnet.report.look import View, category, number, traits_of
from linnet.tasks import Arrays, Predictor, Task

_log = logging.getLogger("linnet")
_BATCH = 256
_FEW = 50
"""Up to so many samples have too few neighbours for a map of them."""
PARTS = ("train", "validation", "test")
_TESTED = ("This is the test part: what is changed because of what is seen here is no longer proven by it. "
           "--on validation shows the part to learn from.")


@dataclass(frozen=True)
class Asked:
    """What to look at: `on` names the part of a run; `source` other data; `layer` and `method` make the map."""

    on: str = "validation"
    source: str | None = None
    layer: str | None = None
    method: str | None = None


def look(given: str, asked: Asked | None = None, *, progress: Progress | None = None) -> View:
    """The View of a run's folder, a shipped file (.onnx), or data (a corpus, a folder, an archive, a manifest).

    Raises LinnetError for an unknown part or layer, a run without a model, and a file whose data is not known.
    """
    asked = asked or Asked()
    if asked.on not in PARTS:
        raise unknown("part", asked.on, PARTS)
    if (Path(given) / "run.json").exists():
        return _run(Path(given), asked, progress)
    if asked.layer is not None:
        raise LinnetError(f"'{given}' is no run's folder and shows no layer; leave the layer out.")
    if Path(given).suffix == ".onnx":
        return _file(Path(given), asked, progress)
    return _data(data.load(asked.source or given), asked, progress)


def findings_in(path: str | Path) -> tuple[Findings, ...]:
    """The Findings of a JSON file: as `Findings.to_json` writes them, or several by their names.

    So `linnet data profile --json` prints them. DamagedFileError for anything else.
    """
    try:
        value = json.loads(Path(path).read_text(encoding="utf-8"))
        several = value.values() if value and "kind" not in value else [value]
        return tuple(_checked(Findings.from_json(one)) for one in several)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = "it is not there" if isinstance(error, FileNotFoundError) else \
            f"it has no {error}" if isinstance(error, KeyError) else f"{error!s:.200}"
        raise DamagedFileError(f"{path} holds no findings: {why}. Write findings.to_json() as JSON, or give a "
                               "step's findings.json of a run.") from error


def _checked(found: Findings) -> Findings:
    """TypeError where a part is of another kind than Findings are made of."""
    parts = [(found.kind, str), (found.facts, dict), *((item.subject, str) for item in found),
             *((item.statement, str) for item in found), *((item.evidence, dict) for item in found)]
    for value, kind in parts:
        if not isinstance(value, kind):
            raise TypeError(f"{value!r:.40} should be a {kind.__name__}")
    return found


def _run(folder: Path, asked: Asked, progress: Progress | None) -> View:
    facts = store.read_json(folder / "run.json")
    task = tasks.from_json(facts["task"])
    dataset = data.load(asked.source) if asked.source else _part(facts, asked.on)
    models = list(_made(folder, facts, "model"))
    if not models:
        raise LinnetError(f"the run in '{folder}' has made no model yet; run its recipe, or look at its data: "
                          f"linnet look {facts['source']}.")
    name, model = models[-1]
    layer = asked.layer or model.layers[-1]
    if layer not in model.layers:
        raise unknown("layer", layer, model.layers)
    features = partial(model.responses, task, layers=[layer])
    view = _answered(f"{facts['name']}", model, task, dataset, progress=progress, asked=asked,
                     seen=lambda part, _: features(part)[layer], by=f"what layer {layer} of {name} gives")
    found = [value for _, value in _made(folder, facts, "findings")]
    return replace(view, findings=(*view.findings, *found), explain=explainer(model, task, dataset))


def _file(path: Path, asked: Asked, progress: Progress | None) -> View:
    shipped = runtime.load(path)
    origins = [claim.data.origin for claim in shipped.claims if claim.data and claim.data.origin]
    if asked.source is None and not origins:
        raise LinnetError(f"{path.name} does not say which data it was tested on; give them with --data.")
    dataset = data.load(asked.source) if asked.source else data.restore(origins[-1])
    output, _ = shipped.task.output
    view = _answered(path.name, shipped, shipped.task, dataset, asked=asked, progress=progress,
                     by="what the file answers (a shipped file shows no layer)",
                     seen=lambda _, outputs: outputs[output])
    return replace(view, explain=explainer(shipped, shipped.task, dataset, method="occlusion"))


def _data(dataset: Dataset, asked: Asked, progress: Progress | None) -> View:
    features, said = described(dataset, progress)
    points, notes = _laid_out(features, asked.method, "what they are like, without a model")
    sentence = f"{len(dataset):,} samples of {dataset.name}."
    return View(dataset.name, sentence, dataset, points, traits_of(dataset), notes=[*notes, *said])


def _part(facts: Mapping[str, Any], on: str) -> Dataset:
    found = [one["origin"] for one in facts["data"] if one["part"] == on]
    if not found:
        raise LinnetError(f"the run does not say where its {on} part comes from; give data with --data.")
    return data.restore(found[0])


def _made(folder: Path, facts: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Any]]:
    """The values of the run's steps that give `kind` and are made, by name, in their order."""
    for name, verb in facts["steps"].items():
        step = folder / name / "step.json"
        is_wanted = verb in VERBS and VERBS[verb].gives == kind
        if is_wanted and step.exists() and store.read_json(step)["key"] == facts["keys"][name]:
            yield name, VERBS[verb].load(folder / name)


def _answered(title: str, predictor: Predictor, task: Task, dataset: Dataset, *, asked: Asked, by: str,
              seen: Callable[[Dataset, Arrays], NDArray[Any]], progress: Progress | None) -> View:
    """Ask the model every sample; `seen` gives the numbers by which alike samples lie together."""
    answers, sure, features = list[str](), list[float](), list[NDArray[Any]]()
    for start in range(0, len(dataset), _BATCH):
        part = dataset.take(range(start, min(start + _BATCH, len(dataset))))
        samples = task.read(part)
        outputs = predictor(task.prepare(samples))
        answers += task.decode(outputs, samples)
        sure += _confidence(task, outputs, len(part))
        features.append(np.asarray(seen(part, outputs)))
        if progress:
            progress(len(answers), len(dataset), "look")
    targets = task.expected(dataset)
    score = task.score(answers, targets)
    points, notes = _laid_out(_joined(features), asked.method, by)
    notes = [*notes, *([_TESTED] if dataset.part == "test" else [])]
    right = int((score >= 1).sum())
    sentence = (f"{len(dataset):,} {task.noun}{f' of the {dataset.part} part' if dataset.part else ''}; "
                f"{right:,} answered right ({100 * right / len(dataset):.1f} %).")
    traits = [category(task.target, targets, order=task.labels), category("answer", answers, order=task.labels),
              category("right", np.where(score >= 1, "right", "wrong").tolist(), order=("right", "wrong"))]
    traits += [number("confidence", sure)] if np.isfinite(sure).any() else []
    own = [trait for trait in traits_of(dataset) if trait.name not in {one.name for one in traits}]
    return View(title, sentence, dataset, points, [*traits, *own], _confused(dataset, task, answers, targets, score),
                notes, target=task.target)


def _confused(dataset: Dataset, task: Task, answers: Sequence[str], targets: Sequence[str],
              score: NDArray[np.float64]) -> list[Findings]:
    if not task.labels or getattr(task, "choice", "many") == "many":
        return []
    here = DataRef(population=f"{task.noun} of {dataset.name}", fingerprint="", rows=len(dataset), part=dataset.part)
    return [introspect.confusions(Scores(ids=dataset.ids, answers=answers, targets=targets, score=score, data=here,
                                         subject=""))]


def _confidence(task: Task, outputs: Arrays, rows: int) -> list[float]:
    if isinstance(task, tasks.Classify) and task.choice != "many":
        return [float(value) for value in task.probabilities(outputs).max(axis=1)]
    return [float("nan")] * rows


def _joined(features: Sequence[NDArray[Any]]) -> NDArray[Any] | None:
    """(samples, columns); None where the parts have no common shape, as answers of any length."""
    flat = [part.reshape(len(part), -1) for part in features]
    return np.concatenate(flat) if len({part.shape[1] for part in flat}) == 1 else None


def _laid_out(features: NDArray[Any] | None, method: str | None, by: str) -> tuple[NDArray[Any] | None, list[str]]:
    if features is None or len(features) < 3 or features.shape[1] < 2 or not np.ptp(features, axis=0).any():
        return None, ["There is no map: nothing is known that tells these samples apart. They can be searched."]
    wanted = method or ("neighbours" if len(features) > _FEW else "pca")
    points = introspect.project(features, method=wanted)
    return points, [f"Samples lie by {by}: {features.shape[1]} numbers each, brought to two by {wanted}. Near means "
                    "alike; distances between far groups, and directions, mean little."]
