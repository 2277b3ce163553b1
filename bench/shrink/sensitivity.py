"""Which layers suffer, and whether single layers' noises add up: python bench/shrink/sensitivity.py [NETWORK]

Each layer alone in 2, 4 and 8 bits on the validation part (no tuning), the most sensitive first; then all layers
together, as predicted from the sum and as measured, for one number of bits and for those that `bits_by_layer` gives.
"""

from __future__ import annotations

import argparse
import math

import networks
import numpy as np
import torch

from linnet import shrink
from linnet.shrink.protect import bits_by_layer, predicted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="DS-CNN")
    parser.add_argument("--samples", type=int, default=128)
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    network = networks.load(wanted.network)
    model, task, splits = network.model, network.task, network.splits
    found = shrink.sensitivity(model, task, splits.validation, bits=(2, 4, 8), samples=wanted.samples)
    print(f"| {wanted.network}: layer alone | weights | 2 bits, dB | 4 bits, dB | 8 bits, dB | answers changed in 2 |")
    print("|---|---|---|---|---|---|")
    for item in found:
        damage = item.evidence["damage"]
        print(f"| {item.subject} | {item.evidence['weights']:,} | "
              + " | ".join(f"{damage[bits]['sqnr_db']:.1f}" for bits in "248")
              + f" | {damage['2']['answers_changed']:.1%} |", flush=True)
    rows = sorted(np.random.default_rng(0).permutation(len(splits.validation))[: wanted.samples].tolist())
    arrays = task.prepare(task.read(splits.validation.take(rows)))
    before = next(iter(model(arrays).values()))
    print("\n| together | bits a weight | predicted, dB | measured, dB | answers changed |\n|---|---|---|---|---|")
    plans = {f"all {bits}": {item.subject: bits for item in found} for bits in (8, 4, 2)}
    plans |= {f"{budget} dB asked": bits_by_layer(found, sqnr_db=budget) for budget in (15, 20, 25)}
    method, materials = shrink.METHODS["qat"], shrink.Materials(task, splits, 0)
    for name, bits in plans.items():
        rounded = method.prepare(model, method.read("qat", {"own_bits": bits}), materials)
        after = next(iter(rounded(arrays).values()))
        noise = float(np.square(after - before).sum() / np.square(before).sum())
        stored = sum(width * found[layer].evidence["weights"] for layer, width in bits.items())
        mean = stored / sum(item.evidence["weights"] for item in found)
        changed = float((after.argmax(-1) != before.argmax(-1)).mean())
        print(f"| {name} | {mean:.2f} | {predicted(found, bits):.1f} | {-10 * math.log10(noise):.1f} | {changed:.1%} |",
              flush=True)


if __name__ == "__main__":
    main()
