"""Half of ResNet-20's multiplications, by structure alone: python bench/shrink/structure.py [--widths]

From the float network: blocks go, then channels in multiples of 16 (see the widths below), chosen by importance on
training and validation data; tuned with the float network as the teacher (plans.py). On the test part the files are
compared sample by sample; latency is CPU time of onnxruntime on one thread, float and int8 each against its unpruned
self, the files taking turns. The state of the tuning is kept, so that a stopped run goes on.

With `--widths`: what widths alone do to latency, the same network cut to narrower layers, untuned.
"""

from __future__ import annotations

import argparse
import statistics
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import errors_of
import networks
import plans
import torch

from linnet import export, nn, runtime, shrink, tasks
from linnet.runtime.engines import start
from linnet.runtime.inputs import random_inputs

WIDTHS = {"unpruned": (1.0, ()), "0.7 of all widths": (0.7, ()), "0.75 of all widths, multiples of 4": (0.75, ()),
          "half of stages 2 and 3": (0.5, ("stage2", "stage3")), "half of stage 3": (0.5, ("stage3",))}
"""By name: the share of the channels that stays, and where (everywhere, without a place)."""
STATE = networks.ROOT / "bench" / "results" / "shrink" / "table" / "ResNet-20" / "ours-small"
ROUNDS = 60


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", action="store_true")
    wanted = parser.parse_args()
    torch.set_num_threads(1)
    network = networks.load("ResNet-20")
    with TemporaryDirectory() as name:
        if wanted.widths:
            widths(network, Path(name))
        else:
            pruned(network, Path(name))


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


def pruned(network: networks.Network, folder: Path) -> None:
    """What tuning gives, and both files against their unpruned selves."""
    big, task, splits = network.model, network.task, network.splits
    begun = time.process_time()
    small = plans.narrow(network, STATE)
    print(f"Planned and tuned in {time.process_time() - begun:.0f} CPU s (little if done before).", flush=True)
    measured = latencies(network, {"unpruned": big, "pruned": small}, folder)
    macs = [nn.dependencies_of(model).macs() for model in (big, small)]
    print("\n| file | multiplications | right | difference, points (95 %) | no worse by 1 point | CPU ms | ratio |")
    print("|---|---|---|---|---|---|---|")
    for place, kind in enumerate(("float", "int8")):
        scores = [tasks.evaluate(runtime.load(folder / f"{name}-{kind}.onnx"), task, splits.test)
                  for name in ("unpruned", "pruned")]
        rate, interval, verdict = errors_of.compared(task, scores[1], scores[0], 0.01)
        times = [measured[name][place] for name in ("unpruned", "pruned")]
        print(f"| {kind} unpruned | 1.00 | {scores[0].mean:.4f} | | | {times[0]:.3f} | |")
        print(f"| {kind} pruned | {macs[1] / macs[0]:.2f} | {rate:.4f} | {interval} | {verdict} | {times[1]:.3f} | "
              f"{times[1] / times[0]:.2f} |", flush=True)


def latencies(network: networks.Network, models: dict[str, nn.Model], folder: Path) -> dict[str, tuple[float, float]]:
    """Median CPU milliseconds of the float and the int8 file of each; all files take turns."""
    paths = []
    for name, model in models.items():
        eight = shrink.apply(shrink.Plan().quantize(), replace(model, notes={}), network.task, network.splits)
        for kind, one in (("float", model), ("int8", eight)):
            paths.append(export.write(one, network.task, folder / f"{name}-{kind}.onnx",
                                      samples=network.splits.validation))
    calls = [(start(path), random_inputs(start(path), batch=1, seed=0)) for path in paths]
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(ROUNDS):
        for (session, inputs), taken in zip(calls, times, strict=True):
            begun = time.process_time()
            for _ in range(10):
                session.run(inputs)
            taken.append((time.process_time() - begun) * 100)
    found = [statistics.median(taken) for taken in times]
    return {name: (found[2 * place], found[2 * place + 1]) for place, name in enumerate(models)}


if __name__ == "__main__":
    main()
