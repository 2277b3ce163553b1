"""Descriptors: plain numbers that a person can name, for sounds, images, texts and rows, without any network."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio
from linnet.errors import LinnetError

Floats = NDArray[np.float64]
_WINDOW_S, _BANDS, _CEPSTRA = 0.032, 26, 13
_ANGLES, _CELLS = 8, 2
_HASHES = 256


@dataclass(frozen=True, eq=False)
class Described:
    """`values` (samples, columns) float64, with a name for each column."""

    names: tuple[str, ...]
    values: Floats


def describe(samples: Sequence[Any]) -> Described:
    """Descriptors of samples of one kind: Audio, images (height, width, channels) uint8, str, Mapping.

    Sounds: seconds, loudness in dB, its spread, the spectral centroid in Hz, and the means of 13 cepstra of 26 mel
    bands (Davis and Mermelstein 1980). Images: height, width, mean, spread and skew of each colour, and gradients by 8
    angles in 2 x 2 cells (after Dalal and Triggs 2005). Texts: 256 hashed counts of three characters each, each text of
    length 1. Rows (Mapping): numbers standardised, NaN as 0 and said by a column of its own, others one column a value.

    Raises LinnetError for no samples, and for kinds that are mixed or unknown.
    """
    if not samples:
        raise LinnetError("describe needs at least one sample; got none.")
    for kind, made in ((Audio, _sounds), (np.ndarray, _images), (str, _texts), (Mapping, _rows)):
        if isinstance(samples[0], kind):
            other = next((place for place, one in enumerate(samples) if not isinstance(one, kind)), None)
            if other is not None:
                raise LinnetError(f"describe takes samples of one kind; sample {other} is a "
                                  f"{type(samples[other]).__name__}, the first a {type(samples[0]).__name__}.")
            return made(samples)
    raise LinnetError("describe takes Audio, images (arrays of uint8), texts or mappings; got "
                      f"{type(samples[0]).__name__}.")


def _sounds(samples: Sequence[Audio]) -> Described:
    names = ("seconds", "loudness_db", "loudness_spread_db", "centroid_hz",
             *(f"cepstrum_{place}" for place in range(_CEPSTRA)))
    return Described(names, np.array([_sound(one) for one in samples]))


def _sound(sound: Audio) -> list[float]:
    from scipy.fft import dct, rfft

    size = max(16, int(_WINDOW_S * sound.sample_rate_hz))
    padded = np.pad(sound.samples.astype(np.float64), (0, max(0, size - len(sound.samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[:: size // 2]
    power: NDArray[Any] = np.abs(rfft(frames * np.hanning(size), axis=1)) ** 2 / size
    loudness = 10 * np.log10(np.maximum(np.square(frames).mean(axis=1), 1e-10))
    hertz = np.asarray(np.fft.rfftfreq(size, 1 / sound.sample_rate_hz), np.float64)
    total = power.sum()
    centroid = float((power.sum(axis=0) * hertz).sum() / total) if total > 0 else 0.0
    bands = np.log(np.maximum(power @ _mel(hertz), 1e-10))
    cepstra = dct(bands, norm="ortho", axis=1)[:, :_CEPSTRA].mean(axis=0)
    return [sound.seconds, 10 * np.log10(max(float(np.square(padded).mean()), 1e-10)), float(loudness.std()), centroid,
            *cepstra.tolist()]


def _mel(hertz: Floats) -> Floats:
    """(bins, bands) triangles, equally wide on the mel scale."""
    highest = 2595 * np.log10(1 + hertz[-1] / 700)
    edges = 700 * (10 ** (np.linspace(0, highest, _BANDS + 2) / 2595) - 1)
    rising = (hertz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - hertz[:, None]) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)))


def _images(samples: Sequence[NDArray[Any]]) -> Described:
    for place, one in enumerate(samples):
        if one.ndim != 3 or min(one.shape) < 1:
            raise LinnetError(f"an image is (height, width, channels); sample {place} has shape {one.shape}.")
    names = ("height", "width", *(f"{colour}_{what}" for what in ("mean", "spread", "skew")
                                  for colour in ("red", "green", "blue")),
             *(f"gradient_{row}{column}_{angle}" for row in range(_CELLS) for column in range(_CELLS)
               for angle in range(_ANGLES)))
    return Described(names, np.array([_image(one) for one in samples]))


def _image(image: NDArray[Any]) -> list[float]:
    colours = np.broadcast_to(image[..., :3] if image.shape[2] >= 3 else image[..., :1], (*image.shape[:2], 3)) / 255.0
    mean, spread = colours.mean(axis=(0, 1)), colours.std(axis=(0, 1))
    skew = ((colours - mean) ** 3).mean(axis=(0, 1)) / np.maximum(spread, 1e-6) ** 3
    grey = np.pad(colours.mean(axis=2), 1, mode="edge")
    down, across = (grey[2:, 1:-1] - grey[:-2, 1:-1]) / 2, (grey[1:-1, 2:] - grey[1:-1, :-2]) / 2
    angle = ((np.arctan2(down, across) % np.pi) / np.pi * _ANGLES).astype(np.int64) % _ANGLES
    rows, columns = (np.minimum(np.arange(size) * _CELLS // size, _CELLS - 1) for size in grey[1:-1, 1:-1].shape)
    cell = rows[:, None] * _CELLS + columns
    counts = np.bincount((cell * _ANGLES + angle).ravel(), np.hypot(down, across).ravel(), _CELLS**2 * _ANGLES)
    return [*map(float, image.shape[:2]), *mean, *spread, *skew, *(counts / max(float(np.linalg.norm(counts)), 1e-9))]


def _texts(samples: Sequence[str]) -> Described:
    values = np.zeros((len(samples), _HASHES))
    for row, text in enumerate(samples):
        padded = f" {' '.join(text.lower().split())} "
        for start in range(len(padded) - 2):
            values[row, zlib.crc32(padded[start : start + 3].encode()) % _HASHES] += 1
    values /= np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1)
    return Described(tuple(f"hash_{place}" for place in range(_HASHES)), values)


def _rows(samples: Sequence[Mapping[str, Any]]) -> Described:
    names, columns = list[str](), list[Floats]()
    for key in samples[0]:
        cells = [row.get(key) for row in samples]
        if all(cell is None or (isinstance(cell, int | float) and not isinstance(cell, bool)) for cell in cells):
            numbers = np.array([np.nan if cell is None else float(cell) for cell in cells])
            there = np.isfinite(numbers)
            spread = float(numbers[there].std()) if there.any() else 0.0
            mean = float(numbers[there].mean()) if there.any() else 0.0
            names.append(key)
            columns.append(np.where(there, (np.where(there, numbers, mean) - mean) / (spread or 1.0), 0.0))
            if not there.all():
                names.append(f"{key} is missing")
                columns.append((~there).astype(np.float64))
        else:
            texts = np.array([str(cell) for cell in cells])
            names += [f"{key} = {value}" for value in np.unique(texts)]
            columns += [(texts == value).astype(np.float64) for value in np.unique(texts)]
    if not columns:
        raise LinnetError("describe: the first row holds no column.")
    return Described(tuple(names), np.stack(columns, axis=1))
