"""Pictures of what layers hold, from real output: python docs/introspect_pictures_representations.py

DS-CNN of bench/shrink on 600 training recordings of FSDD (CKA, PFA, probes), scikit-learn's digits (a projection).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits

from linnet import introspect

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "pictures" / "introspect"
START = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {0} {1}" font-family="sans-serif" font-size="12">' \
        '<rect width="{0}" height="{1}" fill="white"/><text x="16" y="22" font-size="14">{2}</text>'
COLOURS = ("#0a7d5a", "#b5532a", "#5b6ab0", "#a0892c", "#888", "#c24d8f", "#3b93b5", "#6a994e", "#d1495b", "#333")


def main() -> None:
    sys.path.insert(0, str(ROOT / "bench" / "shrink"))
    import networks

    torch.set_num_threads(1)
    FOLDER.mkdir(parents=True, exist_ok=True)
    network = networks.load("DS-CNN")
    part = network.splits.train.take(sorted(np.random.default_rng(0).permutation(len(network.splits.train))[:600]))
    responses = network.model.responses(network.task, part)
    pictures = {"cka": cka(responses), "pfa": pfa(responses), "probes": probes(responses, part.values("digit")),
                "features": features()}
    for name, parts in pictures.items():
        (FOLDER / f"{name}.svg").write_text("\n".join([*parts, "</svg>"]) + "\n")


def cka(responses: dict[str, np.ndarray]) -> list[str]:
    found, layers = introspect.cka(responses), list(responses)
    value = {tuple(item.evidence["layers"]): item.evidence["cka"] for item in found}
    parts = [START.format(460, 330, "How alike the layers of a DS-CNN see 600 recordings (CKA)")]
    for row, a in enumerate(layers):
        parts.append(f'<text x="82" y="{66 + 42 * row}" text-anchor="end">{a}</text>'
                     f'<text x="{111 + 58 * row}" y="308" text-anchor="middle">{a}</text>')
        for column, b in enumerate(layers):
            one = 1.0 if a == b else value.get((a, b), value.get((b, a), 0.0))
            ink = "white" if one > 0.6 else "black"
            parts.append(f'<rect x="{84 + 58 * column}" y="{42 + 42 * row}" width="54" height="38" fill="#0a7d5a" '
                         f'fill-opacity="{one:.2f}"/><text x="{111 + 58 * column}" y="{66 + 42 * row}" fill="{ink}" '
                         f'text-anchor="middle">{one:.2f}</text>')
    return parts


def pfa(responses: dict[str, np.ndarray]) -> list[str]:
    parts = [START.format(560, 280, "Share of the variance left out, by the number of principal directions kept")]
    for tick in range(5):
        y = 50 + 45 * tick
        parts.append(f'<line x1="70" x2="400" y1="{y}" y2="{y}" stroke="#ddd"/>'
                     f'<text x="62" y="{y + 4}" text-anchor="end">{10.0 ** -tick:g}</text>')
    for place, finding in enumerate(introspect.redundancy(responses)):
        left = 1 - np.cumsum(finding.evidence["spectrum"])
        points = " ".join(f"{70 + 330 * (k + 1) / 96:.1f},{50 + 45 * min(4, -np.log10(max(v, 1e-9))):.1f}"
                          for k, v in enumerate(left))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[place]}" stroke-width="2"/>'
                     f'<text x="412" y="{60 + 20 * place}" fill="{COLOURS[place]}">{finding.subject}: work of '
                     f'{finding.evidence["effective_units"]:.1f}</text>')
    return [*parts, '<text x="70" y="252">1</text><text x="400" y="252" text-anchor="end">96 directions</text>']


def probes(responses: dict[str, np.ndarray], labels: list[str]) -> list[str]:
    found = introspect.probe(responses, labels)
    parts = [START.format(520, 60 + 34 * len(responses), "The digit, read from each layer by a linear map")]
    for place, layer in enumerate(responses):
        one, y = found[layer].evidence, 46 + 34 * place
        low, high = one["interval"]
        parts.append(f'<text x="70" y="{y + 14}" text-anchor="end">{layer}</text>'
                     f'<rect x="80" y="{y}" width="{360 * one["accuracy"]:.0f}" height="20" fill="#0a7d5a"/>'
                     f'<rect x="80" y="{y}" width="{360 * one["control"]:.0f}" height="20" fill="#b5532a"/>'
                     f'<line x1="{80 + 360 * low:.0f}" x2="{80 + 360 * high:.0f}" y1="{y + 10}" y2="{y + 10}" '
                     f'stroke="black"/><text x="{90 + 360 * high:.0f}" y="{y + 14}">{one["accuracy"]:.2f}</text>')
    y = 54 + 34 * len(responses)
    return [*parts, f'<text x="80" y="{y}" fill="#b5532a">brown: labels that mean nothing</text>']


def features() -> list[str]:
    digits = load_digits()
    points = introspect.project(digits.data)
    low, high = points.min(axis=0), points.max(axis=0)
    placed = (points - low) / (high - low)
    parts = [START.format(460, 400, "1797 handwritten digits, 64 pixels on two principal directions")]
    return parts + [f'<circle cx="{20 + 400 * x:.0f}" cy="{380 - 340 * y:.0f}" r="2" fill="{COLOURS[digit]}" '
                    'fill-opacity="0.6"/>' for (x, y), digit in zip(placed, digits.target, strict=True)]


if __name__ == "__main__":
    main()
