"""Who was in the training data: digits with 5 % flipped labels, plain, in int8, and trained privately.

    .venv/bin/python bench/introspect/privacy.py [--seeds 5] [--choose] [--picture FILE.svg]

Half of the 1847 samples (`planted.build(0)`) train five networks, the other half stays outside; a threshold on the
loss attacks. "mislabelled" are the samples whose labels were flipped. Intervals are of all seeds' losses together, by
sample, 95 % for both groups at once; in brackets the mean and the standard deviation over seeds. Accuracy is that of
the digits outside against their true labels. Private training takes all samples in each step; its settings were chosen
by accuracy (--choose) on a fifth of the training half, with another seed. 64 - 32 - 10 is a perceptron with tanh.
"""

from __future__ import annotations

import argparse
import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import planted
import pyarrow as pa
import torch
from numpy.typing import NDArray
from PIL import Image

from linnet import data, export, introspect, nn, runtime, shrink, tasks, train
from linnet.evidence.intervals import binomial

DELTA, RATE, EPOCHS, CHOSEN_ON = 1e-4, 0.5, 60, 5
Probabilities = Callable[[int], NDArray[np.floating]]
"""Of a seed: the probabilities (rows, 10) of a network that was trained with it."""


class Small(torch.nn.Module):
    """64 - 32 - 10."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.answer = torch.nn.Linear(64, 32), torch.nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        answer: torch.Tensor = self.answer(torch.tanh(self.hidden(x.flatten(1))))
        return answer


class Bench:
    """The planted digits, halved as the peers' were."""

    def __init__(self) -> None:
        self.all = planted.build(0)
        rows = len(self.all.images)
        self.inside = np.random.default_rng(0).permutation(rows)[: rows // 2]
        self.member = np.isin(np.arange(rows), self.inside)
        outside = np.flatnonzero(~self.member)
        # fit wants a validation part; nothing is chosen by it here
        self.aside = outside[(outside < self.all.originals) & ~self.all.flipped[outside]][:50]
        self.splits = self.of(self.inside, self.aside)
        self.task = tasks.Classify(self.splits, input="image", target="digit")
        self.images = self.task.prepare(self.task.read(self.dataset(np.arange(rows))))
        self.clean = (~self.member) & (np.arange(rows) < self.all.originals)
        self.truth = np.concatenate([planted.digits()[1], np.zeros(50, np.int64)])

    def dataset(self, rows: NDArray[np.int64]) -> data.Dataset:
        """Rows as a dataset."""
        table = pa.table({"id": [f"row {row}" for row in rows], "digit": [str(one) for one in self.all.labels[rows]],
                          "image": data.media_cells([png(self.all.images[row, 0]) for row in rows])})
        return data.Dataset("digits", table, {"image": data.ImageColumn(),
                                              "digit": data.LabelColumn(tuple("0123456789"))})

    def of(self, inside: NDArray[np.int64], aside: NDArray[np.int64]) -> data.Splits:
        """Training rows, and others."""
        rest = np.setdiff1d(np.flatnonzero(~self.member), aside)
        return data.Splits(self.dataset(inside), self.dataset(aside), self.dataset(rest))

    def asked(self, predictor: tasks.Predictor) -> NDArray[np.floating]:
        """Probabilities of all rows."""
        return np.asarray(torch.softmax(torch.from_numpy(predictor(self.images)["logits"]), 1).numpy())

    def convolutions(self, seed: int) -> planted.Network:
        """The network of the peers' protocol."""
        return planted.train(self.all.images[self.inside], self.all.labels[self.inside], seed)

    def private(self, seed: int, epsilon: float, *, network: type[torch.nn.Module] = Small, rate: float = RATE,
                epochs: int = EPOCHS, splits: data.Splits | None = None) -> nn.Model:
        """A network trained privately; no seed for its noise, as it should be."""
        splits = splits or self.splits
        options = train.Options(learning_rate=rate, weight_decay=0.0, batch=len(splits.train), optimizer="sgd",
                                schedule="constant", label_smoothing=0.0, keep="last", device="cpu")
        return train.fit_privately(self.fresh(seed, network), self.task, splits, epochs=epochs, seed=seed,
                                   budget=train.Budget(epsilon, DELTA), options=options)

    def fresh(self, seed: int, network: type[torch.nn.Module] = Small) -> nn.Model:
        """Fresh weights."""
        torch.manual_seed(seed)
        return nn.own(network(), self.task)


def png(image: NDArray[np.float32]) -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.fromarray(np.rint(image * 255).astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def row(bench: Bench, name: str, probabilities: list[NDArray[np.floating]]) -> dict[str, tuple[float, float, float]]:
    """One line of the table; the areas with their intervals."""
    rows = np.flatnonzero(~np.isin(np.arange(len(bench.member)), bench.aside))
    losses = [introspect.losses_of(one, bench.all.labels)[rows] for one in probabilities]
    count, seeds = len(rows), len(losses)
    every, noisy = np.tile(bench.member[rows], seeds), np.tile(bench.all.flipped[rows], seeds)
    found = introspect.membership(np.concatenate(losses), every, slices={"mislabelled": noisy},
                                  clusters=[str(place) for place in np.tile(np.arange(count), seeds)])
    alone = [introspect.membership(loss, bench.member[rows], slices={"mislabelled": bench.all.flipped[rows]}
                                   ).facts["groups"] for loss in losses]
    right = np.mean([(one.argmax(1) == bench.truth)[bench.clean] for one in probabilities], axis=0)
    low, high = binomial(round(float(right.sum())), len(right))
    cells, kept = [], {}
    for group in ("all samples", "mislabelled"):
        told, areas = found.facts["groups"][group], [one[group]["auc"] for one in alone]
        kept[group] = (float(np.mean(areas)), *told["interval"])
        cells.append(f"{told['auc']:.3f}, {told['interval'][0]:.3f} to {told['interval'][1]:.3f} "
                     f"({np.mean(areas):.3f}, {np.std(areas):.3f})")
        cells.append(f"{told['caught']['true_positive_rate']:.3f}")
    print(f"| {name} | {right.mean():.3f} ({low:.3f} to {high:.3f}) | " + " | ".join(cells) + " | "
          + (", ".join(found.subjects) or "nothing") + " |", flush=True)
    return kept


def choose(bench: Bench) -> None:
    """Validation accuracy of some settings, on a fifth of the training half (labels as given)."""
    shuffled = np.random.default_rng(CHOSEN_ON).permutation(bench.inside)
    fifth = len(shuffled) // 5
    splits = bench.of(shuffled[fifth:], shuffled[:fifth])
    print("\n| network | steps | learning rate | validation accuracy |\n|---|---|---|---|")
    for network in (planted.Network, Small):
        for epochs in (30, 60):
            for rate in (0.25, 0.5, 1.0):
                model = bench.private(100, 8.0, network=network, rate=rate, epochs=epochs, splits=splits)
                print(f"| {network.__name__} | {epochs} | {rate} | {model.history[-1]['validation_accuracy']:.3f} |",
                      flush=True)


def shipped(bench: Bench) -> None:
    """What travels in a file: calibration samples, and means of classes."""
    flat = bench.all.images.reshape(len(bench.all.images), -1).astype(np.float64)
    inside, rest = flat[bench.inside], flat[bench.clean]
    half = len(rest) // 2
    means = np.stack([inside[bench.all.labels[bench.inside] == digit].mean(axis=0) for digit in range(10)])
    print("\n| shipped | vectors | copies | told at a false discovery rate of 5 % |\n|---|---|---|---|")
    for name, vectors in (("calibration samples", inside[:64]), ("the same, with noise of 0.03", np.clip(
            inside[:64] + np.random.default_rng(1).normal(0, 0.03, (64, 64)), 0, 1)), ("means of classes", means),
            ("digits that were not trained on", rest[:half])):
        found = introspect.extraction(vectors, inside, held_out=rest[half:])
        print(f"| {name} | {len(vectors)} | {found.facts['copies']} | {len(found)} |", flush=True)


def main() -> None:
    """Train, attack, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--choose", action="store_true")
    parser.add_argument("--picture", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    bench = Bench()
    if given.choose:
        choose(bench)
        return
    networks = [bench.convolutions(seed) for seed in range(given.seeds)]
    plain = [planted.probabilities(network, bench.all.images) for network in networks]
    print("\n| network | accuracy | area, all samples | caught at 1 % | area, mislabelled | caught at 1 % | told of |\n"
          + "|---" * 7 + "|")
    curves = {"convolutions, float": row(bench, "convolutions, float", plain)}
    with tempfile.TemporaryDirectory() as folder:
        files = [int8(bench, network, Path(folder) / f"{seed}.onnx") for seed, network in enumerate(networks)]
        curves["convolutions, int8 file"] = row(bench, "convolutions, int8 file", files)
    plainly = train.Options(batch=64, label_smoothing=0.0, keep="last", device="cpu")
    alone = [bench.asked(train.fit(bench.fresh(seed), bench.task, bench.splits, epochs=100, seed=seed, options=plainly))
             for seed in range(given.seeds)]
    curves["64 - 32 - 10"] = row(bench, "64 - 32 - 10, 100 epochs, not private", alone)
    for name, network, epsilon in (("convolutions", planted.Network, 8.0), ("convolutions", planted.Network, 3.0),
                                   ("64 - 32 - 10", Small, 8.0), ("64 - 32 - 10", Small, 3.0)):
        models = [bench.private(seed, epsilon, network=network) for seed in range(given.seeds)]
        told = models[0].notes["privacy"]
        curves[f"{name}, epsilon {epsilon:g}"] = row(
            bench, f"{name}, private, epsilon {told['epsilon']:.2f}, delta {told['delta']:g}",
            [bench.asked(model) for model in models])
    shipped(bench)
    if given.picture:
        given.picture.write_text(picture(curves), encoding="utf-8")


def int8(bench: Bench, network: planted.Network, path: Path) -> NDArray[np.floating]:
    """What the int8 file of a network answers."""
    model = shrink.apply(shrink.Plan().quantize(bits=8), nn.own(network, bench.task), bench.task, bench.splits)
    return bench.asked(runtime.load(export.write(replace(model, name="digits"), bench.task, path)))


def picture(curves: dict[str, dict[str, tuple[float, float, float]]]) -> str:
    """Areas and intervals as SVG."""
    height = 60 + 46 * len(curves)
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {height + 40}" font-family="sans-serif" '
             f'font-size="13"><rect width="760" height="{height + 40}" fill="#fff"/><text x="170" y="20">How well the '
             'loss tells who was trained on (area under the curve; 0.5 is chance)</text>']
    for tick in (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0):
        x = 170 + 900 * (tick - 0.4)
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="32" y2="{height}" stroke="#ddd"/><text x="{x:.0f}" '
                     f'y="{height + 18}" text-anchor="middle">{tick:g}</text>')
    for place, (name, groups) in enumerate(curves.items()):
        y = 58 + 46 * place
        lines.append(f'<text x="160" y="{y + 4}" text-anchor="end">{name}</text>')
        for offset, (group, colour) in enumerate((("all samples", "#999999"), ("mislabelled", "#aa3377"))):
            mean, low, high = (170 + 900 * (one - 0.4) for one in groups[group])
            at = y + 14 * offset
            lines.append(f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{at}" y2="{at}" stroke="{colour}" '
                         f'stroke-width="3"/><circle cx="{mean:.1f}" cy="{at}" r="5" fill="{colour}"/>')
    lines.append(f'<text x="170" y="{height + 36}" fill="#999999">all samples</text><text x="270" y="{height + 36}" '
                 'fill="#aa3377">mislabelled samples</text>')
    return "\n".join([*lines, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
