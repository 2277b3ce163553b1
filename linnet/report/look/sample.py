"""One sample as the page shows it: its picture, its sound, its text, its columns, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio, Dataset
from linnet.errors import LinnetError
from linnet.progress import Progress
from linnet.report.look.packing import said
from linnet.report.look.view import View
from linnet.report.pictures import HEARD_SECONDS, flac, png, spectrogram, uri

_PEAKS = 240
_LARGEST_ENLARGED = 64
_TOGETHER = 32
_COLOURS = 24
"""Of a spectrogram: a quarter of the bytes, and no eye tells."""


def detail(view: View, index: int) -> dict[str, Any]:
    """The sample at a position as plain JSON; media that cannot be read become a sentence that says why."""
    dataset = view.dataset
    parts = [_part(dataset, name, index) for name, column in dataset.columns.items()
             if column.kind not in ("label", "group", "value", "spans")]
    facts = [[name, said(dataset.table.column(name)[index].as_py())] for name, column in dataset.columns.items()
             if column.kind in ("label", "group", "value")]
    return {"parts": parts, "facts": facts}


def attribution(view: View, index: int) -> dict[str, Any] | None:
    """What the model's answer hangs on, ready to be drawn; None where nothing can say it."""
    return attributions(view, [index])[0]


def attributions(view: View, chosen: Sequence[int]) -> list[dict[str, Any] | None]:
    """`attribution` of several samples at once; why it cannot be said, where it cannot."""
    if view.explain is None or not chosen:
        return [None] * len(chosen)
    try:
        return [_drawn(found) for found in view.explain(chosen)]
    except LinnetError as error:
        return [{"error": str(error)}] * len(chosen)


def _drawn(found: Mapping[str, Any]) -> dict[str, Any]:
    drawn: dict[str, Any] = {"method": str(found["method"]).replace("_", " ")} if "method" in found else {}
    if "tokens" in found:
        scores = _relative(np.array([score for _, score in found["tokens"]], np.float64)).round(3).tolist()
        drawn["tokens"] = [[text, score] for (text, _), score in zip(found["tokens"], scores, strict=True)]
    if "scores" in found:
        drawn["heat"] = uri("image/png", png(_heat(np.asarray(found["scores"], np.float64))))
    if "seen" in found:
        drawn["seen"] = uri("image/png", png(_grey(np.asarray(found["seen"], np.float64))))
    return drawn


def _part(dataset: Dataset, name: str, index: int) -> dict[str, Any]:
    kind = dataset.columns[name].kind
    if kind in ("audio", "image"):
        try:
            media = dataset.media(name, index)
        except (LinnetError, OSError) as error:
            return {"kind": "error", "column": name, "text": str(error)}
        return {"column": name, **(_sound(media) if isinstance(media, Audio) else _image(media))}
    value = dataset.table.column(name)[index].as_py()
    if kind == "text":
        return {"kind": "text", "column": name, "text": str(value or ""), "spans": _spans(dataset, name, index)}
    return {"kind": "items", "column": name, "items": [str(one) for one in value or ()]}


def _sound(audio: Audio) -> dict[str, Any]:
    heard = audio.samples[:round(HEARD_SECONDS * audio.sample_rate_hz)]
    note = f"{audio.seconds:.2f} s, {audio.sample_rate_hz:,} Hz, peak {np.abs(audio.samples).max(initial=0):.3f}"
    if len(heard) < len(audio.samples):
        note += f"; the first {HEARD_SECONDS:.0f} s are here"
    return {"kind": "audio", "uri": uri("audio/flac", flac(heard, audio.sample_rate_hz)), "peaks": _peaks(heard),
            "seconds": len(heard) / audio.sample_rate_hz, "note": note,
            "spectrogram": uri("image/png", png(spectrogram(heard, audio.sample_rate_hz), colours=_COLOURS)),
            "kilohertz": audio.sample_rate_hz / 2000}


def _peaks(samples: NDArray[np.float32]) -> list[int]:
    """How far the outline goes from the middle in each of 240 pieces, in percent of the loudest."""
    edges = np.linspace(0, len(samples), _PEAKS + 1).astype(int)
    loud = np.array([np.abs(samples[start:max(stop, start + 1)]).max(initial=0) for start, stop in pairwise(edges)])
    return [round(float(one)) for one in 100 * loud / max(float(loud.max()), 1e-9)]


def _image(pixels: NDArray[np.uint8]) -> dict[str, Any]:
    height, width = pixels.shape[:2]
    return {"kind": "image", "uri": uri("image/png", png(pixels)), "note": f"{width} x {height} pixels",
            "small": max(height, width) <= _LARGEST_ENLARGED}


def _spans(dataset: Dataset, text: str, index: int) -> list[list[Any]]:
    """[start, end, label] of every stretch of this text, in order."""
    return sorted([span["start"], span["end"], span["label"]] for name, column in dataset.columns.items()
                  if column.kind == "spans" and getattr(column, "of", None) == text
                  for span in dataset.table.column(name)[index].as_py())


def _relative(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scores in -1 to 1, the largest at an end."""
    return np.asarray(scores / max(float(np.abs(scores).max(initial=0)), 1e-12))


def _heat(scores: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(height, width, 4): what speaks for the answer in blue, what against it in orange, the strength as opacity."""
    relative = _relative(scores)
    colours = np.where(relative[..., None] >= 0, np.array([40, 140, 255]), np.array([255, 130, 20]))
    strength = 255 * np.sqrt(np.abs(relative))[..., None]
    return np.concatenate([colours, strength], axis=-1).round().astype(np.uint8)


def _grey(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    """(height, width, 1): the largest value black, the smallest white."""
    span = max(float(np.ptp(values)), 1e-12)
    return np.asarray(255 - 255 * (values - values.min()) / span, np.uint8)[..., None]


def embedded(view: View, chosen: list[int], limits: tuple[int, int], progress: Progress | None = None
             ) -> tuple[dict[int, Mapping[str, Any]], int]:
    """Details of the chosen samples in their order, and how many bytes they are.

    `limits` are the bytes at which it ends, and how many samples, the first, come with what their answer hangs on.
    """
    limit_bytes, explained = limits
    kept: dict[int, Mapping[str, Any]] = {}
    size = 0
    for start in range(0, len(chosen), _TOGETHER):
        some = chosen[start:start + _TOGETHER]
        for index, why in zip(some, _explained(view, some, explained - start), strict=True):
            one = {**detail(view, index), "attribution": why}
            size += _characters(one)
            if size > limit_bytes:
                return kept, size
            kept[index] = one
        if progress:
            progress(len(kept), len(chosen), "samples")
    return kept, size


def _explained(view: View, some: Sequence[int], most: int) -> list[dict[str, Any] | None]:
    asked = some[:max(0, most)]
    return [*attributions(view, asked), *[None] * (len(some) - len(asked))]


def _characters(value: Any) -> int:
    """About how much of the page a value takes."""
    if isinstance(value, Mapping):
        return sum(len(key) + 4 + _characters(one) for key, one in value.items())
    if isinstance(value, list):
        return sum(map(_characters, value)) + len(value)
    return len(str(value)) + 2
