"""Handwritten digits (scikit-learn's), five folds: python bench/handwritten.py

Float and int8 beside peers on the same folds. Who wrote which digit is not known, so the folds are by image. Nothing
is chosen on a fold's test images.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from linnet import data, export, nn, runtime, shrink, tasks, train

PEERS: dict[str, Callable[[], object]] = {
    "logistic regression": lambda: make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
    "SVM, RBF kernel": lambda: make_pipeline(StandardScaler(), SVC(C=10, gamma="scale")),
}


def fold(digits: data.Dataset, train_rows: np.ndarray, test_rows: np.ndarray, folder: Path,
         arguments: argparse.Namespace) -> dict[str, float]:
    """Accuracy of our float and int8 file and of each peer on one fold, the size and the CPU time."""
    start = time.process_time()
    watch = np.random.default_rng(arguments.seed).permutation(train_rows)[: len(train_rows) // 10]
    splits = data.Splits(train=digits.take(sorted(set(train_rows.tolist()) - set(watch.tolist()))),
                         validation=digits.take(sorted(watch.tolist())), test=digits.take(test_rows.tolist()))
    task = tasks.Classify(splits, input="image", target="digit")
    fresh = nn.zoo.smallcnn(task, width=arguments.width, seed=arguments.seed)
    model = train.fit(fresh, task, splits, epochs=arguments.epochs, augment="handwriting", seed=arguments.seed,
                      options=train.Options(keep="last"))
    small = shrink.apply(shrink.plan().quantize(8), model, task, splits, seed=arguments.seed)
    result: dict[str, float] = {}
    for name, which in {"float": model, "int8": small}.items():
        file = export.write(which, task, folder / f"{name}.onnx", samples=splits.validation)
        result[name] = tasks.evaluate(runtime.load(file), task, splits.test).mean
        result[f"{name} KB"] = file.stat().st_size / 1000
    result["CPU s"] = time.process_time() - start
    pixels = np.stack(digits.decode("image")).reshape(len(digits), -1)
    targets = np.array(digits.values("digit"))
    for name, make in PEERS.items():
        peer = make().fit(pixels[train_rows], targets[train_rows])
        result[name] = float(peer.score(pixels[test_rows], targets[test_rows]))
    return result


def shown(value: float) -> str:
    """An accuracy with four digits, anything larger with one."""
    return f"{value:.4f}" if value <= 1 else f"{value:.1f}"


def main() -> None:
    """Five folds; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=40)
    arguments = parser.parse_args()
    digits = data.load("handwritten")
    targets = np.array(digits.values("digit"))
    cut = StratifiedKFold(5, shuffle=True, random_state=arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        rows = [fold(digits, train_rows, test_rows, Path(folder), arguments)
                for train_rows, test_rows in cut.split(targets, targets)]
    names = list(rows[0])
    print("| fold | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1))
    for number, row in enumerate(rows, 1):
        print(f"| {number} | " + " | ".join(shown(row[name]) for name in names) + " |")
    means = {name: float(np.mean([row[name] for row in rows])) for name in names}
    print("| mean | " + " | ".join(map(shown, means.values())) + " |")


if __name__ == "__main__":
    main()
