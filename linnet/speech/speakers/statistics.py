"""What a recording sounds like on average: the mean and the deviation of its cepstra, a baseline for voices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio
from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_BANDS, _LOWEST_HZ, _WINDOW_S, _HOP_S, _FLOOR = 40, 60.0, 0.03, 0.01, 1e-10
_QUIET_DB = 30.0
"""Frames so much below the loudest one are no speech."""


def cepstra(sound: Audio, *, count: int = 20) -> Floats:
    """(frames, 2 * count): mel-frequency cepstral coefficients and their slopes over five frames, 100 a second.

    A recording shorter than a frame of 30 ms is followed by silence. The first coefficient is counted from the loudest
    frame. Source: Davis and Mermelstein, IEEE Transactions on Acoustics, Speech, and Signal Processing 28, 1980;
    slopes: Furui, the same 34, 1986.
    """
    from scipy.fft import dct

    found = dct(np.log(_mel_power(sound)), norm="ortho", axis=1)[:, :count]
    found[:, 0] -= found[:, 0].max()
    wide = np.pad(found, ((2, 2), (0, 0)), mode="edge")
    return np.hstack([found, (2 * (wide[4:] - wide[:-4]) + wide[3:-1] - wide[1:-3]) / 10])


def statistics(sound: Audio, *, count: int = 20) -> Floats:
    """(4 * count,): mean and deviation of the cepstra of the frames less than 30 dB below the loudest one."""
    power = _mel_power(sound).sum(axis=1)
    heard = cepstra(sound, count=count)[power > power.max() * 10 ** (-_QUIET_DB / 10)]
    return np.concatenate([heard.mean(axis=0), heard.std(axis=0)])


def _mel_power(sound: Audio) -> Floats:
    """(frames, bands) of triangles on the mel scale."""
    from scipy.fft import rfft

    rate = sound.sample_rate_hz
    window, hop = round(_WINDOW_S * rate), round(_HOP_S * rate)
    if window < 2 * _BANDS:
        raise LinnetError(f"a sample rate of {rate} Hz is too low to tell voices apart; 8000 Hz or more is needed.")
    samples = np.asarray(sound.samples, np.float64)
    samples = np.pad(samples, (0, max(0, window - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    power = np.square(np.abs(rfft(frames * np.hanning(window + 1)[:-1], axis=1)))
    return np.asarray(power @ _triangles(rate, power.shape[1]) + _FLOOR)


def _triangles(rate: int, bins: int) -> Floats:
    low, high = (2595 * np.log10(1 + hertz / 700) for hertz in (_LOWEST_HZ, rate / 2))
    edges = 700 * (10 ** (np.linspace(low, high, _BANDS + 2) / 2595) - 1)
    hertz = np.linspace(0, rate / 2, bins)[:, None]
    rising, falling = (hertz - edges[:-2]) / np.diff(edges)[:-1], (edges[2:] - hertz) / np.diff(edges)[1:]
    return np.asarray(np.maximum(np.minimum(rising, falling), 0))
