"""What samples are like without a model: a few numbers each, by which alike ones lie together on a map."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset, Media
from linnet.errors import LinnetError
from linnet.progress import Progress

Floats = NDArray[np.float64]
_SIDE, _BANDS, _TEXT = 8, 32, 1024


def described(dataset: Dataset, progress: Progress | None = None) -> tuple[Floats | None, list[str]]:
    """(samples, numbers) of the first column of sounds, images or texts, else of all values; and what is to be said.

    Sounds: the level of 32 bands of frequency, its mean and spread over time. Images: their colours in 8 x 8 fields.
    Texts: which three letters follow each other, rarer ones counting more (hashed to 1024). A file that cannot be read
    lies in the middle. None where the dataset has none of these.
    """
    for kind, reader in _MEDIA.items():
        name = next((name for name, column in dataset.columns.items() if column.kind == kind), None)
        if name is not None:
            return _of_media(dataset, name, reader, progress)
    name = next((name for name, column in dataset.columns.items() if column.kind == "text"), None)
    if name is not None:
        return _of_texts([str(text or "") for text in dataset.values(name)]), []
    numbers = [np.array(dataset.values(name), np.float64) for name, column in dataset.columns.items()
               if column.kind == "value"]
    return (_standardised(np.stack(numbers, axis=1)), []) if numbers else (None, [])


def _of_media(dataset: Dataset, name: str, reader: Callable[[Media], Floats], progress: Progress | None
              ) -> tuple[Floats | None, list[str]]:
    found: dict[int, Floats] = {}
    for index in range(len(dataset)):
        try:
            found[index] = reader(dataset.media(name, index))
        except (LinnetError, OSError):
            continue
        if progress and (index % 64 == 0 or index + 1 == len(dataset)):
            progress(index + 1, len(dataset), "look")
    if not found:
        return None, [f"None of the {len(dataset):,} files of '{name}' can be read."]
    table = np.tile(np.mean(list(found.values()), axis=0), (len(dataset), 1))
    table[list(found)] = list(found.values())
    bad = len(dataset) - len(found)
    return _standardised(table), [f"{bad:,} files of '{name}' cannot be read; they lie in the middle."] if bad else []


def _sound(media: Media) -> Floats:
    assert isinstance(media, Audio)
    window = max(64, round(0.025 * media.sample_rate_hz))
    samples = np.pad(media.samples.astype(np.float64), (0, max(0, window - len(media.samples))))
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::window // 2] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames)) ** 2
    edges = np.unique(np.geomspace(1, power.shape[1], _BANDS + 1).astype(int))
    levels = np.log(np.add.reduceat(power, edges[:-1], axis=1) + 1e-8)
    return np.concatenate([levels.mean(axis=0), levels.std(axis=0)])


def _image(media: Media) -> Floats:
    from PIL import Image

    assert not isinstance(media, Audio)
    picture = Image.fromarray(media[..., 0] if media.shape[-1] == 1 else media).convert("RGB")
    return np.asarray(picture.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.float64).ravel() / 255


_MEDIA: dict[str, Callable[[Media], Floats]] = {"audio": _sound, "image": _image}


def _of_texts(texts: Sequence[str]) -> Floats:
    table = np.zeros((len(texts), _TEXT))
    for row, text in enumerate(texts):
        padded = f"  {text.lower()}  "
        for at in range(len(padded) - 2):
            table[row, zlib.crc32(padded[at:at + 3].encode()) % _TEXT] += 1
    rarity = np.log((1 + len(texts)) / (1 + (table > 0).sum(axis=0)))
    weighted = np.log1p(table) * rarity
    return np.asarray(weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-12))


def _standardised(table: Floats) -> Floats:
    """Each column with mean 0 and spread 1, what is missing at the mean; columns that never change are left out."""
    known = np.where(np.isfinite(table), table, np.nan)
    middle = np.nan_to_num(np.nanmean(np.where(np.isfinite(known).any(axis=0), known, 0), axis=0))
    filled = np.where(np.isfinite(known), known, middle)
    spread = filled.std(axis=0)
    return np.asarray(((filled - middle) / np.where(spread > 0, spread, 1))[:, spread > 0])
