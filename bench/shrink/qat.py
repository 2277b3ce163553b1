"""Fewer bits for the weights, rounded only and tuned while rounded: python bench/shrink/qat.py [NETWORK] [--epochs 6]

From the float network: weights in so many bits with activations in 8 (the first and the last layer's weights in 8),
once without tuning and once tuned with `qat` (the float network as the teacher). Right answers of the shipped file on
the test part; how far the file's logits lie from the simulated network's, as a share of their standard deviation; CPU
seconds an epoch.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import networks
import numpy as np
import torch

from linnet import export, nn, runtime, shrink, tasks, train

AUGMENT = {"DS-CNN": "speech", "ResNet-20": "images"}


def measured(network: networks.Network, model: nn.Model, simulated: nn.Model,
             folder: Path) -> tuple[float, float, int, int]:
    """Accuracy of the file, deviation from what was simulated, answers that differ between the two, bytes."""
    path = export.write(model, network.task, folder / "model.onnx", samples=network.splits.validation)
    file = runtime.load(path)
    after, before = (tasks.evaluate(predictor, network.task, network.splits.test) for predictor in (file, simulated))
    arrays = network.task.prepare(network.task.read(network.splits.test.take(range(256))))
    found, wanted = (next(iter(predictor(arrays).values())) for predictor in (file, simulated))
    changed = sum(own != other for own, other in zip(after.answers, before.answers, strict=True))
    return after.mean, float(np.sqrt(np.mean((found - wanted) ** 2)) / wanted.std()), changed, path.stat().st_size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="DS-CNN")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4, 3, 2])
    parser.add_argument("--rate", type=float, default=1e-3)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    network = networks.load(wanted.network)
    whole = tasks.evaluate(network.model, network.task, network.splits.test)
    print(f"| {wanted.network} | right of {len(whole)} | file against simulated (rms / std) | other answers | bytes | "
          "CPU s an epoch |")
    print("|---|---|---|---|---|---|")
    print(f"| float | {whole.mean:.4f} | | | | |", flush=True)
    options = train.Options(learning_rate=wanted.rate, schedule="cosine", device="cpu")
    with TemporaryDirectory() as name:
        folder = Path(name)
        plain = shrink.apply(shrink.Plan().quantize(), network.model, network.task, network.splits)
        show("int8 after training", *measured(network, plain, network.model, folder), 0.0)
        for bits in wanted.bits:
            method, materials = shrink.METHODS["qat"], shrink.Materials(network.task, network.splits, 0)
            settings = method.read("qat", {"bits": bits})
            simulated = method.prepare(network.model, settings, materials)
            small = method.finish(simulated, settings, materials)
            show(f"{bits} bits, rounded", *measured(network, small, simulated, folder), 0.0)
            start = time.process_time()
            simulated = train.fit(simulated, network.task, network.splits, epochs=wanted.epochs, teacher=network.model,
                                  augment=AUGMENT.get(wanted.network), options=options)
            spent = (time.process_time() - start) / wanted.epochs
            small = method.finish(simulated, settings, materials)
            show(f"{bits} bits, tuned", *measured(network, small, simulated, folder), spent)


def show(name: str, accuracy: float, deviation: float, changed: int, size: int, seconds: float) -> None:
    print(f"| {name} | {accuracy:.4f} | {deviation:.4f} | {changed} | {size:,} | {seconds:.1f} |", flush=True)


if __name__ == "__main__":
    main()
