"""From the posteriors of frames to events with an onset and an offset: smoothing, two thresholds, least durations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.floating]


class Event(NamedTuple):
    """Something heard from `onset_ms` to `offset_ms`, in whole milliseconds from the start of the recording."""

    label: str
    onset_ms: int
    offset_ms: int


@dataclass(frozen=True)
class Rule:
    """How posteriors become events; all of it can be carried out while one listens.

    A frame is named by its likeliest label. An event is a run of frames of one name whose smoothed posterior stays at
    `threshold` less the share `hysteresis` of it, and reaches `threshold` somewhere. Runs of one label that are at most
    `gap_ms` apart, with no other event between them, are one; what is shorter than `least_ms` then is none.
    Posteriors are smoothed by the mean over `smooth_ms` around each frame (Chen, Parada and Heigold 2014,
    Small-footprint keyword spotting using deep neural networks), so an event is known half of that, and `gap_ms`,
    after it ended.
    """

    threshold: float = 0.5
    hysteresis: float = 0.0
    smooth_ms: float = 0.0
    least_ms: float = 0.0
    gap_ms: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.threshold <= 1:
            raise LinnetError(f"threshold is a probability, above 0 and at most 1; got {self.threshold}.")
        if not 0 <= self.hysteresis < 1:
            raise LinnetError("hysteresis is the share of the threshold by which an event may fall below it before it "
                              f"ends, from 0 to below 1; got {self.hysteresis}.")
        for name in ("smooth_ms", "least_ms", "gap_ms"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise LinnetError(f"{name} is a time in milliseconds, 0 or more; got {getattr(self, name)}.")

    def reach(self, frame_ms: float) -> int:
        """How many frames before and after each one the smoothing takes in."""
        return round(self.smooth_ms / frame_ms / 2)

    def gap(self, frame_ms: float) -> int:
        """The longest gap within an event, in frames."""
        return int(self.gap_ms // frame_ms)


def smoothed(posteriors: Floats, reach: int) -> Floats:
    """The mean over `reach` frames before and after each one, as many of them as there are: (frames, labels) to same.

    >>> smoothed(np.array([[0.0], [3.0], [0.0], [0.0]]), 1).ravel().tolist()
    [1.5, 1.0, 1.0, 0.0]
    """
    if not reach or not len(posteriors):
        return posteriors
    padded = np.zeros((len(posteriors) + 2 * reach, posteriors.shape[1]))  # np.pad takes longer than all that follows
    padded[reach : reach + len(posteriors)] = posteriors
    total: Floats = np.zeros(posteriors.shape)
    for first in range(2 * reach + 1):  # always in this order, so that a chunk's sums are those of the whole
        total += padded[first : first + len(posteriors)]
    places = np.arange(len(posteriors))
    counts = np.minimum(places + reach + 1, len(posteriors)) - np.maximum(places - reach, 0)
    return np.asarray(total / counts[:, None])


def events_of(posteriors: Floats, labels: Sequence[str], rule: Rule, *, frame_ms: float) -> list[Event]:
    """The events in (frames, labels) posteriors, one frame each `frame_ms`.

    >>> heard = np.array([[0.1], [0.9], [0.8], [0.2], [0.9]])
    >>> events_of(heard, ["speech"], Rule(0.5), frame_ms=40.0)
    [Event(label='speech', onset_ms=40, offset_ms=120), Event(label='speech', onset_ms=160, offset_ms=200)]
    >>> events_of(heard, ["speech"], Rule(0.5, gap_ms=40), frame_ms=40.0)
    [Event(label='speech', onset_ms=40, offset_ms=200)]
    """
    runs = _runs(smoothed(posteriors, rule.reach(frame_ms)), rule)
    joined = _joined([run for run in runs if run.is_event], rule.gap(frame_ms))
    return [_event(run, labels, frame_ms) for run in joined if (run.end - run.start) * frame_ms >= rule.least_ms]


class LiveEvents:
    """The same events while the frames come: `update` gives those that are over, `finish` the rest.

    In whatever chunks the frames come, the events are those of `events_of` over all of them.
    """

    def __init__(self, labels: Sequence[str], rule: Rule, *, frame_ms: float) -> None:
        self.labels, self.rule, self.frame_ms = tuple(labels), rule, frame_ms
        self.reset()

    def reset(self) -> None:
        """As if nothing had been heard."""
        self._raw: Floats = np.zeros((0, len(self.labels)))
        self._first = 0
        self._decided = 0
        self.active: str | None = None
        """The label of the event that goes on now, as soon as it is sure that there is one."""

    def update(self, posteriors: Floats) -> list[Event]:
        """Take further frames (frames, labels); the events that ended and can no longer be joined with others."""
        self._raw = np.concatenate([self._raw, posteriors])
        return self._settle(len(self._raw) - self.rule.reach(self.frame_ms), is_over=False)

    def finish(self) -> list[Event]:
        """The events that the end of the recording ends; the next frame is the first of another one."""
        events = self._settle(len(self._raw), is_over=True)
        self.reset()
        return events

    def _settle(self, known: int, *, is_over: bool) -> list[Event]:
        """`known` frames of what is kept have all of their neighbours, or there are none."""
        if known <= self._decided:
            return []
        reach, gap, first = self.rule.reach(self.frame_ms), self.rule.gap(self.frame_ms), self._decided
        runs = [run._replace(start=run.start + first, end=run.end + first)
                for run in _runs(smoothed(self._raw, reach)[first:known], self.rule)]
        found = _joined([run for run in runs if run.is_event], gap)
        still = [run for run in runs if run.end == known] if not is_over else []
        waits = [run for run in found if not is_over and (known - run.end <= gap or any(
            other.label == run.label and other.start - run.end <= gap for other in still))]
        self.active = self.labels[found[-1].label] if found and found[-1].end == known and not is_over else None
        since = min((run.start for run in (*waits, *still)), default=known)
        over = [run._replace(start=run.start + self._first, end=run.end + self._first) for run in found
                if run.end <= since and run not in waits]
        self._forget(since, reach)
        return [_event(run, self.labels, self.frame_ms) for run in over
                if (run.end - run.start) * self.frame_ms >= self.rule.least_ms]

    def _forget(self, since: int, reach: int) -> None:
        """Keep what is undecided, and so many frames before it as its smoothing takes in."""
        gone = max(0, since - reach)
        self._raw, self._first, self._decided = self._raw[gone:], self._first + gone, since - gone


class _Run(NamedTuple):
    label: int
    start: int
    end: int
    is_event: bool


def _runs(posteriors: Floats, rule: Rule) -> list[_Run]:
    """The runs of one label at the lower threshold, and whether they reach the upper one."""
    if not len(posteriors):
        return []
    best = posteriors.argmax(axis=1)
    level = posteriors[np.arange(len(best)), best]
    name = np.where(level >= rule.threshold * (1 - rule.hysteresis), best + 1, 0)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(name)) + 1])
    ends, peaks = np.append(starts[1:], len(name)), np.maximum.reduceat(level, starts)
    return [_Run(int(name[start]) - 1, int(start), int(end), bool(peak >= rule.threshold))
            for start, end, peak in zip(starts, ends, peaks, strict=True) if name[start]]


def _joined(runs: Sequence[_Run], gap: int) -> list[_Run]:
    found: list[_Run] = []
    for run in runs:
        if found and found[-1].label == run.label and run.start - found[-1].end <= gap:
            found[-1] = found[-1]._replace(end=run.end)
        else:
            found.append(run)
    return found


def _event(run: _Run, labels: Sequence[str], frame_ms: float) -> Event:
    return Event(labels[run.label], round(run.start * frame_ms), round(run.end * frame_ms))
