"""Draw docs/pictures/introspect/duplicates.svg: residuals of FSDD with 400 copies planted. Needs LINNET_DATA.

    LINNET_DATA=FOLDER python docs/introspect_pictures_duplicates.py
"""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import soundfile
import soxr

from linnet.data import Audio, read_audio
from linnet.files import replacing
from linnet.introspect.duplicates import copies
from linnet.introspect.duplicates.candidates import ranked
from linnet.introspect.duplicates.sounds import Sounds

WIDTH, HEIGHT, LEFT, BOTTOM, TOP = 720, 300, 56, 250, 34
LEAST, BINS = -2.0, 60
ABOVE = "pairs: copies (blue), different recordings (grey), the law of accidents (orange)"


def altered(clip: Audio, how: int) -> Audio:
    """Quieter, 50 ms later, at another rate, or through Opus."""
    if how == 0:
        return Audio(clip.samples / 4, clip.sample_rate_hz)
    if how == 1:
        silence = np.zeros(clip.sample_rate_hz // 20, np.float32)
        return Audio(np.concatenate([silence, clip.samples]), clip.sample_rate_hz)
    if how == 2:
        return Audio(soxr.resample(clip.samples, clip.sample_rate_hz, 11025).astype(np.float32), 11025)
    buffer = io.BytesIO()
    soundfile.write(buffer, clip.samples, clip.sample_rate_hz, format="OGG", subtype="OPUS")
    return read_audio(buffer.getvalue())


def main() -> None:
    """Compare all candidates, count residuals, draw both counts, the law of accidents and the limit."""
    files = sorted((Path(os.environ["LINNET_DATA"]) / "fsdd" / "audio").glob("*.flac"))
    clips = [read_audio(file) for file in files]
    chosen = np.random.default_rng(0).choice(len(clips), 400, replace=False)
    kind = Sounds([*clips, *(altered(clips[at], row % 4) for row, at in enumerate(chosen))])
    found = ranked(*kind.views(), copies.CANDIDATES, 0)
    pairs, where = copies._unordered(found)
    residuals = kind.residuals(pairs, None)
    tail = copies._tail(residuals, residuals[where[:, 5:]].ravel())
    assert tail is not None
    limit = copies._limit(residuals, tail, 0.02)
    origin = np.r_[np.arange(len(clips)), chosen]
    same = origin[pairs[:, 0]] == origin[pairs[:, 1]]
    edges = np.logspace(LEAST, 0, BINS + 1)
    counts = [np.histogram(np.maximum(residuals[which], edges[0]), edges)[0] for which in (~same, same)]
    law = np.diff(tail.below(edges))
    path = Path(__file__).parent / "pictures" / "introspect" / "duplicates.svg"
    with replacing(path) as partial:
        partial.write_text(drawn(edges, counts, law, limit), encoding="utf-8")


def drawn(edges: np.ndarray, counts: list[np.ndarray], law: np.ndarray, limit: float) -> str:
    """The figure; both axes are logarithmic."""
    def across(residual: float) -> float:
        return LEFT + (np.log10(residual) - LEAST) / -LEAST * (WIDTH - LEFT - 16)

    def up(count: float) -> float:
        return BOTTOM - (np.log10(max(count, 0.5)) - np.log10(0.5)) / (4 - np.log10(0.5)) * (BOTTOM - TOP)

    parts = []
    for values, colour in zip(counts, ("#9aa5b1", "#0b6e99"), strict=True):
        parts += [f'<rect x="{across(a):.1f}" y="{up(n):.1f}" width="{across(b) - across(a) - 1:.1f}" '
                  f'height="{BOTTOM - up(n):.1f}" fill="{colour}" fill-opacity="0.8"/>'
                  for a, b, n in zip(edges, edges[1:], values, strict=False) if n]
    middle = np.sqrt(edges[1:] * edges[:-1])
    line = " ".join(f"{across(x):.1f},{up(n):.1f}" for x, n in zip(middle, law, strict=True) if 0.5 <= n <= 1e4)
    parts += [f'<polyline points="{line}" fill="none" stroke="#b34700" stroke-width="2"/>',
              f'<line x1="{across(limit):.1f}" x2="{across(limit):.1f}" y1="{TOP}" y2="{BOTTOM}" stroke="#222" '
              'stroke-dasharray="5 4"/>',
              text(across(limit) - 6, TOP + 10, f"limit {limit:.2f}", "end")]
    parts += [text(across(x), BOTTOM + 18, f"{x:g}", "middle") for x in (0.01, 0.03, 0.1, 0.3, 1)]
    parts += [text(LEFT - 8, up(n) + 4, f"{n:,}", "end") for n in (1, 10, 100, 1000, 10000)]
    below = "residual: the share of amplitude that the other recording does not explain"
    parts += [text(WIDTH / 2, BOTTOM + 38, below, "middle"), text(LEFT, 18, ABOVE, "start")]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}">'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{"".join(parts)}</svg>\n')


def text(x: float, y: float, said: str, anchor: str) -> str:
    """A line of text."""
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="12" text-anchor="{anchor}">'
            f"{said}</text>")


if __name__ == "__main__":
    main()
