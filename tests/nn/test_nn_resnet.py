"""Depths and sizes as in the paper."""

from __future__ import annotations

import pytest
import torch

from linnet import nn, tasks


def images(side: int, labels: int) -> tasks.Task:
    return tasks.from_json({"kind": "classify", "target": "y", "groups": [], "labels": [str(n) for n in range(labels)],
                            "choice": "one", "takes": {"kind": "images", "column": "x", "shape": [side, side, 3]}})


@pytest.mark.parametrize(("depth", "millions"), [(None, 0.27), (20, 0.27), (32, 0.46), (44, 0.66), (56, 0.85)])
def test_the_small_ones_are_as_large_as_in_table_6(depth: int | None, millions: float) -> None:
    """The paper's shortcuts without weights; ours have some where the size changes, 2 700 in all."""
    model = nn.zoo.resnet(images(32, 10), depth=depth)
    assert model.parameters_count / 1e6 == pytest.approx(millions, abs=0.01)


@pytest.mark.parametrize(("depth", "parameters"), [(None, 11_689_512), (18, 11_689_512), (34, 21_797_672)])
def test_the_large_ones_are_as_large_as_everywhere(depth: int | None, parameters: int) -> None:
    assert nn.zoo.resnet(images(224, 1000), depth=depth).parameters_count == parameters


@pytest.mark.parametrize(("side", "places"), [(32, [32, 32, 16, 8]), (64, [64, 64, 32, 16]), (96, [24, 24, 12, 6, 3])])
def test_the_stem_follows_the_size_of_the_images(side: int, places: list[int]) -> None:
    module = nn.zoo.resnet(images(side, 10)).module.eval()
    x, found = module.get_submodule("front")(torch.zeros(1, side, side, 3, dtype=torch.uint8)), []
    for name, layer in module.get_submodule("layers").named_children():
        x = layer(x)
        if name == "stem" or name.endswith("_1"):
            found.append(x.shape[2])
    assert found == places
