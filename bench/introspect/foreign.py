"""Foreign samples against Mahalanobis, nearest neighbours, softmax and cleanlab: handwritten digits, 20 seeds.

    PYTHONPATH=. PEERS/bin/python bench/introspect/foreign.py [--seeds 20] [--folder FOLDER]

PEERS has cleanlab (the extra datalab) beside Linnet's own dependencies. Protocol B: a network trained on 1000 clean
digits; 797 others and 500 crops of photographs are told apart. For the flag, 300 of the 797 calibrate and the other 497
are asked. Protocol A: the network was trained on the whole planted set of 1847 with its 20 crops, whose last layer is
looked at; the half that calibrates is contaminated too. Layers and their combination were chosen on seeds 100 to 104.
With --folder what the networks said is kept (`labels.py` takes the same): a seed costs 17 CPU seconds.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import planted
import torch
from numpy.typing import NDArray
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import NearestNeighbors

from linnet import introspect
from linnet.introspect.foreign import oddness

Floats = NDArray[np.float64]
LAYERS, KNOWN = ("second", "hidden"), 300


def told_apart(kept: dict[str, Floats], labels: NDArray[np.int64]) -> dict[str, float]:
    """AUROC of each score in protocol B."""
    from cleanlab.outlier import OutOfDistribution

    seen = {layer: kept[f"seen_{layer}"] for layer in LAYERS}
    asked = {layer: np.concatenate([kept[f"held_{layer}"], kept[f"odd_{layer}"]]) for layer in LAYERS}
    last, new = seen["hidden"], asked["hidden"]
    centres = np.array([last[labels == label].mean(axis=0) for label in range(10)])
    precision = LedoitWolf().fit(last - centres[labels]).precision_
    by_class = np.min([np.einsum("ij,jk,ik->i", new - one, precision, new - one) for one in centres], axis=0)
    peer = OutOfDistribution()
    peer.fit(features=last, verbose=False)
    sure = np.concatenate([kept["held_probabilities"], kept["odd_probabilities"]]).max(axis=1)
    scores = {"Linnet, two layers": oddness(seen, asked, labels.tolist()),
              "Linnet, last layer": oddness({"hidden": last}, {"hidden": new}, labels.tolist()),
              "class Mahalanobis, last layer": by_class,
              "kNN k=1, last layer": NearestNeighbors(n_neighbors=1).fit(last).kneighbors(new)[0][:, -1],
              "kNN k=10, last layer": NearestNeighbors(n_neighbors=10).fit(last).kneighbors(new)[0][:, -1],
              "cleanlab OutOfDistribution, last layer": -peer.score(features=new), "largest softmax": -sure}
    is_odd = np.arange(len(new)) >= len(kept["held_hidden"])
    return {name: float(roc_auc_score(is_odd, score)) for name, score in scores.items()}


def flagged(kept: dict[str, Floats], labels: NDArray[np.int64], rate: float, promise: str) -> tuple[float, ...]:
    """Share of digits flagged, share of crops found, share of digits among the flagged."""
    seen = {layer: kept[f"seen_{layer}"] for layer in LAYERS}
    known = {layer: kept[f"held_{layer}"][:KNOWN] for layer in LAYERS}
    asked = {layer: np.concatenate([kept[f"held_{layer}"][KNOWN:], kept[f"odd_{layer}"]]) for layer in LAYERS}
    digits = len(kept["held_hidden"]) - KNOWN
    found = [int(one) for one in introspect.out_of_distribution(
        seen, asked, known=known, labels=labels.tolist(), rate=rate, promise=promise).subjects]  # type: ignore[arg-type]
    false = sum(row < digits for row in found)
    return false / digits, (len(found) - false) / (len(asked["hidden"]) - digits), false / max(len(found), 1)


def contaminated(kept: dict[str, Floats], data: planted.Planted) -> dict[str, tuple[float, ...]]:
    """Protocol A, flagged, precision and recall: the last layer of a network that was trained on what it is asked."""
    from cleanlab import Datalab

    look = Datalab({"label": data.labels}, label_name="label", verbosity=0)
    look.find_issues(features=kept["inside"], issue_types={"outlier": {}})
    flags = {"Datalab outlier": look.get_issues("outlier")["is_outlier_issue"].to_numpy()}
    halves = np.array_split(np.random.default_rng(1).permutation(len(data.labels)), 2)
    for rate in (0.01, 0.05):
        flag = np.zeros(len(data.labels), bool)
        for asked, other in (halves, halves[::-1]):
            found = introspect.out_of_distribution(kept["inside"][other], kept["inside"][asked], rate=rate,
                                                   labels=data.labels[other].tolist())
            flag[asked[[int(one) for one in found.subjects]]] = True
        flags[f"Linnet, false alarms {rate:g}"] = flag
    return {name: (float(flag.sum()), float(data.foreign[flag].mean()) if flag.any() else 0.0,
                   float(flag[data.foreign].mean()), float(flag[~data.foreign].mean())) for name, flag in flags.items()}


def main() -> None:
    """Print three tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[20], help="how many, or from and to")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    truth, apart, rates, dirty = planted.digits()[1], [], [], []
    seeds = range(*given.seeds)
    for seed in seeds:
        kept = {name: np.asarray(values) for name, values in planted.answers(seed, given.folder).items()}
        labels = truth[kept["seen"].astype(int)]
        apart.append(told_apart(kept, labels))
        rates.append({(promise, rate): flagged(kept, labels, rate, promise)
                      for promise in ("false_alarms", "false_discoveries") for rate in (0.01, 0.05, 0.1)})
        dirty.append(contaminated(kept, planted.build(seed)))
    print(f"{len(seeds)} seeds, protocol B\n\n| score | AUROC, mean | standard deviation | least |\n|---|---|---|---|")
    for name in apart[0]:
        values = [one[name] for one in apart]
        print(f"| {name} | {np.mean(values):.4f} | {np.std(values):.4f} | {min(values):.4f} |")
    print("\n| promise | stated | digits flagged | crops found | digits among the flagged |\n|---|---|---|---|---|")
    for promise, rate in rates[0]:
        mean = np.mean([one[promise, rate] for one in rates], axis=0)
        print(f"| {promise} | {rate:g} | {mean[0]:.4f} | {mean[1]:.4f} | {mean[2]:.4f} |")
    print("\nProtocol A\n\n| flag | flagged | precision | recall | others flagged |\n|---|---|---|---|---|")
    for name in dirty[0]:
        mean = np.mean([one[name] for one in dirty], axis=0)
        print(f"| {name} | {mean[0]:.1f} | {mean[1]:.3f} | {mean[2]:.3f} | {mean[3]:.4f} |")


if __name__ == "__main__":
    main()
