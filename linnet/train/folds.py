"""Out-of-fold probabilities: every sample answered by a model that was not trained on it."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Dataset, Splits
from linnet.errors import LinnetError, unknown
from linnet.evidence.settings import check_seed
from linnet.files import replacing
from linnet.nn import Model
from linnet.tasks import Classify
from linnet.tasks.evaluate import in_batches
from linnet.train.fit import fit
from linnet.train.options import of_kind

log = logging.getLogger("linnet")
_BATCH = 64
_FRAMES = 8  # one in so many units of what a fold is trained on chooses its best epoch


@dataclass(frozen=True, eq=False)
class OutOfFold:
    """Probabilities (samples, labels) in the order of the dataset, the labels' names, and each sample's fold.

    Wrong labels: `introspect.label_issues(found.probabilities, found.given, names=found.names, ids=found.ids)`.
    """

    ids: tuple[str, ...]
    names: tuple[str, ...]
    given: tuple[str, ...]
    probabilities: NDArray[np.float64]
    fold: NDArray[np.int64]


def out_of_fold(model: Model, task: Classify, dataset: Dataset, *, folds: int = 5, by: str | None = None,
                folder: str | Path | None = None, how: Mapping[str, Any] | None = None) -> OutOfFold:
    """Train a copy of `model` once a fold on what is not in it, and ask it the fold's samples.

    `model` is any untrained model of the task's; `how` are the keywords of `fit` (epochs, seed, options, augment).
    `by` names a column whose groups stay whole, as speakers should; the same recording or image under two ids stays
    together in any case. Folds go by hash of the seed, whatever the order of the rows. Of what a fold is trained on an
    eighth, at least one group, chooses the best epoch. With `folder`, folds that are done are not repeated and one that
    was stopped goes on.

    Raises LinnetError for a model that was trained before (it may have seen the samples), a task of several labels a
    sample, fewer groups than folds, and a folder that holds other folds than these. Ctrl-C ends it between epochs.
    """
    how = dict(how or {})
    _check(model, task, folds)
    _check_how(how)
    fold = _folds(dataset, by, folds, check_seed(how.get("seed", 0)))
    place = Path(folder) if folder else None
    if place:
        _same(place, {"data": dataset.fingerprint, "model": model.identity, "folds": folds, "by": by,
                      "how": {name: repr(value) for name, value in how.items() if name != "progress"}})
    probabilities = np.zeros((len(dataset), len(task.labels)))
    for number in range(folds):
        inside = np.flatnonzero(fold == number)
        probabilities[inside] = _answered(model, task, dataset, (fold, number, by), place, how)
        log.info("fold %d of %d: %d samples answered", number + 1, folds, len(inside))
    return OutOfFold(tuple(dataset.ids), tuple(task.labels), tuple(task.expected(dataset)), probabilities, fold)


def _answered(model: Model, task: Classify, dataset: Dataset, which: tuple[NDArray[np.int64], int, str | None],
              place: Path | None, how: Mapping[str, Any]) -> NDArray[np.float64]:
    """The probabilities of one fold's samples; read where they are done."""
    fold, number, by = which
    done = place / f"fold{number}.npy" if place else None
    if done and done.exists():
        return np.asarray(np.load(done, allow_pickle=False), np.float64)
    held, seen = dataset.take(np.flatnonzero(fold == number)), np.flatnonzero(fold != number)
    units = len(set(_units(dataset.take(seen), by)))
    if units < 2:
        raise LinnetError(f"without fold {number} there is only one {f'group of {by}' if by else 'sample'} left to "
                          "learn from, and none to choose the best epoch by. Give more of them.")
    chooses = _folds(dataset.take(seen), by, min(_FRAMES, units), number) == 0
    splits = Splits(dataset.take(seen[~chooses]), dataset.take(seen[chooses]), held)
    fitted = fit(model, task, splits, folder=place / f"fold{number}" if place else None, **how)
    if "stopped" in fitted.notes:
        raise KeyboardInterrupt
    found = np.concatenate([task.probabilities(fitted(task.prepare(samples)))
                            for samples in in_batches(task, held, _BATCH)])
    if done:
        with replacing(done) as partial, partial.open("wb") as file:
            np.save(file, found, allow_pickle=False)
    return found


def _folds(dataset: Dataset, by: str | None, folds: int, seed: int) -> NDArray[np.int64]:
    """Each row's fold: whole units, in the order of a hash, dealt out in turn."""
    units = _units(dataset, by)
    different = sorted(set(units), key=lambda unit: hashlib.sha256(f"{seed}:{unit}".encode()).digest())
    if len(different) < folds:
        raise LinnetError(f"{folds} folds need as many {f'groups of {by}' if by else 'different samples'}; there are "
                          f"{len(different)}. Take fewer folds.")
    dealt = {unit: place % folds for place, unit in enumerate(different)}
    return np.array([dealt[unit] for unit in units], np.int64)


def _units(dataset: Dataset, by: str | None) -> Sequence[str]:
    """What may not be in two folds: a group; or a sample, with all that hold the same recording or image."""
    if by is not None:
        return [str(value) for value in dataset.values(by)]
    first: dict[str, str] = {}
    return [min(first.setdefault(digest, name) for digest in [*dataset.contents(row).values(), name])
            for row, name in enumerate(dataset.ids)]


def _check(model: Model, task: Classify, folds: int) -> None:
    if model.history:
        raise LinnetError(f"model '{model.name}' was trained already, for {len(model.history)} epochs, and may have "
                          "seen the samples. Give a fresh one; each fold trains its own copy.")
    if not isinstance(task, Classify) or task.choice == "many":
        raise LinnetError("out-of-fold probabilities are of one label a sample; this task asks for something else.")
    if of_kind("folds", folds, "int") < 2:
        raise LinnetError(f"folds must be at least 2; got {folds}.")


def _check_how(how: Mapping[str, Any]) -> None:
    known = [name for name in inspect.signature(fit).parameters if name not in ("model", "task", "data", "folder")]
    for name in how:
        if name not in known:
            raise unknown("keyword of fit", name, known)


def _same(place: Path, settings: Mapping[str, Any]) -> None:
    """The folder's own settings are these, or there are none yet."""
    path = place / "folds.json"
    if path.exists():
        before = json.loads(path.read_text("utf-8"))
        other = [name for name in settings if before.get(name) != json.loads(json.dumps(settings[name]))]
        if other:
            raise LinnetError(f"{place} holds folds of another {', '.join(other)}; take another folder, or remove it.")
        return
    with replacing(path) as partial:
        partial.write_text(json.dumps(settings, indent=1) + "\n", "utf-8")
