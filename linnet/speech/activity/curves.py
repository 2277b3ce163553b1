"""Misses against false alarms an hour over all thresholds: the curve from which an operating point is chosen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from linnet.speech.activity.events import Event, Floats, Rule, events_of, smoothed
from linnet.speech.activity.scoring import matched


@dataclass(frozen=True)
class Observed:
    """One recording: what the network said of it (frames, labels), and what is in it."""

    posteriors: Floats
    truths: Sequence[Event]
    seconds: float


@dataclass(frozen=True)
class Curve:
    """For each threshold: the share of events that were missed, and false alarms an hour (of all sound)."""

    thresholds: NDArray[np.float64]
    misses: NDArray[np.float64]
    false_alarms_an_hour: NDArray[np.float64]
    events: int
    hours: float

    def at(self, false_alarms_an_hour: float) -> int | None:
        """The place with the fewest misses that keeps the rate; None where no threshold does."""
        kept = np.flatnonzero(self.false_alarms_an_hour <= false_alarms_an_hour)
        return int(kept[np.argmin(self.misses[kept])]) if len(kept) else None


THRESHOLDS = 1 / (1 + np.exp(-np.linspace(-4, 10, 71)))
"""From 0.018 to 0.99995, evenly in log odds: networks are sure of most of what they hear."""


def det_curve(observed: Iterable[Observed], labels: Sequence[str], rule: Rule, *, frame_ms: float,
              delay_ms: float = 0.0, thresholds: Sequence[float] | NDArray[np.float64] = THRESHOLDS,
              tolerance_ms: float = 200.0) -> Curve:
    """The detection error trade-off (Martin et al. 1997) of events, as `rule` makes them at each threshold.

    A miss is a true event that no event of its label meets; a false alarm one that meets none. The hours are those of
    all recordings. Frames speak of what was heard `delay_ms` before them.
    """
    counted, seconds = np.zeros((len(thresholds), 3)), 0.0
    for one in observed:
        seconds += one.seconds
        means, plain = smoothed(one.posteriors, rule.reach(frame_ms)), replace(rule, smooth_ms=0.0)
        highest = float(means.max(initial=0.0))
        for number, threshold in enumerate(thresholds):
            events = events_of(means, labels, replace(plain, threshold=float(threshold)), frame_ms=frame_ms) \
                if threshold <= highest else []
            counts = matched(shifted(events, delay_ms), one.truths, tolerance_ms=tolerance_ms)
            counted[number] += counts.right, counts.missed, counts.false
    hours, events_count = seconds / 3600, int(counted[0, 0] + counted[0, 1])
    return Curve(np.asarray(thresholds, np.float64), counted[:, 1] / max(events_count, 1),
                 counted[:, 2] / max(hours, 1e-9), events_count, hours)


def shifted(events: Iterable[Event], by_ms: float, *, end_ms: float | None = None) -> list[Event]:
    """Events so much earlier, cut to 0 and to the end of the recording; what nothing is left of is gone."""
    moved = [Event(label, max(0, round(onset - by_ms)), round(offset - by_ms)) for label, onset, offset in events]
    if end_ms is not None:
        moved = [event._replace(offset_ms=min(event.offset_ms, int(end_ms))) for event in moved]
    return [event for event in moved if event.offset_ms > event.onset_ms]
