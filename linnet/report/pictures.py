"""Sounds and images as data inside of a page: a player, a spectrogram, a waveform, an image as it is stored."""

from __future__ import annotations

import base64
import io
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from linnet.data import Audio
from linnet.report.markup import Html, tag

HEARD_SECONDS = 10.0
_WIDTH, _HEIGHT = 300, 96
_FLOOR_DB = -70.0
_LARGEST_PIXELS = 480
_SMALL_PIXELS = 128
_WHITE, _BLUE, _INK = (np.array(colour, float) for colour in ((255, 255, 255), (31, 111, 147), (16, 30, 44)))


def sound(audio: Audio) -> Html:
    """A recording to see and to hear; of a long one, the first ten seconds."""
    heard = audio.samples[:round(HEARD_SECONDS * audio.sample_rate_hz)]
    said = f"{audio.seconds:.2f} s, {audio.sample_rate_hz:,} Hz, peak {np.abs(audio.samples).max():.3f}"
    if len(heard) < len(audio.samples):
        said += f"; the first {HEARD_SECONDS:.0f} s are here"
    picture = Html(f'<img alt="spectrogram, 0 to {audio.sample_rate_hz / 2000:g} kHz" class="spectrogram" '
                   f'src="{uri("image/png", png(spectrogram(heard, audio.sample_rate_hz)))}">')
    heard_as = uri("audio/flac", flac(heard, audio.sample_rate_hz))
    player = tag("audio", controls="controls", preload="metadata", src=heard_as)
    return tag("div", Html(waveform(heard)), picture, player, tag("p", said, class_="note"), class_="sound")


def image(pixels: NDArray[np.uint8]) -> Html:
    """An image; a small one is enlarged so that its pixels can be told apart, a large one made smaller."""
    height, width = pixels.shape[:2]
    kind = "image small" if max(height, width) <= _SMALL_PIXELS else "image"
    shown = f'<img alt="" class="{kind}" src="{uri("image/png", png(pixels))}">'
    return tag("div", Html(shown), tag("p", f"{width} x {height}", class_="note"))


def spectrogram(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.uint8]:
    """(height, width, 3): power of windows of 25 ms, in decibels below the loudest; low frequencies at the bottom."""
    window = max(32, round(0.025 * sample_rate_hz))
    padded = np.pad(samples.astype(np.float64), (0, max(0, window - len(samples))))
    starts = np.linspace(0, len(padded) - window, _WIDTH).astype(int)
    frames = padded[starts[:, None] + np.arange(window)] * np.hanning(window)
    power = np.abs(np.fft.rfft(frames, n=max(256, window))) ** 2
    decibels = 10 * np.log10(power / max(power.max(), 1e-12) + 1e-12)
    rows = np.linspace(decibels.shape[1] - 1, 0, _HEIGHT).astype(int)
    level = np.clip(1 - decibels[:, rows].T / _FLOOR_DB, 0, 1)[..., None]
    low = _WHITE + (_BLUE - _WHITE) * np.minimum(2 * level, 1)
    colours: NDArray[np.uint8] = np.round(low + (_INK - low) * np.maximum(2 * level - 1, 0)).astype(np.uint8)
    return colours


def waveform(samples: NDArray[np.float32]) -> str:
    """The outline of a recording as SVG, its peak from edge to edge."""
    scale = 19 / max(float(np.abs(samples).max()), 1e-9)
    edges = np.linspace(0, len(samples), 151).astype(int)
    parts = [samples[start:max(stop, start + 1)] for start, stop in pairwise(edges)]
    tops = [f"{2 * at},{20 - scale * float(part.max()):.1f}" for at, part in enumerate(parts)]
    bottoms = [f"{2 * at},{20 - scale * float(part.min()):.1f}" for at, part in enumerate(parts)]
    return (f'<svg class="waveform" viewBox="0 0 300 40" preserveAspectRatio="none" aria-hidden="true">'
            f'<polygon points="{" ".join(tops + bottoms[::-1])}"/></svg>')


def uri(kind: str, data: bytes) -> str:
    """The bytes as an address that a page carries in itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def flac(samples: NDArray[np.float32], sample_rate_hz: int) -> bytes:
    """A recording as FLAC with 16 bits a sample, which every browser plays."""
    import soundfile

    buffer = io.BytesIO()
    soundfile.write(buffer, samples, sample_rate_hz, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def png(pixels: NDArray[np.uint8], *, colours: int | None = None) -> bytes:
    """An image (height, width, channels) as PNG, its longer side at most 480 pixels; of so many colours only."""
    from PIL import Image

    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    picture.thumbnail((_LARGEST_PIXELS, _LARGEST_PIXELS))
    picture = picture.quantize(colours) if colours else picture
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", optimize=bool(colours))
    return buffer.getvalue()
