"""Digits in a stream, said by speakers who were not heard in training: misses against false alarms an hour.

    PYTHONPATH=. OMP_NUM_THREADS=1 python bench/speech/keywords.py FILE [--data D]

FILE is what `linnet run recipes/digit-streams.yaml` ships. Its test part: every recording of the unseen speakers once,
ten to a stream with pauses, in a calm room; and hours without a digit (sentences of speechocean762 by test speakers,
noise of every kind, silence). All ten digits are listened for at once; a miss is a digit that no event of the right
name meets within 200 ms, a false alarm any event that meets none, and those an hour are of what holds no digit.
Smoothing is that of the card, chosen on validation. Closed set: the likeliest digit where one is known to be. Needs
LINNET_DATA.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from linnet import data, runtime
from linnet.evidence.intervals import binomial
from linnet.speech.activity import Event, Observed, det_curve, events_of, matched, rate_an_hour, shifted, smoothed
from linnet.speech.activity.curves import THRESHOLDS

RATES = (0.5, 1.0, 2.0, 5.0, 20.0)


def heard(shipped: runtime.Shipped, part: data.Dataset) -> list[Observed]:
    """What the file says of each recording, one at a time."""
    task: Any = shipped.task
    found = []
    for row in range(len(part)):
        (sound,) = task.read(part.take([row]))
        frames = int(np.ceil((1000 * sound.seconds + task.delay_ms) / task.frame_ms))
        truths = [Event(span["label"], span["start"], span["end"]) for span in part.take([row]).values(task.target)[0]]
        found.append(Observed(task.posteriors(shipped(task.prepare([sound])))[0][:frames], truths, sound.seconds))
    return found


def closed(task: Any, observed: list[Observed]) -> tuple[int, int]:
    """How often the likeliest digit of a known stretch, by its highest smoothed posterior, is wrong; of how many."""
    wrong = every = 0
    for one in observed:
        means = smoothed(one.posteriors, task.rule.reach(task.frame_ms))
        for label, onset, offset in one.truths:
            first, last = (int((edge + task.delay_ms) / task.frame_ms) for edge in (onset, offset))
            wrong += task.labels[int(means[first : last + 2].max(axis=0).argmax())] != label
            every += 1
    return wrong, every


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--data", default="digit_streams")
    given = parser.parse_args()
    shipped = runtime.load(given.file)
    task: Any = shipped.task
    part = data.load(given.data).where(split="test")
    before = time.process_time()
    streams = heard(shipped, part)
    spent = time.process_time() - before
    kinds = np.array([str(kind) for kind in part.values("kind")])
    digits = [one for one, kind in zip(streams, kinds, strict=True) if kind == "digits"]
    others = [one for one, kind in zip(streams, kinds, strict=True) if kind != "digits"]
    settings = {"frame_ms": task.frame_ms, "delay_ms": task.delay_ms}
    misses = det_curve(digits, task.labels, task.rule, **settings)
    alarms = det_curve(others, task.labels, task.rule, **settings)
    hours = {kind: sum(one.seconds for one, of in zip(streams, kinds, strict=True) if of == kind) / 3600
             for kind in dict.fromkeys(kinds)}
    said = ", ".join(f"{value:.2f} h of {kind}" for kind, value in hours.items())
    who = {str(name) for name in part.where(kind="digits").values("speaker")}
    print(f"{misses.events} digits of {len(who)} unseen speakers; {said}. Operating point: {task.rule}.\n")
    print("| false alarms an hour, at most | threshold | misses | false alarms in the digits' streams, an hour |\n"
          "|---|---|---|---|")
    for rate in RATES:
        kept = np.flatnonzero(alarms.false_alarms_an_hour <= rate)
        if not len(kept):
            print(f"| {rate:g} | none | | |")
            continue
        place = int(kept[np.argmin(misses.misses[kept])])
        low, high = binomial(round(misses.misses[place] * misses.events), misses.events)
        print(f"| {rate:g} | {THRESHOLDS[place]:.4f} | {100 * misses.misses[place]:.1f} % ({100 * low:.1f} to "
              f"{100 * high:.1f}) | {misses.false_alarms_an_hour[place]:.0f} |")
    rule = task.rule
    counts = [0, 0]
    by_kind = dict.fromkeys(hours, 0)
    missed: dict[str, list[int]] = {}
    for one, kind, name in zip(streams, kinds, part.values("speaker"), strict=True):
        events = shifted(events_of(one.posteriors, task.labels, rule, frame_ms=task.frame_ms), task.delay_ms)
        found = matched(events, one.truths)
        by_kind[kind] += int(found.false)
        if one.truths:
            row = missed.setdefault(str(name), [0, 0])
            row[0], row[1] = row[0] + int(found.missed), row[1] + len(one.truths)
            counts[0] += int(found.missed)
            counts[1] += len(one.truths)
    print(f"\nAt the operating point chosen on validation ({rule.threshold:.4f}):\n")
    low, high = binomial(counts[0], counts[1])
    print(f"- misses {100 * counts[0] / counts[1]:.1f} % ({100 * low:.1f} to {100 * high:.1f}, 95 %); "
          + ", ".join(f"{name} {100 * row[0] / row[1]:.1f} %" for name, row in missed.items()))
    negative = sum(value for kind, value in hours.items() if kind != "digits")
    certified = rate_an_hour(sum(value for kind, value in by_kind.items() if kind != "digits"), negative)
    print(f"- false alarms {certified.count} in {negative:.2f} h, {certified.an_hour:.2f} an hour "
          f"({certified.low:.2f} to {certified.high:.2f}); certified at 95 %: at most {certified.at_most:.2f} an hour; "
          + ", ".join(f"{kind} {value}" for kind, value in by_kind.items()))
    wrong, every = closed(task, digits)
    low, high = binomial(wrong, every)
    print(f"- closed set: {100 * wrong / every:.1f} % of {every} wrong ({100 * low:.1f} to {100 * high:.1f})")
    print(f"- whole recordings: {1000 * spent / (3600 * sum(hours.values())):.2f} CPU ms a second of sound; "
          f"{given.file.stat().st_size / 1000:.0f} KB")


if __name__ == "__main__":
    main()
