"""ResNet-20 with palettes of 3 and of 2 bits: what they cost, k-means as it is and tuned (DKM, then straight through).

    .venv/bin/python bench/shrink/palettes.py [--bits 3 2] [--epochs 8] [--rows N] [--no-even] [--folder FOLDER]

Tuned are all weights, the float network is the teacher, the first and the last layer have 6 bits. The interval of the
difference is that of matched pairs, exact, at 95 %. An epoch costs a CPU minute. With --folder, a training that was
stopped goes on, and one that is done is not repeated; --rows takes so many training images, and so many test images.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import networks

from linnet import evidence, export, nn, shrink, tasks, train
from linnet.data.augment import Augment

AUGMENT = [{"step": "padded_crop"}, {"step": "flip"}]
OPTIONS = train.Options(optimizer="adamw", learning_rate=1e-3, weight_decay=1e-4, batch=128, schedule="cosine",
                        precision="bfloat16", keep="last", label_smoothing=0.0, teacher_weight=0.9)
GOALS, LEVEL = {3: -1.0, 2: -2.5}, 0.95


def small(network: networks.Network, bits: int, tuned: bool, given: argparse.Namespace, folder: Path) -> nn.Model:
    """The network with palettes."""
    if (folder / "done" / "model.safetensors").exists():
        return nn.load(folder / "done")
    plan, start = shrink.Plan().plus("palettize", bits=bits, tuned=tuned, even=given.even), time.process_time()
    how = {"epochs": given.epochs, "seed": given.seed, "augment": Augment.from_json(AUGMENT), "options": OPTIONS,
           "teacher": network.model, "folder": folder} if tuned else {}
    model = shrink.apply(plan, network.model, network.task, network.splits, **how)
    print(f"{bits} bits{', tuned' if tuned else ''}: {time.process_time() - start:.0f} CPU seconds", flush=True)
    nn.save(model, folder / "done")
    return model


def row(name: str, after: evidence.Scores, before: evidence.Scores, kilobytes: float, goal: float | None) -> str:
    """A row: accuracy, the difference in points with its interval, the file, and whether the goal was reached."""
    worsened, improved = int((after.score < before.score).sum()), int((after.score > before.score).sum())
    low, high = evidence.comparisons.paired_difference(worsened, improved, len(after), LEVEL)
    points = 100 * (after.mean - before.mean)
    said = "" if goal is None else f"{goal:+.1f}: {'reached' if points >= goal else 'missed'}"
    interval = f"{100 * low:+.2f} to {100 * high:+.2f}"
    return f"| {name} | {after.mean:.4f} | {points:+.2f} | {interval} | {kilobytes:.0f} | {said} |"


def main() -> None:
    """Tune what is wanted; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=int, nargs="+", default=[3, 2])
    parser.add_argument("--epochs", type=int, default=8, help="0 for k-means alone")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--even", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    network = networks.load("ResNet-20")
    if given.rows:
        first = {part: getattr(network.splits, part).take(range(given.rows)) for part in ("train", "test")}
        network = replace(network, splits=replace(network.splits, **first))
    before = tasks.evaluate(network.model, network.task, network.splits.test)
    with tempfile.TemporaryDirectory() as made:
        print(f"{len(before)} test images, {given.epochs} epochs, seed {given.seed}\n\n"
              "| network | accuracy | points | 95 % interval | file KB | goal |\n|---|---|---|---|---|---|\n"
              + row("float", before, before, _kilobytes(network, network.model, made), None), flush=True)
        for bits in given.bits:
            for tuned in (False, True)[: 2 if given.epochs else 1]:
                name = f"{bits} bits, {'tuned' if tuned else 'k-means'}"
                model = small(network, bits, tuned, given, (given.folder or Path(made)) / name.replace(", ", "-"))
                after = tasks.evaluate(model, network.task, network.splits.test)
                print(row(name, after, before, _kilobytes(network, model, made), GOALS.get(bits) if tuned else None),
                      flush=True)


def _kilobytes(network: networks.Network, model: nn.Model, folder: str) -> float:
    return export.write(model, network.task, Path(folder) / "file.onnx").stat().st_size / 1e3


if __name__ == "__main__":
    main()
