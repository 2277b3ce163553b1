"""Pictures of label issues and foreign samples, from real output: digits into which errors were planted.

    PYTHONPATH=.:bench/introspect python docs/introspect_pictures_labels.py [FOLDER]

FOLDER keeps what the networks said (that of bench/introspect/labels.py), else it costs 20 CPU seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import planted
from numpy.typing import NDArray

from linnet import introspect

PLACE = Path(__file__).parent / "pictures" / "introspect"
SEED, SIDE, GAP, COLUMNS = 0, 6, 16, 10


def grid(images: NDArray[np.floating], captions: list[tuple[str, str, str]]) -> str:
    """Images of 8 x 8 with two lines below each: (first line, second line, colour of the frame)."""
    wide, high = 8 * SIDE + GAP, 8 * SIDE + 44
    rows = -(-len(images) // COLUMNS)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * wide + GAP}" height="{rows * high + GAP}" '
             'font-family="sans-serif" font-size="11" text-anchor="middle">',
             '<rect width="100%" height="100%" fill="#fff"/>']
    for place, (image, (first, second, colour)) in enumerate(zip(images, captions, strict=True)):
        left, top = GAP + place % COLUMNS * wide, GAP + place // COLUMNS * high
        frame = 8 * SIDE + 4
        parts.append(f'<rect x="{left - 2}" y="{top - 2}" width="{frame}" height="{frame}" fill="{colour}"/>')
        for (row, column), value in np.ndenumerate(image.reshape(8, 8)):
            grey = round(255 * (1 - float(value)))
            parts.append(f'<rect x="{left + column * SIDE}" y="{top + row * SIDE}" width="{SIDE}" height="{SIDE}" '
                         f'fill="#{grey:02x}{grey:02x}{grey:02x}"/>')
        middle = left + 4 * SIDE
        parts.append(f'<text x="{middle}" y="{top + 8 * SIDE + 15}">{first}</text>'
                     f'<text x="{middle}" y="{top + 8 * SIDE + 29}" fill="#777">{second}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Write both pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    kept = {name: np.asarray(values) for name, values in planted.answers(SEED, folder).items()}
    data = planted.build(SEED)
    values = kept["probabilities"].astype(np.float64)
    found = introspect.label_issues(values / values.sum(axis=1, keepdims=True), data.labels).items
    shown = [*found[:10], *found[-20:]]
    rows = [int(item.subject) for item in shown]
    (PLACE / "labels.svg").write_text(grid(data.images[rows], [
        (f"{item.evidence['given']} → {item.evidence['suggested']}", f"{item.evidence['local_fdr']:.1g}",
         "#2a7f4f" if data.flipped[row] or data.foreign[row] else "#c0392b")
        for item, row in zip(shown, rows, strict=True)]))
    truth = planted.digits()
    labels = truth[1][kept["seen"].astype(int)].tolist()
    known, asked = slice(0, 300), slice(300, 797)
    layers = ("second", "hidden")
    crops = planted.crops(500, np.random.default_rng(100 + SEED))[:20]
    odd = introspect.out_of_distribution(
        {name: kept[f"seen_{name}"] for name in layers},
        {name: np.concatenate([kept[f"held_{name}"][asked], kept[f"odd_{name}"][:20]]) for name in layers},
        known={name: kept[f"held_{name}"][known] for name in layers}, labels=labels, rate=0.05).items
    images = np.concatenate([truth[0][kept["held"].astype(int)[asked]], crops])
    rows = [int(item.subject) for item in odd][:40]
    (PLACE / "foreign.svg").write_text(grid(images[rows], [
        (f"p = {item.evidence['p_value']:.3f}", f"{item.evidence['score']:.0f}", "#2a7f4f" if row >= 497 else "#c0392b")
        for item, row in zip(odd, rows, strict=False)]))


if __name__ == "__main__":
    main()
