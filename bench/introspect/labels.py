"""Label issues at a stated false discovery rate of 5 %, against cleanlab: handwritten digits and CLINC150, 20 seeds.

    PYTHONPATH=. PEERS/bin/python bench/introspect/labels.py [--seeds 20] [--folder FOLDER] [--only digits]

PEERS has cleanlab (the extra datalab) beside Linnet's own dependencies. Digits: 5 % of 1797 labels flipped
(planted.py), probabilities of five folds, judged over the originals. CLINC150: 5 % of `train_full`'s 15,000 intents
flipped; probabilities are those of kernel ridge regression on words and characters, each row answered without itself
(closed form), softmax of ten times the answer. All looks of a seed get the same probabilities. What is tuned here was
tuned on seeds 100 to 105. With --folder what the networks said is kept: a seed costs 16 CPU seconds; CLINC150 a minute,
once for all seeds.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import planted
import torch
from numpy.typing import NDArray

from linnet import introspect
from linnet.introspect.labels import rescale

RATE, SHARE, SHARPNESS, RIDGE, WIDTH = 0.05, 0.05, 10.0, 1.0, 4.0
FILTERS = ("prune_by_noise_rate", "prune_by_class", "both", "confident_learning", "low_self_confidence")
Flags = NDArray[np.bool_]
Case = tuple[NDArray[np.float64], NDArray[np.int64], Flags, int]


def digits(seeds: int, folder: Path | None) -> Iterator[Case]:
    """Probabilities, given labels, which are wrong, and how many of the rows count."""
    for seed in range(seeds):
        data = planted.build(seed)
        values = np.asarray(planted.answers(seed, folder)["probabilities"], np.float64)
        yield values / values.sum(axis=1, keepdims=True), data.labels, data.flipped, data.originals


def without_errors(seeds: int, folder: Path | None) -> list[int]:
    """How many are flagged of the 1797 originals where every label is right: the same probabilities, no flip."""
    found = []
    for seed in range(seeds):
        values = np.asarray(planted.answers(seed, folder)["probabilities"], np.float64)[:1797]
        found.append(len(introspect.label_issues(values / values.sum(axis=1, keepdims=True), planted.digits()[1])))
    return found


def clinc(seeds: int, _folder: Path | None) -> Iterator[Case]:
    """The same of intents: the inverse of the kernel knows no labels, so that it serves every seed."""
    path = Path(os.environ["LINNET_DATA"]) / "clinc150" / "train_full.jsonl"
    rows = [row for row in map(json.loads, path.read_text().splitlines()) if row["intent"] != "oos"]
    names = sorted({row["intent"] for row in rows})
    truth = np.array([names.index(row["intent"]) for row in rows])
    inverse = _kernel_inverse([row["text"] for row in rows])
    n = len(truth)
    for seed in range(seeds):
        random, wrong, given = np.random.default_rng(seed), np.zeros(n, bool), truth.copy()
        wrong[random.choice(n, round(SHARE * n), replace=False)] = True
        given[wrong] = (truth[wrong] + random.integers(1, len(names), wrong.sum())) % len(names)
        wanted = np.eye(len(names), dtype=np.float32)[given]
        answers = SHARPNESS * (wanted - (inverse @ wanted) / inverse.diagonal()[:, None]).astype(np.float64)
        powers = np.exp(answers - answers.max(axis=1, keepdims=True))
        yield powers / powers.sum(axis=1, keepdims=True), given, wrong, n


def _kernel_inverse(texts: list[str]) -> NDArray[np.float32]:
    from scipy.linalg import lapack
    from sklearn.feature_extraction.text import TfidfVectorizer

    kernel = np.zeros((len(texts), len(texts)), np.float32)
    for options in ({"ngram_range": (1, 2)}, {"analyzer": "char_wb", "ngram_range": (2, 4)}):
        found = TfidfVectorizer(sublinear_tf=True, **options).fit_transform(texts).astype(np.float32)
        kernel += (found @ found.T).toarray() / 2
    kernel = np.exp(WIDTH * (kernel - 1))
    kernel.flat[:: len(texts) + 1] += RIDGE
    factor, _ = lapack.spotrf(kernel.T, lower=1, overwrite_a=1)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    diagonal, inverse = inverse.diagonal().copy(), np.tril(inverse)
    inverse += inverse.T
    inverse.flat[:: len(texts) + 1] = diagonal
    return inverse


def measure(cases: Iterator[Case]) -> tuple[dict[str, list[tuple[float, ...]]], list[tuple[float, ...]]]:
    """Each look: flagged, wrongly flagged of them, found of the wrong; and what our order finds at as many flagged."""
    from cleanlab.filter import find_label_issues

    found: dict[str, list[tuple[float, ...]]] = {}
    curve = []
    for values, given, wrong, count in cases:
        issues = introspect.label_issues(values, given, rate=RATE)
        order = np.argsort(rescale(values, given).local_fdr, kind="stable")
        flagged = np.isin(np.arange(len(given)), [int(one) for one in issues.subjects])
        looks: dict[str, Flags] = {"Linnet label_issues": flagged}
        looks |= {f"cleanlab {name}": find_label_issues(given, values, filter_by=name, n_jobs=1) for name in FILTERS}
        looks["Datalab"] = _datalab(values, given)
        for name, flags in looks.items():
            ours = np.isin(np.arange(len(given)), [row for row in order if row < count][: int(flags[:count].sum())])
            found.setdefault(name, []).append((*_rates(flags[:count], wrong[:count]),
                                               _rates(ours[:count], wrong[:count])[2]))
        sorted_wrong = wrong[[row for row in order if row < count]]
        stated = stated_rates(rescale(values, given).local_fdr)
        curve.append(tuple(_at(stated, sorted_wrong, order, count, rate) for rate in (0.01, 0.02, 0.05, 0.1, 0.2)))
    return found, curve


def stated_rates(local: NDArray[np.float64]) -> NDArray[np.float64]:
    """The stated rate at which each row, the surest first, would be the last one flagged."""
    return np.asarray(np.cumsum(np.sort(local)) / np.arange(1, len(local) + 1))


def _at(stated: NDArray[np.float64], wrong: Flags, order: NDArray[np.int64], count: int, rate: float) -> float:
    flagged = int((order[: int((stated <= rate).sum())] < count).sum())
    return float((~wrong[:flagged]).mean()) if flagged else 0.0


def _datalab(values: NDArray[np.float64], given: NDArray[np.int64]) -> Flags:
    from cleanlab import Datalab

    look = Datalab({"label": given}, label_name="label", verbosity=0)
    look.find_issues(pred_probs=values, issue_types={"label": {}})
    return np.asarray(look.get_issues("label")["is_label_issue"].to_numpy())


def _rates(flags: Flags, wrong: Flags) -> tuple[float, float, float]:
    total = int(flags.sum())
    return float(total), float((flags & ~wrong).sum() / max(total, 1)), float((flags & wrong).sum() / wrong.sum())


def main() -> None:
    """Print a table a data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=["digits", "clinc"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    sets: dict[str, Callable[[int, Path | None], Iterator[Case]]] = {"digits": digits, "clinc": clinc}
    for name, cases in sets.items():
        if given.only in (None, name):
            found, curve = measure(cases(given.seeds, given.folder))
            print(f"\n{name}, {given.seeds} seeds, stated rate {RATE}: means (standard deviation over seeds)\n\n"
                  "| look | flagged | wrongly flagged, share | recall | our recall at as many |\n|---|---|---|---|---|")
            for look, rows in found.items():
                mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
                print(f"| {look} | {mean[0]:.1f} | {mean[1]:.4f} ({spread[1]:.4f}) | {mean[2]:.4f} ({spread[2]:.4f}) | "
                      f"{mean[3]:.4f} |", flush=True)
            print("\nstated 0.01, 0.02, 0.05, 0.1, 0.2; realised "
                  + ", ".join(f"{value:.4f}" for value in np.mean(curve, axis=0)))
    if given.only != "clinc":
        quiet = without_errors(given.seeds, given.folder)
        print(f"\ndigits whose labels are all right: {np.mean(quiet):.1f} of 1797 flagged, {max(quiet)} at most")


if __name__ == "__main__":
    main()
