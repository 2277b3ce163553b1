"""One recording in numbers: how long and how loud it is, and whether it is clipped, silent, cut off or upsampled."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio

Samples = NDArray[np.float32]
Floats = NDArray[np.float64]

SOUND_UNITS = {"seconds": "s", "loudness": "dBFS", "peak": "dBFS", "flat_tops": "", "silence": "share", "gap": "s",
               "start": "dB", "end": "dB", "offset": "share", "bandwidth": "share"}
_WINDOW_SECONDS, _EDGE_SECONDS = 0.02, 0.01
_SILENT_BELOW_DB = -40.0  # under the loudest window: a hundredth of its amplitude
_QUIETEST_DB = -120.0
_STEP = 1.5 / 32768  # rounding of 16 bits, and half as much for luck
_FLAT_SAMPLES, _STEEP = 3, 8  # a flat top holds so many samples, and falls off by so many steps on both sides
_LEAST_PEAK = 0.01
_CLIFF_DB, _BINS_OF_CLIFF = 25.0, 16
_FLOOR_DB = 50.0  # a filter leaves so little of the loudest frequency; vowels, which fall as steeply, leave more
_MOST_SPECTRA = 2000


def measure_sound(audio: Audio) -> dict[str, float]:
    """Ten numbers of a recording (see SOUND_UNITS).

    `loudness` is the root mean square around the mean, in dBFS (0 is a square wave at full scale; it is not LUFS, which
    needs 0.4 s and weighs frequencies). `silence` is the share of windows of 20 ms more than 40 dB under the loudest
    one, `start` and `end` are the levels of the first and last 10 ms against it; all around the mean. `flat_tops`
    counts stretches of three samples or more at the very extreme with steep sides: what clipping leaves, also where it
    was made quieter since. `gap` is the longest stretch of one and the same value inside of the sound. `offset` is the
    mean, as a share of the root mean square around it. `bandwidth` is the frequency of a
    steep fall of the spectrum after which nothing is left, as a share of half the sample rate; 1 without one.

    >>> found = measure_sound(Audio(np.sin(np.arange(8000, dtype=np.float32)), 8000))
    >>> found["seconds"], round(found["loudness"], 2)
    (1.0, -3.01)
    """
    samples, rate = audio.samples, audio.sample_rate_hz
    mean = float(samples.mean(dtype=np.float64))
    power = float(np.dot(samples, samples)) / len(samples)
    around = math.sqrt(max(power - mean * mean, 0.0))
    swing = samples - np.float32(mean)
    windows = _powers(swing, max(1, round(_WINDOW_SECONDS * rate)))
    loudest = float(windows.max())
    edge = max(1, round(_EDGE_SECONDS * rate))
    return {"seconds": audio.seconds, "loudness": _decibels(around * around), "peak": _decibels(_peak(samples) ** 2),
            "flat_tops": float(_flat_tops(samples)),
            "silence": float((windows <= loudest * 10 ** (_SILENT_BELOW_DB / 10)).mean()) if loudest else 1.0,
            "gap": _gap(samples) / rate, "start": _below(swing[:edge], loudest),
            "end": _below(swing[-edge:], loudest),
            "offset": abs(mean) / around if around > 0 else float(mean != 0),
            "bandwidth": _bandwidth(samples, rate)}


def _peak(samples: Samples) -> float:
    return max(abs(float(samples.max())), abs(float(samples.min())))


def _decibels(power: float) -> float:
    return max(10 * math.log10(power), _QUIETEST_DB) if power > 0 else _QUIETEST_DB


def _below(edge: Samples, loudest: float) -> float:
    """The level of an edge against the loudest window, in dB; nothing in a silent recording."""
    return _decibels(float(np.dot(edge, edge)) / len(edge) / loudest) if loudest else _QUIETEST_DB


def _powers(samples: Samples, window: int) -> NDArray[np.float32]:
    """The mean square of each whole window; of the whole where it is shorter than one."""
    if len(samples) < window:
        return np.array([np.square(samples).mean()])
    parts = samples[: len(samples) // window * window].reshape(-1, window)
    return np.asarray(np.einsum("wi,wi->w", parts, parts) / window)


def _flat_tops(samples: Samples) -> int:
    if _peak(samples) < _LEAST_PEAK:
        return 0
    return _flat(samples, float(samples.max())) + _flat(-samples, -float(samples.min()))


def _flat(samples: Samples, top: float) -> int:
    """Stretches at `top` that both neighbours leave steeply; a smooth crest bends away by a step at first."""
    at = np.flatnonzero(samples >= top - _STEP)
    if len(at) < _FLAT_SAMPLES:
        return 0
    splits = np.flatnonzero(np.diff(at) > 1) + 1
    starts, ends = at[np.r_[0, splits]], at[np.r_[splits - 1, len(at) - 1]]
    is_long = ends - starts + 1 >= _FLAT_SAMPLES
    if not is_long.any():
        return 0
    others = samples[samples < top - _STEP]
    step = top - float(others.max()) if len(others) else 0.0  # coarse where the recording has few bits
    steep = max(_STEEP * _STEP, 3 * min(step, 1 / 64))
    padded = np.concatenate([[-2.0], samples, [-2.0]])
    is_steep = (padded[starts] < top - steep) & (padded[ends + 2] < top - steep)
    return int((is_long & is_steep).sum())


def _gap(samples: Samples) -> int:
    """The longest stretch of equal samples between the first and the last change."""
    changes = np.flatnonzero(samples[1:] != samples[:-1])
    return int(np.diff(changes).max(initial=0)) if len(changes) > 1 else 0


def _bandwidth(samples: Samples, rate: int) -> float:
    """Where the mean spectrum falls by _CLIFF_DB within a few bins and stays there; as a share of half the rate."""
    decibels = _spectrum(samples, rate)
    bins, wide = len(decibels), _BINS_OF_CLIFF
    if not np.isfinite(decibels).all():
        return 1.0
    smooth = np.convolve(np.pad(decibels, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    above = np.maximum.accumulate(smooth[::-1])[::-1]
    below = np.median(np.lib.stride_tricks.sliding_window_view(decibels, wide), axis=1)
    places = np.arange(wide, bins - wide // 2)  # the fall lies between places and places + wide / 2
    falls = below[places - wide] - above[places + wide // 2 - 1]
    at = int(falls.argmax())
    is_filter = falls[at] >= _CLIFF_DB and above[places[at] + wide // 2 - 1] <= decibels.max() - _FLOOR_DB
    return float((places[at] + wide / 4) / (bins - 1)) if is_filter else 1.0


def _spectrum(samples: Samples, rate: int) -> Floats:
    """Mean power of each frequency in dB, from windows of about 32 ms, at most 2000 of them, evenly spread."""
    import scipy.fft

    size = 2 ** max(6, round(math.log2(0.032 * rate)))
    padded = np.pad(samples, (0, max(0, size - len(samples))))
    windows = padded[: len(padded) // size * size].reshape(-1, size)
    windows = windows[:: -(-len(windows) // _MOST_SPECTRA)]
    power = np.square(np.abs(scipy.fft.rfft(windows * np.hanning(size).astype(np.float32), axis=1))).mean(axis=0)
    with np.errstate(divide="ignore"):
        return np.asarray(10 * np.log10(power.astype(np.float64)))
