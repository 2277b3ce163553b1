"""Fingerprints: what a sample holds, whatever file format it is stored in and whatever row it stands in."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from linnet.data.holding import stop_held
from linnet.data.media import contents
from linnet.errors import DamagedFileError

_PCM = (b"RIFF", b"fLaC", b"FORM")
_PNG = b"\x89PNG"


def content_digest(file: Path | bytes) -> str:
    """SHA-256 of a recording's or an image's content.

    For 16-bit WAV, FLAC and AIFF it is that of the samples with rate and channels, for PNG that of the pixels with
    size and mode, so that a corpus keeps its fingerprint when it is stored losslessly in another of these formats.
    For anything else, and for a file that cannot be decoded, it is that of the bytes.
    """
    try:
        data = contents(file)
    except DamagedFileError:
        data = b""
    if data[:4] in _PCM:
        decoded = _pcm(data)
    elif data[:4] == _PNG:
        decoded = _png(data)
    else:
        decoded = None
    return hashlib.sha256(decoded if decoded is not None else b"bytes:" + data).hexdigest()


def fingerprint(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> str:
    """SHA-256 over (id, {column: value or content digest}), the same for every order of rows and columns.

    >>> one = fingerprint([("b", {"x": 1, "y": 2}), ("a", {"x": 3, "y": 4})])
    >>> one == fingerprint([("a", {"y": 4, "x": 3}), ("b", {"y": 2, "x": 1})])
    True
    """
    whole = hashlib.sha256()
    for row in sorted(rows, key=lambda row: row[0]):
        whole.update(json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return whole.hexdigest()


def _pcm(data: bytes) -> bytes | None:
    import soundfile

    try:
        with stop_held(), soundfile.SoundFile(io.BytesIO(data)) as sound:
            if sound.subtype != "PCM_16":
                return None
            head = f"pcm16:{sound.samplerate}:{sound.channels}:".encode()
            return head + bytes(sound.read(dtype="int16", always_2d=True).astype("<i2").tobytes())
    except soundfile.LibsndfileError:
        return None


def _png(data: bytes) -> bytes | None:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            shown = image.convert("RGBA") if image.mode == "P" else image
            return f"png:{shown.mode}:{shown.width}:{shown.height}:".encode() + bytes(shown.tobytes())
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
