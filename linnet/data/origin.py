"""Making a dataset again from what it says about its origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from linnet.data.dataset import Dataset
from linnet.data.repairing import repeat_drop, repeat_relabel
from linnet.data.sources import SOURCES, load
from linnet.errors import LinnetError


def restore(origin: Mapping[str, Any], source: str | Path | None = None) -> Dataset:
    """Load the data that `origin` names and repeat the steps that led to it; `source` says where to load from instead.

    Whether it is the same data is told by its fingerprint. Raises LinnetError for a step that cannot be repeated
    (a predicate, a function), and for an origin that was not written by `Dataset`.
    """
    try:
        given, options, steps = origin["source"], origin["options"], origin["steps"]
        opaque = [str(step["opaque"]) for step in steps if "opaque" in step]
        known = all(any(name in _STEPS for name in step) for step in steps if "opaque" not in step)
    except (KeyError, TypeError) as error:
        raise LinnetError(f"the origin of the data cannot be read: {dict(origin)!r:.200}. Load the data and pass the "
                          "dataset itself.") from error
    if opaque or not known:
        raise LinnetError(f"the data cannot be made again from its origin: {', '.join(opaque) or steps} is not written "
                          "down there. Make the dataset in Python and pass it.")
    dataset = _loaded(given, options, source)
    for step in steps:
        dataset = next(repeat for name, repeat in _STEPS.items() if name in step)(dataset, step)
    return dataset


def _loaded(given: str, options: Mapping[str, Any], source: str | Path | None) -> Dataset:
    if source is None:
        return load(given, **options)
    if str(source) in SOURCES:
        return load(source, **options if str(source) == given else {})
    if given in SOURCES and SOURCES[given].recognises(Path(source)):
        return load(given, **{**options, "folder": str(source)})
    keeps_options = given not in SOURCES and Path(given).suffix == Path(source).suffix
    return load(source, **options if keeps_options else {})


def _where(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    return dataset.where(**step["where"])


def _take(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    rows = {name: index for index, name in enumerate(dataset.ids)}
    missing = [name for name in step["take"] if name not in rows]
    if missing:
        raise LinnetError(f"{len(missing)} samples are not in '{dataset.name}': {', '.join(missing[:10])}. "
                          "Is it the same data?")
    return dataset.take([rows[name] for name in step["take"]])


def _split(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    return dict(dataset.split(**step["split"]))[step["part"]]


def _distinct(dataset: Dataset, step: Mapping[str, Any]) -> Dataset:
    return dataset.distinct(None if step["distinct"] is True else step["distinct"])


_STEPS: Mapping[str, Callable[[Dataset, Mapping[str, Any]], Dataset]] = {
    "where": _where, "take": _take, "split": _split, "distinct": _distinct,
    "drop": repeat_drop, "relabel": repeat_relabel}
