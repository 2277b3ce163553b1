"""A dirty training set, repaired: does a model trained on it get better on clean samples that nobody touched?

    LINNET_DATA=FOLDER PYTHONPATH=. python bench/introspect/repair.py [--sets fsdd digits cifar10] [--model ridge]

Dirty: 20 % of the training labels flipped, copies (with a little noise) of test samples in place of 1 % of the training
samples, 1 % foreign samples with random labels. Repair, in this order: `drop` of foreign samples (half against half, at
2 % false alarms), `deduplicate` of pairs across train and test, `relabel` of `label_issues` at 10 % out of five folds,
`drop` of those further ones that are more likely wrong than right. Seeds 0 and 1 served to find this; 2 is reported.

Digits: pixels, five folds pooled; foreign are crops of photographs. FSDD: log-mel descriptors, each of the six speakers
left out, pooled; foreign is noise. CIFAR-10: 4000 images, pooled answers of filters, 5000 test images; foreign are
digits. Out of fold answers kernel ridge regression; judged is a network of one hidden layer of 128 units, 30 epochs,
the same each time, so that what differs is the data. Interval: exact, of matched pairs, at 95 %, pooled rows taken as
independent ones. With --model ridge the kernel regression is judged, which minds wrong labels less.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import planted
import pyarrow as pa
import torch
from numpy.typing import NDArray

from linnet import data, evidence, introspect

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOISE, COPIES, FOREIGN, FOLDS = 0.2, 0.01, 0.01, 5


@dataclass(frozen=True)
class Part:
    """Descriptors and labels to train and to test on, and descriptors of something else."""

    train: Floats
    train_labels: Ints
    test: Floats
    test_labels: Ints
    foreign: Floats


def digits(seed: int) -> Iterator[Part]:
    """Five folds of the pixels."""
    images, labels = planted.digits()
    rows, random = images.reshape(len(images), -1).astype(np.float64), np.random.default_rng(seed)
    foreign = planted.crops(40, random).reshape(40, -1).astype(np.float64)
    for held in np.array_split(random.permutation(len(rows)), FOLDS):
        seen = np.setdiff1d(np.arange(len(rows)), held)
        yield Part(rows[seen], labels[seen], rows[held], labels[held], foreign)


def fsdd(seed: int) -> Iterator[Part]:
    """Each speaker left out; foreign are descriptors of noise with the loudness of speech."""
    digits_ = data.load("fsdd")
    rows = np.stack([_sound(media.samples) for media in digits_.decode("audio")])
    labels, speakers = np.array(digits_.values("digit"), int), np.array(digits_.values("speaker"))
    random = np.random.default_rng(seed)
    foreign = np.stack([_sound(np.cumsum(random.normal(size=4000)) if row % 2 else random.normal(size=4000))
                        for row in range(60)])
    for speaker in sorted(set(speakers.tolist())):
        held = speakers == speaker
        yield Part(rows[~held], labels[~held], rows[held], labels[held], foreign)


def _sound(samples: NDArray[np.floating]) -> Floats:
    """20 bands times 24 moments of a recording at 8 kHz, in logarithms without its loudness."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(np.ravel(samples), (0, 256)), 256)[::80] * np.hanning(256)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    edges = np.unique(np.round(129 * (10 ** (np.linspace(0, 1, 22) * np.log10(1 + 4000 / 700)) - 1) * 700 / 4000))
    bands = np.stack([power[:, int(low):max(int(high), int(low) + 1)].sum(axis=1)
                      for low, high in itertools.pairwise(edges)], axis=1)
    logs = np.log(bands + 1e-6 * bands.max() + 1e-12)
    at = np.linspace(0, len(logs) - 1, 24).round().astype(int)
    return np.asarray((logs - logs.mean())[at].ravel() / 4)


def cifar10(seed: int) -> Iterator[Part]:
    """4000 images to train on and 5000 to test; foreign are digits in grey, enlarged."""
    folder = Path(os.environ["LINNET_DATA"]) / "cifar10"
    random = np.random.default_rng(seed)
    train, train_labels = _images(folder / "train.parquet", 4000)
    test, test_labels = _images(folder / "test.parquet", 5000)
    grey = planted.digits()[0][random.choice(1797, 60, replace=False), 0]
    foreign = np.repeat(np.kron(grey, np.ones((1, 4, 4)))[..., None], 3, axis=3).astype(np.float32)
    filters = _filters(train, random)
    yield Part(_pooled(train, filters), train_labels, _pooled(test, filters), test_labels, _pooled(foreign, filters))


def _images(path: Path, count: int) -> tuple[NDArray[np.float32], Ints]:
    import pyarrow.parquet as pq
    from PIL import Image

    table = pq.read_table(path).slice(0, count)
    images = [np.asarray(Image.open(io.BytesIO(one.as_py() if not isinstance(one.as_py(), dict) else
                                               one.as_py()["bytes"]))) for one in table["image"]]
    return np.stack(images).astype(np.float32) / 255, np.array(table["label"].to_pylist(), np.int64)


def _filters(images: NDArray[np.float32], random: np.random.Generator, count: int = 200) -> tuple[Floats, ...]:
    """Patches of the images themselves, whitened (Coates and Ng 2012)."""
    patches = np.stack([images[row, top:top + 6, left:left + 6].ravel() for row, top, left in zip(
        random.integers(len(images), size=8000), *random.integers(27, size=(2, 8000)), strict=True)]).astype(np.float64)
    patches = _even(patches)
    values, vectors = np.linalg.eigh(np.cov(patches.T))
    whiten = vectors / np.sqrt(values + 0.05) @ vectors.T
    chosen = (patches[:count] - patches.mean(axis=0)) @ whiten
    return whiten @ (chosen / np.linalg.norm(chosen, axis=1, keepdims=True)).T, patches.mean(axis=0)


def _even(patches: Floats) -> Floats:
    centred = patches - patches.mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt(centred.var(axis=1, keepdims=True) + 0.01))


def _pooled(images: NDArray[np.float32], filters: tuple[Floats, ...]) -> Floats:
    """How strongly each filter answers, up and down, in each quarter of an image."""
    weights, mean = filters
    made = []
    for block in np.array_split(images, max(1, len(images) // 200)):
        windows = np.lib.stride_tricks.sliding_window_view(block, (6, 6), axis=(1, 2))[:, ::2, ::2]
        flat = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 108)
        answers = ((_even(flat) - mean) @ weights).astype(np.float32).reshape(len(block), 14, 14, -1)
        both = np.concatenate([np.maximum(answers - 0.5, 0), np.maximum(-answers - 0.5, 0)], axis=3)
        made.append(both.reshape(len(block), 2, 7, 2, 7, -1).mean(axis=(2, 4)).reshape(len(block), -1))
    found = np.concatenate(made).astype(np.float64)
    return found / np.sqrt(found.shape[1]) * 10


def answers(rows: Floats, labels: Ints, asked: Floats, classes: int = 10) -> Floats:
    """Probabilities by kernel ridge regression, whose width is the median distance of the rows."""
    squared = _squared(rows, rows)
    width = np.median(squared)
    kernel = np.exp(-2 * squared / width)
    kernel.flat[:: len(rows) + 1] += 0.3
    weights = np.linalg.solve(kernel.astype(np.float32), np.eye(classes, dtype=np.float32)[labels])
    logits = 8 * (np.exp(-2 * _squared(asked, rows) / width) @ weights)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def network(rows: Floats, labels: Ints, asked: Floats, classes: int = 10) -> Floats:
    """Logits of a small network after 30 epochs: such as learns wrong labels by heart."""
    torch.manual_seed(0)
    mean, spread = rows.mean(axis=0), rows.std() + 1e-9
    x, new = (torch.as_tensor((one - mean) / spread, dtype=torch.float32) for one in (rows, asked))
    y, order = torch.as_tensor(labels), torch.Generator().manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(x.shape[1], 128), torch.nn.ReLU(), torch.nn.Linear(128, classes))
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    for _ in range(30):
        for batch in torch.randperm(len(x), generator=order).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    with torch.no_grad():
        return np.asarray(model(new).numpy(), np.float64)


def _squared(one: Floats, other: Floats) -> Floats:
    apart = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1) - 2 * one @ other.T
    return np.asarray(np.maximum(apart, 0))


def dirty(part: Part, random: np.random.Generator) -> tuple[Floats, Ints, dict[str, NDArray[np.bool_]]]:
    """The training descriptors and labels with errors planted, and where they are."""
    rows, labels, n = part.train.copy(), part.train_labels.copy(), len(part.train)
    count = round(COPIES * n)
    order = random.permutation(n)
    copies, odd = order[:count], order[count:count + round(FOREIGN * n)]
    source = random.choice(len(part.test), count, replace=False)
    rows[copies] = part.test[source] + random.normal(0, 0.02 * part.test.std(), (count, rows.shape[1]))
    labels[copies] = part.test_labels[source]
    rows[odd], labels[odd] = part.foreign[:len(odd)], random.integers(0, 10, len(odd))
    flipped = random.random(n) < NOISE
    labels[flipped] = (labels[flipped] + random.integers(1, 10, flipped.sum())) % 10
    where = {"flipped": flipped, "copies": np.isin(np.arange(n), copies), "foreign": np.isin(np.arange(n), odd)}
    return rows, labels, where


def repaired(rows: Floats, labels: Ints, test: Floats) -> data.Dataset:
    """The training set as a Dataset, after the three repairs; its ids are row numbers."""
    made = data.Dataset("train", pa.table({"id": [str(row) for row in range(len(rows))],
                                           "label": [str(label) for label in labels]}),
                        {"label": data.LabelColumn(tuple(map(str, range(10))))})
    random = np.random.default_rng(0)
    reference, asked = np.array_split(random.permutation(len(rows)), 2)
    for known, new in ((reference, asked), (asked, reference)):
        found = introspect.out_of_distribution(rows[known], rows[new], ids=[str(row) for row in new], rate=0.02)
        made = introspect.drop(made, found)
    left = np.array([int(name) for name in made.ids])
    names = [*made.ids, *(f"test{row}" for row in range(len(test)))]
    crossing = introspect.near_duplicates(np.concatenate([rows[left], test]), ids=names)
    made = introspect.deduplicate(made, crossing)
    left = np.array([int(name) for name in made.ids])
    fold = np.random.default_rng(1).permutation(len(left)) % FOLDS
    probabilities = np.zeros((len(left), 10))
    for number in range(FOLDS):
        seen, held_out = left[fold != number], left[fold == number]
        probabilities[fold == number] = answers(rows[seen], labels[seen], rows[held_out])
    names = [str(label) for label in range(10)]
    sure, likely = (introspect.label_issues(probabilities, made.values("label"), names=names, ids=made.ids, rate=rate)
                    for rate in (0.1, 0.5))
    rest = tuple(item for item in likely
                 if item.evidence["local_fdr"] < 0.5 and item.subject not in set(sure.subjects))
    made = introspect.relabel(made, sure, column="label")
    return introspect.drop(made, introspect.Findings(likely.kind, rest))


def main() -> None:
    """A row a set: accuracy before and after, and what was repaired."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["digits", "fsdd", "cifar10"])
    parser.add_argument("--seed", type=int, default=2)
    parser.add_argument("--model", choices=["network", "ridge"], default="network")
    given = parser.parse_args()
    torch.set_num_threads(1)
    judged = network if given.model == "network" else answers
    head = ("set", "test rows", "clean", "dirty", "repaired", "points", "95 % interval", "relabelled (rightly)",
            *(f"{what} dropped (of)" for what in ("foreign", "copies", "right ones", "wrong ones")))
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in given.sets:
        rights: list[NDArray[np.bool_]] = []
        counts = np.zeros(10, int)
        for place, part in enumerate({"digits": digits, "fsdd": fsdd, "cifar10": cifar10}[name](given.seed)):
            rows, labels, where = dirty(part, np.random.default_rng(1000 + 10 * given.seed + place))
            mended = repaired(rows, labels, part.test)
            left = np.array([int(one) for one in mended.ids])
            new = np.array([int(one) for one in mended.values("label")])
            rights.append(np.stack([judged(one, two, part.test).argmax(axis=1) == part.test_labels for one, two in (
                (part.train, part.train_labels), (rows, labels), (rows[left], new))]))
            changed = np.zeros(len(rows), bool)
            changed[left] = new != labels[left]
            gone = ~np.isin(np.arange(len(rows)), left)
            truth = part.train_labels[left]
            wrong = labels != part.train_labels
            usual = ~where["copies"] & ~where["foreign"]
            rightly = (changed[left] & usual[left] & (new == truth)).sum()
            counts += [changed.sum(), rightly, *(number for kind in (
                where["foreign"], where["copies"], usual & ~wrong, usual & wrong) for number in ((gone & kind).sum(),
                                                                                               kind.sum()))]
        clean, before, after = np.concatenate(rights, axis=1)
        low, high = evidence.comparisons.paired_difference(int((before & ~after).sum()), int((after & ~before).sum()),
                                                           len(after), 0.95)
        print(f"| {name} | {len(after)} | {clean.mean():.4f} | {before.mean():.4f} | {after.mean():.4f} | "
              f"{100 * (after.mean() - before.mean()):+.2f} | {100 * low:+.2f} to {100 * high:+.2f} | {counts[0]} "
              f"({counts[1]}) | {counts[2]} ({counts[3]}) | {counts[4]} ({counts[5]}) | {counts[6]} ({counts[7]}) | "
              f"{counts[8]} ({counts[9]}) |",
              flush=True)


if __name__ == "__main__":
    main()
