"""The measures of a dataset: a few numbers of every sample, taken one sample at a time; what is broken is named."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.data import Dataset, LabelColumn
from linnet.data.describe import Broken
from linnet.data.media import contents, read_audio, read_image
from linnet.errors import DamagedFileError, LinnetError
from linnet.introspect.health.images import IMAGE_UNITS, measure_image
from linnet.introspect.health.sounds import SOUND_UNITS, measure_sound
from linnet.introspect.health.texts import TEXT_UNITS, measure_text, script
from linnet.progress import Progress

Floats = NDArray[np.float64]
_Found = Iterator[tuple[dict[str, float], str]]
_EVERY = 50


@dataclass(frozen=True, eq=False)
class Measures:
    """What was measured of so many rows.

    `numbers` maps "audio.loudness" (of a number column just its name) to one float a row, NaN where a file is broken;
    `units` says in what. `labels` maps columns of labels and groups to one string a row. `forms` maps columns of media
    and texts to how each row is stored ("WAV PCM_16 8000 Hz mono", "JPEG RGB") or written ("Latin").
    """

    name: str
    ids: tuple[str, ...]
    numbers: Mapping[str, Floats]
    units: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Sequence[str]] = field(default_factory=dict)
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The labels that each column of labels may hold."""
    forms: Mapping[str, Sequence[str]] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


def measure(dataset: Dataset, *, progress: Progress | None = None) -> Measures:
    """Measure every sample, decoding one at a time; `profile`, `drift` and `order` take the result in place of data.

    A file that cannot be read is named in `broken` and has no numbers; nothing stops at it. Memory grows by some
    hundred bytes a row.

    Raises LinnetError for a dataset without rows.
    """
    if not len(dataset):
        raise LinnetError(f"'{dataset.name}' has no rows; nothing can be measured.")
    numbers: dict[str, Floats] = {}
    units: dict[str, str] = {}
    labels: dict[str, Sequence[str]] = {}
    forms: dict[str, Sequence[str]] = {}
    broken: list[Broken] = []
    for name, column in dataset.columns.items():
        if column.kind in _UNITS:
            walk = _progressing(_READERS[column.kind](dataset, name, broken), len(dataset), name, progress)
            rows, forms[name] = zip(*walk, strict=True)
            for measured, unit in _UNITS[column.kind].items():
                numbers[f"{name}.{measured}"] = np.array([row.get(measured, math.nan) for row in rows])
                units[f"{name}.{measured}"] = unit
        elif column.kind in ("label", "group"):
            labels[name] = dataset.values(name)
        elif column.kind == "value":
            numbers[name], units[name] = np.asarray(dataset.values(name), np.float64), ""
        else:
            numbers[f"{name}.items"] = np.array([len(cell) for cell in dataset.values(name)], np.float64)
            units[f"{name}.items"] = ""
    known = {name: column.labels for name, column in dataset.columns.items() if isinstance(column, LabelColumn)}
    return Measures(dataset.name, tuple(dataset.ids), numbers, units, labels, known, forms, tuple(broken))


def measured(given: Any, ids: Sequence[str] | None = None, progress: Progress | None = None) -> Measures:
    """A Dataset, what `measure` made of one, or an array (rows, columns) of finite numbers, as Measures."""
    if ids is not None and isinstance(given, Measures | Dataset):
        raise LinnetError("a Dataset, and what was measured of one, has its own ids; leave ids out.")
    if isinstance(given, Measures):
        return given
    return measure(given, progress=progress) if isinstance(given, Dataset) else _of_array(given, ids)


def _of_array(given: ArrayLike, ids: Sequence[str] | None) -> Measures:
    try:
        rows = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise LinnetError(f"expected a Dataset, Measures, or numbers (rows, columns); got {given!r:.60}.") from None
    rows = rows[:, None] if rows.ndim == 1 else rows
    if rows.ndim != 2 or 0 in rows.shape:
        raise LinnetError(f"expected numbers (rows, columns), at least one of each; got shape {rows.shape}.")
    bad = np.flatnonzero(~np.isfinite(rows).all(axis=0))
    if len(bad):
        raise LinnetError(f"{len(bad)} columns hold NaN or infinity, the first is column {bad[0]}; leave such rows "
                          "out, or fill them in.")
    names = [str(row) for row in range(len(rows))] if ids is None else [str(name) for name in ids]
    if len(names) != len(rows) or len(set(names)) < len(names):
        raise LinnetError(f"every row needs an id of its own; got {len(rows)} rows and {len(names)} ids, "
                          f"{len(set(names))} of them different.")
    return Measures("given", tuple(names), {f"column {at}": rows[:, at] for at in range(rows.shape[1])})


def _progressing(found: _Found, total: int, column: str, progress: Progress | None) -> _Found:
    for done, one in enumerate(found, 1):
        yield one
        if progress is not None and (done % _EVERY == 0 or done == total):
            progress(done, total, f"measuring '{column}'")


def _media(read: Callable[[bytes], tuple[dict[str, float], str]]) -> Callable[[Dataset, str, list[Broken]], _Found]:
    def each(dataset: Dataset, column: str, broken: list[Broken]) -> _Found:
        for index, sample in enumerate(dataset.ids):
            try:
                yield read(contents(dataset.file(column, index)))
            except DamagedFileError as error:
                broken.append(Broken(sample, column, str(error)))
                yield {}, ""

    return each


def _sound(data: bytes) -> tuple[dict[str, float], str]:
    import soundfile

    found = measure_sound(read_audio(data))
    header = soundfile.info(io.BytesIO(data))
    channels = {1: "mono", 2: "stereo"}.get(header.channels, f"{header.channels} channels")
    return found, f"{header.format} {header.subtype} {header.samplerate} Hz {channels}"


def _image(data: bytes) -> tuple[dict[str, float], str]:
    from PIL import Image

    found = measure_image(read_image(data))
    with Image.open(io.BytesIO(data)) as header:
        return found, f"{header.format} {header.mode}"


def _texts(dataset: Dataset, column: str, broken: list[Broken]) -> _Found:
    del broken  # a text can always be read
    for text in dataset.values(column):
        yield measure_text(text), script(text)


_UNITS = {"audio": SOUND_UNITS, "image": IMAGE_UNITS, "text": TEXT_UNITS}
_READERS = {"audio": _media(_sound), "image": _media(_image), "text": _texts}
