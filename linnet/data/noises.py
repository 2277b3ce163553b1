"""Noises that are made, not recorded: each from its rate, its length and a generator of random numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from linnet.errors import LinnetError

Floats = NDArray[np.float32]
Noise = Callable[[int, int, np.random.Generator], Floats]


def coloured(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Noise whose power falls with the frequency to a power of 0 (white) to 2 (brown), uneven by some decibels."""
    return _shaped(samples, rate_hz, rng.uniform(0, 2), rng)


def modulated(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Coloured noise that swells and fades a few times a second, as wind, waves and traffic do."""
    time = np.arange(samples) / rate_hz
    swell = sum(rng.uniform(0.2, 1) * np.sin(2 * np.pi * (rng.uniform(0.2, 6) * time + rng.uniform()))
                for _ in range(3))
    return _scaled(_shaped(samples, rate_hz, rng.uniform(0, 2), rng) * np.exp(rng.uniform(0.3, 1.5) * swell))


def bands(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """A band of noise, another one every 100 to 900 ms: rustling, wiping, steps of machines."""
    noise = np.zeros(samples, np.float32)
    start = 0
    while start < samples:
        length = min(samples - start, round(rng.uniform(0.1, 0.9) * rate_hz))
        low = np.exp(rng.uniform(np.log(80), np.log(0.3 * rate_hz)))
        piece = _band(length, rate_hz, low, low * rng.uniform(1.3, 6), rng) * 10 ** rng.uniform(-1.2, 0)
        noise[start : start + length] = piece * _fade(length, rate_hz)
        start += length
    return _scaled(noise + 0.05 * _shaped(samples, rate_hz, 1.0, rng))


def tones(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """One to three tones, steady, gliding or switched on and off: beeps, alarms, dialling."""
    noise = 0.03 * _shaped(samples, rate_hz, 1.0, rng)
    time = np.arange(samples) / rate_hz
    for _ in range(rng.integers(1, 4)):
        pitch = np.exp(rng.uniform(np.log(100), np.log(0.4 * rate_hz)))
        glide = rng.uniform(-0.4, 0.4) * pitch * (rng.random() < 0.4)
        beat = rng.uniform(0.5, 5)
        is_beating = rng.random() < 0.5
        gate = (np.sin(2 * np.pi * (beat * time + rng.uniform())) > rng.uniform(-0.8, 0.5)) if is_beating else 1.0
        phase = pitch * time + glide / (2 * np.pi * beat) * np.sin(2 * np.pi * beat * time)
        noise += (rng.uniform(0.2, 1) * gate * _sine(phase)).astype(np.float32)
    return _scaled(noise)


def engines(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """One to three tones with many overtones that glide and beat: motors, sirens, horns."""
    noise = 0.05 * _shaped(samples, rate_hz, 1.0, rng)
    time = np.arange(samples) / rate_hz
    for _ in range(rng.integers(1, 4)):
        pitch, beat = np.exp(rng.uniform(np.log(80), np.log(900))), rng.uniform(0.2, 4)
        turns = pitch * (time + rng.uniform(0.02, 0.3) / (2 * np.pi * beat) * np.sin(2 * np.pi * beat * time))
        fall = rng.uniform(0.3, 1.5)
        wave = sum(number**-fall * _sine(number * turns + rng.uniform())
                   for number in range(1, int(min(16, 0.45 * rate_hz / pitch))))
        swell = 1 + rng.uniform(0, 0.95) * _sine(rng.uniform(0.3, 8) * time + rng.uniform())
        noise += (rng.uniform(0.2, 1) * swell * np.asarray(wave)).astype(np.float32)
    return _scaled(noise)


def vocoded(voices: Sequence[Floats], samples: int, rng: np.random.Generator) -> Floats:
    """Noise with the loudness in six bands of the voices together: it babbles, and nobody is there.

    After the ICRA noises (Dreschler et al. 2001, Audiology 40). Frames of 256 samples, phases by chance.
    """
    from scipy import fft

    together = sum(np.resize(np.roll(voice, -int(rng.integers(len(voice)))), samples + 512) /
                   np.float32(np.sqrt(np.square(voice).mean() + 1e-12)) for voice in voices)
    frames = np.lib.stride_tricks.sliding_window_view(np.asarray(together, np.float32), 256)[::128]
    power = np.square(np.abs(fft.rfft(frames * np.hanning(256).astype(np.float32), axis=1)))
    edges = np.array([0, 4, 9, 18, 35, 65, 129])
    loud = np.repeat(np.add.reduceat(power, edges[:-1], axis=1) / np.diff(edges), np.diff(edges), axis=1)
    drawn = rng.standard_normal((*power.shape, 2), np.float32).view(np.complex64)[..., 0]
    pieces = fft.irfft(drawn * np.sqrt(loud), axis=1) * np.hanning(256)
    noise = np.zeros(128 * (len(pieces) + 1))
    for half in (0, 1):
        noise[128 * half :][: 128 * len(pieces)] += pieces[:, 128 * half : 128 * (half + 1)].ravel()
    return _scaled(noise[:samples])


def hum(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Mains at 50 or 60 Hz with its overtones, and a little hiss."""
    time, mains = np.arange(samples) / rate_hz, rng.choice([50.0, 60.0]) * rng.uniform(0.998, 1.002)
    wave = sum(rng.uniform(0.1, 1) / number**rng.uniform(0.3, 1.2) * _sine(number * mains * time + rng.uniform())
               for number in range(1, int(min(40, 0.45 * rate_hz / mains))))
    return _scaled(np.asarray(wave) + 0.05 * _shaped(samples, rate_hz, 1.0, rng))


def impulses(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Knocks, clicks and clatter: two to ten a second, each a few resonances that die away."""
    noise = 0.02 * _shaped(samples, rate_hz, 1.0, rng)
    tail = np.arange(round(0.25 * rate_hz)) / rate_hz
    for place in rng.integers(0, samples, max(1, rng.poisson(rng.uniform(2, 10) * samples / rate_hz))):
        ring = sum(rng.uniform(0.1, 1) * np.exp(-tail / rng.uniform(0.002, 0.03))
                   * _sine(rng.uniform(150, 0.45 * rate_hz) * tail + rng.uniform()) for _ in range(3))
        length = min(len(tail), samples - place)
        noise[place : place + length] += (10 ** rng.uniform(-1, 0) * np.asarray(ring)[:length]).astype(np.float32)
    return _scaled(noise)


def music(samples: int, rate_hz: int, rng: np.random.Generator) -> Floats:
    """Chords and a melody of plucked notes with overtones, on the beat."""
    noise = np.zeros(samples, np.float32)
    beat, key = rng.uniform(0.2, 0.5), rng.uniform(110, 220)
    scale = (0, 2, 4, 5, 7, 9, 11)
    time = np.arange(round(1.2 * rate_hz)) / rate_hz
    for start in np.arange(0, samples, round(beat * rate_hz)).tolist():
        for voice in range(rng.integers(1, 5)):
            pitch = key * 2 ** ((scale[rng.integers(7)] + 12 * (voice > 1)) / 12)
            overtones = range(1, int(min(12, 0.45 * rate_hz / pitch)))
            note = sum(number ** -rng.uniform(0.8, 2) * _sine(number * pitch * time) for number in overtones)
            length = min(len(time), samples - start)
            loud = rng.uniform(0.2, 1) * np.exp(-time / rng.uniform(0.15, 0.8)) * np.minimum(1, time / 0.01)
            noise[start : start + length] += (loud * np.asarray(note))[:length].astype(np.float32)
    return _scaled(noise)


def babble(voices: Sequence[Floats], samples: int, rng: np.random.Generator) -> Floats:
    """The voices (each a recording) at once and without end, all equally loud."""
    noise = np.zeros(samples, np.float32)
    for voice in voices:
        power = float(np.square(voice).mean())
        if power > 0:
            noise += np.resize(np.roll(voice, -int(rng.integers(len(voice)))), samples) / np.float32(np.sqrt(power))
    return _scaled(noise)


TRAINING: MappingProxyType[str, Noise] = MappingProxyType(
    {"coloured": coloured, "modulated": modulated, "bands": bands, "tones": tones, "engines": engines})
"""The kinds of noise that a detector learns with; beside them vocoded noise, which is made of voices."""
HELD_OUT: MappingProxyType[str, Noise] = MappingProxyType({"hum": hum, "impulses": impulses, "music": music})
"""The kinds by which it is judged, and none that it heard; beside them babble, which is made of voices."""


def mixed(speech: Floats, noise: Floats, *, snr_db: float, is_speech: NDArray[np.bool_]) -> Floats:
    """Speech, and noise so loud that the power of speech where it `is_speech` is `snr_db` above the noise's mean.

    >>> speech, noise = np.ones(4, np.float32), np.array([2, -2, 2, -2], np.float32)
    >>> mixed(speech, noise, snr_db=0.0, is_speech=np.ones(4, bool)).tolist()
    [2.0, 0.0, 2.0, 0.0]
    """
    if speech.shape != noise.shape or speech.shape != is_speech.shape:
        raise LinnetError(f"mixed takes speech, noise and marks of one length; got {speech.shape}, {noise.shape} and "
                          f"{is_speech.shape}.")
    power = float(np.square(speech[is_speech]).mean()) if is_speech.any() else 0.0
    loudness = float(np.square(noise).mean())
    if not power or not loudness:
        return speech
    return np.asarray(speech + noise * np.float32(np.sqrt(power / loudness * 10 ** (-snr_db / 10))), np.float32)


def _shaped(samples: int, rate_hz: int, exponent: float, rng: np.random.Generator) -> Floats:
    from scipy import fft

    length = fft.next_fast_len(max(samples, 2), real=True)
    bins = length // 2 + 1
    logs = np.log(np.maximum(np.arange(bins) * rate_hz / length, 50.0)).astype(np.float32)
    ripple = np.interp(logs, np.linspace(np.log(50), np.log(rate_hz / 2), 8), rng.normal(0, 0.46, 8))  # 4 dB
    drawn = rng.standard_normal((bins, 2), np.float32).view(np.complex64)[:, 0]
    shape = np.exp((ripple - exponent / 2 * logs).astype(np.float32))
    return _scaled(fft.irfft(drawn * shape, n=length)[:samples])


def _band(samples: int, rate_hz: int, low_hz: float, high_hz: float, rng: np.random.Generator) -> Floats:
    from scipy import fft

    length = fft.next_fast_len(max(samples, 2), real=True)
    hertz = np.arange(length // 2 + 1) * rate_hz / length
    drawn = rng.standard_normal((len(hertz), 2), np.float32).view(np.complex64)[:, 0]
    inside = (hertz >= low_hz) & (hertz <= max(high_hz, low_hz + 2 * rate_hz / length))
    return _scaled(fft.irfft(drawn * inside, n=length)[:samples])


def _sine(cycles: NDArray[np.float64]) -> Floats:
    """The sine of so many turns: what is whole is taken off first, so that 32 bits are enough, which are faster."""
    return np.sin(((cycles - np.floor(cycles)) * (2 * np.pi)).astype(np.float32))


def _fade(samples: int, rate_hz: int) -> Floats:
    """From 0 to 1 within 10 ms at either end."""
    places = np.arange(samples)
    return np.minimum(1, (1 + np.minimum(places, places[::-1])) / (0.01 * rate_hz)).astype(np.float32)


def _scaled(noise: NDArray[np.floating]) -> Floats:
    """At a power of 1."""
    return np.asarray(noise / np.sqrt(max(float(np.square(noise, dtype=np.float64).mean()), 1e-12)), np.float32)
