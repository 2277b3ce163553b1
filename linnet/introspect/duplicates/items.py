"""What is searched for duplicates: vectors, sounds, images, texts, a column of a dataset; and what is the very same."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data.columns import MEDIA
from linnet.data.dataset import Dataset
from linnet.data.media import Audio
from linnet.errors import LinnetError

_LISTED = 5


@dataclass(frozen=True, eq=False)
class Items:
    """Things of one kind, "vectors", "sounds", "images" or "texts", with their ids."""

    kind: str
    values: Any
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


def items_of(given: Any, ids: Sequence[str] | None = None, column: str | None = None) -> Items:
    """The things that were given. Raises LinnetError for anything else, for NaN, and for ids that do not fit."""
    if isinstance(given, Dataset):
        return _of_dataset(given, column, ids)
    if column is not None:
        raise LinnetError(f"column='{column}' names a column of a Dataset; got {type(given).__name__}. Leave it out.")
    kind, values = _values(given)
    names = tuple(map(str, ids)) if ids is not None else tuple(map(str, range(len(values))))
    if len(names) != len(values) or len(set(names)) < len(names):
        raise LinnetError(f"ids must be unique, one for each of the {len(values)} samples; got {len(names)}, "
                          f"{len(set(names))} different ones.")
    if kind == "vectors":
        _refuse_broken(values, names)
    return Items(kind, values, names)


def joined(parts: Mapping[str, Items]) -> Items:
    """All of several parts, one after the other; where two have an id in common, ids are "part:id"."""
    kinds = sorted({part.kind for part in parts.values()})
    if len(kinds) != 1:
        raise LinnetError(f"the parts hold different things: {', '.join(kinds)}. Name a column that all of them have.")
    names = tuple(name for part in parts.values() for name in part.ids)
    if len(set(names)) < len(names):
        names = tuple(f"{where}:{name}" for where, part in parts.items() for name in part.ids)
    if kinds[0] != "vectors":
        return Items(kinds[0], [value for part in parts.values() for value in part.values], names)
    widths = sorted({part.values.shape[1] for part in parts.values()})
    if len(widths) > 1:
        raise LinnetError(f"vectors of the parts differ in length: {', '.join(map(str, widths))}. Describe all parts "
                          "by the same numbers.")
    return Items("vectors", np.concatenate([part.values for part in parts.values()]), names)


def same_as(keys: Sequence[Hashable]) -> list[int]:
    """For each thing the first one with the same key."""
    first: dict[Hashable, int] = {}
    return [first.setdefault(key, at) for at, key in enumerate(keys)]


def exact_keys(items: Items) -> list[Hashable]:
    """What two things share if and only if they are the same: bytes of samples and pixels, or the text."""
    if items.kind == "texts":
        return list(items.values)
    if items.kind == "sounds":
        return [(sound.sample_rate_hz, _digest(sound.samples)) for sound in items.values]
    return [(value.shape, _digest(value + 0 if items.kind == "vectors" else value)) for value in items.values]


def _digest(values: NDArray[Any]) -> bytes:
    return blake2b(np.ascontiguousarray(values).data, digest_size=16).digest()


def _of_dataset(dataset: Dataset, column: str | None, ids: Sequence[str] | None) -> Items:
    if ids is not None:
        raise LinnetError("a Dataset has its own ids; leave ids out.")
    names = tuple(dataset.ids)
    if column is None:
        kinds = {name: held.kind for name, held in dataset.columns.items()}
        column = next((name for kind in (*MEDIA, "text") for name in kinds if kinds[name] == kind), None)
    if column is None:
        numbers = [name for name, held in dataset.columns.items() if held.kind == "value"]
        return Items("vectors", _standardised(dataset, numbers), names)
    kind = dataset.column(column).kind
    if kind in MEDIA:
        return Items("sounds" if kind == "audio" else "images", dataset.decode(column), names)
    if kind == "text":
        return Items("texts", dataset.values(column), names)
    if kind == "value":
        return Items("vectors", _standardised(dataset, [column]), names)
    raise LinnetError(f"column '{column}' holds {kind}; near duplicates are of audio, image, text or value columns.")


def _standardised(dataset: Dataset, columns: Sequence[str]) -> Any:
    """Numbers of different units brought to one: about their mean, by their deviation."""
    if not len(dataset):
        return np.empty((0, len(columns)))
    if not columns:
        raise LinnetError(f"'{dataset.name}' has no recordings, images, texts or values to compare; it has "
                          f"{', '.join(dataset.columns)}.")
    table = np.stack([np.asarray(dataset.values(name), np.float64) for name in columns], axis=1)
    _refuse_broken(table, tuple(dataset.ids))
    deviation = table.std(axis=0)
    return (table - table.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def _values(given: Any) -> tuple[str, Any]:
    if isinstance(given, np.ndarray) and given.dtype != object and given.ndim == 2:
        if given.dtype.kind not in "fiub":
            raise LinnetError(f"vectors must be numbers; got {given.dtype}.")
        return "vectors", given if given.dtype.kind == "f" else given.astype(np.float64)
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Iterable):
        raise LinnetError("near duplicates are looked for among several samples: vectors (samples, numbers), or a list "
                          f"of Audio, images or texts; got {type(given).__name__}.")
    values = list(given)
    if values and all(isinstance(value, str) for value in values):
        return "texts", values
    if values and all(isinstance(value, Audio) for value in values):
        return "sounds", values
    if values and all(isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 3
                      and value.shape[2] in (1, 3) and min(value.shape) > 0 for value in values):
        return "images", values
    seen = sorted({f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
                   for value in values[:100]})
    raise LinnetError("near duplicates are looked for among vectors (samples, numbers), Audio, images (height, width, "
                      f"1 or 3) uint8, texts, or in a Dataset; got {', '.join(seen[:_LISTED]) or 'nothing'}.")


def _refuse_broken(values: Any, names: Sequence[str]) -> None:
    broken = np.flatnonzero(~np.isfinite(values).all(axis=1))
    if len(broken):
        named = ", ".join(names[row] for row in broken[:_LISTED])
        more = ", ..." if len(broken) > _LISTED else ""
        raise LinnetError(f"{len(broken)} of {len(values)} vectors hold NaN or infinity: {named}{more}. Take these "
                          "samples out, or mend what made them.")
