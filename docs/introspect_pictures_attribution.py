"""Pictures of attribution maps from real networks: python docs/introspect_pictures_attribution.py [FOLDER]

Two photographs (CIFAR-10, ResNet-20), a spoken digit (FSDD, DS-CNN) and a sentence (CLINC150, a transformer), all from
test parts, by integrated gradients: red speaks for the answer, blue against it. Needs the trained networks of
bench/shrink/networks.py and LINNET_DATA.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures" / "introspect"
sys.path.insert(0, str(ROOT / "bench" / "shrink"))

import networks  # noqa: E402

from linnet.nn import attribution  # noqa: E402

RED, BLUE = np.array([200.0, 30, 40]), np.array([30.0, 80, 200])


def coloured(scores: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Scores to colours on white; the largest one in a hundred are full red or blue."""
    share = np.clip(scores / np.quantile(np.abs(scores), 0.99), -1, 1)[..., None]
    return np.asarray(255 + np.abs(share) * (np.where(share > 0, RED, BLUE) - 255), np.uint8)


def large(pixels: NDArray[np.uint8], times: int) -> Image.Image:
    """Every pixel as a square."""
    image = Image.fromarray(pixels)
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


def beside(*images: Image.Image, gap: int = 12, below: bool = False) -> Image.Image:
    """Images side by side, or one below the other, on white."""
    if below:
        turned = [image.transpose(Image.Transpose.TRANSPOSE) for image in images]
        return beside(*turned, gap=gap).transpose(Image.Transpose.TRANSPOSE)
    whole = Image.new("RGB", (sum(image.width + gap for image in images) - gap, images[0].height), "white")
    left = 0
    for image in images:
        whole.paste(image, (left, 0))
        left += image.width + gap
    return whole


def photographs(folder: Path) -> None:
    """Photograph and map, two of them, and Grad-CAM of each."""
    found = networks.load("ResNet-20")
    part = found.splits.test.take([3, 1500])
    maps = attribution.attribute(found.model, found.task, part, nodes=100)
    fields = attribution.attribute(found.model, found.task, part, method="grad_cam")
    rows = [beside(*(large(image, 6) for image in (
        maps.seen[row], coloured(maps.values[row]), coloured(fields.values[row])))) for row in range(2)]
    beside(*rows, below=True).save(folder / "attribution_photographs.png", optimize=True)
    print(maps.targets, found.task.expected(part))


def digit(folder: Path) -> None:
    """A spoken digit's log-mel picture and its map, low bands below."""
    found = networks.load("DS-CNN")
    part = found.splits.test.take([0])
    maps = attribution.attribute(found.model, found.task, part, nodes=100)
    grey = (255 * (1 - maps.seen[0].clip(0, 1))).astype(np.uint8)
    picture = np.repeat(grey[..., None], 3, axis=2)
    both = [large(np.ascontiguousarray(image.transpose(1, 0, 2)[::-1]), 5)
            for image in (picture, coloured(maps.values[0]))]
    beside(*both, below=True).save(folder / "attribution_digit.png", optimize=True)
    print(maps.targets, found.task.expected(part))


def sentences(folder: Path) -> None:
    """Two sentences, their tokens on the colour of their score."""
    found = networks.load("transformer")
    part = found.splits.test.take([0, 1200])
    maps = attribution.attribute(found.model, found.task, part)
    lines = []
    for row, label in enumerate(maps.targets):
        pieces, x, y = maps.pieces(row), 10.0, 30 + 44 * row
        largest = max(abs(piece.score) for piece in pieces)
        for piece in pieces:
            wide = 8.4 * len(piece.text) + 10
            red, green, blue = (int(v) for v in 255 + abs(piece.score / largest) * (
                (RED if piece.score > 0 else BLUE) - 255))
            lines.append(f'<rect x="{x:.0f}" y="{y - 18}" width="{wide:.0f}" height="26" rx="4" '
                         f'fill="rgb({red},{green},{blue})"/><text x="{x + 5:.0f}" y="{y}">{escape(piece.text)}</text>')
            x += wide + 3
        lines.append(f'<text x="{x + 12:.0f}" y="{y}" fill="#666">{escape(label)}</text>')
    (folder / "attribution_sentences.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 100" font-family="monospace" font-size="14">'
        '<rect width="760" height="100" fill="white"/>' + "".join(lines) + "</svg>\n", encoding="utf-8")
    print([[piece.text for piece in maps.pieces(row)] for row in range(2)], maps.targets, found.task.expected(part))


if __name__ == "__main__":
    to = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    to.mkdir(parents=True, exist_ok=True)
    sentences(to)
    digit(to)
    photographs(to)
