"""Integrated gradients at 50 Gauss-Legendre nodes: ours against Captum's, by CPU time, memory and values.

    PYTHONPATH=. PEERS/bin/python bench/introspect/attribution.py [--networks DS-CNN ...] [--repeats 3]

Runs whole under an interpreter that has captum and what Linnet needs, so that both share one torch; one thread.
Captum is given the plain network from the place on (the picture, the pixels, the embedded tokens), in evaluation mode,
and the best of four batchings (outer batch, internal_batch_size), searched first. Ours is `nn.attribution.attribute`
as a whole, from decoded samples, front end included. Calls take turns; samples a CPU second are the median of the
repeats. Peak memory is that of a process which does one call, less what it held before. "Captum, no padding" gets texts
of one length at a time. The two anchors' networks have random weights and inputs, as in the anchors' protocol. Needs
LINNET_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shrink"))

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch import nn as layers

from linnet import nn, tasks
from linnet.nn import attribution

NODES = 50
SAMPLES = {"DS-CNN": 16, "ResNet-20": 16, "transformer": 64, "anchors' CNN": 128, "anchors' residual": 32}
Values = NDArray[np.float64]


@dataclass
class Case:
    """A model with samples, and the same for Captum: the place's values and the network from there."""

    model: nn.Model
    task: Any
    samples: list[Any]
    values: Tensor
    baseline: Tensor
    targets: Tensor
    after: Callable[..., Tensor]
    tokens: Tensor | None = None


class Cnn(layers.Module):
    """The anchors' network for 8 x 8 images."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2 = layers.Conv2d(1, 32, 3, padding=1), layers.Conv2d(32, 64, 3, padding=1)
        self.f1, self.f2 = layers.Linear(256, 64), layers.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 1, 8, 8) to (batch, 10)."""
        x = torch.max_pool2d(torch.relu(self.c1(x)), 2)
        x = torch.max_pool2d(torch.relu(self.c2(x)), 2)
        answer: Tensor = self.f2(torch.relu(self.f1(x.flatten(1))))
        return answer


def residual(width: int = 16) -> layers.Module:
    """The anchors' network of seven convolutions for 32 x 32 images."""
    def block(inputs: int, outputs: int, stride: int) -> list[layers.Module]:
        return [layers.Conv2d(inputs, outputs, 3, stride, 1), layers.BatchNorm2d(outputs), layers.ReLU(),
                layers.Conv2d(outputs, outputs, 3, 1, 1), layers.BatchNorm2d(outputs), layers.ReLU()]

    return layers.Sequential(layers.Conv2d(3, width, 3, 1, 1), layers.ReLU(), *block(width, width, 1),
                             *block(width, 2 * width, 2), *block(2 * width, 4 * width, 2),
                             layers.AdaptiveAvgPool2d(1), layers.Flatten(), layers.Linear(4 * width, 10))


def case(name: str) -> Case:
    """The network of this name with its samples."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    if name.startswith("anchors"):
        module, shape = (Cnn(), (8, 8, 1)) if name.endswith("CNN") else (residual(), (32, 32, 3))
        task = tasks.from_json({"kind": "classify", "takes": {"kind": "images", "column": "image", "shape": shape},
                                "target": "label", "groups": [], "labels": list("0123456789"), "choice": "one"})
        model, samples = nn.own(module, task), list(random.integers(0, 256, (SAMPLES[name], *shape), np.uint8))
    else:
        import networks

        loaded = networks.load(name)
        model, task = loaded.model, loaded.task
        rows = sorted(random.permutation(len(loaded.splits.test))[:SAMPLES[name]].tolist())
        samples = list(task.read(loaded.splits.test.take(rows)))
    network = model.module.eval()
    arrays = task.prepare(samples)
    first = torch.from_numpy(np.array(next(iter(arrays.values()))))
    with torch.no_grad():
        targets = network(first).argmax(1)
        if "tokens" in arrays:
            values = network.layers["embedding"](first)
            return Case(model, task, samples, values, torch.zeros_like(values), targets, _embedded(network), first)
        values, nothing = network.front(first), network.front(torch.zeros_like(first[:1]))
    return Case(model, task, samples, values, nothing.expand_as(values), targets, _without_front(network))


def _without_front(network: Any) -> Callable[..., Tensor]:
    if hasattr(network, "pool"):
        return layers.Sequential(*network.layers.values(), Call(network.pool), network.head)
    inner: Callable[..., Tensor] = network.layers["network"]
    return inner


class Call(layers.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        """What the function makes of it."""
        return self.function(x)


def _embedded(network: Any) -> Callable[..., Tensor]:
    from linnet.nn.attention import attention_bias, rotary
    from linnet.nn.masking import masked_mean, real_tokens

    def answer(x: Tensor, tokens: Tensor) -> Tensor:
        mask = real_tokens(tokens)
        bias, angles = attention_bias(mask), rotary(mask, network.head_channels)
        for block in list(network.layers.values())[1:]:
            x = block(x, bias, angles)
        found: Tensor = network.head(masked_mean(network.norm(x), mask))
        return found

    return answer


def ours(given: Case) -> Values:
    """(samples, places): our maps, flat."""
    found = attribution.attribute(given.model, given.task, given.samples, nodes=NODES)
    return found.values.reshape(len(found), -1).astype(np.float64)


def theirs(given: Case, outer: int, inner: int) -> Values:
    """(samples, places): Captum's maps, channels summed, flat."""
    parts = [_captum(given, slice(start, start + outer), inner) for start in range(0, len(given.values), outer)]
    return np.concatenate(parts)


def theirs_unpadded(given: Case, inner: int) -> Values:
    """The same for texts of one length at a time."""
    assert given.tokens is not None
    lengths, found = (given.tokens != 0).sum(1), np.zeros(given.tokens.shape)
    for length in lengths.unique().tolist():
        rows = torch.nonzero(lengths == length)[:, 0]
        found[rows.numpy(), :length] = _captum(given, rows, max(inner, len(rows)), length)
    return found[:, : int(lengths.max())]


def _captum(given: Case, rows: Any, inner: int, length: int | None = None) -> Values:
    from captum.attr import IntegratedGradients

    values, nothing = given.values[rows], given.baseline[rows]
    beside = None if given.tokens is None else given.tokens[rows]
    if length is not None and beside is not None:
        values, nothing, beside = values[:, :length], nothing[:, :length], beside[:, :length]
    found = IntegratedGradients(given.after).attribute(
        values, nothing, target=given.targets[rows], n_steps=NODES, internal_batch_size=inner,
        additional_forward_args=beside)
    summed = found.sum(2 if given.tokens is not None else 1).flatten(1)
    return summed.detach().numpy().astype(np.float64)


def batchings(count: int) -> list[tuple[int, int]]:
    """(outer batch, internal_batch_size) to choose Captum's best from."""
    return [(count, count), (count, 4 * count), (max(8, count // 4), max(8, count // 4)), (max(8, count // 4), count)]


def seconds(call: Callable[[], Any]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def peak(name: str, side: str, batching: tuple[int, int]) -> float:
    """MB that one call adds to a process's peak, in a process of its own."""
    done = subprocess.run([sys.executable, __file__, "--memory", name, side, *map(str, batching)], check=True,
                          capture_output=True, text=True, env={**os.environ, "MALLOC_TRIM_THRESHOLD_": "0"})
    return float(json.loads(done.stdout.splitlines()[-1]))


def _memory(name: str, side: str, outer: int, inner: int) -> None:
    given = case(name)
    from captum.attr import IntegratedGradients  # noqa: F401  both sides' code is loaded before

    Path("/proc/self/clear_refs").write_text("5")  # the peak so far is forgotten
    before = _status("VmRSS")
    _ = ours(given) if side == "ours" else theirs_unpadded(given, inner) if outer == 0 else theirs(given, outer, inner)
    print(json.dumps((_status("VmHWM") - before) / 1024))


def _status(name: str) -> int:
    """A line of this process's memory in KiB, as Linux says it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1])


def rows(name: str, repeats: int) -> list[str]:
    """The table's rows of a network."""
    given = case(name)
    count = len(given.samples)
    tried = {each: seconds(lambda each=each: theirs(given, *each)) for each in batchings(count)}
    best = min(tried, key=lambda each: tried[each])
    sides: dict[str, tuple[Callable[[], Values], tuple[int, int]]] = {
        "Captum": (lambda: theirs(given, *best), best)}
    if given.tokens is not None:
        sides["Captum, no padding"] = (lambda: theirs_unpadded(given, 32), (0, 32))
    sides["ours"] = (lambda: ours(given), best)
    spent: dict[str, list[float]] = {side: [] for side in sides}
    maps: dict[str, Values] = {}
    for _ in range(repeats):
        for side, (call, _) in sides.items():
            start = time.process_time()
            maps[side] = call()
            spent[side].append(time.process_time() - start)
    width = min(values.shape[1] for values in maps.values())
    reference = maps["Captum"][:, :width]
    gained = attribution.attribute(given.model, given.task, given.samples, nodes=1).difference
    assert gained is not None
    said = []
    for side, values in maps.items():
        ratio = np.median(np.array(spent["Captum"]) / np.array(spent[side]))
        error = np.abs(values.sum(1) - gained) / np.abs(gained)
        memory = peak(name, "ours" if side == "ours" else "theirs", sides[side][1])
        apart = np.abs(values[:, :width] - reference).max() / np.abs(reference).max()
        label = f"Captum, {best[0]} samples, internal {best[1]}" if side == "Captum" else side
        said.append(f"| {name} | {label} | {count / np.median(spent[side]):.1f} | {ratio:.2f} | {memory:.0f} | "
                    f"{100 * np.median(error):.2f} / {100 * error.max():.2f} | {apart:.1e} |")
    if name.startswith("anchors"):
        return said
    start = time.process_time()
    adaptive = attribution.attribute(given.model, given.task, given.samples)
    spent_s = time.process_time() - start
    error = adaptive.completeness_error
    assert error is not None
    assert adaptive.nodes is not None
    return [*said, f"| {name} | ours, as many nodes as 1 % needs (median {np.median(adaptive.nodes):.0f}) | "
                   f"{count / spent_s:.1f} | {np.median(spent['Captum']) / spent_s:.2f} | | "
                   f"{100 * np.median(error):.2f} / {100 * error.max():.2f} | |"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=list(SAMPLES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    if given.memory:
        _memory(*given.memory[:2], *map(int, given.memory[2:]))
        return
    print("| network | integrated gradients | samples a CPU second | times Captum's | MB added | completeness error %, "
          "median / largest | furthest from Captum's, of the largest value |\n|---|---|---|---|---|---|---|",
          flush=True)
    for name in given.networks:
        print("\n".join(rows(name, given.repeats)), flush=True)


if __name__ == "__main__":
    main()
