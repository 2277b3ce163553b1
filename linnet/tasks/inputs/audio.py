"""Recordings: a window of one length, or the whole of each with its length."""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Media, describe_audio, describe_audio_parts, odd, resample
from linnet.errors import LinnetError
from linnet.tasks.inputs.source import named
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")


@dataclass(frozen=True)
class AudioWindow:
    """The middle `samples` of each recording at one rate: {"audio": (batch, samples) float32}."""

    column: str
    sample_rate_hz: int
    samples: int

    kind: ClassVar[str] = "audio_window"
    noun: ClassVar[str] = "recordings"
    takes: ClassVar[tuple[str, ...]] = ("seconds", "sample_rate_hz")

    @classmethod
    def choose(cls, parts: Sequence[Dataset], column: str, *, seconds: float | None = None,
               sample_rate_hz: int | None = None) -> Self:
        """The most frequent rate, and a window that holds 99 of 100 training recordings; what changes is said."""
        rate = _common_rate(parts, column, sample_rate_hz)
        return cls(column, rate, _window(parts, column, seconds, rate))

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of recordings."""
        return (self.column,)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """One array of `samples` numbers."""
        return {"audio": ("float32", (self.samples,))}

    def read(self, dataset: Dataset) -> list[Media]:
        """Every decoded recording."""
        return dataset.decode(self.column)

    def prepare(self, samples: Sequence[Media]) -> Arrays:
        """A longer recording keeps its middle, a shorter one is padded with silence on both sides."""
        sounds = [_heard(sound, self.sample_rate_hz) for sound in samples]
        odd.note(f"recordings are longer than the window of {self.samples / self.sample_rate_hz:g} s: only their "
                 "middle is heard", sum(len(sound) > self.samples + 1 for sound in sounds), of=len(sounds))
        return {"audio": np.stack([self._middle(sound) for sound in sounds])}

    def _middle(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        missing = self.samples - len(samples)
        if missing < 0:
            return samples[-missing // 2 : -missing // 2 + self.samples]
        return np.pad(samples, (missing // 2, missing - missing // 2))

    def to_json(self) -> dict[str, Any]:
        """Column, rate and length."""
        return {"kind": self.kind, "column": self.column, "sample_rate_hz": self.sample_rate_hz,
                "samples": self.samples}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(str(value["column"]), int(value["sample_rate_hz"]), int(value["samples"]))


@dataclass(frozen=True)
class AudioSequence:
    """Whole recordings: {"audio": (batch, longest) float32, "lengths": (batch,) int64}, zeros behind each."""

    column: str
    sample_rate_hz: int
    seconds: float | None = None
    """The longest recording that is taken; longer ones are refused. None: any."""

    kind: ClassVar[str] = "audio_sequence"
    noun: ClassVar[str] = "recordings"
    takes: ClassVar[tuple[str, ...]] = ("seconds", "sample_rate_hz")

    @classmethod
    def choose(cls, parts: Sequence[Dataset], column: str, *, seconds: float | None = None,
               sample_rate_hz: int | None = None) -> Self:
        """The most frequent rate; recordings longer than `seconds` are refused and listed."""
        if seconds is not None:
            _check_seconds(seconds, "the longest recording that is taken")
        made = cls(column, _common_rate(parts, column, sample_rate_hz), seconds)
        if seconds is not None:
            for part in parts:
                _refuse_longer(part, column, seconds)
        return made

    @property
    def columns(self) -> tuple[str, ...]:
        """The column of recordings."""
        return (self.column,)

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Samples padded to the longest of the batch, and how many are real."""
        return {"audio": ("float32", (None,)), "lengths": ("int64", ())}

    def read(self, dataset: Dataset) -> list[Media]:
        """Every decoded recording."""
        return dataset.decode(self.column)

    def prepare(self, samples: Sequence[Media]) -> Arrays:
        """Raises LinnetError for a recording that is longer than the task takes."""
        sounds = [_heard(sound, self.sample_rate_hz) for sound in samples]
        lengths = np.array([len(sound) for sound in sounds], np.int64)
        if self.seconds is not None and lengths.max() > math.ceil(self.seconds * self.sample_rate_hz):
            raise LinnetError(f"a recording lasts {lengths.max() / self.sample_rate_hz:.3g} s; this task takes up to "
                              f"{self.seconds:g} s. Cut it into pieces.")
        audio = np.zeros((len(sounds), int(lengths.max())), np.float32)
        for row, sound in zip(audio, sounds, strict=True):
            row[: len(sound)] = sound
        return {"audio": audio, "lengths": lengths}

    def to_json(self) -> dict[str, Any]:
        """Column, rate and the longest recording."""
        return {"kind": self.kind, "column": self.column, "sample_rate_hz": self.sample_rate_hz,
                "seconds": self.seconds}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        seconds = value["seconds"]
        return cls(str(value["column"]), int(value["sample_rate_hz"]), None if seconds is None else float(seconds))


def _refuse_longer(part: Dataset, column: str, seconds: float) -> None:
    lengths = describe_audio(part, column).seconds
    longer = [name for name, length in zip(part.ids, lengths, strict=True) if length > seconds]
    if longer:
        raise LinnetError(f"{named(part)}: {len(longer)} of {len(part)} recordings are longer than {seconds:g} s: "
                          f"{', '.join(longer[:10])}. Take them out of the data, cut them into pieces, or give more "
                          "seconds: what is transcribed is never cut, because its answer would not be.")


def _heard(sound: Media, rate_hz: int) -> NDArray[np.float32]:
    if not isinstance(sound, Audio):
        raise LinnetError("this task takes sounds; it was given an image or a text.")
    if not math.isfinite(float(sound.samples.sum())) and (bad := int((~np.isfinite(sound.samples)).sum())):
        raise LinnetError(f"the recording holds {bad} samples that are NaN or infinite; nothing can be heard in it.")
    return resample(sound, rate_hz).samples


def _common_rate(parts: Sequence[Dataset], column: str, wanted: int | None) -> int:
    """The rate asked for, else the most frequent one of the training part; what has to be resampled is said."""
    if wanted is not None and (isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 1):
        raise LinnetError(f"sample_rate_hz must be a whole number, at least 1 Hz; got {wanted!r}.")
    summaries = describe_audio_parts(parts, column)
    rates = Counter[int]()
    for (rate_hz, _), count in summaries[0].formats.items():
        rates[rate_hz] += count
    rate = wanted or rates.most_common(1)[0][0]
    for part, summary in zip(parts, summaries, strict=True):
        if changes := summary.changes_to(rate):
            log.warning("%s: %s.", named(part), changes)
    return rate


def _check_seconds(seconds: Any, what: str) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise LinnetError(f"seconds is {what}, a number above 0; got {seconds!r}.")


def _window(parts: Sequence[Dataset], column: str, wanted: float | None, rate_hz: int) -> int:
    """The window in samples: as asked for, else one that holds 99 of 100 training recordings whole; cuts are said.

    What is not asked for is rounded up to a tenth of a second.
    """
    if wanted is not None:
        _check_seconds(wanted, "the length of the window")
    lengths = [summary.seconds for summary in describe_audio_parts(parts, column)]
    seconds = math.ceil(10 * float(np.quantile(lengths[0], 0.99))) / 10 if wanted is None else wanted
    samples = round(seconds * rate_hz)
    if samples < 1:
        raise LinnetError(f"seconds is the length of the window, at least one sample at {rate_hz} Hz; got {seconds}.")
    for part, found in zip(parts, lengths, strict=True):
        if longer := sum(length > samples / rate_hz for length in found):
            log.warning("%s: %d of %d recordings are longer than the window of %g s: only their middle is heard.",
                        named(part), longer, len(found), seconds)
    return samples
