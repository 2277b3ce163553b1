"""Blocks around which the signal also goes straight can go as a whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from stand_in import batch_of, pictures, texts, windows
from torch import Tensor
from torch import nn as torch_nn

from linnet import nn
from linnet.errors import LinnetError


class _Through(torch_nn.Module):
    def forward(self, x: Tensor, *_: object) -> Tensor:
        return x


@pytest.mark.parametrize(("family", "dial", "known"), [
    ("resnet", {"depth": 14}, ("stage1_1", "stage1_2", "stage2_2", "stage3_2")),
    ("transformer", {"width": 64}, ("block1", "block2")),
    ("dscnn", {"width": 8}, ()),
])
def test_the_blocks_that_can_go_are_those_that_are_added(
        family: str, dial: dict[str, int], known: tuple[str, ...], tmp_path: Path) -> None:
    task = {"resnet": pictures(), "transformer": texts(), "dscnn": windows()}[family]
    model = nn.zoo.FAMILIES[family](task, **dial)
    assert nn.removable_blocks(model) == known
    for name in known[-1:]:
        smaller = nn.remove_blocks(model, [name])
        model.module.get_submodule("layers")[name] = _Through()
        np.testing.assert_array_equal(smaller(batch_of(task))["logits"], model(batch_of(task))["logits"])
        assert name not in smaller.layers
        nn.save(smaller, tmp_path)
        assert nn.load(tmp_path).identity == smaller.identity


def test_blocks_go_after_channels_too() -> None:
    model = nn.zoo.transformer(texts(), width=64)
    wide = nn.remove_channels(model, {"block1.wide": [0], "block2.wide": [1, 2]})
    one = nn.remove_blocks(wide, ["block1"])
    assert nn.remove_channels(nn.remove_blocks(model, ["block1"]), {"block2.wide": [1, 2]}).identity == one.identity
    assert torch.isfinite(torch.from_numpy(one(batch_of(texts()))["logits"])).all()


def test_what_is_no_such_block_is_refused() -> None:
    model = nn.zoo.resnet(pictures(), depth=14)
    with pytest.raises(LinnetError, match="unknown removable block 'stage2_1'"):
        nn.remove_blocks(model, ["stage2_1"])
    with pytest.raises(LinnetError, match="no blocks around which"):
        nn.remove_blocks(nn.zoo.dscnn(windows(), width=8), ["block3"])
