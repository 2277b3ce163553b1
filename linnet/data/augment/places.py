"""Augmentation of recordings by where they were made: the room's echo, and what else is heard there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from linnet.data.augment.draws import Floats, check_chance, check_range, extent, uniform
from linnet.errors import LinnetError

if TYPE_CHECKING:
    from linnet.data.dataset import Dataset


@dataclass(frozen=True)
class Reverberation:
    """A room: the sound itself, and noise that dies away behind it.

    The echo falls by 60 dB in `rt60_s`, begins `delay_s` after the sound, and has so many decibels less power than it
    (the direct-to-reverberant ratio). After Polack 1988; see Lebart et al. 2001, Acta Acustica 87(3).
    """

    name: ClassVar[str] = "reverberation"
    low_rt60_s: float = 0.1
    high_rt60_s: float = 0.6
    low_direct_db: float = 0.0
    high_direct_db: float = 15.0
    delay_s: float = 0.004
    chance: float = 0.5

    def __post_init__(self) -> None:
        check_range(self, self.low_rt60_s, self.high_rt60_s, above=0)
        check_range(self, self.low_direct_db, self.high_direct_db)
        check_range(self, 0, self.delay_s)
        check_chance(self, self.chance)

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        from scipy import fft

        samples = batch.shape[1]
        room = self.responses(len(batch), sample_rate_hz, rng)[:, :samples]
        length = fft.next_fast_len(samples + room.shape[1], real=True)
        heard = fft.irfft(fft.rfft(batch, n=length, axis=1) * fft.rfft(room, n=length, axis=1), n=length, axis=1)
        return np.asarray(heard[:, :samples], np.float32)

    def responses(self, rows: int, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        """(rows, samples) impulse responses; a 1 and nothing else where the step does not happen."""
        rt60 = uniform(rng, self.low_rt60_s, self.high_rt60_s, rows, chance=1.0, else_=0.0)[:, None]
        direct_db = uniform(rng, self.low_direct_db, self.high_direct_db, rows, chance=self.chance, else_=np.inf)
        first = 1 + round(self.delay_s * sample_rate_hz)
        seconds = np.arange(max(round(self.high_rt60_s * sample_rate_hz), 1), dtype=np.float32) / sample_rate_hz
        tail = rng.standard_normal((rows, len(seconds)), np.float32) * np.exp(-np.log(1000) * seconds / rt60)
        tail *= (10 ** (-direct_db[:, None] / 20)) / np.sqrt(np.square(tail).sum(axis=1, keepdims=True))
        response = np.concatenate([np.zeros((rows, first), np.float32), tail], axis=1)
        response[:, 0] = 1
        return response


@dataclass(frozen=True)
class Background:
    """Other recordings behind each one: a piece of one of them, at a signal-to-noise ratio.

    `source` is a Dataset, the name of a corpus, a folder or a manifest as `data.load` takes it, or the origin that a
    Dataset keeps; a folder needs no labels here. What is written down is the source and its fingerprint: a chain that
    is read again refuses other sounds than those that it was made with. A short one is repeated; several hours of
    sound are better cut down first, since all of it is kept in memory (float32).
    """

    name: ClassVar[str] = "background"
    source: Any
    fingerprint: str = ""
    low_snr_db: float = 5.0
    high_snr_db: float = 30.0
    chance: float = 0.5
    _dataset: Dataset = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_range(self, self.low_snr_db, self.high_snr_db)
        check_chance(self, self.chance)
        dataset, written = _opened(self.source)
        _audio_column(dataset)
        if self.fingerprint and dataset.fingerprint != self.fingerprint:
            raise LinnetError(f"Background: '{dataset.name}' is not the sound this chain was made with (fingerprint "
                              f"{dataset.fingerprint[:12]}, expected {self.fingerprint[:12]}). Give that source again, "
                              "or leave the fingerprint out to use this one.")
        for setting, value in (("source", written), ("fingerprint", dataset.fingerprint), ("_dataset", dataset)):
            object.__setattr__(self, setting, value)

    @property
    def contents(self) -> dict[str, str]:
        """The content digest of each recording of the source, to its id."""
        column = _audio_column(self._dataset)
        return {self._dataset.contents(index)[column]: name for index, name in enumerate(self._dataset.ids)}

    def __call__(self, batch: Floats, sample_rate_hz: int, rng: np.random.Generator) -> Floats:
        snr_db = uniform(rng, self.low_snr_db, self.high_snr_db, len(batch), chance=self.chance, else_=np.inf)
        begin, end = extent(batch)
        power = np.square(batch).sum(axis=1) / np.maximum(end - begin, 1)
        which = rng.integers(0, len(self._dataset), len(batch))
        places = rng.random(len(batch))
        mixed = batch.copy()
        for row in np.flatnonzero(np.isfinite(snr_db)):
            noise = _piece(self._sounds(sample_rate_hz)[which[row]], batch.shape[1], float(places[row]))
            loudness = float(np.square(noise).mean())
            if loudness > 0:
                mixed[row] += noise * np.sqrt(power[row] * 10 ** (-snr_db[row] / 10) / loudness)
        return mixed

    def _sounds(self, sample_rate_hz: int) -> list[Floats]:
        """Every recording of the source at this rate, decoded once."""
        from linnet.data.media import Audio, resample

        if sample_rate_hz not in self._decoded:
            sounds = self._dataset.decode(_audio_column(self._dataset))
            self._decoded[sample_rate_hz] = [resample(sound, sample_rate_hz).samples for sound in sounds
                                             if isinstance(sound, Audio)]
        return self._decoded[sample_rate_hz]

    @cached_property
    def _decoded(self) -> dict[int, list[Floats]]:
        return {}


def _opened(source: Any) -> tuple[Dataset, str | dict[str, Any]]:
    """The dataset, and how to write its source down: a name or path where that says all, else its origin."""
    from linnet.data.dataset import Dataset
    from linnet.data.origin import restore

    if isinstance(source, Dataset):
        return source, _written(source)
    if isinstance(source, Mapping):
        return restore(source), dict(source)
    if not isinstance(source, str | Path):
        raise LinnetError(f"Background: the source is a Dataset, a name, a folder or a manifest; got {source!r:.100}.")
    return _loaded(source), str(source)


def _loaded(source: str | Path) -> Dataset:
    from linnet.data.sources import SOURCES, load

    folder = Path(source)
    if not (isinstance(source, str) and source in SOURCES) and folder.is_dir():
        return _of_folder(folder)
    return load(source)


def _of_folder(folder: Path) -> Dataset:
    """Every recording below a folder, whether in folders of labels or not."""
    import pyarrow as pa

    from linnet.data.cells import media_cells
    from linnet.data.columns import AudioColumn
    from linnet.data.dataset import Dataset
    from linnet.data.media import AUDIO_SUFFIXES

    names = sorted(file.relative_to(folder) for file in folder.rglob("*")
                   if file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith("."))
    if not names:
        raise LinnetError(f"Background: {folder} has no recordings ({', '.join(AUDIO_SUFFIXES)}).")
    table = pa.table({"id": [name.as_posix() for name in names], "audio": media_cells(names)})
    return Dataset(folder.resolve().name, table, {"audio": AudioColumn()}, root=folder)


def _written(dataset: Dataset) -> str | dict[str, Any]:
    """Its origin, or just the name where nothing else was asked."""
    origin = dict(dataset.origin)
    if not origin:
        raise LinnetError("Background: this Dataset does not say where it comes from, so the chain could not be "
                          "written down. Load it with data.load, or give the folder.")
    return str(origin["source"]) if not origin.get("options") and not origin.get("steps") else origin


def _audio_column(dataset: Dataset) -> str:
    columns = [name for name, column in dataset.columns.items() if column.kind == "audio"]
    if not columns:
        raise LinnetError(f"Background: '{dataset.name}' has no recordings; its columns are "
                          f"{', '.join(dataset.columns)}.")
    return columns[0]


def _piece(sound: Floats, samples: int, place: float) -> Floats:
    """So many samples of a sound from somewhere in it, repeated where it is too short."""
    spare = len(sound) - samples
    if spare < 0:
        first = int(place * len(sound))
        return np.resize(np.roll(sound, -first), samples)
    first = int(place * (spare + 1))
    return sound[first:first + samples]
