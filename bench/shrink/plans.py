"""Our plan for each network of table.py, chosen on the validation part."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from networks import Network

from linnet import nn, shrink

TITLES = {"int8": "Linnet, int8 alone"}


def int8(network: Network, folder: Path) -> nn.Model:
    """Post-training int8 and nothing else."""
    return shrink.apply(shrink.Plan().quantize(), network.model, network.task, network.splits)


PLANS: dict[str, dict[str, Callable[[Network, Path], nn.Model]]] = {
    "DS-CNN": {"int8": int8}, "ResNet-20": {"int8": int8}, "conformer": {"int8": int8}, "transformer": {"int8": int8}}


def made(network: Network, name: str, folder: Path) -> nn.Model:
    """Our model of this name."""
    return PLANS[network.name][name](network, folder)
