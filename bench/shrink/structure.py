"""Half of ResNet-20's multiplications, by structure alone: python bench/shrink/structure.py [--epochs 12] [--folder F]

From the float network: blocks go, then channels in multiples of 16 (see the widths below), chosen by importance on
training and validation data; tuned with the float network as the teacher. On the test part the shipped files are
compared sample by sample; latency of onnxruntime on one thread, float and int8 each against its unpruned self, the
files taking turns. `--folder` keeps the state of the tuning, so that a stopped run goes on.

With `--widths`: what widths alone do to latency, the same network cut to narrower layers, untuned.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import networks
import torch

from linnet import evidence, export, nn, runtime, shrink, tasks, train
from linnet.recipe import load as read

WIDTHS = {"unpruned": (1.0, ()), "0.7 of all widths": (0.7, ()), "0.75 of all widths, multiples of 4": (0.75, ()),
          "half of stages 2 and 3": (0.5, ("stage2", "stage3")), "half of stage 3": (0.5, ("stage3",))}
"""By name: the share of the channels that stays, and where (everywhere, without a place)."""
BLOCKS, MULTIPLE, KEEP = 4, 16, 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--folder", default=None)
    parser.add_argument("--widths", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    network = networks.load("ResNet-20")
    with TemporaryDirectory() as name:
        if wanted.widths:
            widths(network, Path(name))
        else:
            pruned(network, Path(name), wanted)


def widths(network: networks.Network, folder: Path) -> None:
    """Latency of the same network with narrower layers, untuned."""
    made = {name: narrower(network.model, *settings) for name, settings in WIDTHS.items()}
    measured = latencies(network, made, folder)
    whole = nn.dependencies_of(network.model).macs()
    print("\n| widths | multiplications | float | int8 |\n|---|---|---|---|")
    for name, model in made.items():
        ratios = [measured[name][place] / measured["unpruned"][place] for place in (0, 1)]
        print(f"| {name} | {nn.dependencies_of(model).macs() / whole:.2f} | {ratios[0]:.2f} | {ratios[1]:.2f} |")


def narrower(model: nn.Model, share: float, places: tuple[str, ...]) -> nn.Model:
    units = {group.name: range(round(share * len(group)), len(group)) for group in nn.dependencies_of(model).groups
             if share < 1 and (not places or any(place in group.name for place in places))}
    return nn.remove_channels(model, units)


def pruned(network: networks.Network, folder: Path, wanted: argparse.Namespace) -> None:
    """The plan, what tuning gives, and both files against their unpruned selves."""
    big, task, splits = network.model, network.task, network.splits
    start = time.process_time()
    plan = shrink.plan_by_importance(big, task, splits, keep=KEEP, blocks=BLOCKS, multiple=MULTIPLE)
    removed = plan.methods.get("remove_channels", {"layers": {}})["layers"]
    counts = {layer: len(units) for layer, units in removed.items()}
    print(f"\nPlan ({time.process_time() - start:.0f} CPU s): without {plan.methods['remove_blocks']['layers']}; "
          f"channels removed: {counts}", flush=True)
    said = read(networks.ROOT / "recipes" / "cifar10-resnet.yaml").steps["big"][1]
    options = train.Options(optimizer="sgd", schedule="cosine", learning_rate=wanted.rate, batch=128, keep="last",
                            precision="bfloat16", weight_decay=5e-4, label_smoothing=0.0, teacher_weight=0.9)
    start = time.process_time()
    small = shrink.apply(plan, big, task, splits, teacher=big, epochs=wanted.epochs, augment=said.augment,
                         options=options, folder=wanted.folder)
    print(f"Tuned for {wanted.epochs} epochs in {time.process_time() - start:.0f} CPU s.", flush=True)
    measured = latencies(network, {"unpruned": big, "pruned": small}, folder)
    macs = [nn.dependencies_of(model).macs() for model in (big, small)]
    print("\n| file | multiplications | right | no worse by 1 point | difference | latency ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for place, kind in enumerate(("float", "int8")):
        scores = [tasks.evaluate(runtime.load(folder / f"{name}-{kind}.onnx"), task, splits.test)
                  for name in ("unpruned", "pruned")]
        claim = evidence.no_worse(scores[1], scores[0], margin=0.01, level=0.95)
        times = [measured[name][place] for name in ("unpruned", "pruned")]
        print(f"| {kind} unpruned | 1.00 | {scores[0].mean:.4f} | | | {times[0]:.3f} | |")
        print(f"| {kind} pruned | {macs[1] / macs[0]:.2f} | {scores[1].mean:.4f} | {claim.verdict} | "
              f"{claim.estimate:+.4f} in {claim.interval} | {times[1]:.3f} | {times[1] / times[0]:.2f} |", flush=True)


def latencies(network: networks.Network, models: dict[str, nn.Model], folder: Path) -> dict[str, tuple[float, float]]:
    """Median milliseconds of the float and the int8 file of each; all files take turns."""
    paths = []
    for name, model in models.items():
        eight = shrink.apply(shrink.Plan().quantize(), replace(model, notes={}), network.task, network.splits)
        for kind, one in (("float", model), ("int8", eight)):
            paths.append(export.write(one, network.task, folder / f"{name}-{kind}.onnx",
                                      samples=network.splits.validation))
    found = runtime.bench_many(paths, runs=200, seconds=2.0)
    milliseconds = [one.p50_ms for one in found]
    return {name: (milliseconds[2 * place], milliseconds[2 * place + 1]) for place, name in enumerate(models)}


if __name__ == "__main__":
    main()
