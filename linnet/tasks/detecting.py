"""The operating point of Detect: threshold and smoothing from costs, or from the false alarms that are allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from linnet.errors import LinnetError
from linnet.speech.activity import (
    Counts,
    Observed,
    Rule,
    det_curve,
    events_of,
    shifted,
    smoothed,
    time_counts,
)
from linnet.speech.activity.curves import THRESHOLDS

_SMOOTHING_FRAMES = (0, 2, 4, 8, 12)
"""Tried as the smoothing, in frames before and after together."""
_COSTS = {"miss", "false_alarm"}
_RATE = "false_alarms_an_hour"


def chosen_rule(answered: Sequence[Observed], labels: Sequence[str], rule: Rule, *, times: tuple[float, float],
                wanted: Mapping[str, Any]) -> Rule:
    """The rule with the threshold and smoothing that serve `wanted` best; `times` are the task's frame and delay.

    Raises LinnetError for what cannot be wanted, and where no threshold keeps the rate.
    """
    _check(wanted)
    tried = [replace(rule, smooth_ms=frames * times[0]) for frames in _SMOOTHING_FRAMES]
    if _RATE in wanted:
        return _at_rate(answered, labels, tried, times, float(wanted[_RATE]))
    miss, false_alarm = (float(wanted.get(name, 1.0)) for name in ("miss", "false_alarm"))
    costs: list[tuple[float, int, Rule]] = []
    for at in tried:
        means = [replace(one, posteriors=smoothed(one.posteriors, at.reach(times[0]))) for one in answered]
        for threshold in THRESHOLDS:
            plain = replace(at, smooth_ms=0.0, threshold=float(threshold))
            counts = sum((_times_of(one, labels, plain, times) for one in means), Counts(0, 0, 0))
            costs.append((miss * counts.missed + false_alarm * counts.false, len(costs),
                          replace(at, threshold=float(threshold))))
    return min(costs)[2]


def _times_of(one: Observed, labels: Sequence[str], rule: Rule, times: tuple[float, float]) -> Counts:
    events = events_of(one.posteriors, labels, rule, frame_ms=times[0])
    return time_counts(shifted(events, times[1], end_ms=1000 * one.seconds), one.truths)


def _at_rate(answered: Sequence[Observed], labels: Sequence[str], tried: Sequence[Rule], times: tuple[float, float],
             rate: float) -> Rule:
    found: list[tuple[float, int, Rule]] = []
    for at in tried:
        curve = det_curve(answered, labels, at, frame_ms=times[0], delay_ms=times[1])
        place = curve.at(rate)
        if place is not None:
            found.append((float(curve.misses[place]), len(found),
                          replace(at, threshold=float(curve.thresholds[place]))))
    if not found:
        raise LinnetError(f"no threshold keeps {rate:g} false alarms an hour on this data. Allow more, or train on "
                          "more of what is not to be heard.")
    return min(found)[2]


def _check(wanted: Mapping[str, Any]) -> None:
    names = set(wanted)
    if not (names == {_RATE} or names <= _COSTS):
        raise LinnetError(f"Detect is operated at {_RATE}, or at the costs miss and false_alarm of a second; got "
                          f"{', '.join(sorted(names))}.")
    for name, value in wanted.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
            raise LinnetError(f"{name} is a number, 0 or more; got {value!r}.")
