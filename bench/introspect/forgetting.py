"""What compression forgets: digits in fewer bits and with fewer weights, and the int8 files of trained networks.

    .venv/bin/python bench/introspect/forgetting.py [--seeds 5] [--files FOLDER] [--picture FILE.svg]

Digits as the peers were measured: half of the samples train five networks; weights rounded to 8, 4 and 3 bits, or the
smallest ones set to zero, without tuning; answers are the modal ones of five seeds, on the digits outside, against
their true labels. "p < 0.05" counts the classes that the usual test of each by itself calls worse, "told" those whose
interval holds together with all others. "Foreign" are crops of photographs: how often the answer changes there.
FOLDER has whole-float.onnx and whole-ours-int8.onnx of each network (bench/shrink/table.py keeps them). One CPU minute.
"""

from __future__ import annotations

import argparse
import copy
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import planted
import torch
from numpy.typing import NDArray

from linnet import introspect
from linnet.evidence import DataRef, Scores

FILES = {"DS-CNN": "DS-CNN", "ResNet-20": "ResNet-20"}
Change = Callable[[torch.nn.Module], torch.nn.Module]


def pruned(share: float) -> Change:
    """The smallest weights of the whole network at zero."""
    def change(network: torch.nn.Module) -> torch.nn.Module:
        made = copy.deepcopy(network)
        weights = [one for one in made.parameters() if one.ndim > 1]
        least = torch.cat([one.detach().abs().flatten() for one in weights]).quantile(share)
        for one in weights:
            one.data[one.abs() < least] = 0
        return made
    return change


def rounded(bits: int) -> Change:
    """Weights on a grid of a scale a channel."""
    def change(network: torch.nn.Module) -> torch.nn.Module:
        made = copy.deepcopy(network)
        for one in made.parameters():
            if one.ndim > 1:
                scale = one.detach().abs().amax(tuple(range(1, one.ndim)), keepdim=True) / (2 ** (bits - 1) - 1)
                one.data = (one.data / scale).round() * scale
        return made
    return change


CHANGES = {"8 bits": rounded(8), "4 bits": rounded(4), "3 bits": rounded(3), "half at zero": pruned(0.5),
           "80 % at zero": pruned(0.8), "90 % at zero": pruned(0.9)}


def scored(probabilities: NDArray[np.floating], truth: NDArray[np.int64], rows: NDArray[np.int64]) -> Scores:
    """Scores of these rows."""
    answers, right = probabilities[rows].argmax(1), truth[rows]
    data = DataRef(population="digits outside of training", fingerprint="0" * 64, rows=len(rows))
    return Scores([f"row {row}" for row in rows], answers.astype(str).tolist(), right.astype(str).tolist(),
                  (answers == right).astype(float), data, "0" * 64)


def digits(seeds: int) -> dict[str, dict[str, tuple[float, float, float]]]:
    """The table of the digits; and every class of every change."""
    made = planted.build(0)
    inside = np.random.default_rng(0).permutation(len(made.images))[: len(made.images) // 2]
    outside = np.setdiff1d(np.arange(len(made.images)), inside)
    truth = np.concatenate([planted.digits()[1], np.zeros(len(made.images) - made.originals, np.int64)])
    known, foreign = outside[outside < made.originals], outside[made.foreign[outside]]
    networks = [planted.train(made.images[inside], made.labels[inside], seed) for seed in range(seeds)]
    before = [planted.probabilities(network, made.images) for network in networks]
    print(f"\n| {len(known)} digits, {seeds} seeds | accuracy | changed | worst class (95 %, all classes together) | "
          "p < 0.05 | told | changed of the foreign |\n" + "|---" * 7 + "|")
    seen = {}
    for name, change in CHANGES.items():
        after = [planted.probabilities(change(network), made.images) for network in networks]
        sides = [[scored(one, truth, rows) for one in side] for rows in (known, foreign) for side in (before, after)]
        found = introspect.forgetting(sides[0], sides[1], shifted=(sides[2], sides[3]))
        print(line(name, found), flush=True)
        seen[name] = {part: (one["difference"], *one["interval"]) for part, one in found.facts["parts"].items()}
    return seen


def line(name: str, found: introspect.Findings) -> str:
    """A row of either table."""
    parts, worst, whole = found.facts["parts"], found.facts["worst"], found.facts["all"]
    low, high = parts[worst]["interval"]
    told = sum(part in parts for part in found.subjects)
    naive = sum(part["p_value"] < 0.05 and part["difference"] < 0 for part in parts.values())
    cells = [name, f"{whole['before']:.4f} to {whole['after']:.4f}", f"{found.facts['changed']}",
             f"{worst}: {100 * parts[worst]['difference']:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})",
             f"{naive}", f"{told}"]
    if "stability" in found.facts:
        shifted = found.facts["stability"]["shifted"]
        cells.append(f"{shifted['rate']:.2f} ({shifted['interval'][0]:.2f} to {shifted['interval'][1]:.2f})")
    return f"| {' | '.join(cells)} |"


def files(folder: Path) -> None:
    """Trained networks, float and int8 as they ship, on their test parts."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shrink"))
    import networks

    from linnet import runtime, tasks

    print("\n| int8 file | accuracy | changed | worst part (95 %, all parts together) | p < 0.05 | told |\n"
          + "|---" * 6 + "|")
    for name, where in FILES.items():
        network = networks.load(name)
        sides = [tasks.evaluate(runtime.load(folder / where / f"whole-{kind}.onnx"), network.task, network.splits.test)
                 for kind in ("float", "ours-int8")]
        found = introspect.forgetting(*sides)
        print(line(f"{name}, {len(sides[0])} samples", found), flush=True)


def picture(seen: dict[str, dict[str, tuple[float, float, float]]]) -> str:
    """Every class under the changes that hurt, as SVG."""
    lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 330" font-family="sans-serif" font-size="13">'
             '<rect width="760" height="330" fill="#fff"/><text x="60" y="20">What each class lost (points; intervals '
             'hold together), digits, five seeds</text>']
    for tick in (0, -25, -50, -75, -100):
        y = 50 - 2.3 * tick
        lines.append(f'<line x1="60" x2="740" y1="{y}" y2="{y}" stroke="#ddd"/><text x="52" y="{y + 4}" '
                     f'text-anchor="end">{tick}</text>')
    for block, name in enumerate(("3 bits", "80 % at zero", "90 % at zero")):
        left = 70 + 225 * block
        lines.append(f'<text x="{left + 95}" y="38" text-anchor="middle">{name}</text>')
        for place, (part, (difference, low, high)) in enumerate(sorted(seen[name].items())):
            x, ends = left + 20 * place, [50 - 230 * one for one in (difference, low, high)]
            colour = "#aa3377" if high < 0 else "#999999"
            lines.append(f'<line x1="{x}" x2="{x}" y1="{ends[1]:.1f}" y2="{ends[2]:.1f}" stroke="{colour}" '
                         f'stroke-width="3"/><circle cx="{x}" cy="{ends[0]:.1f}" r="4" fill="{colour}"/>'
                         f'<text x="{x}" y="302" text-anchor="middle">{part[-1]}</text>')
    lines.append('<text x="400" y="322" text-anchor="middle">class</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def main() -> None:
    """Both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--files", type=Path)
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    seen = digits(given.seeds)
    if given.picture:
        given.picture.write_text(picture(seen), encoding="utf-8")
    if given.files:
        files(given.files)


if __name__ == "__main__":
    main()
