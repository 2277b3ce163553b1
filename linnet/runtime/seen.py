"""seen: on how many of the rows that files are compared on they were trained or chosen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from linnet import data as data_room
from linnet.data import Dataset
from linnet.errors import LinnetError
from linnet.runtime.shipped import Shipped

log = logging.getLogger("linnet")


def warnings(sides: Mapping[str, Sequence[Shipped]], dataset: Dataset) -> Iterator[str]:
    """A sentence for each side that was, or may have been, trained or chosen on some of these rows.

    A card holds the fingerprints of the parts for training and validation. Which rows these are is told by the split
    that the claims of one of the files, or the dataset itself, record; where no split gives parts of these
    fingerprints, it is said that such rows may be among these.
    """
    files = [file for seeds in sides.values() for file in seeds]
    tested = {_part(file, "train") for file in files for claim in file.claims
              if claim.data and claim.data.fingerprint == dataset.fingerprint and _of_the_test_part(claim.data.origin)}
    known: dict[str, frozenset[str]] = {dataset.fingerprint: frozenset(dataset.ids)}
    is_known = False
    for name, seeds in sides.items():
        open_ = [file for file in seeds if _part(file, "train") and _part(file, "train") not in tested]
        wanted = {_part(file, part) for file in open_ for part in ("train", "validation")} - {""}
        if wanted - set(known) and not is_known:
            known |= _parts([*(claim.data.origin for file in files for claim in file.claims if claim.data),
                             dataset.origin], dataset)
            is_known = True
        if any(_part(file, "train") not in known for file in open_):
            yield f"{name}: rows on which it was trained or chosen may be among these; then it looks better than it is."
            continue
        said = _counted(open_, known, dataset)
        if said:
            yield f"{name} was {said}: it looks better here than it is."


def _counted(files: Sequence[Shipped], known: Mapping[str, frozenset[str]], dataset: Dataset) -> str:
    """"trained on 90 of these 150 rows and chosen on 30 of them", or nothing."""
    counts = {}
    for part, verb in (("train", "trained"), ("validation", "chosen")):
        rows = frozenset[str]().union(*(known.get(_part(file, part), frozenset()) for file in files))
        counts[verb] = len(rows & set(dataset.ids))
    said = [f"{verb} on {'these very' if count == len(dataset) else f'{count:,} of these {len(dataset):,}'} rows"
            for verb, count in counts.items() if count]
    return " and ".join(said)


def _part(file: Shipped, part: str) -> str:
    """The fingerprint of a part as the card has it; empty where it says nothing."""
    found = file.card.training.get("data")
    return str(found.get(part, "")) if isinstance(found, Mapping) else ""


def _of_the_test_part(origin: Mapping[str, Any]) -> bool:
    return any(isinstance(step, Mapping) and step.get("part") == "test" for step in _steps(origin))


def _steps(origin: Mapping[str, Any]) -> list[Any]:
    steps = origin.get("steps")
    return steps if isinstance(steps, list) else []


def _parts(origins: Iterable[Mapping[str, Any]], dataset: Dataset) -> dict[str, frozenset[str]]:
    """Fingerprint to ids of the training and validation parts of every split that these origins record."""
    found: dict[str, frozenset[str]] = {}
    done: list[Any] = []
    for origin in origins:
        steps = _steps(origin)
        place = next((at for at, step in enumerate(steps) if isinstance(step, Mapping) and "split" in step), None)
        if place is None or [*steps[:place], steps[place]["split"]] in done:
            continue
        done.append([*steps[:place], steps[place]["split"]])
        for part in ("train", "validation"):
            again = {**origin, "steps": [*steps[:place], {**steps[place], "part": part}]}
            for source in dict.fromkeys([dataset.origin.get("source"), None]):
                rows = _restored(again, source)
                if rows is not None:
                    found[rows.fingerprint] = frozenset(rows.ids)
                    break
    return found


def _restored(origin: Mapping[str, Any], source: str | None) -> Dataset | None:
    """The rows of an origin; None where it cannot be followed: it comes out of the file and may hold anything."""
    try:
        return data_room.restore(origin, source=source)
    except (LinnetError, TypeError, KeyError, ValueError, AttributeError) as error:
        log.debug("rows of the training cannot be looked up: %s", error)
        return None
