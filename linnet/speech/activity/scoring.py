"""How right events are: in time (milliseconds in common) and one by one (matched within a tolerance)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.speech.activity.events import Event

Events = Sequence[Event]


@dataclass(frozen=True)
class Counts:
    """Milliseconds of a comparison, or events of one."""

    right: float
    missed: float
    false: float

    @property
    def precision(self) -> float:
        """The share of what was answered that is right; 1 where nothing was."""
        return self.right / (self.right + self.false) if self.right + self.false else 1.0

    @property
    def recall(self) -> float:
        """The share of what is there that was answered; 1 where nothing is."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both; 1 where nothing is and nothing was answered."""
        every = 2 * self.right + self.false + self.missed
        return 2 * self.right / every if every else 1.0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.right + other.right, self.missed + other.missed, self.false + other.false)


def time_counts(answers: Events, truths: Events) -> Counts:
    """Milliseconds of one recording that answer and truth name alike, that were missed, and that were made up.

    >>> time_counts([Event("speech", 0, 300)], [Event("speech", 100, 500)])
    Counts(right=200, missed=200, false=100)
    """
    right = sum(max(0, min(one.offset_ms, other.offset_ms) - max(one.onset_ms, other.onset_ms))
                for one in answers for other in truths if one.label == other.label)
    return Counts(right, _length(truths) - right, _length(answers) - right)


def _length(events: Events) -> int:
    return sum(event.offset_ms - event.onset_ms for event in events)


def overlap_share(answers: Events, truths: Events) -> float:
    """Milliseconds in common over those that either names (Jaccard 1901); 1 where both are empty.

    >>> overlap_share([Event("speech", 0, 300)], [Event("speech", 100, 500)])
    0.4
    """
    counts = time_counts(answers, truths)
    every = counts.right + counts.missed + counts.false
    return counts.right / every if every else 1.0


def matched(answers: Events, truths: Events, *, tolerance_ms: float = 200.0) -> Counts:
    """How many events were found, missed and made up; each is matched once, in the order of time.

    An answer finds a true event of its label that it overlaps, each being wider by `tolerance_ms` at either end.

    >>> matched([Event("two", 900, 1200), Event("two", 5000, 5300)], [Event("two", 1300, 1600)])
    Counts(right=1, missed=0, false=1)
    """
    free = list(truths)
    found = 0
    for answer in sorted(answers, key=lambda event: event.onset_ms):
        for truth in free:
            if (truth.label == answer.label and answer.onset_ms < truth.offset_ms + tolerance_ms
                    and truth.onset_ms < answer.offset_ms + tolerance_ms):
                free.remove(truth)
                found += 1
                break
    return Counts(found, len(truths) - found, len(answers) - found)


def frame_labels(events: Events, labels: Sequence[str], *, frames: int, frame_ms: float,
                 delay_ms: float = 0.0) -> NDArray[np.int64]:
    """(frames,): 1 + the label's index where an event covers a frame's middle, else 0.

    Frame i speaks of the time from `frame_ms` i less `delay_ms` on, and lasts `frame_ms`.

    >>> frame_labels([Event("speech", 40, 120)], ["speech"], frames=4, frame_ms=40.0)
    array([0, 1, 1, 0])
    """
    found = np.zeros(frames, np.int64)
    for label, onset, offset in events:
        first, last = (int(np.ceil((edge + delay_ms) / frame_ms - 0.5)) for edge in (onset, offset))
        found[max(first, 0) : max(last, 0)] = 1 + list(labels).index(label)
    return found
