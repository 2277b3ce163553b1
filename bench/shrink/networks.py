"""The four networks on which compression is measured, trained once by their recipes and kept.

They lie in bench/results/shrink/runs/; one that is missing is trained first (ResNet-20: 40 CPU minutes).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from linnet import data, nn, recipe, tasks
from linnet.data import Dataset, Splits

ROOT = Path(__file__).resolve().parent.parent.parent
RUNS = ROOT / "bench" / "results" / "shrink" / "runs"
NETWORKS = {"DS-CNN": "digits", "ResNet-20": "cifar10-resnet", "conformer": "speechocean762-conformer",
            "transformer": "clinc150-transformer"}
"""By name: the recipe whose step `big` is the network."""


@dataclass(frozen=True)
class Network:
    """A float model with its task and the data of its recipe."""

    name: str
    model: nn.Model
    task: tasks.Task
    splits: Splits


def load(name: str) -> Network:
    """The network of this name, trained first where that was not done."""
    path = ROOT / "recipes" / f"{NETWORKS[name]}.yaml"
    folder = RUNS / NETWORKS[name]
    if not (folder / "big" / "model.safetensors").exists():
        recipe.run(path, until="big", folder=RUNS)
    said = recipe.load(path)
    dataset = data.load(said.data.source, **said.data.options)
    split = said.data.split.model_dump(exclude_none=True)
    splits = dataset.split(**{"seed": said.seed, **split})
    kind, keywords = said.task
    return Network(name, nn.load(folder / "big"), tasks.TASKS[kind](splits, **keywords), splits)


def inputs(network: Network, part: Dataset, rows: int | None = None) -> list[dict[str, NDArray[Any]]]:
    """The input arrays of each sample by itself, unpadded, a batch of one each."""
    chosen = part if rows is None else part.take(sorted(
        np.random.default_rng(0).permutation(len(part))[:rows].tolist()))
    found: list[dict[str, NDArray[Any]]] = []
    for start in range(0, len(chosen), 64):
        piece = chosen.take(range(start, min(start + 64, len(chosen))))
        arrays = network.task.prepare(network.task.read(piece))
        for place in range(len(piece)):
            one = {key: values[place : place + 1] for key, values in arrays.items()}
            if "lengths" in one:
                one = {key: values if key == "lengths" else values[:, : int(one["lengths"][0])]
                       for key, values in one.items()}
            found.append(one)
    return found


def of_one_length(samples: list[dict[str, NDArray[Any]]]) -> list[dict[str, NDArray[Any]]]:
    """Recordings cut to two seconds, shorter ones left out: NNCF's calibration takes samples of one length only."""
    if "lengths" not in samples[0]:
        return samples
    length = 32_000
    return [{"audio": row["audio"][:, :length], "lengths": np.full_like(row["lengths"], length)}
            for row in samples if row["audio"].shape[1] >= length]
