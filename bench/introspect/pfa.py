"""PFA applied, tuned and certified: DS-CNN and ResNet-20 with 40 % fewer parameters.

    python bench/introspect/pfa.py [--network DS-CNN] [--network ResNet-20] [--epochs 20]

The trained float networks are those of bench/shrink (trained first where they are missing). Responses of training
samples -> redundancy -> PFA with the largest energy that removes the share -> remove_channels, tuned beside the float
network as its teacher -> no_worse on the test part, float beside float, margin one point. Only layers that hold many
parameters are cut: all but the stem of DS-CNN, stage 3 of ResNet-20. The state of the tuning is kept, so that a stopped
run goes on. Nothing was chosen on the test part. "untuned" is the same cut without tuning, which answers as DNIKit's
recipe of zeroing the units.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shrink"))
import errors_of
import networks
from networks import Network

from linnet import introspect, nn, shrink, tasks, train
from linnet.data.augment import Augment
from linnet.introspect import Findings

SHARE = 0.4
ROWS = 1500
EPOCHS = 20
"""Of ResNet-20; a CPU minute each."""
IMAGES = [{"step": "padded_crop"}, {"step": "flip"}, {"step": "erase", "chance": 0.7}]
LAYERS = {"DS-CNN": "block", "ResNet-20": "stage3"}
RUNS = networks.ROOT / "bench" / "results" / "introspect" / "runs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--network", action="append", choices=list(LAYERS))
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of ResNet-20, a CPU minute each")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    print("| network | energy | parameters | fewer | float | untuned | tuned | difference, points (95 %) | "
          "no worse by 1 point | CPU s |\n|---|---|---|---|---|---|---|---|---|---|")
    for name in wanted.network or LAYERS:
        print(row(networks.load(name), wanted.epochs), flush=True)


def row(network: Network, epochs: int) -> str:
    """One network: found, cut, tuned, and held against its float self on the test part."""
    begun = time.process_time()
    model, task, test = network.model, network.task, network.splits.test
    energy, going = chosen(model, seen(network))
    cut = nn.remove_channels(model, going)
    small = tuned(network, going, epochs)
    taken = time.process_time() - begun
    before, raw, after = (tasks.evaluate(one, task, test) for one in (model, cut, small))
    rate, interval, verdict = errors_of.compared(task, after, before, 0.01)
    fewer = 1 - small.parameters_count / model.parameters_count
    counts = f"{model.parameters_count} to {small.parameters_count} | {100 * fewer:.1f} %"
    return (f"| {network.name} | {energy:.4f} | {counts} | {before.mean:.4f} | {raw.mean:.4f} | {rate:.4f} | "
            f"{interval} | {verdict} | {taken:.0f} |")


def seen(network: Network) -> Findings:
    """Redundancy of the layers that may be cut, on training samples."""
    part = network.splits.train
    rows = sorted(np.random.default_rng(0).permutation(len(part))[:ROWS].tolist())
    layers = [layer for layer in network.model.removable if layer.startswith(LAYERS[network.name])]
    return introspect.redundancy(network.model.responses(network.task, part.take(rows), layers=layers))


def chosen(model: nn.Model, found: Findings) -> tuple[float, dict[str, list[int]]]:
    """The largest energy on a grid (what it leaves out grows by a tenth each) whose cut removes the share."""
    for energy in 1 - 1e-5 * 1.1 ** np.arange(120):
        going = introspect.pfa(found, energy=float(energy))
        if going and nn.remove_channels(model, going).parameters_count <= (1 - SHARE) * model.parameters_count:
            return float(energy), going
    raise SystemExit(f"no energy removes {SHARE} of {model.name}")


def tuned(network: Network, going: dict[str, list[int]], epochs: int) -> nn.Model:
    """The recipes of bench/shrink/plans.py, with fewer epochs for ResNet-20."""
    plan, folder = shrink.Plan().plus("remove_channels", layers=going), RUNS / network.name
    if network.name == "DS-CNN":
        return shrink.apply(plan, network.model, network.task, network.splits, teacher=network.model, epochs=40,
                            augment="speech", folder=folder)
    options = train.Options(optimizer="sgd", schedule="cosine", learning_rate=0.05, batch=128, keep="last", ema=0.99,
                            precision="bfloat16", weight_decay=5e-4, label_smoothing=0.0, teacher_weight=0.9)
    return shrink.apply(plan, network.model, network.task, network.splits, teacher=network.model, epochs=epochs,
                        augment=Augment.from_json(IMAGES), options=options, folder=folder / str(epochs))


if __name__ == "__main__":
    main()
