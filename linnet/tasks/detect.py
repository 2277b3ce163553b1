"""Detect: when something is heard in a recording, as events with an onset and an offset."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Splits, resample
from linnet.data.columns import SpansColumn
from linnet.errors import LinnetError, unknown
from linnet.speech.activity import (
    Counts,
    Event,
    LiveEvents,
    Observed,
    Rule,
    events_of,
    frame_labels,
    matched,
    overlap_share,
    shifted,
    time_counts,
)
from linnet.tasks import inputs as kinds
from linnet.tasks.detecting import chosen_rule
from linnet.tasks.inputs import AudioSequence, Options, parts_of
from linnet.tasks.inputs.source import check_columns, named
from linnet.tasks.reading import reading
from linnet.tasks.task import Arrays, Shape

log = logging.getLogger("linnet")

PADDED = -100
"""The target of a frame behind the end of a recording."""


@dataclass(frozen=True, init=False)
class Detect:
    """Which stretches of a recording are speech, a keyword, or any other label: [[label, onset_ms, offset_ms], ...].

    The network names each frame of `frame_ms` (40 for the families for recordings of any length): nothing, or a label.
    With a `delay_ms` it speaks of what it heard so long ago, so that a causal network may hear on before it decides;
    that much silence is put behind each recording. How frames become events is `rule`, the operating point.
    """

    takes: AudioSequence
    target: str
    groups: tuple[str, ...]
    labels: tuple[str, ...]
    frame_ms: float
    delay_ms: float
    rule: Rule

    kind = "detect"
    loss = "frame_cross_entropy"

    def __init__(self, data: Splits | Dataset, *, input: str, target: str, groups: Sequence[str] = (),
                 frame_ms: float = 40.0, delay_ms: float = 0.0, **options: Unpack[Options]) -> None:
        parts = parts_of(data)
        check_columns(parts, input, target, groups)
        column = parts[0].column(target)
        if parts[0].column(input).kind != "audio":
            raise LinnetError(f"Detect listens to recordings; '{input}' holds {parts[0].column(input).kind}.")
        if not isinstance(column, SpansColumn) or column.of != input:
            raise LinnetError(f"Detect answers with spans of the recordings in '{input}'; '{target}' holds "
                              + (f"spans of '{column.of}'." if isinstance(column, SpansColumn) else f"{column.kind}."))
        takes = kinds.choose(parts, input, options, whole=True)
        assert isinstance(takes, AudioSequence)
        labels = _labels(parts, target, column.labels)
        self._set(takes, target, tuple(groups), labels, _times(frame_ms, delay_ms), Rule())

    def _set(self, takes: AudioSequence, target: str, groups: tuple[str, ...], labels: tuple[str, ...],
             times: tuple[float, float], rule: Rule) -> None:
        values = {"takes": takes, "target": target, "groups": groups, "labels": labels, "frame_ms": times[0],
                  "delay_ms": times[1], "rule": rule}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def input(self) -> str:
        """The column of recordings."""
        return self.takes.column

    @property
    def inputs(self) -> tuple[str, ...]:
        """The column that goes in."""
        return self.takes.columns

    @property
    def noun(self) -> str:
        """What samples are called in a sentence."""
        return self.takes.noun

    @property
    def arrays(self) -> Mapping[str, tuple[str, Shape]]:
        """Padded sounds and their lengths."""
        return self.takes.arrays

    @property
    def sample_rate_hz(self) -> int:
        """The rate that the network hears."""
        return self.takes.sample_rate_hz

    @property
    def output(self) -> tuple[str, Shape]:
        """For each frame a logit for nothing, then one a label."""
        return "logits", (None, 1 + len(self.labels))

    @property
    def operating(self) -> Mapping[str, float]:
        """The settings by which posteriors become events."""
        return asdict(self.rule)

    def read(self, dataset: Dataset) -> Sequence[Any]:
        """Every decoded recording."""
        return self.takes.read(dataset)

    def prepare(self, samples: Sequence[Any]) -> Arrays:
        """Sounds padded to the longest, and their lengths; each is followed by `delay_ms` of silence."""
        return self.takes.prepare([self._delayed(sample) for sample in samples])

    def _delayed(self, sample: Any) -> Any:
        if not self.delay_ms or not isinstance(sample, Audio):
            return sample
        heard = resample(sample, self.sample_rate_hz)
        return Audio(np.pad(heard.samples, (0, round(self.delay_ms * self.sample_rate_hz / 1000))), self.sample_rate_hz)

    def targets(self, dataset: Dataset) -> NDArray[np.int64]:
        """(rows, frames): 0 for nothing, 1 + a label's index, -100 behind the end. Unknown labels are refused."""
        from linnet.data import describe_audio

        events = self._events(dataset)
        strange = sorted({event.label for row in events for event in row} - set(self.labels))
        if strange:
            raise LinnetError(f"column '{self.target}' of the {dataset.part or 'given'} data holds labels that the "
                              f"task does not know: {', '.join(strange[:10])}. It knows: {', '.join(self.labels)}.")
        lasts = [1000 * seconds for seconds in describe_audio(dataset, self.input).seconds]
        self._refuse_beyond(dataset, events, lasts)
        counts = [self._frames(last) or 0 for last in lasts]
        wanted = np.full((len(counts), max(counts)), PADDED, np.int64)
        for row, count, found in zip(wanted, counts, events, strict=True):
            row[:count] = frame_labels(found, self.labels, frames=count, frame_ms=self.frame_ms,
                                       delay_ms=self.delay_ms)
        return wanted

    def _refuse_beyond(self, dataset: Dataset, events: Sequence[Sequence[Event]], lasts: Sequence[float]) -> None:
        wrong = [name for name, row, last in zip(dataset.ids, events, lasts, strict=True)
                 if any(event.onset_ms >= last for event in row)]
        if wrong:
            raise LinnetError(f"{named(dataset)}: spans of '{self.target}' begin behind the end of their recording in "
                              f"{len(wrong)} rows: {', '.join(wrong[:10])}. Spans of recordings count milliseconds.")

    def _events(self, dataset: Dataset) -> list[list[Event]]:
        return [sorted((Event(str(span["label"]), int(span["start"]), int(span["end"])) for span in row),
                       key=lambda event: event.onset_ms) for row in dataset.values(self.target)]

    def expected(self, dataset: Dataset) -> list[str]:
        """Each row's events as JSON, [[label, onset_ms, offset_ms], ...], by their onset."""
        return [_json(row) for row in self._events(dataset)]

    def posteriors(self, outputs: Arrays) -> NDArray[np.float64]:
        """(batch, frames, labels): how likely each label is in each frame."""
        logits = np.asarray(outputs["logits"], np.float64)
        powers = np.exp(logits - logits.max(axis=2, keepdims=True))
        return np.asarray((powers / powers.sum(axis=2, keepdims=True))[:, :, 1:])

    def decode(self, outputs: Arrays, samples: Sequence[Any] = ()) -> list[str]:
        """The events at the operating point; with the recordings, none of them goes on behind their end."""
        rows = self.posteriors(outputs)
        ends = [1000 * sample.seconds for sample in samples] or [None] * len(rows)
        return [_json(shifted(events_of(row[: self._frames(end)], self.labels, self.rule, frame_ms=self.frame_ms),
                              self.delay_ms, end_ms=end)) for row, end in zip(rows, ends, strict=True)]

    def _frames(self, end_ms: float | None) -> int | None:
        """How many frames speak of a recording of this length: those of padding would be smoothed into the last."""
        return None if end_ms is None else math.ceil((end_ms + self.delay_ms) / self.frame_ms)

    def live(self) -> LiveEvents:
        """The events while posteriors come; their times are late by `delay_ms`."""
        return LiveEvents(self.labels, self.rule, frame_ms=self.frame_ms)

    def score(self, answers: Sequence[str], expected: Sequence[str]) -> NDArray[np.float64]:
        """The milliseconds that answer and truth name alike, over those that either names; 1 where both are silent."""
        return np.array([overlap_share(_read(a), _read(e)) for a, e in zip(answers, expected, strict=True)])

    def metrics(self, answers: Sequence[str], expected: Sequence[str]) -> dict[str, float]:
        """F1, precision and recall of milliseconds; the same of events, an event being found within 200 ms."""
        pairs = [(_read(a), _read(e)) for a, e in zip(answers, expected, strict=True)]
        times = sum((time_counts(*pair) for pair in pairs), Counts(0, 0, 0))
        events = sum((matched(*pair) for pair in pairs), Counts(0, 0, 0))
        return {f"{name}_{figure}": getattr(counts, figure) for name, counts in (("time", times), ("event", events))
                for figure in ("f1", "precision", "recall")}

    def at(self, **settings: float) -> Detect:
        """The same task at other settings: threshold, hysteresis, smooth_ms, least_ms, gap_ms."""
        for name in settings:
            if name not in self.operating:
                raise unknown("setting", name, self.operating)
        task = object.__new__(Detect)
        task._set(self.takes, self.target, self.groups, self.labels, (self.frame_ms, self.delay_ms),
                  replace(self.rule, **{name: float(value) for name, value in settings.items()}))
        return task

    def chosen(self, outputs: Sequence[Arrays], dataset: Dataset, *, false_alarms_an_hour: float | None = None,
               miss: float | None = None, false_alarm: float | None = None) -> Detect:
        """The same task at the threshold and smoothing that serve best; the other settings stay.

        Either `false_alarms_an_hour`: the fewest missed events at so many false alarms; or the costs `miss` and
        `false_alarm` of a second missed and of a second made up, 1 where not said: the least cost.
        """
        given = {"false_alarms_an_hour": false_alarms_an_hour, "miss": miss, "false_alarm": false_alarm}
        wanted = {name: value for name, value in given.items() if value is not None}
        rows = [row for batch in outputs for row in self.posteriors(batch)]
        lasts = [media.seconds for media in self.read(dataset)]
        answered = [Observed(row[: self._frames(1000 * last)], truths, last)
                    for row, truths, last in zip(rows, self._events(dataset), lasts, strict=True)]
        task = object.__new__(Detect)
        task._set(self.takes, self.target, self.groups, self.labels, (self.frame_ms, self.delay_ms),
                  chosen_rule(answered, self.labels, self.rule, times=(self.frame_ms, self.delay_ms), wanted=wanted))
        return task

    def to_json(self) -> dict[str, Any]:
        """Everything that `from_json` needs."""
        return {"kind": self.kind, "takes": self.takes.to_json(), "target": self.target, "groups": list(self.groups),
                "labels": list(self.labels), "frame_ms": self.frame_ms, "delay_ms": self.delay_ms,
                "rule": asdict(self.rule)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Detect:
        """Read what `to_json` wrote; raises LinnetError for anything else."""
        task = object.__new__(cls)
        with reading("detection"):
            task._set(AudioSequence.from_json(value["takes"]), str(value["target"]), tuple(map(str, value["groups"])),
                      tuple(map(str, value["labels"])), _times(value["frame_ms"], value["delay_ms"]),
                      Rule(**{name: float(setting) for name, setting in value["rule"].items()}))
        return task


def _json(events: Sequence[Event]) -> str:
    return json.dumps([list(event) for event in events], ensure_ascii=False)


def _read(text: str) -> list[Event]:
    return [Event(*event) for event in json.loads(text)]


def _times(frame_ms: float, delay_ms: float) -> tuple[float, float]:
    if not 0 < frame_ms < math.inf or not 0 <= delay_ms < math.inf:
        raise LinnetError("frame_ms is the time between two answers of the network, above 0, and delay_ms how long it "
                          f"may hear on before it decides, 0 or more; got {frame_ms} and {delay_ms}.")
    return float(frame_ms), float(delay_ms)


def _labels(parts: Sequence[Dataset], target: str, order: Sequence[str]) -> tuple[str, ...]:
    seen = [{str(span["label"]) for row in part.values(target) for span in row} for part in parts]
    found = tuple(label for label in order if label in set().union(*seen))
    missing = [label for label in found if label not in seen[0]]
    if missing:
        raise LinnetError(f"labels of '{target}' without a span in the training part: {', '.join(missing)}. "
                          "Give the training part samples of them, or leave them out with where(...).")
    if not found:
        raise LinnetError(f"column '{target}' holds no span; there is nothing to learn.")
    return found
