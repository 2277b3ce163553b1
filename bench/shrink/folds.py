"""Methods on handwritten digits, five folds: python bench/shrink/folds.py [GROUP ...] [--folds 5] [--seed 0]

Groups: teachers (a narrow network learns from 300 images, by labels, and with the answers, the features and the
attention of a teacher), supernet (one training for many widths, against channels removed and tuned for as long),
bits (quantization-aware training down to 2 bits), calibration (int8 after training: ways to read ranges, repairs of
weights), sparse (patterns and shares), factors (fixed and learned ranks). In each fold all start from one network.
Each image is in one fold's test part, so differences are paired over all 1,797 of them; exact, 95 %. A fold costs
half a CPU minute a group.
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import StratifiedKFold

from linnet import data, evidence, export, introspect, nn, runtime, shrink, tasks, train
from linnet.shrink.supernet import best_parts, supernet

WIDTH, EPOCHS, LABELS, NARROW = 32, 30, 300, 8
LEVEL = 0.95
GENTLE = train.Options(learning_rate=1e-3, keep="last", label_smoothing=0.0)
Made = Iterator[tuple[str, nn.Model]]


def teachers(big: nn.Model, task: tasks.Task, splits: data.Splits, seed: int) -> Made:
    """A narrow network, new each time, from few images."""
    rows = np.random.default_rng(seed).permutation(len(splits.train))[:LABELS]
    few = data.Splits(train=splits.train.take(sorted(rows.tolist())), validation=splits.validation, test=splits.test)
    ways: dict[str, dict[str, Any] | None] = {
        "labels alone": None, "answers": {}, "answers, features": {"features": 0.5},
        "answers, attention": {"attention": 2.0}}
    for name, dials in ways.items():
        fresh = nn.zoo.smallcnn(task, width=NARROW, seed=seed)
        options = train.Options(keep="last", **(dials or {}))
        yield name, train.fit(fresh, task, few, epochs=40, augment="handwriting", seed=seed, options=options,
                              teacher=None if dials is None else big)


def one_for_many(big: nn.Model, task: tasks.Task, splits: data.Splits, seed: int) -> Made:
    """A part of half the multiplications, untuned, against channels removed by redundancy and tuned as long."""
    net = supernet(big, task, splits, shares=(0.5, 0.75, 1.0), epochs=15, augment="handwriting", seed=seed,
                   options=GENTLE)
    yield "supernet, whole", net.model
    best = best_parts(net, task, splits, keep=0.5, tries=12, seed=seed)[0]
    yield "supernet, half", net.calibrated(best.widths, task, splits)
    found = introspect.redundancy(big.responses(task, splits.validation, layers=big.removable))
    for name, epochs in {"channels removed, 15 epochs": 15, "channels removed, 60 epochs": 60}.items():
        yield name, shrink.apply(shrink.plan(found, keep=0.7), big, task, splits, teacher=big, epochs=epochs,
                                 augment="handwriting", options=GENTLE, seed=seed)


def tuned(plans: Mapping[str, shrink.Plan]) -> Any:
    """A group of plans that are tuned for ten epochs beside the whole network."""
    def made(big: nn.Model, task: tasks.Task, splits: data.Splits, seed: int) -> Made:
        for name, plan in plans.items():
            yield name, shrink.apply(plan, big, task, splits, teacher=big, epochs=10, augment="handwriting",
                                     options=GENTLE, seed=seed)
    return made


def untuned(plans: Mapping[str, shrink.Plan]) -> Any:
    """A group of plans that need no tuning."""
    def made(big: nn.Model, task: tasks.Task, splits: data.Splits, seed: int) -> Made:
        for name, plan in plans.items():
            yield name, shrink.apply(plan, big, task, splits, seed=seed)
    return made


def plan(method: str, **settings: Any) -> shrink.Plan:
    """One method."""
    return shrink.Plan().plus(method, **settings)


GROUPS: dict[str, Any] = {
    "teachers": teachers, "supernet": one_for_many,
    "bits": tuned({f"{bits} bits": plan("qat", bits=bits, edges=max(bits, 4)) for bits in (8, 4, 3, 2)}),
    "calibration": untuned({
        **{name: plan("int8", calibration=name) for name in ("minmax", "percentile", "mse", "entropy")},
        **{f"minmax, {name}": plan("int8", repairs=[name]) for name in ("bias_correction", "equalize", "adaround")}}),
    "sparse": tuned({"2:4": plan("sparsify", pattern="2:4"), "1:4": plan("sparsify", pattern="1:4"),
                     **{f"{share:.0%}, {how}": plan("sparsify", share=share, how=how)
                        for share in (0.5, 0.85) for how in ("magnitude", "pdp")}}),
    "factors": tuned({f"half, {rank}": plan("factorize", keep=0.5, rank=rank) for rank in ("fixed", "learned")}),
}


def fold(group: str, digits: data.Dataset, train_rows: np.ndarray, test_rows: np.ndarray,
         seed: int) -> dict[str, tuple[np.ndarray, float, float]]:
    """By name: the score of each test image, the parameters, and the file's KB."""
    watch = set(np.random.default_rng(seed).permutation(train_rows)[: len(train_rows) // 5].tolist())
    splits = data.Splits(train=digits.take(sorted(set(train_rows.tolist()) - watch)),
                         validation=digits.take(sorted(watch)), test=digits.take(test_rows.tolist()))
    task = tasks.Classify(splits, input="image", target="digit")
    big = train.fit(nn.zoo.smallcnn(task, width=WIDTH, seed=seed), task, splits, epochs=EPOCHS, augment="handwriting",
                    seed=seed, options=train.Options(keep="last"))
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in [("float", big), *GROUPS[group](big, task, splits, seed)]:
            file = export.write(model, task, Path(folder) / "model.onnx", samples=splits.validation)
            scores = tasks.evaluate(runtime.load(file), task, splits.test)
            found[name] = scores.score, model.parameters_count, file.stat().st_size / 1e3
    return found


def row(name: str, own: np.ndarray, other: np.ndarray, parameters: float, kilobytes: float) -> str:
    """The difference from the float network in points, with its interval."""
    low, high = evidence.comparisons.paired_difference(int((own < other).sum()), int((own > other).sum()), len(own),
                                                       LEVEL)
    return (f"| {name} | {own.mean():.4f} | {100 * (own.mean() - other.mean()):+.2f} ({100 * low:+.2f} to "
            f"{100 * high:+.2f}) | {parameters:,.0f} | {kilobytes:.1f} |")


def main() -> None:
    """A table a group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("groups", nargs="*", default=list(GROUPS), metavar="GROUP")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("linnet").setLevel(logging.ERROR)
    digits = data.load("handwritten")
    targets = np.array(digits.values("digit"))
    cut = list(StratifiedKFold(5, shuffle=True, random_state=given.seed).split(targets, targets))[: given.folds]
    for group in given.groups:
        folds = [fold(group, digits, *rows, given.seed) for rows in cut]
        print(f"\n## {group}: {sum(len(found['float'][0]) for found in folds):,} images, seed {given.seed}\n\n"
              "| network | right | points from float (95 %) | parameters | file KB |\n|---|---|---|---|---|")
        whole = np.concatenate([found["float"][0] for found in folds])
        for name in folds[0]:
            own = np.concatenate([found[name][0] for found in folds])
            print(row(name, own, whole, *(float(np.mean([found[name][place] for found in folds])) for place in (1, 2))),
                  flush=True)


if __name__ == "__main__":
    main()
