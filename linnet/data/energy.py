"""Where a clean recording holds speech, by one fixed rule on its energy: the labels that a detector learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.data.media import Audio

HOP_MS = 10
WINDOW_MS = 25
BELOW_LOUD_DB = 30.0
ABOVE_FLOOR_DB = 8.0
LONGEST_GAP_MS = 200
SHORTEST_MS = 60


def speech_spans(sound: Audio) -> list[tuple[int, int]]:
    """(start, end) in milliseconds of every stretch of speech in a recording without noise.

    A frame of 25 ms, one each 10 ms, is speech where its power is at most 30 dB below the recording's loud frames (the
    95th percentile), and at least 8 dB above its quiet ones (the 10th). Gaps of up to 200 ms within speech (closures of
    plosives) belong to it; stretches shorter than 60 ms then are none. The rule fits recordings of which a tenth at
    least is silent; on noisy ones its answers mean nothing, so noise is added after it was asked.

    >>> rate = 16000
    >>> wave = np.zeros(rate, np.float32)
    >>> wave[4000:12000] = np.sin(np.arange(8000) / 10)
    >>> speech_spans(Audio(wave, rate))
    [(238, 758)]
    """
    levels = levels_db(sound)
    if not len(levels):
        return []
    loud, floor = np.percentile(levels, (95, 10))
    heard = levels >= max(loud - BELOW_LOUD_DB, floor + ABOVE_FLOOR_DB)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], heard, [False]]).astype(np.int8)))
    spans: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if spans and (start - spans[-1][1]) * HOP_MS <= LONGEST_GAP_MS:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    first = round((WINDOW_MS - HOP_MS) / 2)  # a frame speaks of the ten milliseconds in its middle
    return [(HOP_MS * start + first, HOP_MS * end + first) for start, end in spans
            if (end - start) * HOP_MS >= SHORTEST_MS]


def levels_db(sound: Audio) -> NDArray[np.float64]:
    """The power of each frame of 25 ms, one each 10 ms, in decibels of full scale; -100 dB at least."""
    window, hop = (round(sound.sample_rate_hz * span / 1000) for span in (WINDOW_MS, HOP_MS))
    if len(sound.samples) < window:
        return np.zeros(0)
    sums = np.concatenate([[0.0], np.cumsum(np.square(sound.samples, dtype=np.float64))])
    starts = np.arange(0, len(sound.samples) - window + 1, hop)
    return np.asarray(10 * np.log10(np.maximum((sums[starts + window] - sums[starts]) / window, 1e-10)))
