"""Handwritten digits (scikit-learn) into which label errors, near duplicates and foreign images were planted.

The construction of the looks' benches: 1797 digits, 90 labels flipped, 30 copies with noise, 20 grey crops of
photographs with random labels; a small network trained on them. `labels.py` and `foreign.py` measure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
EPOCHS, BATCH, RATE = 20, 64, 2e-3


@dataclass(frozen=True)
class Planted:
    """Images (n, 1, 8, 8), their labels as given, and what was done to them."""

    images: Floats
    labels: Ints
    flipped: NDArray[np.bool_]
    copies: Ints
    sources: Ints
    foreign: NDArray[np.bool_]
    originals: int


class Network(nn.Module):
    """Two convolutions and two linear layers."""

    def __init__(self, channels: int = 32, width: int = 64, labels: int = 10) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, padding=1)
        self.hidden = nn.Linear(2 * channels * 4, width)
        self.answer = nn.Linear(width, labels)
        self.dropout = nn.Dropout(0.3)

    def layers(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """What three layers say, each flat."""
        first = F.max_pool2d(F.relu(self.first(x)), 2)
        second = F.max_pool2d(F.relu(self.second(first)), 2).flatten(1)
        return {"first": first.flatten(1), "second": second, "hidden": F.relu(self.hidden(second))}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Logits."""
        answer: torch.Tensor = self.answer(self.dropout(self.layers(x)["hidden"]))
        return answer


def train(images: Floats, labels: Ints, seed: int, *, epochs: int = EPOCHS) -> Network:
    """AdamW for some epochs."""
    torch.manual_seed(seed)
    network = Network()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-4)
    x, y = torch.as_tensor(images), torch.as_tensor(labels)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs):
        network.train()
        shuffled = torch.randperm(len(x), generator=order)
        for start in range(0, len(x), BATCH):
            rows = shuffled[start:start + BATCH]
            optimizer.zero_grad()
            F.cross_entropy(network(x[rows]), y[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    return network.eval()


@torch.no_grad()
def probabilities(network: Network, images: Floats) -> Floats:
    """(images, labels)."""
    return np.asarray(F.softmax(network(torch.as_tensor(images)), 1).numpy())


@torch.no_grad()
def features(network: Network, images: Floats) -> dict[str, Floats]:
    """Of each layer (images, units)."""
    return {name: np.asarray(values.numpy()) for name, values in network.layers(torch.as_tensor(images)).items()}


@cache
def digits() -> tuple[Floats, Ints]:
    """1797 images (n, 1, 8, 8) from 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return (data.images / 16).astype(np.float32)[:, None], data.target.astype(np.int64)


def crops(count: int, random: np.random.Generator) -> Floats:
    """Grey crops of two photographs, 8 x 8, stretched to 0 to 1; flat ones are passed over."""
    found: list[NDArray[np.float64]] = []
    while len(found) < count:
        photograph = _photographs()[random.integers(2)]
        row, column = random.integers(0, photograph.shape[0] - 64), random.integers(0, photograph.shape[1] - 64)
        crop = photograph[row:row + 64, column:column + 64].reshape(8, 8, 8, 8).mean((1, 3))
        if np.ptp(crop) > 8:
            found.append((crop - crop.min()) / (np.ptp(crop) + 1e-6))
    return np.array(found, np.float32)[:, None]


@cache
def _photographs() -> list[NDArray[np.float64]]:
    from sklearn.datasets import load_sample_image

    return [load_sample_image(name).mean(2) for name in ("china.jpg", "flower.jpg")]


def build(seed: int) -> Planted:
    """The whole set of a seed; its random numbers are drawn in the order in which the peers were measured."""
    random = np.random.default_rng(seed)
    images, truth = digits()
    n = len(images)
    flip = random.choice(n, 90, replace=False)
    labels = truth.copy()
    labels[flip] = (truth[flip] + random.integers(1, 10, 90)) % 10
    sources = random.choice(np.setdiff1d(np.arange(n), flip), 30, replace=False)
    copies = np.clip(images[sources] + random.normal(0, 0.03, images[sources].shape), 0, 1).astype(np.float32)
    foreign = crops(20, random)
    rows = n + 50
    return Planted(np.concatenate([images, copies, foreign]),
                   np.concatenate([labels, labels[sources], random.integers(0, 10, 20)]),
                   np.isin(np.arange(rows), flip), np.arange(n, n + 30), sources, np.arange(rows) >= n + 30, n)


def out_of_fold(data: Planted, seed: int, folds: int = 5) -> Floats:
    """(rows, labels): each row answered by a network that was not trained on it."""
    from sklearn.model_selection import StratifiedKFold

    made = np.zeros((len(data.images), 10), np.float32)
    for seen, held in StratifiedKFold(folds, shuffle=True, random_state=seed).split(data.images, data.labels):
        made[held] = probabilities(train(data.images[seen], data.labels[seen], seed), data.images[held])
    return made


def answers(seed: int, folder: Path | None = None) -> dict[str, NDArray[np.generic]]:
    """All that a seed's networks say, computed once where a folder keeps it: about 17 CPU seconds.

    "probabilities": out of fold, of the whole set; "inside": the last hidden layer of a network trained on all of it.
    Then a network trained on 1000 clean digits: "seen_<layer>" of these, "held_<layer>" of the 797 others and
    "odd_<layer>" of 500 crops, with the rows of the digits "seen" and "held".
    """
    path = folder / f"digits_{seed}.npz" if folder else None
    if path and path.exists():
        with np.load(path) as kept:
            return dict(kept)
    data, (images, truth) = build(seed), digits()
    order = np.random.default_rng(seed).permutation(len(images))
    seen, held, odd = order[:1000], order[1000:], crops(500, np.random.default_rng(100 + seed))
    network = train(images[seen], truth[seen], seed)
    made = {"probabilities": out_of_fold(data, seed), "seen": seen, "held": held,
            "inside": features(train(data.images, data.labels, seed), data.images)["hidden"]}
    for name, given in (("seen", images[seen]), ("held", images[held]), ("odd", odd)):
        made |= {f"{name}_{layer}": values for layer, values in features(network, given).items()}
        made[f"{name}_probabilities"] = probabilities(network, given)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **made)
    return made
